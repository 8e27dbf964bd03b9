"""Screening: from an application and what a credit bureau knows to a line, a refusal, or a person's decision.

Each rule is a sentence with a name; a refusal names every rule that spoke against. Where nothing speaks
against but something asks for a person, a person decides.
"""

from collections.abc import Iterator
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from sekisho.kernel.yen import Yen
from sekisho.lender.diagnosis import INCOME_SHARE, LENT_IN_YEN, age_on, third_of_income
from sekisho.lender.rates import Rate
from sekisho.lender.terms import Terms, TermsBook

PROOF_ABOVE_OWN = Yen(500_000)
PROOF_ABOVE_TOTAL = Yen(1_000_000)
PROOF_UNDER_AGE = 20
LENDERS_MANY = 4
EMPLOYED_MONTHS_FEW = 6


class Applicant(NamedTuple):
    """What an applicant said, and what was checked of it."""

    born_on: date
    income: Yen
    income_proven: bool
    employed_months: int
    wanted: Yen
    identity_checked: bool


class BureauRecord(NamedTuple):
    """What a credit bureau answered on a day: loans by money lenders, and whether payments went wrong."""

    asked_on: date
    owed_to_lenders: Yen
    lenders: int
    delayed: bool
    written_off: bool
    applications_last_month: int


class Finding(StrEnum):
    """What a rule found."""

    AGE_OUTSIDE = "age_outside"
    """The age is not within the terms."""

    IDENTITY_NOT_CHECKED = "identity_not_checked"
    """Who this is was not established by a lawful method."""

    NO_INCOME = "no_income"
    """There is no income to repay from."""

    ABOVE_A_THIRD = "above_a_third"
    """Money lenders together would lend more than a third of the income."""

    INCOME_PROOF_MISSING = "income_proof_missing"
    """The law asks for a document about the income at this amount or age."""

    WRITTEN_OFF = "written_off"
    """A debt was written off."""

    DELAYED = "delayed"
    """A payment is late at present."""

    MANY_LENDERS = "many_lenders"
    """Four lenders or more."""

    MANY_APPLICATIONS = "many_applications"
    """Three applications or more within a month."""

    EMPLOYED_BRIEFLY = "employed_briefly"
    """Less than half a year in this employment."""


class Verdict(StrEnum):
    """What follows."""

    GRANTED = "granted"
    A_PERSON_DECIDES = "a_person_decides"
    REFUSED = "refused"


class Screened(NamedTuple):
    """A verdict with the line and rate that are offered (zero where nothing is), and all that was found."""

    verdict: Verdict
    limit: Yen
    rate: Rate | None
    findings: tuple[Finding, ...]


APPLICATIONS_MANY = 3
AGAINST = frozenset(
    {
        Finding.AGE_OUTSIDE,
        Finding.IDENTITY_NOT_CHECKED,
        Finding.NO_INCOME,
        Finding.ABOVE_A_THIRD,
        Finding.WRITTEN_OFF,
        Finding.INCOME_PROOF_MISSING,
    }
)
"""These speak against; the others ask for a person."""


def needs_income_proof(own_line: Yen, with_others: Yen, age: int) -> bool:
    """Say whether the law or the terms ask for an income document.

    Above 500,000 yen with this lender, above 1,000,000 yen with all (Money Lending Business Act, 13(3)), and
    below the age of 20.
    """
    return own_line > PROOF_ABOVE_OWN or with_others > PROOF_ABOVE_TOTAL or age < PROOF_UNDER_AGE


def screen(
    applicant: Applicant, bureau: BureauRecord, terms: Terms, book: TermsBook, *, today: date
) -> Screened:
    """Decide an application under the terms of a day."""
    limit = _limit(applicant, bureau, terms)
    findings = tuple(_findings(applicant, bureau, terms, limit, today))
    if AGAINST & set(findings):
        return Screened(Verdict.REFUSED, Yen(0), None, findings)
    # The cap of the law goes by what may be owed one day: the whole line.
    rate = min(terms.rate_max, book.legal_cap(limit))
    verdict = Verdict.A_PERSON_DECIDES if findings else Verdict.GRANTED
    return Screened(verdict, limit, rate, findings)


def _limit(applicant: Applicant, bureau: BureauRecord, terms: Terms) -> Yen:
    """Return the line that fits: what is wanted, within the terms and a third of the income."""
    room = third_of_income(applicant.income) - bureau.owed_to_lenders
    most = min(applicant.wanted.amount, terms.limit_max_yen, room.amount)
    return Yen(max(0, most // LENT_IN_YEN * LENT_IN_YEN))


def _findings(
    applicant: Applicant, bureau: BureauRecord, terms: Terms, limit: Yen, today: date
) -> Iterator[Finding]:
    age = age_on(applicant.born_on, today)
    rules = (
        (not terms.age_min <= age <= terms.age_max, Finding.AGE_OUTSIDE),
        (not applicant.identity_checked, Finding.IDENTITY_NOT_CHECKED),
        (applicant.income <= Yen(0), Finding.NO_INCOME),
        (
            limit < Yen(terms.limit_min_yen)
            or above_a_third(applicant.income, bureau.owed_to_lenders + limit),
            Finding.ABOVE_A_THIRD,
        ),
        (
            not applicant.income_proven and needs_income_proof(limit, limit + bureau.owed_to_lenders, age),
            Finding.INCOME_PROOF_MISSING,
        ),
        (bureau.written_off, Finding.WRITTEN_OFF),
        (bureau.delayed, Finding.DELAYED),
        (bureau.lenders >= LENDERS_MANY, Finding.MANY_LENDERS),
        (bureau.applications_last_month >= APPLICATIONS_MANY, Finding.MANY_APPLICATIONS),
        (applicant.employed_months < EMPLOYED_MONTHS_FEW, Finding.EMPLOYED_BRIEFLY),
    )
    yield from (finding for holds, finding in rules if holds)


def above_a_third(income: Yen, lent: Yen) -> bool:
    """Say whether money lenders together would lend more than a third of the income, to the yen."""
    return lent.amount * INCOME_SHARE > income.amount
