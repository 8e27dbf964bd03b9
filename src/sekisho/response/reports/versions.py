"""Versions of a report: what was made, from which figures, and what was sent. Nothing is ever replaced."""

import hashlib
from typing import NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Connection, func, insert, select, update

from sekisho.identity.institution import Parts
from sekisho.kernel.refusals import Refusal
from sekisho.response import audit
from sekisho.response.audit import Act
from sekisho.response.reports.phrases import Language
from sekisho.response.reports.sheets import Sheet
from sekisho.response.staff import require_staff
from sekisho.storage import outbox
from sekisho.storage.sealed_columns import context_of
from sekisho.storage.tables.cases import report_version as table


class VersionUnknown(Refusal):
    """There is no such version of this report, or it was sent already."""

    code = "report_version_unknown"
    status = 404
    told = "There is no such version of this report that is still to be sent."


class Version(NamedTuple):
    """One version: what it is about, its number, its sheet and its digest; when it was sent, if it was."""

    kind: str
    about: str
    version: int
    sheet: Sheet
    sha256: str
    made_by: str
    made_at_us: int
    sent_at_us: int | None


def kind_in(kind: str, language: Language) -> str:
    """Return under which kind the versions in a language are kept: each language counts its own."""
    return kind if language == "ja" else f"{kind}.{language}"


def keep(  # noqa: PLR0913 - what is kept, about what, by whom
    connection: Connection, parts: Parts, kind: str, about: str, made: tuple[Sheet, bytes], *, by: str
) -> Version:
    """Keep a sheet and the digest of its PDF as the next version. Raises StaffIdUnusable."""
    sheet, pdf = made
    newest = select(func.coalesce(func.max(table.c.version), 0)).where(_of(kind, about))
    number = int(connection.execute(newest).scalar_one()) + 1
    now_us, sha256 = parts.clock.now_us(), hashlib.sha256(pdf).hexdigest()
    sealed = parts.keyring.seal(msgspec.json.encode(sheet), context=_context(kind, about, number))
    connection.execute(
        insert(table),
        {
            "kind": kind,
            "about": about,
            "version": number,
            "sheet": sealed,
            "sha256": sha256,
            "made_by": require_staff(by),
            "made_at_us": now_us,
            "sent_by": "",
            "sent_at_us": None,
        },
    )
    body = msgspec.json.encode({"by": by, "sha256": sha256})
    event = outbox.Entry("response:report:made", f"{kind}:{about}:{number}", now_us, body)
    outbox.append(connection, [event])
    act = Act(actor=by, act="report:made", subject=f"{kind}:{about}:{number}", reason=sha256)
    audit.record(connection, act, at_us=now_us)
    return Version(kind, about, number, sheet, sha256, by, now_us, None)


def mark_sent(  # noqa: PLR0913 - which version of what, by whom
    connection: Connection, parts: Parts, kind: str, about: str, version: int, *, by: str
) -> None:
    """Keep that a version was sent, once. Raises VersionUnknown and StaffIdUnusable."""
    now_us = parts.clock.now_us()
    unsent = update(table).where(_of(kind, about), table.c.version == version, table.c.sent_at_us.is_(None))
    if not connection.execute(unsent.values(sent_by=require_staff(by), sent_at_us=now_us)).rowcount:
        raise VersionUnknown(known=f"{kind} {about[:60]} {version}")
    body = msgspec.json.encode({"by": by})
    event = outbox.Entry("response:report:sent", f"{kind}:{about}:{version}", now_us, body)
    outbox.append(connection, [event])
    act = Act(actor=by, act="report:sent", subject=f"{kind}:{about}:{version}")
    audit.record(connection, act, at_us=now_us)


def of(connection: Connection, parts: Parts, kind: str, about: str) -> list[Version]:
    """Return all versions of a report, the oldest first."""
    rows = connection.execute(select(table).where(_of(kind, about)).order_by(table.c.version))
    return [
        Version(
            row.kind,
            row.about,
            row.version,
            msgspec.json.decode(
                parts.keyring.open(row.sheet, context=_context(kind, about, row.version)), type=Sheet
            ),
            row.sha256,
            row.made_by,
            row.made_at_us,
            row.sent_at_us,
        )
        for row in rows
    ]


def kinds(connection: Connection, about: str) -> list[str]:
    """Return the kinds of reports that were drawn up about something."""
    found = select(table.c.kind).where(table.c.about == about).distinct().order_by(table.c.kind)
    return list(connection.execute(found).scalars())


def sent_at(connection: Connection, kind: str, about: str) -> list[int]:
    """Return when versions of a report were sent, in order."""
    sent = select(table.c.sent_at_us).where(_of(kind, about), table.c.sent_at_us.is_not(None))
    return list(connection.execute(sent.order_by(table.c.sent_at_us)).scalars())


def _of(kind: str, about: str) -> ColumnElement[bool]:
    return (table.c.kind == kind) & (table.c.about == about)


def _context(kind: str, about: str, version: int) -> str:
    return context_of(table.c.sheet, kind=kind, about=about, version=version)
