"""What the guard is told of somebody on a partner's word: signs that end by themselves, or are lifted."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping

from sqlalchemy import ColumnElement, Connection, insert, select, update

from sekisho.guard.attempts import Attempt
from sekisho.identity.institution import Parts
from sekisho.kernel.clock import SECOND_US
from sekisho.kernel.ids import SIGNAL_EVIDENCE, SignalEvidenceId
from sekisho.sharing.agreed_subjects import MEMBER, About
from sekisho.storage.tables.signals import signal_evidence

ACTOR = "actor"
"""The kind of a subject that acts for others at a gate: a wallet's user, as the bank knows them."""

REREAD_US = SECOND_US
ROWS_MAX = 200_000


def raise_within(  # noqa: PLR0913 - what, on whose word, how long
    connection: Connection, parts: Parts, about: About, sign: str, *, issuer: str, jti: str, until_us: int
) -> SignalEvidenceId:
    """Keep a sign against somebody until a time."""
    evidence_id = SIGNAL_EVIDENCE.new(parts.clock, parts.chance)
    connection.execute(
        insert(signal_evidence),
        {
            "id": evidence_id,
            "kind": about.kind,
            "about": about.id,
            "sign": sign,
            "issuer": issuer,
            "jti": jti,
            "from_us": parts.clock.now_us(),
            "until_us": until_us,
            "lifted_at_us": None,
            "lifted_by": "",
        },
    )
    return evidence_id


def lift_within(  # noqa: PLR0913 - whose, for what, on whose word
    connection: Connection, about: About, *, issuer: str, by: str, now_us: int, cause: About | None = None
) -> int:
    """Take back what one partner's word raised against somebody, and return how many signs that were.

    With a cause only that which was said of the cause: an all-clear about one link says nothing of another.
    """
    its = update(signal_evidence).where(*_standing(about, issuer, now_us))
    if cause is not None:
        said = select(signal_evidence.c.jti).where(*_about(cause, issuer))
        its = its.where(signal_evidence.c.jti.in_(said))
    return connection.execute(its.values(lifted_at_us=now_us, lifted_by=by)).rowcount


def stands(connection: Connection, about: About, *, issuer: str, now_us: int) -> bool:
    """Say whether a sign stands against somebody on one partner's word."""
    found = select(signal_evidence.c.id).where(*_standing(about, issuer, now_us))
    return connection.execute(found.limit(1)).first() is not None


def standing(connection: Connection, now_us: int) -> dict[About, frozenset[str]]:
    """Return the signs that count now, by whom they are about."""
    counting = (
        select(signal_evidence.c.kind, signal_evidence.c.about, signal_evidence.c.sign)
        .where(signal_evidence.c.until_us > now_us, signal_evidence.c.lifted_at_us.is_(None))
        .limit(ROWS_MAX)
    )
    signs: defaultdict[About, set[str]] = defaultdict(set)
    for kind, about, sign in connection.execute(counting):
        signs[About(kind, about)].add(sign)
    return {about: frozenset(of) for about, of in signs.items()}


class EvidenceBook:
    """The standing signs in memory, read anew each second: a login asks for them, and must not wait."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._reading = asyncio.Lock()
        self._read_us: int | None = None
        self._standing: Mapping[About, frozenset[str]] = {}

    async def signs_of(self, attempt: Attempt) -> frozenset[str]:
        """Return what speaks against who is claimed and who acts. Raises OperationalError."""
        await self._refresh()
        member = self._standing.get(About(MEMBER, attempt.member), frozenset())
        actor = self._standing.get(About(ACTOR, attempt.actor), frozenset()) if attempt.actor else frozenset()
        return member | actor

    async def _refresh(self) -> None:
        if not self._is_due():
            return
        async with self._reading:
            if self._is_due():
                now_us = self._parts.clock.now_us()
                self._standing = await self._parts.read(lambda at: standing(at, now_us))
                self._read_us = now_us

    def _is_due(self) -> bool:
        return self._read_us is None or not 0 <= self._parts.clock.now_us() - self._read_us < REREAD_US


def _about(about: About, issuer: str) -> tuple[ColumnElement[bool], ...]:
    sign = signal_evidence.c
    return (sign.kind == about.kind, sign.about == about.id, sign.issuer == issuer)


def _standing(about: About, issuer: str, now_us: int) -> tuple[ColumnElement[bool], ...]:
    sign = signal_evidence.c
    return (*_about(about, issuer), sign.lifted_at_us.is_(None), sign.until_us > now_us)
