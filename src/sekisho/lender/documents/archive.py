"""Documents as they were issued: kept sealed, named by what their octets hash to, never made twice."""

import hashlib
from enum import StrEnum
from typing import NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, Select, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from sekisho.identity.institution import Parts
from sekisho.kernel.ids import DOCUMENT, MemberId
from sekisho.kernel.refusals import Refusal
from sekisho.lender.documents.typesetting import Typeset
from sekisho.storage import outbox
from sekisho.storage.keyring import Unsealable
from sekisho.storage.sealed_columns import context_of
from sekisho.storage.tables.applications import document_delivery, loan_document


class Kind(StrEnum):
    """Which document it is."""

    BEFORE_CONTRACT = "before_contract"
    """What is agreed, before it is (article 16-2)."""

    CONTRACT = "contract"
    """What was agreed (article 17)."""

    RECEIPT = "receipt"
    """What was paid, and what it was taken for (article 18)."""

    CONTRACT_END = "contract_end"
    """That the contract ended, and that nothing is owed under it."""


class Delivery(StrEnum):
    """How a document reached the member."""

    ELECTRONIC = "electronic"
    """It was put where the member reads it, by consent."""

    ON_PAPER = "on_paper"
    """Staff posted or handed it over."""


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """An issued document: `subject` is what it is about (an application, a contract, a payment)."""

    id: str
    subject: str
    member_id: MemberId
    kind: Kind
    sha256: str
    pages: int
    made_at_us: int


class About(NamedTuple):
    """What a document is about: its kind, and the id of the application, contract or payment."""

    kind: Kind
    subject: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.subject}"


class DocumentNotFound(Refusal):
    """There is no such document of this member."""

    code = "document_not_found"
    status = 404
    told = "There is no such document."


def keep(connection: Connection, parts: Parts, member_id: MemberId, about: About, made: Typeset) -> Document:
    """Keep a document; where one was issued about the same thing before, that one stays and is returned."""
    before = issued(connection, about)
    if before is not None:
        return before
    document = Document(
        id=DOCUMENT.new(parts.clock, parts.chance),
        subject=str(about),
        member_id=member_id,
        kind=about.kind,
        sha256=made.sha256,
        pages=made.pages,
        made_at_us=parts.clock.now_us(),
    )
    sealed = parts.keyring.seal(made.pdf, context=_context(document))
    row = {**msgspec.structs.asdict(document), "kind": about.kind.value, "sealed": sealed}
    connection.execute(insert(loan_document), row)
    body = msgspec.json.encode({"kind": about.kind, "sha256": made.sha256})
    outbox.append(
        connection, [outbox.Entry("lender:document:issued", document.id, document.made_at_us, body)]
    )
    return document


def issued(connection: Connection, about: About) -> Document | None:
    """Return the document that is about something, None where none was issued."""
    return _one(connection, loan_document.c.subject == str(about))


def find(connection: Connection, member_id: MemberId, document_id: str) -> Document:
    """Return a member's own document. Raises DocumentNotFound, also for somebody else's."""
    own = (loan_document.c.id == document_id) & (loan_document.c.member_id == member_id)
    found = _one(connection, own)
    if found is None:
        raise DocumentNotFound(known=document_id[:60])
    return found


def of_member(connection: Connection, member_id: MemberId) -> list[Document]:
    """Return a member's documents, the newest first."""
    own = _columns().where(loan_document.c.member_id == member_id).order_by(loan_document.c.id.desc())
    return [_of(row) for row in connection.execute(own)]


def octets_of(connection: Connection, parts: Parts, document: Document) -> bytes:
    """Return a document as it was issued. Raises Unsealable where it is not that any more."""
    sealed = connection.execute(
        select(loan_document.c.sealed).where(loan_document.c.id == document.id)
    ).scalar_one()
    pdf = parts.keyring.open(sealed, context=_context(document))
    if hashlib.sha256(pdf).hexdigest() != document.sha256:
        raise Unsealable(f"{document.id} is not the document that was issued")
    return pdf


def deliver(
    connection: Connection, document: Document, way: Delivery, now_us: int, *, staff_id: str = ""
) -> None:
    """Write down that a document reached the member, the first time in each way."""
    insert_one = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    row = {"document_id": document.id, "way": way.value, "staff_id": staff_id, "at_us": now_us}
    connection.execute(insert_one(document_delivery).on_conflict_do_nothing(), row)


def deliveries_of(connection: Connection, document_id: str) -> dict[Delivery, int]:
    """Return when a document reached the member, in each way that it did."""
    its = select(document_delivery).where(document_delivery.c.document_id == document_id)
    return {Delivery(row.way): row.at_us for row in connection.execute(its)}


def _columns() -> Select[tuple[object, ...]]:
    return select(*(loan_document.c[name] for name in Document.__struct_fields__))


def _one(connection: Connection, where: ColumnElement[bool]) -> Document | None:
    row = connection.execute(_columns().where(where)).one_or_none()
    return None if row is None else _of(row)


def _of(row: Row[tuple[object, ...]]) -> Document:
    values = dict(row._mapping)  # noqa: SLF001 - how SQLAlchemy gives a row as a mapping
    return Document(**{**values, "kind": Kind(values["kind"])})


def _context(document: Document) -> str:
    return context_of(loan_document.c.sealed, member_id=document.member_id, id=document.id)
