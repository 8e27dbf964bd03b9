"""The account that loans are paid out to: which it is, a change with its waiting time, and its cancelling."""

import base64
import unicodedata
from typing import Any, NamedTuple

import msgspec
from litestar import Response, get, post

from sekisho.identity.assurance import Need
from sekisho.identity.masks import masked_account
from sekisho.identity.names import NameUnusable
from sekisho.identity.personal_data import Item
from sekisho.lender.house import LenderParts
from sekisho.lender.payout_accounts import (
    HolderNotMember,
    Payee,
    PayoutAccount,
    PayoutAccountPending,
    PayoutAccountUnusable,
    Typed,
    change_of,
    payee_of,
    read_payee,
)
from sekisho.storage.keyring import Unsealable
from sekisho.storage.unit_of_work import Connection
from sekisho.web.lender.desks import desks_of
from sekisho.web.lender.gate_answers import GATE_ANSWERS
from sekisho.web.members.gate_answers import new_key
from sekisho.web.members.profile_pages import viewer_of
from sekisho.web.members.roles import ROLE, Role
from sekisho.web.members.step_up import to_step_up
from sekisho.web.members.visits import AnyRequest, Visit, visit_of
from sekisho.web.members.wishes import Wish, is_granted
from sekisho.web.members.writing import show
from sekisho.web.problems import NotFound

OF_MEMBERS = {ROLE: Role.MEMBER}
APPROVED = {ROLE: Role.APPROVED}
UNPROCESSABLE = 422
FIELDS = ("bank", "branch", "kind", "number", "holder")
PAYOUT = "payout"
PASSKEY = "passkey"
REASON = "member:payout_account"
DONE = {"registered": "payout_registered", "cancelled": "payout_cancelled"}
ITEMS = frozenset({Item.PAYOUT_ACCOUNT})


class Change(msgspec.Struct, frozen=True):
    """A change as typed: it travels sealed from the form to its approval. `key` makes it happen once."""

    payee: Payee
    key: str


class Shown(NamedTuple):
    """An account as its page shows it: the bank, the masked number, and from when it is used."""

    bank: str
    number: str
    usable_from_us: int


@get("/payout-account", opt=OF_MEMBERS)
async def payout_page(request: AnyRequest) -> Response[Any]:
    """Show the account that is used and the one that waits, behind masks."""
    visit = visit_of(request)
    desks, done = desks_of(request), request.query_params.get("done", "")
    standing = await desks.payouts.standing(visit.who().member.id)
    await visit.site.desks.personal_data.masked(viewer_of(visit), reason=REASON, items=ITEMS)

    def look(connection: Connection) -> list[Shown | None]:
        return [_shown(connection, desks.house, account) for account in standing]

    in_use, waiting = await desks.house.read(look)
    return show(visit, "lender/payout.html", in_use=in_use, waiting=waiting, done=DONE.get(done, ""))


@get("/payout-account/change", opt=OF_MEMBERS, sync_to_thread=False)
def change_page(request: AnyRequest) -> Response[Any]:
    """Ask for the new account."""
    return _ask(visit_of(request))


@post("/payout-account/change", opt=OF_MEMBERS, sync_to_thread=False)
def type_change(request: AnyRequest) -> Response[Any]:
    """Take what was typed, which changes nothing until it is approved."""
    visit = visit_of(request)
    try:
        payee = read_payee(Typed(*(visit.form[name] for name in FIELDS)))
    except PayoutAccountUnusable:
        return _ask(visit, error="payout_account_unusable")
    except NameUnusable as refusal:
        return _ask(visit, error=f"name_{refusal.fault}")
    return visit.go(f"/payout-account/confirm?change={_sealed(visit, Change(payee, new_key(visit)))}")


