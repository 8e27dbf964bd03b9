"""Signing: the member approves exactly the document that was shown, and the contract is made by that.

What is approved is bound to the document's digest, the limit, the rate and the due day; a proof of anything
else signs nothing. The contract, its document, the application's end and the notice are one unit of work.
"""

import datetime as dt
from collections.abc import Callable
from typing import NamedTuple

from sqlalchemy import Connection

from sekisho.identity import sessions
from sekisho.identity.arrivals import Arrival
from sekisho.identity.assurance import (
    Granted,
    InsufficientAuthentication,
    Need,
    StepUp,
    Way,
    bound_to,
    demand,
)
from sekisho.identity.notifying import facts_of, language_of, notify
from sekisho.identity.purposes import Purpose
from sekisho.identity.session_desk import Present
from sekisho.kernel.ids import ContractId, MemberId
from sekisho.lender import application_rows as rows
from sekisho.lender.applications import Application, NotAtThisStep, State, require_going_on
from sekisho.lender.contracts import Agreement, Contract, find_contract, free_number, sign
from sekisho.lender.documents import archive, consents
from sekisho.lender.documents.archive import About, Delivery, Document, Kind
from sekisho.lender.documents.desk import line_of
from sekisho.lender.documents.sheets import Lender, Line, at_contract, due_day_in_words
from sekisho.lender.documents.typesetting import Typeset, Typesetter
from sekisho.lender.house import LenderParts
from sekisho.messages.notices import NoticeKind

_TRIES = 2


class Signed(NamedTuple):
    """A contract, and the document that says what was agreed."""

    contract: Contract
    document: Document


class _Offer(NamedTuple):
    """What lies on the table: an application, the document that was shown, and the member's language."""

    application: Application
    shown: Document
    language: str


class _Prepared(NamedTuple):
    """What is to be signed, how it was approved, and its document, made for a number and a day."""

    offer: _Offer
    way: Way
    number: str
    day: dt.date
    made: Typeset


