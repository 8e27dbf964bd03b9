"""Every route of the desks by which something is done, done once: each leaves its act on the audit record.

The list of routes is the application's own. A new one has to be played here, by somebody who may.
"""

import re
import sys
from collections.abc import Awaitable, Callable

import msgspec
import pytest
from sqlalchemy import insert, select
from tests.campaigns.recorded import OURS
from tests.lender.applicants import open_way_in
from tests.lender.atm_at_hand import open_atm
from tests.lender.lender_at_hand import open_lender
from tests.lender.test_atm_disputes import disputed
from tests.response.recoveries_at_hand import GROUND
from tests.web.desks_site import DesksSite, at_the_desks
from tests.web.test_desks_campaigns import PAGE, attack_in, entered
from tests.web.test_desks_cases import NEW as NEW_CASE
from tests.web.test_desks_cases import STRANGER, found_option
from tests.web.test_desks_glass import FOUND
from tests.web.test_desks_glass import WHY as WHY_NOW
from tests.web.test_desks_links import LINKS, lost_move, played, waiting_link
from tests.web.test_desks_members import WHY, member
from tests.web.test_desks_papers import REPORTS
from tests.web.test_desks_recoveries import ASK, CAME, GIVE_UP, PARTNER, paid_for
from tests.web.test_desks_rights import staffed
from tests.web.test_desks_switches import CASH_OFF, NEW, PREVIEW, SET
from tests.web.test_desks_what_if import ENDLESS, STRICT, trials_of

from sekisho.console import staff
from sekisho.console.rights import StaffRole
from sekisho.guard.policy_text import policy_text
from sekisho.identity import freezes
from sekisho.identity.arrivals import Arrival
from sekisho.identity.institution import Parts
from sekisho.kernel.clock import DAY_US
from sekisho.response import audit
from sekisho.storage.tables.atm import atm_discrepancy
from sekisho.storage.tables.lender import loan_event

HERE = "POST /{institution:str}"
# Which act each route leaves, by the scene in which it is played.
ACTS = {
    "switches": {
        f"{HERE}/switches": "switch:set",
        f"{HERE}/switches/{{switch_id:str}}/approve": "switch:approved",
        f"{HERE}/switches/{{switch_id:str}}/lift": "switch:lift_asked",
    },
    "campaigns": {
        f"{HERE}/campaigns/hunt": "hunt:begun",
        f"{HERE}/campaigns/{{campaign:str}}/contain": "containment:begun",
        f"{HERE}/campaigns/{{campaign:str}}/approve": "containment:approved",
        f"{HERE}/campaigns/{{campaign:str}}/one": "containment:member_waiting",
        f"{HERE}/reports/{{campaign:str}}": "report:made",
        f"{HERE}/reports/{{campaign:str}}/{{kind:str}}/{{version:int}}/sent": "report:sent",
    },
    "members": {
        f"{HERE}/members": "member:looked_up",
        f"{HERE}/members/{{member_id:str}}/open": "member:seen",
        f"{HERE}/members/{{member_id:str}}/sessions": "member:sessions_ended",
        f"{HERE}/members/{{member_id:str}}/holds": "member:hold_lifted",
        f"{HERE}/glass/{{kind:str}}/{{subject:str}}": "glass:broken",
        f"{HERE}/glass/{{glass_id:str}}": "glass:seen",
        f"{HERE}/audit/verify": "audit:verified",
        f"{HERE}/audit/export": "audit:exported",
    },
    "cases": {
        f"{HERE}/cases": "case:opened",
        f"{HERE}/cases/{{case_id:str}}/step": "case:confirmed",
        f"{HERE}/cases/{{case_id:str}}/note": "case:noted_call",
        f"{HERE}/cases/{{case_id:str}}/assign": "case:noted_assigned",
        f"{HERE}/cases/{{case_id:str}}/open": "case:seen",
    },
    "claims": {
        f"{HERE}/cases/{{case_id:str}}/claims": "claim:made",
        f"{HERE}/claims/{{claim_id:str}}/assess": "claim:assessed",
        f"{HERE}/claims/{{claim_id:str}}/decide": "claim:paid",
        f"{HERE}/recoveries/ask": "recovery:asked",
        f"{HERE}/recoveries/came": "recovery:entered",
        f"{HERE}/recoveries/{{receipt_id:str}}/book": "recovery:booked",
        f"{HERE}/recoveries/{{receipt_id:str}}/turn-down": "recovery:turned_down",
        f"{HERE}/recoveries/give-up": "recovery:given_up",
    },
    "applications": {f"{HERE}/applications/{{application_id:str}}": "application:granted"},
    "atm orders": {
        f"{HERE}/atm-orders/decide": "atm_order:decided",
        f"{HERE}/atm-orders/close": "atm_order:decided",
    },
    "links": {
        f"{HERE}/links/{{link_id:str}}/names": "link:names_seen",
        f"{HERE}/links/{{link_id:str}}/review": "link:approved",
        f"{HERE}/links/{{link_id:str}}/stand": "link:stopped",
    },
    "lost moves": {f"{HERE}/lost-moves/{{move_id:str}}": "bank_move:decided"},
    "what if": {
        f"{HERE}/what-if": "policy:tried",
        f"{HERE}/what-if/policy": "policy:tried",
        f"{HERE}/what-if/cancel": "policy:trial_cancelled",
    },
}
# What changes nothing and shows nobody's data. This list may only shrink, or grow with a reason beside it.
TRACELESS = {
    f"{HERE}/switches/preview",  # counts whom a switch would have met, before it is set
}


