"""What a member of the lender can approve beside what every member can, as texts in addresses."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from sekisho.identity.assurance import Need
from sekisho.identity.personal_data import Item
from sekisho.identity.purposes import Purpose
from sekisho.identity.reveals import reveal_purpose
from sekisho.lender.atm_pins import SETTING
from sekisho.lender.atm_sessions import AtmSessionOver
from sekisho.lender.transfer_loans import OrderUnknown
from sekisho.web.lender.desks import desks_of
from sekisho.web.members.site import ReadsWish
from sekisho.web.members.visits import Visit
from sekisho.web.members.wishes import Wish

LOAN, BORROW, REPAY, ATM, ATM_PIN = "loan", "borrow", "repay", "atm", "atm_pin"
PASSKEY = "passkey"
PAGES = {
    "": "/loan",
    "history": "/loan/history",
    "documents": "/loan/documents",
    "settle": "/loan/settle",
    "end": "/loan/end",
    "income": "/loan/income",
    "borrow": "/borrow/transfer",
    "repay": "/repay",
    "apply": "/apply",
    "atm": "/atm",
}
"""The pages that show figures of a loan, by the name under which a wish goes on to them."""


class Movement(NamedTuple):
    """A kind of order that is approved one by one: where its pages are, and what a member's order is for."""

    path: str
    purpose: Callable[[Visit, str], Awaitable[Purpose | None]]


def figures(page: str = "") -> Wish:
    """Return the wish to see a loan's figures, and where it goes on."""
    text = f"{LOAN}:{page}" if page else LOAN
    return Wish(text, reveal_purpose(Item.LOAN_BALANCE), Need.REVEAL, PAGES[page], "/loan")


def moving(kind: str, order_id: str, purpose: Purpose, *, by_passkey: bool = False) -> Wish:
    """Return the wish to do what an order says, approved for exactly this order."""
    text = f"{kind}:{order_id}:{PASSKEY}" if by_passkey else f"{kind}:{order_id}"
    path = f"{MOVEMENTS[kind].path}/{order_id}"
    return Wish(text, purpose, Need.PAY_OUT, path, path, exact=True, by_passkey=by_passkey)


def setting_pin() -> Wish:
    """Return the wish to set the PIN for machines."""
    return Wish(ATM_PIN, SETTING, Need.CHANGE, "/atm/pin", "/atm")


async def read_figures(_visit: Visit, page: str) -> Wish | None:
    """Return the wish to see figures on a page."""
    return figures(page) if page in PAGES else None


async def read_pin(_visit: Visit, name: str) -> Wish | None:
    """Return the wish to set the PIN."""
    return None if name else setting_pin()


def reads(kind: str) -> ReadsWish:
    """Return what reads the wish for an order of this kind of the visitor's."""

    async def read(visit: Visit, name: str) -> Wish | None:
        order_id, _, way = name.partition(":")
        purpose = await MOVEMENTS[kind].purpose(visit, order_id)
        return None if purpose is None else moving(kind, order_id, purpose, by_passkey=way == PASSKEY)

    return read


async def _borrowing(visit: Visit, order_id: str) -> Purpose | None:
    try:
        found = await desks_of(visit.request).transfers.to_approve(visit.who().member.id, order_id)
    except OrderUnknown:
        return None
    return found.purpose


async def _repaying(visit: Visit, order_id: str) -> Purpose | None:
    try:
        found = await desks_of(visit.request).debits.to_approve(visit.who().member.id, order_id)
    except OrderUnknown:
        return None
    return found.purpose


async def _drawing(visit: Visit, atm_session_id: str) -> Purpose | None:
    try:
        return (await desks_of(visit.request).atm.standing(visit.who().present, atm_session_id)).purpose
    except AtmSessionOver:
        return None


MOVEMENTS = {
    BORROW: Movement("/borrow/transfer", _borrowing),
    REPAY: Movement("/repay", _repaying),
    ATM: Movement("/atm/sessions", _drawing),
}
WISHES: dict[str, ReadsWish] = {
    LOAN: read_figures,
    ATM_PIN: read_pin,
    **{kind: reads(kind) for kind in MOVEMENTS},
}
