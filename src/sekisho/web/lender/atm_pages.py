"""The smartphone ATM: the code of a machine, what to do there, the approval, and what the machine did."""

from typing import Any

from litestar import Response, get, post

from sekisho.identity.assurance import InsufficientAuthentication
from sekisho.kernel.yen import Yen
from sekisho.lender.atm_approvals import STEP_YEN, AtmAmountNotAllowed
from sekisho.lender.atm_order_states import AtmNotLent
from sekisho.lender.atm_sessions import AtmSessionOver, Direction, SessionState
from sekisho.lender.atm_sight import AtmSight, PinStanding, atm_sight
from sekisho.lender.smartphone_atm import AtmPinMissing, InApp
from sekisho.response.money_gates import FunctionSwitchedOff
from sekisho.web.lender.desks import desks_of
from sekisho.web.lender.effects import effect_of
from sekisho.web.lender.gate_answers import GATE_ANSWERS
from sekisho.web.lender.loan_pages import standing_loan
from sekisho.web.lender.loan_wishes import ATM
from sekisho.web.lender.order_approvals import approve_first, is_approved, shown_loan
from sekisho.web.members.gate_answers import typed_amount
from sekisho.web.members.roles import ROLE, Role
from sekisho.web.members.visits import AnyRequest, Visit, visit_of
from sekisho.web.members.writing import show

OF_MEMBERS = {ROLE: Role.MEMBER}
UNPROCESSABLE = 422
REASON = "member:atm"
DIRECTIONS = {direction.value: direction for direction in Direction}
DONE = {"pin": "atm_pin_done", "cancelled": "atm_cancelled"}


@get("/atm", opt=OF_MEMBERS)
async def atm_page(request: AnyRequest) -> Response[Any]:
    """Ask for the code that a machine shows, and say what is going on."""
    return await _ask_code(visit_of(request))


@post("/atm/claim", opt=OF_MEMBERS)
async def claim(request: AnyRequest) -> Response[Any]:
    """Take the code: from now on this browser, and nothing else, goes on with the machine."""
    visit = visit_of(request)
    try:
        in_app = await desks_of(request).atm.claim(visit.who().present, visit.form["code"])
    except AtmSessionOver:
        return await _ask_code(visit, error="atm_code_over")
    return _to(visit, in_app.session.id)


@get("/atm/sessions/{session_id:str}", opt=OF_MEMBERS)
async def session_page(request: AnyRequest) -> Response[Any]:
    """Show the step that the transaction is at; `?other` asks for the amount once more."""
    visit = visit_of(request)
    in_app = await _in_app(visit)
    match state_of(in_app, visit.now_us()):
        case SessionState.CLAIMED if in_app.session.direction and "other" not in request.query_params:
            return await _confirm(visit, in_app)
        case SessionState.CLAIMED:
            return await _choose(visit, in_app)
        case SessionState.APPROVED:
            return show(visit, "lender/atm_go.html", at=in_app)
        case SessionState.SHOWN | SessionState.ENDED:
            return await _over(visit, in_app)
        case _:
            return show(visit, "lender/atm_done.html", at=in_app, state=state_of(in_app, visit.now_us()))


@get("/atm/sessions/{session_id:str}/state", opt=OF_MEMBERS)
async def session_state(request: AnyRequest) -> dict[str, str]:
    """Say how far the transaction has come, for the page that waits for the machine."""
    visit = visit_of(request)
    return {"state": state_of(await _in_app(visit), visit.now_us())}


@post("/atm/choose", opt=OF_MEMBERS)
async def choose(request: AnyRequest) -> Response[Any]:
    """Take what the member wants at this machine; a withdrawal is worth nothing until it is approved."""
    visit = visit_of(request)
    desk, who, session_id = desks_of(request).atm, visit.who(), visit.form["session"]
    direction = DIRECTIONS.get(visit.form["direction"], Direction.WITHDRAWAL)
    amount = typed_amount(visit.form["amount"]) or Yen(0)
    try:
        await desk.choose(who.present, session_id, direction, amount)
    except AtmAmountNotAllowed:
        in_app = await desk.standing(who.present, session_id)
        return await _choose(visit, in_app, error="atm_amount_wrong")
    except AtmPinMissing:
        return visit.go("/atm/pin")
    except FunctionSwitchedOff as refusal:
        return GATE_ANSWERS.held(visit, refusal.held)
    return _to(visit, session_id)