class Traced:
    """Somebody at the desks whose every deed has to leave the act of its route, in their own name."""

    def __init__(self, of: "Scene", name: str) -> None:
        self._of = of
        self._name = name

    async def open(self, path: str):
        """Look at a page."""
        return await self.browser.get(path)

    async def at(self, *roles: StaffRole, institution: str = "lender") -> "Traced":
        """Get in, in these roles."""
        self.browser, self.passkey = await self._of.site.at_work(self._name, {institution: roles})
        everybody = await self._of.site.site.parts.read(staff.all_staff)
        self.id = next(one.id for one in everybody if one.name == self._name)
        return self

    async def propose(self, action: str, **typed: str) -> None:
        """Fill the page's form in, and approve what the next page shows."""
        await self.browser.submit(action, **typed)
        await self.approve(action)

    async def approve(self, action: str, **typed: str) -> None:
        """Approve what the page shows."""
        before = self._of.acts()
        await self._of.site.approve_deed(self.browser, self.passkey, action, **typed)
        await self._left(action, before)

    async def send(
        self, action: str, behind: Callable[[], Awaitable[None]] | None = None, **typed: str
    ) -> None:
        """Send a form that asks for no passkey; what goes on `behind` the answer is waited for."""
        before = self._of.acts()
        await self.browser.submit(action, **typed)
        if behind is not None:
            await behind()
        await self._left(action, before)

    async def _left(self, action: str, before: int) -> None:
        assert self.browser.page.is_success, action
        route, act = self._of.route_of(action)
        found = [one for one in self._of.recorded() if one.position > before]
        assert (act, self.id) in {(one.act, one.actor) for one in found}, (route, found)
        self._of.left.append(route)


class Scene:
    """A scene at the desks of an institution, and the routes that were played in it."""

    def __init__(self, name: str, site: DesksSite, parts: Parts) -> None:
        self.site = site
        self.left: list[str] = []
        self._routes = ACTS[name]
        self._parts = parts

    def recorded(self):
        """Return every act on the institution's record."""
        with self._parts.store.read() as connection:
            return list(audit.all_acts(connection))

    def acts(self) -> int:
        """Return how many acts there are."""
        return len(self.recorded())

    def route_of(self, action: str) -> tuple[str, str]:
        """Return the route that a form is posted to, with its act; the plainest that fits."""
        fitting = [
            route
            for route in self._routes
            if re.fullmatch(re.sub(r"\{\w+:\w+\}", "[^/]+", route), f"POST {action}")
        ]
        route = min(fitting, key=lambda each: each.count("{"))
        return route, self._routes[route]

    def all_played(self) -> bool:
        """Say whether every route of the scene was played."""
        return set(self.left) == set(self._routes)


def test_every_route_by_which_something_is_done_is_played(tmp_path):
    """A new one has to be thought about."""

    async def scene(site: DesksSite) -> None:
        doing = {route for route in staffed(site) if route.startswith("POST ")}
        listed = [route for routes in ACTS.values() for route in routes]
        assert len(listed) == len(set(listed))
        assert doing == set(listed) | TRACELESS
        assert not set(listed) & TRACELESS

    at_the_desks(tmp_path, scene)


async def switches(scene: Scene) -> None:
    one = await Traced(scene, "Sato").at(StaffRole.RESPONDER)
    await one.open(NEW)
    await one.browser.submit(PREVIEW, **CASH_OFF)
    await one.approve(SET)
    page = one.browser.path
    other = await Traced(scene, "Ito").at(StaffRole.APPROVER)
    await other.open(page)
    await other.approve(f"{page}/approve")
    await one.open(page)
    await one.approve(f"{page}/lift", why="the number is ours again")


