"""What the next borrowing would do to the monthly payment, said before anybody borrows."""

from enum import StrEnum
from typing import NamedTuple

from sekisho.kernel.yen import Yen
from sekisho.lender.loan_events import Position
from sekisho.lender.repayment import fixed_payment
from sekisho.lender.terms import TermsBook

STEP = Yen(1_000)
OFTEN_WANTED = (Yen(10_000), Yen(30_000), Yen(50_000), Yen(100_000), Yen(300_000))


class Turn(StrEnum):
    """Where the payment goes."""

    UP = "up"
    SAME = "same"

    DOWN = "down"
    """The balance enters a band with a smaller share; it is paid back over a longer time."""

    FIRST = "first"
    """Nothing was to be paid before."""


class Effect(NamedTuple):
    """One borrowing of an amount: what is owed as principal then, and the payment before and after it."""

    amount: Yen
    principal: Yen
    before: Yen
    after: Yen

    @property
    def turn(self) -> Turn:
        """Say where the payment goes."""
        if not self.before:
            return Turn.FIRST
        if self.after == self.before:
            return Turn.SAME
        return Turn.UP if self.after > self.before else Turn.DOWN


def effect_of(amount: Yen, position: Position, book: TermsBook) -> Effect:
    """Return what borrowing an amount does. The payment goes by the principal after it."""
    principal = position.principal + amount
    return Effect(amount, principal, position.payment, fixed_payment(principal, book))


def likely_effects(position: Position, book: TermsBook) -> list[Effect]:
    """Return effects of amounts that are often wanted, of the least that lowers the payment, and of the most.

    None of them is above the headroom; with nothing left there are none.
    """
    most = Yen(position.headroom.amount // STEP.amount * STEP.amount)
    wanted = {amount for amount in (*OFTEN_WANTED, most) if Yen(0) < amount <= most}
    wanted |= {amount for amount in _into_next_bands(position, book) if amount <= most}
    effects = [effect_of(amount, position, book) for amount in sorted(wanted)]
    lower = [effect for effect in effects if effect.turn is Turn.DOWN]
    # Of all that lower it the first says enough.
    return [effect for effect in effects if effect not in lower[1:] or effect.amount in {*OFTEN_WANTED, most}]


def _into_next_bands(position: Position, book: TermsBook) -> list[Yen]:
    """Return for each band above the least amount, in whole steps, with which the balance enters it."""
    edges = [band.up_to_yen for band in book.payment_bands[:-1]]
    above = [edge + 1 - position.principal.amount for edge in edges if edge >= position.principal.amount]
    return [Yen(-(-least // STEP.amount) * STEP.amount) for least in above]
