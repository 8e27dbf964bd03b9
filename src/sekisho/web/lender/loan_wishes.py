"""What a member of the lender can approve beside what every member can, as texts in addresses."""

from sekisho.identity.assurance import Need
from sekisho.identity.personal_data import Item
from sekisho.identity.purposes import Purpose
from sekisho.identity.reveals import reveal_purpose
from sekisho.lender.transfer_loans import OrderUnknown
from sekisho.web.lender.desks import desks_of
from sekisho.web.members.visits import Visit
from sekisho.web.members.wishes import Wish

LOAN, BORROW, REPAY = "loan", "borrow", "repay"
PASSKEY = "passkey"
PAGES = {
    "": "/loan",
    "history": "/loan/history",
    "borrow": "/borrow/transfer",
    "repay": "/repay",
    "apply": "/apply",
}
"""The pages that show figures of a loan, by the name under which a wish goes on to them."""


def figures(page: str = "") -> Wish:
    """Return the wish to see a loan's figures, and where it goes on."""
    text = f"{LOAN}:{page}" if page else LOAN
    return Wish(text, reveal_purpose(Item.LOAN_BALANCE), Need.REVEAL, PAGES[page], "/loan")


def borrowing(order_id: str, purpose: Purpose, *, by_passkey: bool = False) -> Wish:
    """Return the wish to borrow what an order says, approved for exactly this order."""
    return _of_order(BORROW, f"/borrow/transfer/{order_id}", order_id, purpose, by_passkey=by_passkey)


def repaying(order_id: str, purpose: Purpose, *, by_passkey: bool = False) -> Wish:
    """Return the wish to repay what an order says, approved for exactly this order."""
    return _of_order(REPAY, f"/repay/{order_id}", order_id, purpose, by_passkey=by_passkey)


def _of_order(kind: str, path: str, order_id: str, purpose: Purpose, *, by_passkey: bool) -> Wish:
    text = f"{kind}:{order_id}:{PASSKEY}" if by_passkey else f"{kind}:{order_id}"
    return Wish(text, purpose, Need.PAY_OUT, path, path, exact=True, by_passkey=by_passkey)


async def read_figures(_visit: Visit, page: str) -> Wish | None:
    """Return the wish to see figures on a page."""
    return figures(page) if page in PAGES else None


async def read_borrowing(visit: Visit, name: str) -> Wish | None:
    """Return the wish for an order of the visitor's."""
    order_id, _, way = name.partition(":")
    try:
        found = await desks_of(visit.request).transfers.to_approve(visit.who().member.id, order_id)
    except OrderUnknown:
        return None
    return borrowing(order_id, found.purpose, by_passkey=way == PASSKEY)


async def read_repaying(visit: Visit, name: str) -> Wish | None:
    """Return the wish for an order of the visitor's."""
    order_id, _, way = name.partition(":")
    try:
        found = await desks_of(visit.request).debits.to_approve(visit.who().member.id, order_id)
    except OrderUnknown:
        return None
    return repaying(order_id, found.purpose, by_passkey=way == PASSKEY)


WISHES = {LOAN: read_figures, BORROW: read_borrowing, REPAY: read_repaying}
