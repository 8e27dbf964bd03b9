"""Documents that nobody had to ask for: each repayment gets its receipt, each end its confirmation.

They are made a little after the booking, so that a font that is missing stops no payment and no end.
"""

import structlog
from sqlalchemy import ColumnElement, Connection, Row, case, exists, literal, select

from sekisho.kernel.clock import HOUR_US
from sekisho.kernel.ids import LOAN_EVENT, MemberId, made_at_us
from sekisho.kernel.refusals import Refusal
from sekisho.lender.documents.archive import About
from sekisho.lender.documents.desk import KINDS, DocumentDesk
from sekisho.lender.documents.typesetting import DocumentNotMade
from sekisho.lender.house import LenderParts
from sekisho.storage.tables.applications import loan_document
from sekisho.storage.tables.lender import credit_contract, loan_event

log = structlog.get_logger(__name__)

BATCH = 50
LOOK_BACK_US = HOUR_US
"""What was booked so long before the newest one may still have been on its way when we looked."""


class MissingDocuments:
    """Issues the receipts and confirmations that are missing, for one lender."""

    def __init__(self, house: LenderParts, documents: DocumentDesk) -> None:
        self._house = house
        self._documents = documents
        self._seen_us = 0
        self._unmade: set[str] = set()

    async def issue(self) -> int:
        """Issue what is missing, at most so many at once, and return how many were. Raises OperationalError.

        One that cannot be made is left to staff until the program starts again.
        """
        missing = await self._house.read(self._missing)
        issued = 0
        for event_id, member_id in missing:
            try:
                await self._documents.of_event(MemberId(member_id), event_id)
            except DocumentNotMade as refused:
                log.warning("documents:typesetting:unable", known=refused.known)
                return issued
            except Refusal as refused:
                log.warning("documents:document:not_made", event=event_id, code=refused.code)
                self._unmade.add(event_id)
            else:
                issued += 1
        if len(missing) < BATCH:
            self._seen_us = max((made_at_us(event_id) for event_id, _ in missing), default=self._seen_us)
        return issued

    def _missing(self, connection: Connection) -> list[Row[str, str]]:
        issued = exists().where(loan_document.c.subject == _prefix().concat(loan_event.c.id))
        its = (
            select(loan_event.c.id, credit_contract.c.member_id)
            .join(credit_contract, credit_contract.c.id == loan_event.c.contract_id)
            .where(
                loan_event.c.id >= _first_of(max(0, self._seen_us - LOOK_BACK_US)),
                loan_event.c.kind.in_([kind.value for kind in KINDS]),
                loan_event.c.id.not_in(sorted(self._unmade)),
                ~issued,
            )
            .order_by(loan_event.c.id)
            .limit(BATCH)
        )
        return list(connection.execute(its).all())


def _prefix() -> ColumnElement[str]:
    """Return how the subject of an event's document begins; the event's id follows."""
    named = (
        (loan_event.c.kind == kind, literal(str(About(document, "")))) for kind, document in KINDS.items()
    )
    return case(*named, else_=literal(""))


def _first_of(made_us: int) -> str:
    """Return what sorts before every id of a time and after all earlier ones."""
    return f"{LOAN_EVENT.prefix}_{made_us:014x}"
