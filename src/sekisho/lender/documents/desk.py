"""Handing documents over: before the contract, receipts, at the end, and again whatever was issued."""

import datetime as dt
from typing import NamedTuple

from sqlalchemy import Connection, select

from sekisho.identity.personal_data import Item, read_for_use
from sekisho.identity.session_desk import Present
from sekisho.kernel.ids import MemberId
from sekisho.kernel.yen import Yen
from sekisho.lender import application_rows as rows
from sekisho.lender.applications import Application, State, Who, require_going_on
from sekisho.lender.contracts import Contract, contract_of, find_contract
from sekisho.lender.documents import archive, consents
from sekisho.lender.documents.archive import About, Delivery, Document, DocumentNotFound, Kind
from sekisho.lender.documents.consents import DeliveryConsentMissing
from sekisho.lender.documents.sheets import (
    Lender,
    Line,
    Payment,
    Settlement,
    Sheet,
    before_contract,
    contract_end,
    receipt,
)
from sekisho.lender.documents.typesetting import Typesetter
from sekisho.lender.due_days import DueDay
from sekisho.lender.house import LenderParts
from sekisho.lender.loan_events import EventKind, LoanEvent
from sekisho.lender.rates import Rate
from sekisho.response import audit
from sekisho.response.staff import Deed, require_staff
from sekisho.storage.tables.lender import loan_event

KINDS = {EventKind.REPAID: Kind.RECEIPT, EventKind.ENDED: Kind.CONTRACT_END}
"""Which document an event under a contract has."""


class Read(NamedTuple):
    """A document and its octets."""

    document: Document
    pdf: bytes


class _ToIssue(NamedTuple):
    about: About
    sheet: Sheet


