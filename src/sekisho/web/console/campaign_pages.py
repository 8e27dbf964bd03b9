"""Campaigns at the desks: hunt for them, see whom they entered, and contain the cohort in one step."""

import asyncio
from typing import Any, NamedTuple
from urllib.parse import quote

from litestar import Response, get, post

from sekisho.console.case_desk import CaseDesk
from sekisho.console.hunts import Found, LastHunt
from sekisho.console.rights import Right
from sekisho.kernel.clock import MINUTE_US
from sekisho.kernel.refusals import Refusal
from sekisho.response import containment_rows
from sekisho.response.cohorts import Suspect, of_sessions, together
from sekisho.response.containment import ContainmentStepRefused, ContainmentUnknown
from sekisho.response.containment_rows import Contained, Containment, Standing
from sekisho.response.staff import SecondPersonNeeded
from sekisho.storage.unit_of_work import Connection
from sekisho.web.console.staff_admission import RIGHT, staff_of
from sekisho.web.console.staff_deeds import deed, require_approved
from sekisho.web.console.staff_desks import InstitutionDesks, desks_at
from sekisho.web.console.typed import TypedUnusable, as_typed, read_moment
from sekisho.web.members.roles import ROLE, Role
from sekisho.web.members.visits import AnyRequest, visit_of

SEEING = {ROLE: Role.MEMBER, RIGHT: Right.SEE_CAMPAIGNS}
SEEING_COHORTS = {ROLE: Role.MEMBER, RIGHT: Right.SEE_COHORTS}
CONTAINING = {ROLE: Role.MEMBER, RIGHT: Right.CONTAIN}
APPROVING = {ROLE: Role.MEMBER, RIGHT: Right.APPROVE}
FORBIDDEN, CONFLICT = 403, 409
NEWEST = 50
UNDECIDED = frozenset({Standing.PROPOSED, Standing.BELOW, Standing.TURNED_DOWN, Standing.FAILED})
DECISIONS = {
    "shut": UNDECIDED,
    "leave": UNDECIDED - {Standing.TURNED_DOWN},
    "undo": frozenset({Standing.DONE}),
}
"""What can be decided about one of a cohort, and where they stand then."""

SHOWN = 500


class CampaignUnknown(Refusal):
    """Nothing is known of a campaign of this id."""

    code = "campaign_unknown"
    status = 404
    told = "Nothing is known of this campaign."


class Known(NamedTuple):
    """What is known of a campaign: by the last hunt, of its cohort, and what was done about it."""

    campaign: str
    found: Found | None
    cohort: list[Suspect]
    begun: Containment | None
    contained: list[Contained]

    def lines(self, desks: InstitutionDesks) -> dict[str, int]:
        """Return how many the policy would shut by itself, propose, and leave alone."""
        policy = desks.containments.policy
        automatic = sum(one.probability >= policy.automatic_from for one in self.cohort)
        likely = sum(one.probability >= policy.proposed_from for one in self.cohort)
        return {"automatic": automatic, "proposed": likely - automatic, "below": len(self.cohort) - likely}

    def standing(self) -> dict[str, int]:
        """Return how many of those who are in the containment stand where."""
        counts: dict[str, int] = {}
        for one in self.contained:
            counts[one.standing.value] = counts.get(one.standing.value, 0) + 1
        return counts

    def crowd(self) -> list[str]:
        """Return the names of those who are shut when a second person approves."""
        line = 1.0 if self.begun is None else self.begun.policy.automatic_from
        waits = Standing.PROPOSED
        return [one.named for one in self.contained if one.standing is waits and one.probability >= line]


@get("/{institution:str}/campaigns", opt=SEEING)
async def campaigns_page(request: AnyRequest) -> Response[Any]:
    """Show what the last hunt found, and the campaigns that were contained."""
    visit, desks, staff = visit_of(request), desks_at(request), staff_of(request)
    last = await asyncio.to_thread(desks.hunts.last)
    begun = await desks.parts.read(lambda at: containment_rows.newest(at, NEWEST))
    counts = await desks.parts.read(lambda at: containment_rows.counts(at, [one.id for one in begun]))
    return visit.page(
        "desks/campaigns.html",
        desks=desks,
        last=last,
        begun=begun,
        counts=counts,
        hunting=desks.hunts.is_running,
        trouble=desks.hunts.trouble,
        may_hunt=staff.may(desks.institution.key, Right.SEE_COHORTS),
    )