@post("/atm/approve", opt={ROLE: Role.APPROVED})
async def approve(request: AnyRequest) -> Response[Any]:
    """Keep the cash ready, once everything at the gate has been passed."""
    visit = visit_of(request)
    desk, who, session_id = desks_of(request).atm, visit.who(), visit.form["session"]
    purpose = (await desk.standing(who.present, session_id)).purpose
    try:
        await desk.approve(who.present, visit.arrival(), session_id)
    except AtmNotLent as refusal:
        return show(visit, "lender/not_lent.html", status=refusal.status, why="atm_not_lent")
    except FunctionSwitchedOff as refusal:
        return GATE_ANSWERS.held(visit, refusal.held)
    except InsufficientAuthentication as refusal:
        if purpose is None:
            raise
        return approve_first(visit, refusal.answer, ATM, session_id, purpose)
    return _to(visit, session_id)


@post("/atm/cancel", opt=OF_MEMBERS)
async def cancel(request: AnyRequest) -> Response[Any]:
    """Give the transaction up; what was kept ready is free again."""
    visit = visit_of(request)
    try:
        await desks_of(request).atm.cancel(visit.who().present, visit.form["session"])
    except AtmSessionOver:
        # It may be over by itself, or the machine has begun meanwhile: its own page says which.
        return _to(visit, visit.form["session"])
    return visit.go("/atm?done=cancelled")


def state_of(at: InApp, now_us: int) -> str:
    """Return how far a transaction has come: a session's state, or its order's once the machine is asked."""
    session = at.session
    if session.state is SessionState.ORDERED and at.order is not None:
        return at.order.state.value
    if session.state is not SessionState.ORDERED and not session.is_open(now_us):
        return SessionState.ENDED.value
    return session.state.value


async def _in_app(visit: Visit) -> InApp:
    """Return the session of this browser that an address names. Raises AtmSessionOver."""
    session_id = visit.request.path_params["session_id"]
    return await desks_of(visit.request).atm.standing(visit.who().present, session_id)


def _to(visit: Visit, session_id: str) -> Response[Any]:
    return visit.go(f"/atm/sessions/{session_id}")


async def _sight(visit: Visit) -> AtmSight:
    house, present = desks_of(visit.request).house, visit.who().present
    return await house.read(lambda connection: atm_sight(connection, present, visit.now_us()))


def _conditions(visit: Visit) -> dict[str, object]:
    """Return what a machine pays out and what it costs, for the words of the pages."""
    desks = desks_of(visit.request)
    small, *others = desks.house.book.atm_fees
    return {
        "step": Yen(STEP_YEN),
        "most": desks.atm.withdrawal_max,
        "small": Yen(small.up_to_yen),
        "small_fee": Yen(small.fee_yen),
        "fee": Yen(others[-1].fee_yen if others else small.fee_yen),
    }


async def _ask_code(visit: Visit, *, error: str = "") -> Response[Any]:
    if await standing_loan(visit) is None:
        return visit.go("/loan")
    seen = await _sight(visit)
    return show(
        visit,
        "lender/atm.html",
        status=UNPROCESSABLE if error else 200,
        seen=seen,
        has_pin=seen.pin is PinStanding.SET,
        typed=visit.form["code"][:60],
        error=error,
        done=DONE.get(visit.request.query_params.get("done", ""), ""),
        conditions=_conditions(visit),
        here="/atm",
    )


async def _choose(visit: Visit, at: InApp, *, error: str = "") -> Response[Any]:
    loan = await shown_loan(visit, REASON, with_account=False)
    return show(
        visit,
        "lender/atm_choose.html",
        status=UNPROCESSABLE if error else 200,
        at=at,
        room=None if loan is None else loan.position.headroom,
        has_pin=(await _sight(visit)).pin is PinStanding.SET,
        typed=visit.form["amount"][:20],
        error=error,
        conditions=_conditions(visit),
        here=f"/atm/sessions/{at.session.id}",
    )


async def _confirm(visit: Visit, at: InApp) -> Response[Any]:
    assert at.purpose is not None  # noqa: S101 - something was chosen, so there is what is approved
    loan = await shown_loan(visit, REASON, with_account=False)
    lent = at.session.amount + at.session.fee
    book = desks_of(visit.request).house.book
    return show(
        visit,
        "lender/atm_confirm.html",
        at=at,
        lent=lent,
        effect=None if loan is None else effect_of(lent, loan.position, book),
        approved=is_approved(visit, ATM, at.session.id, at.purpose),
    )


async def _over(visit: Visit, at: InApp) -> Response[Any]:
    return show(
        visit,
        "lender/atm_over.html",
        at=at,
        in_time=visit.now_us() < at.session.expires_at_us,
        is_locked=(await _sight(visit)).pin is PinStanding.LOCKED,
    )


ROUTES = (atm_page, claim, session_page, session_state, choose, approve, cancel)