async def campaigns(scene: Scene) -> None:
    site = scene.site
    site.desks.containments._policy = msgspec.structs.replace(  # noqa: SLF001 - one of two thousand is none
        site.desks.containments.policy, automatic_members_max=1
    )
    for risk in (0.97, 0.98):
        entered(site, risk)
    perhaps = entered(site, 0.6)
    one = await Traced(scene, "Sato").at(StaffRole.RESPONDER)
    await one.open("/lender/campaigns")
    await one.send("/lender/campaigns/hunt", site.desks.hunts.finished)
    await one.open(PAGE)
    await one.approve(f"{PAGE}/contain")
    await site.desks.runs.quiet()
    other = await Traced(scene, "Ito").at(StaffRole.APPROVER)
    await other.open(PAGE)
    await other.approve(f"{PAGE}/approve")
    await site.desks.runs.quiet()
    await one.open(f"{PAGE}/one?named={perhaps}")
    await one.approve(f"{PAGE}/one")
    await site.desks.runs.quiet()
    await one.open(REPORTS)
    await one.propose(REPORTS, paper="breach_preliminary")
    await one.propose(f"{REPORTS}/breach_preliminary/1/sent")


async def members(scene: Scene) -> None:
    site = scene.site
    whose = member(site)
    page, glass = f"/lender/members/{whose.id}", f"/lender/glass/members/{whose.id}"
    one = await Traced(scene, "Sato").at(StaffRole.DESK, StaffRole.RESPONDER)
    await one.open("/lender/members")
    await one.send("/lender/members", q=whose.id)
    await one.propose(f"{page}/open", item_home_address="1", reason=WHY)
    await one.open(page)
    await one.propose(f"{page}/sessions", reason=WHY)
    theirs = Arrival(ip="192.0.2.1", user_agent="x")
    await site.lender.written(lambda at: freezes.freeze(at, site.lender, whose.id, theirs))
    await one.open(page)
    await one.propose(f"{page}/holds", reason=WHY)
    breaking = await Traced(scene, "Mori").at(StaffRole.ANALYST)
    await breaking.open(glass)
    await breaking.propose(glass, reason=WHY_NOW)
    auditor = await Traced(scene, "Ito").at(StaffRole.AUDITOR)
    broken = re.search(r"/lender/glass/gls_\w+", (await auditor.open("/audit")).text)
    assert broken
    await auditor.open(broken[0])
    await auditor.propose(broken[0], remark=FOUND)
    await auditor.open("/lender/audit")
    await auditor.send("/lender/audit/verify")
    await auditor.open("/lender/audit")
    await auditor.send("/lender/audit/export")


async def cases(scene: Scene) -> None:
    one = await Traced(scene, "Sato").at(StaffRole.DESK)
    await one.open(NEW_CASE)
    await one.propose("/lender/cases", **STRANGER)
    page = one.browser.path
    await one.propose(f"{page}/step", stage="confirmed", amount="110,000", basis="bank's statement")
    await one.propose(f"{page}/note", kind="call", text="asked for the statement")
    await one.propose(f"{page}/assign", to=found_option(await one.open(page), "Sato"))
    await one.open(page)
    await one.propose(f"{page}/open", reason=WHY)


async def applications(scene: Scene) -> None:
    one = await Traced(scene, "Sato").at(StaffRole.DESK)
    waiting = re.search(r"/lender/applications/apl_\w+", (await one.open("/lender/applications")).text)
    assert waiting
    await one.open(waiting[0])
    await one.propose(waiting[0], what="grant", limit="100,000", reason="saw the contract")


async def atm_orders(scene: Scene) -> None:
    orders = "/lender/atm-orders"
    found = {"machine_id": "atm-1", "order_id": "ours_not", "kind": "unknown_here", "theirs_yen": 10_000}
    row = found | {"found_at_us": scene.site.clock.now_us(), "resolved_by": ""}
    scene.site.lender.store.write(lambda at: at.execute(insert(atm_discrepancy), row)).result()
    one = await Traced(scene, "Sato").at(StaffRole.DESK)
    await one.open(orders)
    await one.propose(f"{orders}/decide", moved="10,000", reason="counted the vault")
    await one.open(orders)
    await one.propose(f"{orders}/close", reason="settled with the network")


async def what_if(scene: Scene) -> None:
    site, page = scene.site, "/lender/what-if"
    attack_in(site.history, site.clock.now_us())
    trials = trials_of(site)
    one = await Traced(scene, "Sato").at(StaffRole.ANALYST)
    await one.open(page)
    await one.send(page, trials.finished, **STRICT)
    await one.open(page)
    await one.send(f"{page}/policy", trials.finished, policy=policy_text(OURS), days="1")
    trials.command = (sys.executable, "-c", ENDLESS.format(pid=str(site.file / "pid")))
    await one.open(page)
    await one.browser.submit(page, **STRICT)
    while "Playing again: 25%" not in (await one.open(page)).text:
        assert trials.running
    await one.send(f"{page}/cancel")


