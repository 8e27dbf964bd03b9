"""Proof of income: a document that staff looked at, or a source that is asked by the applicant's consent."""

import datetime as dt
from collections.abc import Mapping
from typing import Protocol

import msgspec
from sqlalchemy import Connection, delete, insert, select

from sekisho.kernel.yen import Yen
from sekisho.lender import application_rows as rows
from sekisho.lender.applications import INCOME_YEN_MAX, Application, State, Who, require_going_on
from sekisho.lender.house import LenderParts
from sekisho.lender.json_ports import Partner, ask
from sekisho.response import audit
from sekisho.response.staff import Deed, require_staff
from sekisho.storage import outbox
from sekisho.storage.sealed_columns import context_of
from sekisho.storage.tables.applications import income_check

REFERENCE_CHARS_MAX = 200


class IncomeQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """Whose income is asked for. `reference` is the same when the question comes again."""

    reference: str
    name: str
    name_kana: str
    born_on: dt.date


class IncomeAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The income of a year before tax in whole yen; None where the source does not know."""

    reference: str
    income_yen: int | None


class IncomeSource(Protocol):
    """Whoever knows what somebody earns."""

    async def ask(self, question: IncomeQuestion) -> IncomeAnswer:
        """Answer one question. Raises OperationalError."""
        ...


class HttpIncomeSource:
    """Asks a source over HTTPS: `POST` of the question as JSON, the answer in the body."""

    def __init__(self, partner: Partner) -> None:
        self._partner = partner

    async def ask(self, question: IncomeQuestion) -> IncomeAnswer:
        """Ask, within ten seconds. Raises OperationalError."""
        return await ask(self._partner, question.reference, question, IncomeAnswer)


class TableIncomeSource:
    """Answers from a table, by reading of the name and birth date: for trying out, and for tests."""

    def __init__(self, known: Mapping[tuple[str, dt.date], int]) -> None:
        self._known = known

    async def ask(self, question: IncomeQuestion) -> IncomeAnswer:
        """Answer at once."""
        income_yen = self._known.get((question.name_kana, question.born_on))
        return IncomeAnswer(reference=question.reference, income_yen=income_yen)


class IncomeDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What staff read in a document about the income: which document, where it lies, and the figure."""

    staff_id: str
    reference: str
    income: Yen


class ProvenIncome(msgspec.Struct, frozen=True, kw_only=True):
    """An income that was proven, by whom (empty: by the source), and by what."""

    income_yen: int
    source: str
    reference: str
    staff_id: str


def proven_by(document: IncomeDocument) -> ProvenIncome:
    """Return what a document proves.

    Raises ValueError for a reference or an income that can't be, and StaffIdUnusable.
    """
    proven = ProvenIncome(
        income_yen=document.income.amount,
        source="document",
        reference=document.reference,
        staff_id=require_staff(document.staff_id),
    )
    if not 0 <= proven.income_yen <= INCOME_YEN_MAX:
        raise ValueError("an income that nobody has")
    if not document.reference.strip() or len(document.reference) > REFERENCE_CHARS_MAX:
        raise ValueError("a proof names its document")
    return proven


async def ask_source(source: IncomeSource, reference: str, who: Who) -> ProvenIncome | None:
    """Return what a source knows of a person's income; None where it does not, or answers something else.

    Raises OperationalError.
    """
    answer = await source.ask(
        IncomeQuestion(
            reference=reference,
            name=who.name,
            name_kana=who.name_kana,
            born_on=dt.date.fromisoformat(who.born_on),
        )
    )
    income_yen = answer.income_yen
    if income_yen is None or income_yen < 0 or answer.reference != reference:
        return None
    return ProvenIncome(income_yen=income_yen, source="source", reference=reference, staff_id="")


class IncomeDesk:
    """Writes proofs of income down, for one lender."""

    def __init__(self, house: LenderParts) -> None:
        self._house = house

    async def record(self, application_id: str, document: IncomeDocument) -> ProvenIncome:
        """Write down what staff read, before the screening; a correction takes the place of what was there.

        Raises ValueError for a reference or an income that can't be; StaffIdUnusable, ApplicationNotFound,
        NotAtThisStep and OperationalError.
        """
        proven = proven_by(document)

        def work(connection: Connection) -> ProvenIncome:
            application = rows.require(connection, self._house.keyring, application_id)
            keep(connection, self._house, application, proven)
            # The reference may name somebody, and is no part of the audit.
            deed, now_us = Deed(proven.staff_id, ""), self._house.clock.now_us()
            audit.record_deed(connection, deed, "application:income_proven", application_id, at_us=now_us)
            return proven

        return await self._house.written(work)


def keep(connection: Connection, house: LenderParts, application: Application, proven: ProvenIncome) -> None:
    """Write a proof down and tell of it. Raises NotAtThisStep once the application was screened."""
    now_us = house.clock.now_us()
    require_going_on(application, now_us, State.SUBMITTED, State.IDENTITY_CHECKED)
    connection.execute(delete(income_check).where(income_check.c.application_id == application.id))
    sealed = house.keyring.seal(msgspec.json.encode(proven), context=_context(application.id))
    row = {
        "application_id": application.id,
        "source": proven.source,
        "reference": proven.reference,
        "staff_id": proven.staff_id,
        "sealed": sealed,
        "at_us": now_us,
    }
    connection.execute(insert(income_check), row)
    body = msgspec.json.encode({"source": proven.source, "staff": proven.staff_id})
    event = outbox.Entry("lender:income:proven", f"{application.id}:{now_us}", now_us, body)
    outbox.append(connection, [event])


def proven_income(connection: Connection, house: LenderParts, application_id: str) -> ProvenIncome | None:
    """Return what was proven, None where nothing was. Raises Unsealable."""
    own = select(income_check.c.sealed).where(income_check.c.application_id == application_id)
    sealed = connection.execute(own).scalar_one_or_none()
    if sealed is None:
        return None
    plain = house.keyring.open(sealed, context=_context(application_id))
    return msgspec.json.decode(plain, type=ProvenIncome)


def _context(application_id: str) -> str:
    return context_of(income_check.c.sealed, application_id=application_id)