class DocumentDesk:
    """Hands documents over, for one lender."""

    def __init__(self, house: LenderParts, lender: Lender, typesetter: Typesetter) -> None:
        self._house = house
        self._lender = lender
        self._typesetter = typesetter

    async def consent(self, present: Present) -> None:
        """Write down that the member agrees to electronic delivery. Raises OperationalError."""
        session = present.session
        await self._house.written(
            lambda at: consents.give(at, self._house.parts, session.member_id, session.id)
        )

    async def withdraw_consent(self, member_id: MemberId) -> bool:
        """Take the consent back, and tell whether there was one. Raises OperationalError."""
        return await self._house.written(lambda at: consents.withdraw(at, self._house.parts, member_id))

    async def show_before_contract(
        self, member_id: MemberId, application_id: str, *, on_paper_by: str = ""
    ) -> Document:
        """Issue what goes before the contract; the same document when it is asked for again.

        It is delivered electronically by the member's consent, or on paper by a member of staff who is
        named. Raises DeliveryConsentMissing, GlyphMissing, DocumentNotMade, ApplicationNotFound,
        NotAtThisStep, StaffIdUnusable and OperationalError.
        """
        if on_paper_by:
            require_staff(on_paper_by)
        application = await self._house.read(
            lambda at: rows.of_member(at, self._house.keyring, member_id, application_id)
        )
        now_us = self._house.clock.now_us()
        require_going_on(application, now_us, State.GRANTED, State.DOCUMENTS_SHOWN)
        free_days = await self._house.read(lambda at: self._free_days(at, application))
        line = line_of(self._house, application, free=free_days)
        sheet = before_contract(self._lender, line, self._house.book, day=self._house.today())
        made = await self._typesetter.make(sheet)

        def work(connection: Connection) -> Document:
            if not on_paper_by and not consents.has_consented(connection, member_id):
                raise DeliveryConsentMissing(known=member_id)
            current = rows.require(connection, self._house.keyring, application_id)
            require_going_on(current, self._house.clock.now_us(), State.GRANTED, State.DOCUMENTS_SHOWN)
            about = About(Kind.BEFORE_CONTRACT, application_id)
            document = archive.keep(connection, self._house.parts, member_id, about, made)
            if current.state is State.GRANTED:
                rows.move(
                    connection,
                    self._house.parts,
                    current,
                    State.DOCUMENTS_SHOWN,
                    document_id=document.id,
                    free_days=free_days,
                )
            self._delivered(connection, document, on_paper_by)
            return document

        return await self._house.written(work)

    async def of_event(self, member_id: MemberId, loan_event_id: str) -> Document:
        """Issue the receipt of a repayment, or the confirmation of an end; again, it is the same document.

        Raises DocumentNotFound where it is neither, or not of this member, GlyphMissing, DocumentNotMade and
        OperationalError.
        """
        found = await self._house.read(lambda at: self._to_issue(at, member_id, loan_event_id))
        if isinstance(found, Document):
            return found
        made = await self._typesetter.make(found.sheet)

        def work(connection: Connection) -> Document:
            document = archive.keep(connection, self._house.parts, member_id, found.about, made)
            if consents.has_consented(connection, member_id):
                self._delivered(connection, document, "")
            return document

        return await self._house.written(work)

    async def of_member(self, member_id: MemberId) -> list[Document]:
        """Return a member's documents, the newest first. Raises OperationalError."""
        return await self._house.read(lambda at: archive.of_member(at, member_id))

    async def read(self, member_id: MemberId, document_id: str) -> Read:
        """Return a document as it was issued. Raises DocumentNotFound and OperationalError."""

        def look(connection: Connection) -> Read:
            document = archive.find(connection, member_id, document_id)
            return Read(document, archive.octets_of(connection, self._house.parts, document))

        return await self._house.read(look)

    def _delivered(self, connection: Connection, document: Document, on_paper_by: str) -> None:
        way = Delivery.ON_PAPER if on_paper_by else Delivery.ELECTRONIC
        now_us = self._house.clock.now_us()
        archive.deliver(connection, document, way, now_us, staff_id=on_paper_by)
        if on_paper_by:
            deed, act = Deed(on_paper_by, "no consent to electronic delivery"), "document:handed_over"
            audit.record_deed(connection, deed, act, document.id, at_us=now_us)

    def _free_days(self, connection: Connection, application: Application) -> bool:
        """Say whether the first days are free: for a first contract, by e-mail and electronic delivery."""
        if application.state is State.DOCUMENTS_SHOWN:
            return application.free_days
        member_id = application.member_id
        email = read_for_use(connection, self._house.keyring, member_id, (Item.EMAIL,))
        is_first = contract_of(connection, member_id) is None
        return is_first and bool(email) and consents.has_consented(connection, member_id)

    def _to_issue(
        self, connection: Connection, member_id: MemberId, loan_event_id: str
    ) -> _ToIssue | Document:
        row = (
            connection.execute(select(loan_event).where(loan_event.c.id == loan_event_id))
            .mappings()
            .one_or_none()
        )
        event = None if row is None else LoanEvent(**row)
        contract = None if event is None else find_contract(connection, event.contract_id)
        kind = None if event is None else KINDS.get(EventKind(event.kind))
        if event is None or contract is None or contract.member_id != member_id or kind is None:
            raise DocumentNotFound(known=loan_event_id[:60])
        about = About(kind, loan_event_id)
        before = archive.issued(connection, about)
        if before is not None:
            return before
        name = read_for_use(connection, self._house.keyring, member_id, (Item.NAME,))[Item.NAME]
        return _ToIssue(about, self._sheet(kind, name, contract, event))

    def _sheet(self, kind: Kind, name: str, contract: Contract, event: LoanEvent) -> Sheet:
        signed_on, limit = dt.date.fromisoformat(contract.signed_on), Yen(contract.limit_yen)
        if kind is Kind.CONTRACT_END:
            settlement = Settlement(
                debtor=name,
                contract_number=contract.number,
                contract_day=signed_on,
                limit=limit,
                ended_on=dt.date.fromisoformat(event.effective_on),
            )
            return contract_end(self._lender, settlement)
        payment = Payment(debtor=name, contract_number=contract.number, contract_day=signed_on, limit=limit)
        return receipt(self._lender, payment, event)


def line_of(house: LenderParts, application: Application, *, free: bool) -> Line:
    """Return the line that an application was granted. Raises ValueError where none was."""
    who: Who | None = application.who
    if who is None or not application.limit_yen:
        raise ValueError(f"{application.id} was granted nothing")
    terms = house.book.named(application.terms_id)
    return Line(
        to=who.name,
        address=who.home_address,
        limit=Yen(application.limit_yen),
        rate=Rate(application.rate),
        terms=terms,
        due_day=DueDay(application.said.due_day),
        free_days=terms.interest_free_days if free else 0,
    )
