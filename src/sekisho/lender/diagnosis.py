"""The three-second diagnosis: may this person apply, said without a name and without asking a bureau.

It is a first answer, not a decision: the age, a third of the income (総量規制) and what money lenders are
owed. Bank loans, housing, car loans and card shopping do not count.
"""

from datetime import date
from enum import StrEnum
from typing import NamedTuple

from sekisho.kernel.yen import Yen
from sekisho.lender.terms import Terms

INCOME_SHARE = 3
LENT_IN_YEN = 10_000


class Answers(NamedTuple):
    """What is asked: birth date, income of a year before tax, and what is owed to money lenders today."""

    born_on: date
    income: Yen
    owed_to_lenders: Yen


class Reason(StrEnum):
    """Why somebody may not apply, in the order in which reasons are looked for."""

    AGE = "age"
    NO_INCOME = "no_income"
    ABOVE_A_THIRD = "above_a_third"
    TOO_LITTLE_ROOM = "too_little_room"


class Diagnosis(NamedTuple):
    """Whether an application makes sense, and for up to how much; the room is zero where it does not."""

    may_apply: bool
    room: Yen
    reason: Reason | None


def age_on(born_on: date, today: date) -> int:
    """Return somebody's age in full years; born on 29 February, one is older on 1 March of a common year."""
    had_birthday = (today.month, today.day) >= (born_on.month, born_on.day)
    return today.year - born_on.year - (0 if had_birthday else 1)


def third_of_income(income: Yen) -> Yen:
    """Return how much money lenders together may lend somebody (Money Lending Business Act, 13-2)."""
    return Yen(income.amount // INCOME_SHARE)


def diagnose(answers: Answers, terms: Terms, *, today: date) -> Diagnosis:
    """Say whether somebody may apply under the terms of a day, and for up to how much, in steps of 10,000."""
    reason = _reason(answers, terms, today)
    room = _room(answers, terms)
    if reason is None and room < Yen(terms.limit_min_yen):
        reason = Reason.TOO_LITTLE_ROOM
    return Diagnosis(reason is None, room if reason is None else Yen(0), reason)


def _reason(answers: Answers, terms: Terms, today: date) -> Reason | None:
    if not terms.age_min <= age_on(answers.born_on, today) <= terms.age_max:
        return Reason.AGE
    if answers.income <= Yen(0):
        return Reason.NO_INCOME
    return Reason.ABOVE_A_THIRD if answers.owed_to_lenders >= third_of_income(answers.income) else None


def _room(answers: Answers, terms: Terms) -> Yen:
    room = min(terms.limit_max_yen, third_of_income(answers.income).amount - answers.owed_to_lenders.amount)
    return Yen(max(0, room // LENT_IN_YEN * LENT_IN_YEN))