class SigningDesk:
    """Signs contracts, for one lender."""

    def __init__(self, house: LenderParts, lender: Lender, typesetter: Typesetter) -> None:
        self._house = house
        self._lender = lender
        self._typesetter = typesetter

    async def purpose(self, member_id: MemberId, application_id: str) -> Purpose:
        """Return what the member approves: to be proven by a passkey or, on a trusted device, by a code.

        Raises ApplicationNotFound, NotAtThisStep and OperationalError.
        """
        offer = await self._house.read(lambda at: self._offer(at, member_id, application_id))
        return self._purpose(offer)

    async def sign(self, present: Present, application_id: str, arrival: Arrival) -> Signed:
        """Sign what was shown. Once it is signed, doing it again returns the same contract.

        Raises InsufficientAuthentication where exactly this was not approved; GlyphMissing and
        DocumentNotMade, and then nothing is signed; ApplicationNotFound, NotAtThisStep and OperationalError.
        """
        member_id = present.session.member_id
        before = await self._house.read(lambda at: self._signed(at, member_id, application_id))
        if before is not None:
            return before
        offer = await self._house.read(lambda at: self._offer(at, member_id, application_id))
        way = self._approved(present, self._purpose(offer))
        for _ in range(_TRIES):
            signs = self._signature(present, await self._prepare(offer, way), arrival)
            signed = await self._house.written(signs)
            if signed is not None:
                return signed
        raise NotAtThisStep(known=f"{application_id}: the day ended twice")

    def _offer(self, connection: Connection, member_id: MemberId, application_id: str) -> _Offer:
        application = rows.of_member(connection, self._house.keyring, member_id, application_id)
        require_going_on(application, self._house.clock.now_us(), State.DOCUMENTS_SHOWN)
        shown = archive.find(connection, member_id, application.document_id or "")
        return _Offer(application, shown, language_of(connection, member_id))

    def _purpose(self, offer: _Offer) -> Purpose:
        line = self._line(offer)
        return Purpose(
            action="contract",
            amount_yen=line.limit.amount,
            details={
                "rate": str(line.rate),
                "due": due_day_in_words(line.due_day, offer.language),
                "application": offer.application.id,
                "document": offer.shown.sha256,
            },
        )

    def _line(self, offer: _Offer) -> Line:
        return line_of(self._house, offer.application, free=offer.application.free_days)

    def _approved(self, present: Present, purpose: Purpose) -> Way:
        """Return how exactly this was approved. Raises InsufficientAuthentication."""
        bound, now_us = bound_to(present.session, purpose.key), self._house.clock.now_us()
        answer = demand(bound, present.device, Need.CHANGE, now_us, purpose=purpose.key)
        if not isinstance(answer, Granted):
            raise InsufficientAuthentication(answer, known="contract")
        return Way.PASSKEY if any(proof.way is Way.PASSKEY for proof in bound.proofs) else Way.CODE

    async def _prepare(self, offer: _Offer, way: Way) -> _Prepared:
        """Make the contract's document first: what can't be handed over can't be signed."""
        number = await self._house.read(lambda at: free_number(at, self._house.chance))
        day = self._house.today()
        sheet = at_contract(
            self._lender,
            self._line(offer),
            self._house.book,
            number=number,
            day=day,
            shown=offer.shown.sha256,
        )
        return _Prepared(offer, way, number, day, await self._typesetter.make(sheet))

    def _signature(
        self, present: Present, prepared: _Prepared, arrival: Arrival
    ) -> Callable[[Connection], Signed | None]:
        return lambda connection: self._sign(connection, present, prepared, arrival)

    def _sign(
        self, connection: Connection, present: Present, prepared: _Prepared, arrival: Arrival
    ) -> Signed | None:
        """Sign in one unit of work; None where the day ended since the document was made."""
        member_id, offer = present.session.member_id, prepared.offer
        before = self._signed(connection, member_id, offer.application.id)
        if before is not None:
            return before
        if self._house.today() != prepared.day:
            return None
        current = self._offer(connection, member_id, offer.application.id)
        if self._purpose(current).key != self._purpose(offer).key:
            raise NotAtThisStep(known=f"{offer.application.id} is not what was approved")
        # What was shown must still be there as it was: it is the evidence of what was approved.
        archive.octets_of(connection, self._house.parts, current.shown)
        self._use_up(connection, present, self._purpose(offer), prepared.way)
        contract = self._make(connection, current, prepared)
        document = archive.keep(
            connection, self._house.parts, member_id, About(Kind.CONTRACT, contract.id), prepared.made
        )
        if consents.has_consented(connection, member_id):
            archive.deliver(connection, document, Delivery.ELECTRONIC, self._house.clock.now_us())
        rows.move(connection, self._house.parts, current.application, State.SIGNED, contract_id=contract.id)
        self._tell(connection, member_id, contract, arrival)
        return Signed(contract, document)

    def _use_up(self, connection: Connection, present: Present, purpose: Purpose, way: Way) -> None:
        """Use the proof up, while its session lives. Raises InsufficientAuthentication."""
        now_us = self._house.clock.now_us()
        session = sessions.find(connection, present.session.id)
        live = session is not None and session.is_live(now_us)
        if not live or not sessions.spend_proof(connection, present.session, way, purpose.key, now_us):
            raise InsufficientAuthentication(StepUp((Way.PASSKEY,)), known="contract: the proof is gone")

    def _make(self, connection: Connection, offer: _Offer, prepared: _Prepared) -> Contract:
        line = self._line(offer)
        agreement = Agreement(
            member_id=offer.application.member_id,
            terms=line.terms,
            limit=line.limit,
            rate=line.rate,
            due_day=line.due_day,
            interest_free=offer.application.free_days,
            number=prepared.number,
        )
        return sign(
            connection,
            agreement,
            self._house.book,
            today=prepared.day,
            clock=self._house.clock,
            chance=self._house.chance,
        )

    def _signed(self, connection: Connection, member_id: MemberId, application_id: str) -> Signed | None:
        application = rows.of_member(connection, self._house.keyring, member_id, application_id)
        if application.contract_id is None:
            return None
        contract = find_contract(connection, application.contract_id)
        document = archive.issued(connection, About(Kind.CONTRACT, application.contract_id))
        return None if contract is None or document is None else Signed(contract, document)

    def _tell(
        self, connection: Connection, member_id: MemberId, contract: Contract, arrival: Arrival
    ) -> None:
        values = facts_of(arrival, self._house.clock.now_us(), language_of(connection, member_id))
        kind = NoticeKind.CONTRACT_SIGNED
        notify(
            connection, self._house.parts, member_id, kind, values, dedupe=f"{kind}:{ContractId(contract.id)}"
        )
