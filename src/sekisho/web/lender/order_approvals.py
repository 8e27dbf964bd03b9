"""What the pages of all orders share: who may see one, what stands above the approval, how it goes on."""

from typing import Any, Protocol

from litestar import Response

from sekisho.identity.assurance import NotFromHere, StepUp
from sekisho.identity.personal_data import Item
from sekisho.identity.purposes import Purpose
from sekisho.response.money_gates import Held, Stopped
from sekisho.web.lender import loan_wishes
from sekisho.web.lender.gate_answers import GATE_ANSWERS
from sekisho.web.lender.loan_pages import show_figures, sight
from sekisho.web.lender.loan_sight import LoanSight
from sekisho.web.members.profile_pages import viewer_of
from sekisho.web.members.step_up import to_step_up
from sekisho.web.members.visits import Visit
from sekisho.web.members.wishes import is_granted

FIGURES = frozenset({Item.LOAN_BALANCE, Item.PAYMENT_INFORMATION})
ACCOUNT = frozenset({Item.PAYOUT_ACCOUNT})


class Made(Protocol):
    """An order that a session made."""

    @property
    def session_id(self) -> str:
        """The session that made it."""
        ...


def proof_to_see(visit: Visit, order: Made, page: str) -> Response[Any] | None:
    """Return the way to the proof that somebody needs to see an order; None where none is needed.

    The session that made an order knows what it says; every other one has to prove itself first.
    """
    wish = loan_wishes.figures(page)
    known = order.session_id == visit.who().session.id or is_granted(visit, wish)
    return None if known else to_step_up(visit, wish)


async def shown_loan(visit: Visit, reason: str, *, with_account: bool = True) -> LoanSight | None:
    """Return how the loan stands where it may be shown now, None where it may not, or there is none.

    What is shown is put on record, the masked account with it where one stands on the page.
    """
    loan = await sight(visit)
    shown = loan is not None and await show_figures(visit, FIGURES, reason)
    if with_account:
        await visit.site.desks.personal_data.masked(viewer_of(visit), reason=reason, items=ACCOUNT)
    return loan if shown else None


def is_approved(visit: Visit, kind: str, order_id: str, purpose: Purpose) -> bool:
    """Say whether exactly this order was approved a moment ago."""
    return is_granted(visit, loan_wishes.moving(kind, order_id, purpose))


def approve_first(
    visit: Visit,
    answer: StepUp | NotFromHere | Held | Stopped,
    kind: str,
    order_id: str,
    purpose: Purpose,
) -> Response[Any]:
    """Answer for an order that the gate did not let pass: the approval that is missing, or why it is shut."""
    wish = loan_wishes.moving(kind, order_id, purpose)
    return GATE_ANSWERS.go_on(
        visit, answer, wish, loan_wishes.moving(kind, order_id, purpose, by_passkey=True)
    )
