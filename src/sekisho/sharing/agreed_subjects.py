"""What two institutions call one person, mandate or link between them: agreed once, told to nobody else.

An event leaves under the name that its receiver knows, and one that comes in is about whom its sender's name
stands for here. A name that was never agreed matches nothing.
"""

from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, delete, select

from sekisho.identity.institution import Parts
from sekisho.kernel.chain import canonical
from sekisho.messages.queue import insert_once
from sekisho.sharing.subjects import Subject, digest_of
from sekisho.storage.tables.signals import agreed_subject

MEMBER = "member"
"""The kind of a subject that is one of our members; rooms name kinds of their own: `mandate`, `bank_link`."""


class About(NamedTuple):
    """Whom or what of ours an event is about: the kind, and our own id of it."""

    kind: str
    id: str


class Named(NamedTuple):
    """How a partner knows something of ours."""

    issuer: str
    subject: Subject


def agree_within(connection: Connection, parts: Parts, issuer: str, subject: Subject, about: About) -> bool:
    """Note what a partner calls something of ours, and tell whether that is new; the first stays."""
    values = {
        "issuer": issuer,
        "digest": digest_of(subject),
        "subject": canonical(subject),
        "kind": about.kind,
        "about": about.id,
        "agreed_at_us": parts.clock.now_us(),
    }
    return insert_once(connection, agreed_subject, values)


def forget_within(connection: Connection, issuer: str, about: About) -> int:
    """Forget what a partner called something of ours, and return how many names that were."""
    its = (
        agreed_subject.c.issuer == issuer,
        agreed_subject.c.kind == about.kind,
        agreed_subject.c.about == about.id,
    )
    return connection.execute(delete(agreed_subject).where(*its)).rowcount


def names_of(connection: Connection, about: About) -> list[Named]:
    """Return how each partner knows something of ours."""
    found = (
        select(agreed_subject.c.issuer, agreed_subject.c.subject)
        .where(agreed_subject.c.kind == about.kind, agreed_subject.c.about == about.id)
        .order_by(agreed_subject.c.issuer, agreed_subject.c.agreed_at_us)
    )
    return [
        Named(row.issuer, msgspec.json.decode(row.subject, type=Subject)) for row in connection.execute(found)
    ]


def named_by(connection: Connection, issuer: str, subject: Subject) -> About | None:
    """Return what of ours a partner's name stands for; None where it stands for nothing."""
    found = select(agreed_subject.c.kind, agreed_subject.c.about).where(
        agreed_subject.c.issuer == issuer, agreed_subject.c.digest == digest_of(subject)
    )
    row = connection.execute(found).one_or_none()
    return None if row is None else About(row.kind, row.about)
