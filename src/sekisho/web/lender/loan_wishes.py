"""What a member of the lender can approve beside what every member can, as texts in addresses."""

from sekisho.identity.assurance import Need
from sekisho.identity.personal_data import Item
from sekisho.identity.reveals import reveal_purpose
from sekisho.web.members.visits import Visit
from sekisho.web.members.wishes import Wish

LOAN = "loan"
PAGES = {"": "/loan", "history": "/loan/history", "borrow": "/borrow", "repay": "/repay"}
"""The pages that show figures of a loan, by the name under which a wish goes on to them."""


def figures(page: str = "") -> Wish:
    """Return the wish to see a loan's figures, and where it goes on."""
    text = f"{LOAN}:{page}" if page else LOAN
    return Wish(text, reveal_purpose(Item.LOAN_BALANCE), Need.REVEAL, PAGES[page], "/loan")


async def read_figures(visit: Visit, page: str) -> Wish | None:
    """Return the wish to see figures on a page."""
    del visit
    return figures(page) if page in PAGES else None


WISHES = {LOAN: read_figures}
