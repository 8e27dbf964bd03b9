"""Charging the wallet from a linked account, paying out to one: amount, approval, and what came of it."""

from typing import Any, NamedTuple

from litestar import Response, get, post

from sekisho.identity.assurance import Need
from sekisho.kernel.refusals import Refusal
from sekisho.kernel.yen import Yen
from sekisho.linking.bank_bookings import Direction
from sekisho.linking.banks import bank_in_words
from sekisho.storage.unit_of_work import Connection
from sekisho.wallet import link_rows
from sekisho.wallet.bank_moves import (
    BankMove,
    BankMoveUnknown,
    MoveState,
    MoveToApprove,
    WalletFull,
    WalletTooEmpty,
)
from sekisho.wallet.bank_orders import LinkNotUsable
from sekisho.wallet.identity_levels import LevelTooLow, rules_on
from sekisho.wallet.link_limits import AboveLinkCeiling, LinkCoolingOff
from sekisho.wallet.link_rows import BankLink, LinkState
from sekisho.wallet.links import LinkUnknown
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
from sekisho.web.wallet.overview_pages import sight

OF_MEMBERS = {ROLE: Role.MEMBER, USES: True}
APPROVED = {ROLE: Role.APPROVED, USES: True}
UNPROCESSABLE = 422
CHARGE, PAYOUT, PASSKEY = "charge", "payout", "passkey"
NAMES = {Direction.DEBIT: CHARGE, Direction.CREDIT: PAYOUT}
FUNCTIONS = {Direction.DEBIT: Function.CHARGE, Direction.CREDIT: Function.PAYOUT}
NOT_NOW = (
    AboveCeiling,
    AboveLinkCeiling,
    LinkCoolingOff,
    LinkNotUsable,
    LinkUnknown,
    WalletFull,
    WalletTooEmpty,
)


class Source(NamedTuple):
    """An account that money can come from or go to: its link, its name, and how much goes over it now."""

    link: BankLink
    name: str
    room: Yen


@get("/charge", opt=OF_MEMBERS)
async def charge_page(request: AnyRequest) -> Response[Any]:
    """Ask how much to charge, and from which account."""
    return await _ask(visit_of(request), Direction.DEBIT)


@get("/payout", opt=OF_MEMBERS)
async def payout_page(request: AnyRequest) -> Response[Any]:
    """Ask how much to pay out, and to which account."""
    return await _ask(visit_of(request), Direction.CREDIT)


@post("/charge", opt=OF_MEMBERS)
async def wish_charge(request: AnyRequest) -> Response[Any]:
    """Take the wish for a charge, which is worth nothing until it is approved."""
    return await _wish(visit_of(request), Direction.DEBIT)


@post("/payout", opt=OF_MEMBERS)
async def wish_payout(request: AnyRequest) -> Response[Any]:
    """Take the wish for a payout, which is worth nothing until it is approved."""
    return await _wish(visit_of(request), Direction.CREDIT)


@get("/moves/{move_id:str}", opt={ROLE: Role.APPROVED})
async def move_page(request: AnyRequest) -> Response[Any]:
    """Show a movement: what it does, before it is approved; what came of it, after."""
    visit = visit_of(request)
    found = await desks_of(request).moves.to_approve(visit.who().member.id, request.path_params["move_id"])
    name = NAMES[found.move.direction]
    if found.move.state is not MoveState.REQUESTED:
        return show(visit, "wallet/moved.html", move=found.move, name=name, details=found.purpose.details)
    await require_not_closed(visit)
    return show(
        visit,
        "wallet/move_confirm.html",
        move=found.move,
        name=name,
        details=found.purpose.details,
        approved=is_granted(visit, moving(found)),
    )