@pytest.mark.parametrize("play", [switches, campaigns, members, cases, what_if])
def test_what_is_done_at_the_desks_is_on_record(tmp_path, play):
    """By whom, in the act of its route."""

    async def scene(site: DesksSite) -> None:
        its = Scene(play.__name__.replace("_", " "), site, site.lender)
        await play(its)
        assert its.all_played(), its.left

    at_the_desks(tmp_path, scene)


@pytest.mark.parametrize(("play", "opened"), [(applications, "way"), (atm_orders, "atm")])
def test_what_the_lender_leaves_to_a_person_is_on_record(tmp_path, play, opened):
    """An application, and orders at machines."""
    folder = tmp_path / "desks"
    folder.mkdir()
    if opened == "way":
        lent = open_way_in(tmp_path)
        lent.screened(lent.add_applicant(), employed_months=2)
    else:
        lent = open_atm(tmp_path)
        disputed(lent)

    async def scene(site: DesksSite) -> None:
        its = Scene(play.__name__.replace("_", " "), site, site.lender)
        await play(its)
        assert its.all_played(), its.left

    at_the_desks(folder, scene, lent.house.parts)


def test_what_is_made_good_and_who_bears_it_is_on_record(tmp_path):
    """A claim by two people, and a partner's part in it."""
    lent = open_lender(tmp_path)
    lent.register()
    lent.clock.advance(4 * DAY_US)
    for number, yen in enumerate((100_000, 50_000)):
        lent.lend(yen, f"order-{number}")
    borrowed = select(loan_event.c.id).where(loan_event.c.kind == "borrowed").order_by(loan_event.c.id)
    with lent.house.store.read() as connection:
        loss = connection.execute(borrowed).scalars().all()[1]

    async def scene(site: DesksSite) -> None:
        await paid_for(site, lent, 0)
        its = Scene("claims", site, site.lender)
        one = await Traced(its, "Sato").at(StaffRole.DESK)
        other = await Traced(its, "Ito").at(StaffRole.APPROVER)
        await one.open(NEW_CASE)
        theirs = {"reporter": "member", "kind": "loan_drawn", "member": lent.member_id, "loss": "50000"}
        await one.browser.submit("/lender/cases", **theirs)
        await site.approve_deed(one.browser, one.passkey, "/lender/cases")
        await one.propose(f"{one.browser.path}/claims", loss=loss, claimed="50000")
        claim = one.browser.path
        await one.propose(f"{claim}/assess", fault="no_fault", share="100", why="entered in the campaign")
        await other.open(claim)
        await other.propose(f"{claim}/decide", what="pay")
        await one.open(PARTNER)
        await one.propose(ASK, share="100", ground=GROUND)
        receipts = []
        for number in ("B-1", "B-2"):
            await one.open(PARTNER)
            await one.propose(CAME, number=number, yen="1,000", way="transfer", campaign="any")
            receipts.append(one.browser.path)
        for receipt, what, why in ((receipts[0], "book", {}), (receipts[1], "turn-down", {"why": "twice"})):
            await other.open(receipt)
            await other.propose(f"{receipt}/{what}", **why)
        await other.open(PARTNER)
        await other.propose(GIVE_UP, why="it refuses")
        assert its.all_played(), its.left

    at_the_desks(tmp_path, scene, lent.house.parts)


def test_what_is_decided_of_links_is_on_record(tmp_path):
    """At the wallet's desk."""

    async def scene(there, site: DesksSite) -> None:
        its = Scene("links", site, there.parts)
        page = f"{LINKS}/{(await waiting_link(there)).id}"
        one = await Traced(its, "Sato").at(StaffRole.DESK, StaffRole.RESPONDER, institution="wallet")
        await one.open(page)
        await one.propose(f"{page}/names", reason=WHY)
        await one.open(page)
        await one.propose(f"{page}/review", what="approve", reason=WHY)
        await one.open(page)
        await one.propose(f"{page}/stand", what="stop", reason=WHY)
        assert its.all_played(), its.left

    played(tmp_path, scene)


def test_what_is_decided_of_lost_movements_is_on_record(tmp_path):
    """What a bank never told is booked by a person's word."""

    async def scene(there, site: DesksSite) -> None:
        its = Scene("lost moves", site, there.parts)
        _, move = await lost_move(there)
        page = f"/wallet/lost-moves/{move.id}"
        one = await Traced(its, "Sato").at(StaffRole.DESK, institution="wallet")
        await one.open(page)
        await one.propose(page, found="moved", reason=WHY)
        assert its.all_played(), its.left

    played(tmp_path, scene)