@get("/payout-account/confirm", opt=APPROVED, sync_to_thread=False)
def confirm_page(request: AnyRequest) -> Response[Any]:
    """Show the new account in full to whoever typed it, and what follows from it."""
    visit = visit_of(request)
    sealed = request.query_params.get("change", "")
    change = _opened(visit, sealed)
    wish = _wish(sealed, change)
    return show(
        visit,
        "lender/payout_confirm.html",
        payee=change.payee,
        holder=unicodedata.normalize("NFKC", change.payee.holder_kana),
        sealed=sealed,
        approved=is_granted(visit, wish),
        here=wish.go_on,
    )


@post("/payout-account/confirm", opt=APPROVED)
async def register(request: AnyRequest) -> Response[Any]:
    """Register the account, once everything at the gate has been passed."""
    visit = visit_of(request)
    sealed = visit.form["change"]
    change, who = _opened(visit, sealed), visit.who()
    wish = _wish(sealed, change)
    # Whether the holder is the member is not told before the member has approved the change.
    if not is_granted(visit, wish):
        return to_step_up(visit, wish)
    payee = change.payee
    typed = Typed(payee.bank, payee.branch, payee.kind, payee.number, payee.holder_kana)
    try:
        outcome = await desks_of(request).payouts.register(who.present, visit.arrival(), typed, change.key)
    except HolderNotMember:
        return _ask(visit, error="holder_not_member")
    except PayoutAccountPending:
        return _ask(visit, error="payout_account_pending")
    if isinstance(outcome, PayoutAccount):
        return visit.go("/payout-account?done=registered")
    return GATE_ANSWERS.go_on(visit, outcome, wish, _wish(sealed, change, by_passkey=True))


@post("/payout-account/cancel", opt=OF_MEMBERS)
async def cancel(request: AnyRequest) -> Response[Any]:
    """Cancel the account that waits: that never sends money elsewhere, so any session may."""
    visit = visit_of(request)
    was_there = await desks_of(request).payouts.cancel_waiting(visit.who().present, visit.arrival())
    return visit.go("/payout-account?done=cancelled" if was_there else "/payout-account")


async def read_change(visit: Visit, name: str) -> Wish | None:
    """Return the wish to register an account that the visitor typed."""
    sealed, _, way = name.partition(":")
    try:
        return _wish(sealed, _opened(visit, sealed), by_passkey=way == PASSKEY)
    except NotFound:
        return None


def _wish(sealed: str, change: Change, *, by_passkey: bool = False) -> Wish:
    text = f"{PAYOUT}:{sealed}:{PASSKEY}" if by_passkey else f"{PAYOUT}:{sealed}"
    path = f"/payout-account/confirm?change={sealed}"
    purpose = change_of(change.payee)
    return Wish(text, purpose, Need.CHANGE, path, path, exact=True, by_passkey=by_passkey)


def _ask(visit: Visit, *, error: str = "") -> Response[Any]:
    typed = {name: visit.form[name][:60] for name in FIELDS}
    status = UNPROCESSABLE if error else 200
    here = "/payout-account/change"
    return show(visit, "lender/payout_change.html", status=status, typed=typed, error=error, here=here)


def _shown(connection: Connection, house: LenderParts, account: PayoutAccount | None) -> Shown | None:
    if account is None:
        return None
    payee = payee_of(connection, house, account.id)
    return Shown(payee.bank, masked_account(payee.number), account.usable_from_us)


def _sealed(visit: Visit, change: Change) -> str:
    """Return a change as text for addresses, which only this member's pages open again."""
    plain = msgspec.json.encode(change)
    sealed = visit.site.parts.keyring.seal(plain, context=_context(visit))
    return base64.urlsafe_b64encode(sealed).decode().rstrip("=")


def _opened(visit: Visit, text: str) -> Change:
    try:
        sealed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        plain = visit.site.parts.keyring.open(sealed, context=_context(visit))
    except (ValueError, Unsealable) as error:
        raise NotFound(known="no change of this member's") from error
    return msgspec.json.decode(plain, type=Change)


def _context(visit: Visit) -> str:
    return f"web:payout:{visit.who().member.id}"


WISHES = {PAYOUT: read_change}
ROUTES = (payout_page, change_page, type_change, confirm_page, register, cancel)