@post("/{institution:str}/campaigns/hunt", opt=SEEING_COHORTS)
async def hunt(request: AnyRequest) -> Response[Any]:
    """Begin a hunt through the record."""
    desks = desks_at(request)
    desks.hunts.start()
    return visit_of(request).go(f"/{desks.institution.key}/campaigns")


@get("/{institution:str}/campaigns/{campaign:str}", opt=SEEING_COHORTS)
async def campaign_page(request: AnyRequest) -> Response[Any]:
    """Show one campaign, its cohort, and how far its containment is."""
    return await _page(request)


@post("/{institution:str}/campaigns/{campaign:str}/contain", opt=CONTAINING)
async def contain(request: AnyRequest) -> Response[Any]:
    """Begin to contain a campaign, or add who is new in its cohort."""
    visit, desks, staff = visit_of(request), desks_at(request), staff_of(request)
    known = await _known(desks, request.path_params["campaign"])
    await require_approved(visit, _containing(desks, known))
    begun = await desks.containments.begin(known.campaign, known.cohort, by=staff.id)
    desks.runs.run(begun.id)
    return visit.go(_path(desks, known.campaign))


@post("/{institution:str}/campaigns/{campaign:str}/approve", opt=APPROVING)
async def approve(request: AnyRequest) -> Response[Any]:
    """Let a large cohort be shut, as the second person."""
    visit, desks, staff = visit_of(request), desks_at(request), staff_of(request)
    known = await _known(desks, request.path_params["campaign"])
    if known.begun is None:
        raise ContainmentUnknown(known=known.campaign[:60])
    await require_approved(visit, _approving(desks, known))
    try:
        await desks.containments.approve(known.begun.id, by=staff.id)
    except SecondPersonNeeded:
        return await _page(request, trouble="switch_second_person", status=FORBIDDEN)
    desks.runs.run(known.begun.id)
    return visit.go(_path(desks, known.campaign))


@get("/{institution:str}/campaigns/{campaign:str}/one", opt=SEEING_COHORTS)
async def one_page(request: AnyRequest) -> Response[Any]:
    """Show one of a cohort, and what can be decided about them."""
    return await _one(request, request.query_params.get("named", ""))


@post("/{institution:str}/campaigns/{campaign:str}/one", opt=CONTAINING)
async def decide(request: AnyRequest) -> Response[Any]:
    """Decide about one of a cohort: shut the account, leave it, or take back what was done."""
    visit, desks, staff = visit_of(request), desks_at(request), staff_of(request)
    campaign, form = request.path_params["campaign"], visit.form
    named, what = form["named"], form["what"]
    begun, _ = await _contained(desks, campaign, named)
    await require_approved(visit, _deciding(desks, begun.id, named, what))
    try:
        if what == "undo":
            await desks.containments.undo(begun.id, named, proof=form.trimmed("proof"), by=staff.id)
        else:
            await desks.containments.decide(begun.id, named, contain=what == "shut", by=staff.id)
            desks.runs.run(begun.id)
    except ContainmentStepRefused:
        return await _one(request, named, trouble="campaign_step_refused", status=CONFLICT)
    return visit.go(_path(desks, campaign))


async def _one(request: AnyRequest, named: str, *, trouble: str = "", status: int = 200) -> Response[Any]:
    visit, desks, staff = visit_of(request), desks_at(request), staff_of(request)
    campaign = request.path_params["campaign"]
    begun, one = await _contained(desks, campaign, named)
    may = staff.may(desks.institution.key, Right.CONTAIN)
    ways = [what for what in DECISIONS if may and one.standing in DECISIONS[what]]
    return visit.page(
        "desks/campaign_one.html",
        status=status,
        desks=desks,
        begun=begun,
        one=one,
        ways={what: _deciding(desks, begun.id, named, what) for what in ways},
        trouble_words=trouble,
        path=_path(desks, campaign),
        here=f"{_path(desks, campaign)}/one?named={quote(named)}",
    )


