"""The credit bureau, which the law makes a lender ask before each contract with a person.

A port: whoever answers, over HTTP or from a table. What comes back is believed only where it answers this
question, and does not contradict itself.
"""

import datetime as dt
from collections.abc import Mapping
from typing import NamedTuple, Protocol

import msgspec

from sekisho.kernel.posture import OperationalError
from sekisho.kernel.yen import Yen
from sekisho.lender.applications import Application
from sekisho.lender.json_ports import Partner, ask
from sekisho.lender.screening import BureauRecord


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """Whom the bureau is asked about. `reference` is the query's id, `asked_on` the day in Japan."""

    reference: str
    asked_on: dt.date
    name: str
    name_kana: str
    born_on: dt.date


def question_about(application: Application, reference: str, today: dt.date) -> Question:
    """Return the question about an applicant. Raises OperationalError where the person is missing."""
    who = application.who
    if who is None:
        raise OperationalError("applications", f"{application.id} was made without its person")
    return Question(
        reference=reference,
        asked_on=today,
        name=who.name,
        name_kana=who.name_kana,
        born_on=dt.date.fromisoformat(who.born_on),
    )


class BureauAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What the bureau says, with what it was asked.

    Amounts are whole yen owed to money lenders, other than the one who asks.
    """

    reference: str
    asked_on: dt.date
    born_on: dt.date
    owed_yen: int
    lenders: int
    delayed: bool
    written_off: bool
    applications_last_month: int


class CreditBureau(Protocol):
    """Whoever knows what somebody owes."""

    async def ask(self, question: Question) -> BureauAnswer:
        """Answer one question; the same reference gets the same answer. Raises OperationalError."""
        ...


class Contradiction(NamedTuple):
    """An answer that can't be true, or answers something else; in words for staff, without figures."""

    what: str


class HttpCreditBureau:
    """Asks a bureau over HTTPS: `POST` of the question as JSON, the answer in the body."""

    def __init__(self, partner: Partner) -> None:
        self._partner = partner

    async def ask(self, question: Question) -> BureauAnswer:
        """Ask, within ten seconds. Raises OperationalError."""
        return await ask(self._partner, question.reference, question, BureauAnswer)


class Known(NamedTuple):
    """What the table knows of somebody."""

    owed_yen: int = 0
    lenders: int = 0
    delayed: bool = False
    written_off: bool = False
    applications_last_month: int = 0


class TableCreditBureau:
    """Answers from a table, by reading of the name and birth date; of others it knows that they owe nothing.

    For trying the program out, and for tests.
    """

    def __init__(self, known: Mapping[tuple[str, dt.date], Known]) -> None:
        self._known = known

    async def ask(self, question: Question) -> BureauAnswer:
        """Answer at once."""
        known = self._known.get((question.name_kana, question.born_on), Known())
        return BureauAnswer(
            reference=question.reference,
            asked_on=question.asked_on,
            born_on=question.born_on,
            **known._asdict(),
        )


def record_of(question: Question, answer: BureauAnswer) -> BureauRecord | Contradiction:
    """Return what an answer tells to screening, or why it can't be believed."""
    rules = (
        (answer.reference == question.reference, "it answers another question"),
        (answer.born_on == question.born_on, "it is about somebody else"),
        (answer.asked_on == question.asked_on, "it is of another day"),
        (
            min(answer.owed_yen, answer.lenders, answer.applications_last_month) >= 0,
            "it counts less than nothing",
        ),
        (answer.lenders > 0 or answer.owed_yen == 0, "something is owed to nobody"),
        (answer.lenders > 0 or not answer.delayed, "a payment to nobody is late"),
    )
    for holds, what in rules:
        if not holds:
            return Contradiction(what)
    return BureauRecord(
        answer.asked_on,
        Yen(answer.owed_yen),
        answer.lenders,
        answer.delayed,
        answer.written_off,
        answer.applications_last_month,
    )
