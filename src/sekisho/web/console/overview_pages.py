"""The first page of a desk: are we under attack, what is switched off or held, and what waits for me."""

from typing import TYPE_CHECKING, Any, NamedTuple, cast

from litestar import Response, get

from sekisho.console.live_tally import ACTIONS, WINDOW_S, Picture
from sekisho.console.rights import Right
from sekisho.console.standing import Work, standing_at
from sekisho.response import containment_rows
from sekisho.response.functions import functions
from sekisho.web.console.drawing import drawn
from sekisho.web.console.following import told
from sekisho.web.console.glass_panes import noticed_by
from sekisho.web.console.next_steps import next_steps
from sekisho.web.console.rendering import change, clock_time, number, percent, state_of
from sekisho.web.console.staff_admission import RIGHT, STAFF, staff_of
from sekisho.web.console.staff_desks import InstitutionDesks, desks_at
from sekisho.web.console.words import Words
from sekisho.web.members.roles import ROLE, UNATTENDED, Role
from sekisho.web.members.visits import AnyRequest, Visit, visit_of

if TYPE_CHECKING:
    from sekisho.console.staff import StaffDesk, StaffMember

SEEING = {ROLE: Role.MEMBER, RIGHT: Right.SEE_CAMPAIGNS}
PARTS = ("now", "work", "held", "course")
UNDER_ATTACK = frozenset({"attack", "attack_holding"})
SAID = frozenset({"next_desk", "next_hold"})
"""Of what the live page advises: what is not work of its own here."""

AT_ONCE = frozenset({"contain", "crowd", "switch", "lift", "cohort", "broken", "cases_late"})
"""Work of which each minute may cost somebody money; all other is for today."""


class Way(NamedTuple):
    """A part of the desks: what its page is called, the right that opens it, and the desk that it needs.

    `desk` is a field of InstitutionDesks that some institutions leave empty; empty where all have it.
    """

    name: str
    right: Right
    desk: str = ""

    def is_at(self, desks: InstitutionDesks) -> bool:
        """Say whether an institution has this part."""
        return not self.desk or getattr(desks, self.desk) is not None


WAYS = (
    Way("campaigns", Right.SEE_CAMPAIGNS),
    Way("switches", Right.SEE_SWITCHES),
    Way("members", Right.SEE_MEMBERS),
    Way("cases", Right.SEE_MEMBERS),
    Way("claims", Right.SEE_MEMBERS, "claims"),
    Way("recoveries", Right.SEE_MEMBERS, "recoveries"),
    Way("links", Right.DECIDE_LINKS, "links"),
    Way("applications", Right.DECIDE_APPLICATIONS, "applications"),
    Way("atm-orders", Right.DECIDE_APPLICATIONS, "atm_orders"),
    Way("policies", Right.SEE_POLICIES),
    Way("what-if", Right.TRY_POLICIES, "trials"),
    Way("reports", Right.MAKE_REPORTS),
    Way("audit", Right.READ_AUDIT),
)
WHERE = {
    "contain": "campaigns/{of}",
    "hunt": "campaigns",
    "crowd": "campaigns/{of}",
    "cohort": "campaigns/{of}?standing=proposed#cohort-title",
    "broken": "campaigns/{of}?standing=failed#cohort-title",
    "switch": "switches/{of}",
    "lift": "switches/{of}",
    "cases_late": "cases",
    "cases_mine": "cases?whose=mine",
    "cases_nobodys": "cases?whose=nobody",
    "claims_decide": "claims",
    "claims_assess": "claims",
    "applications": "applications",
    "atm_orders": "atm-orders",
    "reports": "reports",
    "recoveries": "recoveries",
    "receipts": "recoveries",
    "links": "links",
    "lost_moves": "links",
}
"""On which page which work is done."""


class Task(NamedTuple):
    """Work as the page shows it, and where it is done."""

    work: Work
    path: str
    at_once: bool


class Tasks(NamedTuple):
    """What waits for whoever looks, and what waits for others."""

    mine: list[Task]
    others: list[Work]


@get("/{institution:str}", opt=SEEING)
async def institution_page(request: AnyRequest) -> Response[Any]:
    """Show how things stand at one institution, and the ways on that somebody's roles open."""
    visit, desks, staff = visit_of(request), desks_at(request), staff_of(request)
    key, shown = desks.institution.key, await _shown(visit, desks, staff)
    ways = [way for way in WAYS if staff.may(key, way.right) and way.is_at(desks)]
    return visit.page(
        "desks/institution.html",
        **shown,
        ways=ways,
        noticed=await noticed_by(staff, request, key),
        names=await cast("StaffDesk", request.app.state[STAFF]).names(),
    )


@get("/{institution:str}/now", opt={**SEEING, UNATTENDED: True})
async def institution_now(request: AnyRequest) -> Response[Any]:
    """Say how things stand now, for the page that shows it."""
    visit, desks, staff = visit_of(request), desks_at(request), staff_of(request)
    shown = await _shown(visit, desks, staff)
    parts = {part: visit.part(f"desks/{part}.html", **shown) for part in PARTS}
    said = str(Words(visit.language)(f"state_{shown['state']}"))
    return told(parts, said=said)


async def _shown(visit: Visit, desks: InstitutionDesks, staff: "StaffMember") -> dict[str, Any]:
    now_us = visit.now_us()
    picture = desks.watch.picture(now_us)
    standing = await desks.parts.read(standing_at(now_us, staff.id))
    hunted_us = await desks.campaigns.hunted_at_us()
    inside = await _inside(desks, picture)
    work = [*_of_attack(picture, inside, hunted_us), *standing.work]
    state = state_of(picture)
    return {
        "desks": desks,
        "p": picture,
        "state": state,
        "under_attack": state in UNDER_ATTACK,
        "live": Words(visit.language),
        "drawing": drawn(picture, WINDOW_S),
        "actions": ACTIONS,
        "advice": [step for step in next_steps(picture) if step.key in SAID],
        "standing": standing,
        "tasks": _tasks(work, desks.institution.key, staff),
        "functions": functions(),
        "may_see_cohorts": staff.may(desks.institution.key, Right.SEE_COHORTS),
        "number": number,
        "percent": percent,
        "change": change,
        "clock_time": clock_time,
    }


async def _inside(desks: InstitutionDesks, picture: Picture) -> dict[str, int]:
    """Return how many members somebody may be logged in as, by campaign, whom nobody has contained yet."""
    campaigns, line = [one.campaign for one in picture.campaigns], desks.containments.policy.proposed_from
    return await desks.parts.read(lambda at: containment_rows.not_contained(at, campaigns, line))


def _of_attack(picture: Picture, inside: dict[str, int], hunted_us: int) -> list[Work]:
    """Return the work that the attack itself makes: who was entered is contained, and then hunted for."""
    entered = [Work("contain", Right.CONTAIN, many, campaign) for campaign, many in inside.items()]
    over = [one for one in picture.campaigns if not one.live and one.last_us > hunted_us]
    return entered + ([Work("hunt", Right.SEE_COHORTS, len(over))] if over else [])


def _tasks(work: list[Work], institution: str, staff: "StaffMember") -> Tasks:
    mine, others = [], []
    for one in work:
        if staff.may(institution, one.right) and one.asked_by != staff.id:
            path = f"/{institution}/{WHERE[one.what].format(of=one.of)}"
            mine.append(Task(one, path, one.what in AT_ONCE))
        elif one.what != "cases_mine":
            others.append(one)
    return Tasks(sorted(mine, key=lambda task: not task.at_once), others)


ROUTES = (institution_page, institution_now)
