"""Sending money to a phone number, and taking what others sent: the amount, the approval, the answer."""

from typing import Any

from litestar import Response, get, post

from sekisho.identity.assurance import Need
from sekisho.identity.recipients import NumberNotServed
from sekisho.kernel.refusals import Refusal
from sekisho.wallet.identity_levels import LevelTooLow
from sekisho.wallet.payments import NotEnough
from sekisho.wallet.send_rows import Send, SendState, SendUnknown
from sekisho.wallet.sends import SendRefused
from sekisho.wallet.spending import AboveCeiling
from sekisho.wallet.switches import Function
from sekisho.web.members.gate_answers import new_key, typed_amount
from sekisho.web.members.roles import ROLE, Role
from sekisho.web.members.site import ReadsWish
from sekisho.web.members.visits import AnyRequest, Visit, visit_of
from sekisho.web.members.wishes import Wish, is_granted
from sekisho.web.members.writing import show
from sekisho.web.wallet.closed_wallets import USES, require_not_closed
from sekisho.web.wallet.desks import desks_of
from sekisho.web.wallet.gate_answers import GATE_ANSWERS
from sekisho.web.wallet.identity_pages import to_identity

OF_MEMBERS = {ROLE: Role.MEMBER, USES: True}
APPROVED = {ROLE: Role.APPROVED, USES: True}
UNPROCESSABLE = 422
PASSKEY = "passkey"
NOT_NOW = (AboveCeiling, NotEnough, SendRefused)
DONE = frozenset({"accepted", "declined", "taken_back"})


@get("/send", opt=OF_MEMBERS, sync_to_thread=False)
def send_page(request: AnyRequest) -> Response[Any]:
    """Ask to which number, and how much."""
    return _ask(visit_of(request))


@post("/send", opt=OF_MEMBERS)
async def wish_send(request: AnyRequest) -> Response[Any]:
    """Take the wish to send, which is worth nothing until it is approved."""
    visit = visit_of(request)
    form, amount = visit.form, typed_amount(visit.form["amount"])
    if amount is None:
        return _ask(visit, wrong="amount", error="amount_unreadable")
    try:
        wanted = await desks_of(request).sends.request(
            visit.who().present, form.trimmed("phone"), amount, form["key"]
        )
    except LevelTooLow:
        return to_identity(visit, Function.SEND)
    except NumberNotServed:
        return _ask(visit, wrong="phone", error="number_not_served")
    except NOT_NOW as refusal:
        return _ask(visit, error=refusal.code)
    return visit.go(f"/send/{wanted.id}")


@get("/send/{send_id:str}", opt={ROLE: Role.APPROVED})
async def sent_page(request: AnyRequest) -> Response[Any]:
    """Show a send: what it does, before it is approved; what came of it, after."""
    visit = visit_of(request)
    found = await desks_of(request).sends.of_sender(visit.who().member.id, request.path_params["send_id"])
    wish = sending(visit, found)
    requested = found.state is SendState.REQUESTED
    if requested:
        await require_not_closed(visit)
    return show(
        visit,
        "wallet/send_confirm.html" if requested else "wallet/sent.html",
        send=found,
        payee=wish.purpose.details["payee"],
        approved=is_granted(visit, wish),
    )


@post("/send/confirm", opt=APPROVED)
async def send(request: AnyRequest) -> Response[Any]:
    """Send, once everything at the gate has been passed."""
    visit = visit_of(request)
    desk, who = desks_of(request).sends, visit.who()
    found = await desk.of_sender(who.member.id, visit.form["send"])
    try:
        outcome = await desk.approve(who.present, visit.arrival(), found.id)
    except LevelTooLow:
        return to_identity(visit, Function.SEND)
    except NOT_NOW as refusal:
        return _not_sent(visit, refusal)
    if isinstance(outcome, Send):
        return visit.go(f"/send/{outcome.id}")
    return GATE_ANSWERS.go_on(visit, outcome, sending(visit, found), sending(visit, found, by_passkey=True))


@post("/send/back", opt=OF_MEMBERS)
async def take_back(request: AnyRequest) -> Response[Any]:
    """Take back what nobody has accepted yet."""
    visit = visit_of(request)
    taken = await desks_of(request).sends.take_back(visit.who().member.id, visit.form["send"])
    return visit.go(f"/send/{taken.id}")


@get("/offers", opt={ROLE: Role.MEMBER})
async def offers_page(request: AnyRequest) -> Response[Any]:
    """Show what others sent to the member's number, and what the member sent."""
    visit = visit_of(request)
    desk, member_id = desks_of(request).sends, visit.who().member.id
    done = request.query_params.get("done", "")
    return show(
        visit,
        "wallet/offers.html",
        offers=await desk.offers(member_id),
        sends=[one for one in await desk.of_member(member_id, 20) if one.sender_id == member_id],
        done=done if done in DONE else "",
    )


@post("/offers/accept", opt=OF_MEMBERS)
async def accept(request: AnyRequest) -> Response[Any]:
    """Take what was sent."""
    visit = visit_of(request)
    try:
        await desks_of(request).sends.accept(visit.who().member.id, visit.form["send"])
    except SendUnknown:
        return visit.go("/offers")
    except SendRefused as refusal:
        return _not_sent(visit, refusal)
    return visit.go("/offers?done=accepted")


@post("/offers/decline", opt=OF_MEMBERS)
async def decline(request: AnyRequest) -> Response[Any]:
    """Let what was sent go back."""
    visit = visit_of(request)
    try:
        await desks_of(request).sends.decline(visit.who().member.id, visit.form["send"])
    except SendUnknown:
        return visit.go("/offers")
    return visit.go("/offers?done=declined")


def sending(visit: Visit, found: Send, *, by_passkey: bool = False) -> Wish:
    """Return the wish to send exactly this."""
    purpose = desks_of(visit.request).sends.purpose_of(found)
    text = f"send:{found.id}:{PASSKEY}" if by_passkey else f"send:{found.id}"
    path = f"/send/{found.id}"
    return Wish(text, purpose, Need.PAY_OUT, path, "/send", exact=True, by_passkey=by_passkey)


async def read_sending(visit: Visit, name: str) -> Wish | None:
    """Return the wish for a send of the visitor's."""
    send_id, _, way = name.partition(":")
    try:
        found = await desks_of(visit.request).sends.of_sender(visit.who().member.id, send_id)
    except SendUnknown:
        return None
    return sending(visit, found, by_passkey=way == PASSKEY)


def _ask(visit: Visit, *, wrong: str = "", error: str = "") -> Response[Any]:
    return show(
        visit,
        "wallet/send.html",
        status=UNPROCESSABLE if error else 200,
        typed=visit.form.only("phone", "amount"),
        key=visit.form["key"] if wrong else new_key(visit),
        wrong=wrong,
        error=error,
        here="/send",
    )


def _not_sent(visit: Visit, refusal: Refusal) -> Response[Any]:
    return show(visit, "wallet/not_moved.html", status=refusal.status, why=refusal.code)


WISHES: dict[str, ReadsWish] = {"send": read_sending}
ROUTES = (send_page, wish_send, sent_page, send, take_back, offers_page, accept, decline)
