"""The personal items that come from the books: balance, payments and history, in the member's own words."""

from collections.abc import Callable, Mapping

from sekisho.identity.notifying import language_of
from sekisho.identity.personal_data import Item
from sekisho.kernel.ids import MemberId
from sekisho.lender.house import LenderParts
from sekisho.lender.loan_events import LoanEvent
from sekisho.storage.unit_of_work import Connection
from sekisho.web.lender.loan_sight import LoanSight, loan_of
from sekisho.web.members.writing import in_yen, on_day
from sekisho.web.words import Language, Words, chosen

LINES = 20


class LoanItems:
    """Says how a member's loan stands. `words` are those of a language."""

    def __init__(self, house: LenderParts, words: Callable[[Language], Words]) -> None:
        self._house = house
        self._words = words

    def items(self, connection: Connection, member_id: MemberId) -> Mapping[Item, str]:
        """Return balance, payment and history; nothing where there is no contract."""
        loan = loan_of(connection, self._house, member_id)
        if loan is None:
            return {}
        w = self._words(chosen(language_of(connection, member_id)) or "ja")
        said = {
            Item.LOAN_BALANCE: str(
                w(
                    "loan_item_balance",
                    owed=in_yen(loan.position.owed, w.language),
                    principal=in_yen(loan.position.principal, w.language),
                    headroom=in_yen(loan.headroom, w.language),
                )
            ),
            Item.PAYMENT_INFORMATION: _payment(loan, w),
        }
        if loan.events:
            said[Item.TRANSACTION_HISTORY] = "\n".join(_line(event, w) for event in loan.events[:LINES])
        return said


def _payment(loan: LoanSight, w: Words) -> str:
    due = loan.position.next_due_on
    if due is None:
        return str(w("loan_nothing_due"))
    payment = in_yen(min(loan.position.payment, loan.position.owed), w.language)
    return str(w("loan_item_payment", payment=payment, due=on_day(due, w.language)))


def _line(event: LoanEvent, w: Words) -> str:
    return " ".join(
        (
            on_day(event.effective_on, w.language),
            str(w(f"loan_kind_{event.kind}")),
            str(w(f"loan_way_{event.way}")),
            in_yen(event.amount_yen, w.language),
        )
    )
