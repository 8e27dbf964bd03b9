"""What is paid each month: balance-slide with a fixed payment (残高スライド元利定額返済方式).

The payment is a share of the balance after the *last borrowing*, rounded up to a thousand yen. It does not
fall as repayments lower the balance, and it is worked out anew with each borrowing; because the share falls
from band to band, borrowing a little more can lower it.
"""

from dataclasses import dataclass

from sekisho.kernel.yen import Yen, total
from sekisho.lender.rates import Rate
from sekisho.lender.terms import TermsBook

ROUNDED_UP_TO_YEN = 1_000
SHARE_PARTS = 10_000
MONTHS = 12
PAYMENTS_MAX = 1_200


class PlanNeverEnds(ValueError):  # noqa: N818 - an answer about a plan, and told as one
    """The payment does not even cover the interest, or would go on for a century."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """One monthly payment: what was paid of it for interest, for principal, and what is still owed."""

    number: int
    paid: Yen
    interest: Yen
    principal: Yen
    balance: Yen


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All payments until nothing is owed."""

    payment: Yen
    payments: tuple[Payment, ...]

    @property
    def total(self) -> Yen:
        """Return what is paid in all."""
        return total(payment.paid for payment in self.payments)

    @property
    def interest(self) -> Yen:
        """Return what is paid for interest in all."""
        return total(payment.interest for payment in self.payments)


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """What a payment went to, in this order: delay charge, interest, principal; and what was too much."""

    delay: Yen
    interest: Yen
    principal: Yen
    left_over: Yen


def fixed_payment(balance: Yen, book: TermsBook) -> Yen:
    """Return the monthly payment after a borrowing that left this balance; zero for none.

    Raises ValueError for a negative balance.
    """
    if balance < Yen(0):
        raise ValueError(f"a balance is not negative: {balance}")
    parts = balance.amount * book.band(balance).share
    thousands = -(-parts // (SHARE_PARTS * ROUNDED_UP_TO_YEN))
    return Yen(thousands * ROUNDED_UP_TO_YEN)


def allocate(paid: Yen, *, delay: Yen, interest: Yen, principal: Yen) -> Allocation:
    """Divide a payment among what is owed. Raises ValueError for a negative amount."""
    if min(paid, delay, interest, principal) < Yen(0):
        raise ValueError("what is paid and owed is not negative")
    to_delay = min(paid, delay)
    to_interest = min(paid - to_delay, interest)
    to_principal = min(paid - to_delay - to_interest, principal)
    left_over = paid - to_delay - to_interest - to_principal
    return Allocation(delay=to_delay, interest=to_interest, principal=to_principal, left_over=left_over)


def monthly_plan(balance: Yen, rate: Rate, payment: Yen) -> Plan:
    """Return the plan that the published simulator shows: each month costs a twelfth of the year's rate.

    The ledger counts days instead, so a real repayment differs by some yen. Interest is dropped to whole yen
    each month; the last payment is what is left with its interest.
    Source: https://www.m-mediapro.jp/cardloan/?p=720 (100,000 yen at 18.0 % and 4,000 yen a month: 32
    payments, 126,260 yen). Raises PlanNeverEnds, and ValueError where there is no balance.
    """
    if balance <= Yen(0):
        raise ValueError(f"a plan needs a balance: {balance}")
    payments: list[Payment] = []
    while balance:
        exact = balance.amount * rate.a_year / MONTHS
        interest = Yen(exact.numerator // exact.denominator)
        paid = min(payment, balance + interest)
        if paid <= interest or len(payments) == PAYMENTS_MAX:
            raise PlanNeverEnds(f"{payment} a month does not pay {balance} back at {rate}")
        balance = balance - (paid - interest)
        payments.append(
            Payment(
                number=len(payments) + 1,
                paid=paid,
                interest=interest,
                principal=paid - interest,
                balance=balance,
            )
        )
    return Plan(payment=payment, payments=tuple(payments))
