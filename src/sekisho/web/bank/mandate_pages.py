"""Services that are linked with an account: what each may do and did, stopped at once, allowed, reported."""

from typing import Any, NamedTuple

from litestar import Response, get, post

from sekisho.bank.mandate_desk import MandateNotStopped, Sight
from sekisho.bank.mandates import Mandate, MandateUnknown
from sekisho.bank.orders import Direction, Order, OrderState, latest_of
from sekisho.identity.assurance import Need
from sekisho.web.bank.debit_desks import debit_desks_of
from sekisho.web.members.roles import ROLE, Role
from sekisho.web.members.step_up import to_step_up
from sekisho.web.members.visits import AnyRequest, Visit, visit_of
from sekisho.web.members.wishes import Wish, is_granted
from sekisho.web.members.writing import show

OF_MEMBERS = {ROLE: Role.MEMBER}
APPROVED = {ROLE: Role.APPROVED}
ANYONE = {ROLE: Role.ANYONE}
MANDATE = "mandate"
UNPROCESSABLE = 422
DEBITS_SHOWN = 20
DONE = {"stopped": "linked_stopped", "allowed": "linked_allowed", "ended": "linked_ended"}


class Shown(NamedTuple):
    """A linked service on the page, with its branch and what came of it last."""

    sight: Sight
    branch: str


@get("/linked", opt=OF_MEMBERS)
async def links_page(request: AnyRequest) -> Response[Any]:
    """Show every service that the depositor linked, with its ceilings and last debits."""
    visit = visit_of(request)
    desks, who = debit_desks_of(request), visit.who()
    sights = await desks.mandates.of_member(who.member.id, visit.language)
    rows = [Shown(sight, desks.bank.profile.branch(sight.deposit.branch).name) for sight in sights]
    done = DONE.get(request.query_params.get("done", ""), "")
    return show(visit, "bank/links.html", rows=rows, done=done)


@post("/linked/stop", opt=OF_MEMBERS)
async def stop_link(request: AnyRequest) -> Response[Any]:
    """Stop a link at once: any session may, for stopping never loses money."""
    visit = visit_of(request)
    await debit_desks_of(request).mandates.stop(visit.who().member.id, visit.form["mandate"])
    return visit.go("/linked?done=stopped")


@get("/linked/{mandate_id:str}/end", opt=OF_MEMBERS)
async def end_page(request: AnyRequest) -> Response[Any]:
    """Ask whether to end a link for good."""
    visit = visit_of(request)
    sight = await _sight(visit, request.path_params["mandate_id"])
    return show(visit, "bank/link_end.html", sight=sight, here="/linked")


@post("/linked/end", opt=OF_MEMBERS)
async def end_link(request: AnyRequest) -> Response[Any]:
    """End a link for good."""
    visit = visit_of(request)
    await debit_desks_of(request).mandates.end(visit.who().member.id, visit.form["mandate"])
    return visit.go("/linked?done=ended")


@get("/linked/{mandate_id:str}/allow", opt=APPROVED)
async def allow_page(request: AnyRequest) -> Response[Any]:
    """Show what allowing a link again means, to whom has just proven it."""
    visit = visit_of(request)
    sight = await _sight(visit, request.path_params["mandate_id"])
    if not sight.can_allow:
        return visit.go("/linked")
    wish = _wish(sight)
    if not is_granted(visit, wish):
        return to_step_up(visit, wish)
    return show(visit, "bank/link_allow.html", sight=sight, here="/linked")


@post("/linked/allow", opt=APPROVED)
async def allow_link(request: AnyRequest) -> Response[Any]:
    """Allow a stopped link again, once it was proven."""
    visit = visit_of(request)
    sight = await _sight(visit, visit.form["mandate"])
    desk = debit_desks_of(request).mandates
    try:
        outcome = await desk.allow(visit.who().present, sight.mandate.id, visit.language)
    except MandateNotStopped:
        return visit.go("/linked")
    return (
        visit.go("/linked?done=allowed") if isinstance(outcome, Mandate) else to_step_up(visit, _wish(sight))
    )


@get("/linked/{mandate_id:str}/report", opt=OF_MEMBERS)
async def report_page(request: AnyRequest) -> Response[Any]:
    """Ask which debits the depositor knows nothing of."""
    visit = visit_of(request)
    sight = await _sight(visit, request.path_params["mandate_id"])
    if sight.reports and not sight.reports[0].decision:
        return show(visit, "bank/link_reported.html", report=sight.reports[0], sight=sight, here="/linked")
    debits = await _debits(visit, sight)
    return show(visit, "bank/link_report.html", sight=sight, debits=debits, here="/linked")


@post("/linked/report", opt=OF_MEMBERS)
async def report_link(request: AnyRequest) -> Response[Any]:
    """Take "that was not me": the link stops at once, and the report has a number."""
    visit = visit_of(request)
    named = tuple(
        order_id for number in range(1, DEBITS_SHOWN + 1) if (order_id := visit.form[f"debit_{number}"])
    )
    desk, member_id = debit_desks_of(request).mandates, visit.who().member.id
    report = await desk.report(member_id, visit.form["mandate"], named)
    return visit.go(f"/linked/{report.mandate_id}/report")


@get("/stop-link", opt=ANYONE, sync_to_thread=False)
def stop_page(request: AnyRequest) -> Response[Any]:
    """Ask for the code of a notice, which stops a link without a login."""
    return visit_of(request).page("bank/stop_link.html", state="")


@post("/stop-link", opt=ANYONE)
async def stop_by_code(request: AnyRequest) -> Response[Any]:
    """Stop the link that a code is for; nothing of the link is told."""
    visit = visit_of(request)
    stopped = await debit_desks_of(request).mandates.stop_by_code(visit.form["stop_code"][:60])
    if not stopped:
        return visit.page("bank/stop_link.html", status=UNPROCESSABLE, state="wrong")
    return visit.page("bank/stop_link.html", state="stopped")


async def read_mandate(visit: Visit, name: str) -> Wish | None:
    """Return the wish to allow a link of the visitor's again."""
    try:
        return _wish(await _sight(visit, name))
    except MandateUnknown:
        return None


def _wish(sight: Sight) -> Wish:
    path = f"/linked/{sight.mandate.id}/allow"
    return Wish(f"{MANDATE}:{sight.mandate.id}", sight.purpose, Need.CHANGE, path, "/linked", exact=True)


async def _sight(visit: Visit, mandate_id: str) -> Sight:
    desk = debit_desks_of(visit.request).mandates
    return await desk.sight(visit.who().member.id, mandate_id, visit.language)


async def _debits(visit: Visit, sight: Sight) -> list[Order]:
    bank, mandate_id = debit_desks_of(visit.request).bank, sight.mandate.id
    orders = await bank.read(lambda at: latest_of(at, mandate_id, 2 * DEBITS_SHOWN))
    done = [one for one in orders if one.direction is Direction.DEBIT and one.state is OrderState.DONE]
    return done[:DEBITS_SHOWN]


WISHES = {MANDATE: read_mandate}
ROUTES = (
    links_page,
    stop_link,
    end_page,
    end_link,
    allow_page,
    allow_link,
    report_page,
    report_link,
    stop_page,
    stop_by_code,
)
