"""Where staff enter transfers that members made to our account, as the bank's statement tells them."""

from sqlalchemy import Connection

from sekisho.kernel.refusals import Refusal
from sekisho.kernel.yen import Yen
from sekisho.lender.house import LenderParts
from sekisho.lender.incoming_payments import Incoming, take_incoming
from sekisho.lender.loan_events import LoanEvent
from sekisho.response import audit
from sekisho.response.audit import Act
from sekisho.response.partner_receipts import NUMBER
from sekisho.response.staff import require_staff

KNOWN_MAX = 60
AMOUNT_MAX = Yen(9_999_999_999)
"""Banks have ten digits for a transfer: what is longer is a number that stands beside it."""


class PaymentUnusable(Refusal):
    """What came in can't be booked as it was entered."""

    code = "payment_unusable"
    status = 422
    told = (
        "Give the bank's own number of the transfer in half width, an amount above zero and a day "
        "that has come. A number that stood for another transfer can't be used again."
    )


class IncomingDesk:
    """Takes transfers that came in, each once by the bank's number of it, for one lender."""

    def __init__(self, house: LenderParts) -> None:
        self._house = house

    async def take(self, came: Incoming, *, by: str) -> LoanEvent | None:
        """Repay with a transfer and return what it did; None where the money is kept apart.

        It is on record with the booking; entered again it changes nothing. Raises PaymentUnusable,
        StaffIdUnusable and OperationalError.
        """
        staff = require_staff(by)
        key = came.key.strip()
        can_be = NUMBER.fullmatch(key) and Yen(0) < came.amount <= AMOUNT_MAX
        if not can_be or came.day > self._house.today():
            raise PaymentUnusable(known=key[:KNOWN_MAX])

        def work(connection: Connection) -> LoanEvent | None:
            event = take_incoming(connection, self._house, came._replace(key=key))
            act = Act(actor=staff, act="incoming:entered", subject=f"incoming:{key}", reason="bank statement")
            audit.record(connection, act, at_us=self._house.clock.now_us())
            return event

        try:
            return await self._house.written(work)
        except ValueError as wrong:
            raise PaymentUnusable(known=str(wrong)) from wrong