async def _contained(desks: InstitutionDesks, campaign: str, named: str) -> tuple[Containment, Contained]:
    def reading(connection: Connection) -> tuple[Containment, Contained] | None:
        begun = containment_rows.of_campaign(connection, campaign)
        one = None if begun is None else containment_rows.member(connection, begun.id, named)
        return None if begun is None or one is None else (begun, one)

    found = await desks.parts.read(reading)
    if found is None:
        raise ContainmentUnknown(known=f"{campaign[:60]} {named[:60]}")
    return found


async def _known(desks: InstitutionDesks, campaign: str) -> Known:
    last = await asyncio.to_thread(desks.hunts.last)
    found = next((one for one in _campaigns(last) if one.id == campaign), None)
    hunted = await asyncio.to_thread(desks.hunts.entered, campaign)

    def reading(connection: Connection) -> Known:
        begun = containment_rows.of_campaign(connection, campaign)
        contained = [] if begun is None else containment_rows.members_of(connection, begun.id)
        cohort = together(hunted, of_sessions(connection, campaign))
        return Known(campaign, found, cohort, begun, contained)

    known = await desks.parts.read(reading)
    if found is None and not known.cohort and known.begun is None:
        raise CampaignUnknown(known=campaign[:60])
    return known


async def _page(request: AnyRequest, *, trouble: str = "", status: int = 200) -> Response[Any]:
    visit, desks, staff = visit_of(request), desks_at(request), staff_of(request)
    key, known = desks.institution.key, await _known(desks, request.path_params["campaign"])
    begun = known.begun
    as_of_us = _as_of_us(request)
    inside = {one.named for one in known.contained}
    return visit.page(
        "desks/campaign.html",
        status=status,
        desks=desks,
        known=known,
        lines=known.lines(desks),
        standing=known.standing(),
        new=sum(one.named not in inside for one in known.cohort),
        shown=known.contained[:SHOWN],
        running=begun is not None and desks.runs.is_running(begun.id),
        containing=_containing(desks, known),
        approving="" if begun is None else _approving(desks, known),
        may_contain=staff.may(key, Right.CONTAIN),
        may_approve=begun is not None and staff.may(key, Right.APPROVE) and staff.id != begun.begun_by,
        needs_approval=_needs_approval(known),
        counted=await CaseDesk(desks.parts).count(known.campaign, as_of_us),
        as_of=as_typed(as_of_us),
        trouble_words=trouble,
        path=_path(desks, known.campaign),
        here=_path(desks, known.campaign),
    )


def _as_of_us(request: AnyRequest) -> int:
    """Return as of when the damage is counted: as asked, else now."""
    asked, now_us = request.query_params.get("as_of", ""), visit_of(request).now_us()
    try:
        # To the end of that minute, as a form knows no seconds.
        return min(now_us, read_moment(asked, words="case_wrong_time") + MINUTE_US - 1) if asked else now_us
    except TypedUnusable:
        return now_us


def _needs_approval(known: Known) -> bool:
    begun = known.begun
    return begun is not None and begun.approved_at_us is None and bool(known.crowd())


def _campaigns(last: LastHunt | None) -> list[Found]:
    return [] if last is None else last.campaigns


def _path(desks: InstitutionDesks, campaign: str) -> str:
    return f"/{desks.institution.key}/campaigns/{campaign}"


def _containing(desks: InstitutionDesks, known: Known) -> str:
    # Whoever is in the cohort when it is approved is what was approved.
    cohort = ",".join(f"{one.named}:{one.probability:.4f}" for one in known.cohort)
    return deed("contain", institution=desks.institution.key, campaign=known.campaign, cohort=cohort)


def _approving(desks: InstitutionDesks, known: Known) -> str:
    # Who was added since the page was shown was approved by nobody.
    of = {"campaign": known.campaign, "crowd": ",".join(known.crowd())}
    return deed("containment_approve", institution=desks.institution.key, **of)


def _deciding(desks: InstitutionDesks, containment_id: str, named: str, what: str) -> str:
    return deed(
        "containment_decide", institution=desks.institution.key, of=containment_id, named=named, what=what
    )


ROUTES = (campaigns_page, hunt, campaign_page, contain, approve, one_page, decide)