@post("/moves/confirm", opt=APPROVED)
async def confirm_move(request: AnyRequest) -> Response[Any]:
    """Order what the wish says, once everything at the gate has been passed."""
    visit = visit_of(request)
    moves, who = desks_of(request).moves, visit.who()
    found = await moves.to_approve(who.member.id, visit.form["move"])
    try:
        outcome = await moves.approve(who.present, visit.arrival(), found.move.id)
    except NOT_NOW as refusal:
        return _not_moved(visit, refusal)
    if isinstance(outcome, BankMove):
        return visit.go(f"/moves/{outcome.id}")
    return GATE_ANSWERS.go_on(visit, outcome, moving(found), moving(found, by_passkey=True))


def moving(found: MoveToApprove, *, by_passkey: bool = False) -> Wish:
    """Return the wish to move exactly this."""
    move = found.move
    text = f"move:{move.id}:{PASSKEY}" if by_passkey else f"move:{move.id}"
    path = f"/moves/{move.id}"
    back = f"/{NAMES[move.direction]}"
    return Wish(text, found.purpose, Need.PAY_OUT, path, back, exact=True, by_passkey=by_passkey)


async def read_moving(visit: Visit, name: str) -> Wish | None:
    """Return the wish for a movement of the visitor's."""
    move_id, _, way = name.partition(":")
    try:
        found = await desks_of(visit.request).moves.to_approve(visit.who().member.id, move_id)
    except BankMoveUnknown:
        return None
    return moving(found, by_passkey=way == PASSKEY)


async def _wish(visit: Visit, direction: Direction) -> Response[Any]:
    moves, present = desks_of(visit.request).moves, visit.who().present
    amount = typed_amount(visit.form["amount"])
    if amount is None:
        return await _ask(visit, direction, error="amount_unreadable")
    wished = moves.charge if direction is Direction.DEBIT else moves.pay_out
    try:
        found = await wished(present, visit.form["link"], amount, visit.form["key"])
    except LevelTooLow:
        return to_identity(visit, FUNCTIONS[direction])
    except NOT_NOW as refusal:
        return await _ask(visit, direction, error=refusal.code)
    return visit.go(f"/moves/{found.move.id}")


async def _ask(visit: Visit, direction: Direction, *, error: str = "") -> Response[Any]:
    desks = desks_of(visit.request)
    today = desks.house.today()
    seen = await sight(visit, today, today)
    if FUNCTIONS[direction] not in rules_on(today).rule(seen.wallet.level).may:
        return to_identity(visit, FUNCTIONS[direction])
    sources = await _sources(visit, direction, seen.balance)
    if not sources:
        return visit.go("/banks")
    return show(
        visit,
        "wallet/move.html",
        status=UNPROCESSABLE if error else 200,
        name=NAMES[direction],
        sources=sources,
        chosen=visit.form["link"],
        balance=seen.balance,
        typed=visit.form["amount"][:20],
        key=visit.form["key"] if error == "amount_unreadable" else new_key(visit),
        error=error,
        here=f"/{NAMES[direction]}",
    )


async def _sources(visit: Visit, direction: Direction, balance: Yen) -> list[Source]:
    """Return the accounts that can be used now. What can be paid out is what is in the wallet."""
    desks, who = desks_of(visit.request), visit.who()
    links = [one for one in await desks.links.links(who.member.id) if one.state is LinkState.ACTIVE]
    keyring, today = desks.house.keyring, desks.house.today()

    def named(connection: Connection) -> list[str]:
        shown = [link_rows.secrets_of(connection, keyring, one.id).last4 for one in links]
        names = [bank_in_words(one.bank, today) for one in links]
        return [f"{name} ***{last4}" for name, last4 in zip(names, shown, strict=True)]

    names = await desks.house.read(named)
    rooms = [
        balance if direction is Direction.CREDIT else await desks.moves.room(who.present, one.id)
        for one in links
    ]
    return [Source(*each) for each in zip(links, names, rooms, strict=True)]


def _not_moved(visit: Visit, refusal: Refusal) -> Response[Any]:
    return show(visit, "wallet/not_moved.html", status=refusal.status, why=refusal.code)


WISHES: dict[str, ReadsWish] = {"move": read_moving}
ROUTES = (charge_page, payout_page, wish_charge, wish_payout, move_page, confirm_move)
