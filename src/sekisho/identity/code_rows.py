"""The table of one-time codes: written when one is asked for, and when something came of it."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

import msgspec
from sqlalchemy import Connection, delete, insert, select, update

from sekisho.identity.relay import Asked, RelayEvidence
from sekisho.kernel.clock import MINUTE_US, SECOND_US
from sekisho.kernel.ids import CODE, CodeId
from sekisho.storage.tables.codes import code_failure, one_time_code

if TYPE_CHECKING:
    from sekisho.identity.code_limits import Asking, Trying
    from sekisho.identity.institution import Parts
    from sekisho.identity.purposes import Purpose
    from sekisho.messages.message import Channel

TRIES = 5
LIFE_MINUTES = 10
CLOCK_STEP_US = 5 * SECOND_US
"""How far apart two servers' clocks may be: a code lives so much shorter, and is good that long before its
time.
"""

LIFE_US = LIFE_MINUTES * MINUTE_US - CLOCK_STEP_US
DIGEST_OCTETS = 32


class End(StrEnum):
    """Why a code can't be entered any more."""

    EXPIRED = "expired"
    """Its time is over, or the clock was set; or there is no such code."""

    USED = "used"
    """It was entered before."""

    SUPERSEDED = "superseded"
    """A newer one was sent for the same purpose."""

    SPENT = "spent"
    """Too many tries."""

    WITHDRAWN = "withdrawn"
    """The member stopped the account, or told a caller a code."""


class CodeRow(NamedTuple):
    """One code as it is kept."""

    id: CodeId
    subject: str
    action: str
    purpose_key: str
    digest: bytes
    asked: bytes
    issued_at_us: int
    expires_at_us: int
    tries_left: int
    used_at_us: int | None
    voided_for: str

    def asked_from(self) -> Asked:
        """Return where it was asked for."""
        return msgspec.json.decode(self.asked, type=Asked)

    def end(self, now_us: int) -> End | None:
        """Say whether nothing can be entered any more, and why."""
        if self.used_at_us is not None:
            return End.USED
        if self.voided_for:
            return End(self.voided_for)
        if not self.issued_at_us - CLOCK_STEP_US <= now_us < self.expires_at_us:
            return End.EXPIRED
        return None if self.tries_left > 0 else End.SPENT


_COLUMNS = tuple(one_time_code.c[name] for name in CodeRow._fields)


def digest_of(parts: Parts, code_id: str, digits: str) -> bytes:
    """Return what is kept of a code: a keyed digest, different for each code of the same digits."""
    return parts.keyring.digest(digits, context=f"code:{code_id}")


def find(connection: Connection, code_id: str, *, to_change: bool = False) -> CodeRow | None:
    """Return a code; `to_change` keeps others from changing it until the unit of work is over."""
    wanted = select(*_COLUMNS).where(one_time_code.c.id == code_id)
    row = connection.execute(wanted.with_for_update() if to_change else wanted).one_or_none()
    return None if row is None else CodeRow(*row)


class Issue(NamedTuple):
    """What a new code is for, and where it was asked for; without digits it is a decoy that nothing fits."""

    asking: Asking
    channel: Channel
    purpose: Purpose
    asked: Asked
    digits: str = ""


def live(connection: Connection, new: Issue, now_us: int) -> CodeRow | None:
    """Return a code that was sent for the same, to the same address, and can still be entered."""
    table = one_time_code
    newest = (
        select(*_COLUMNS)
        .where(
            table.c.subject == new.asking.subject,
            table.c.purpose_key == new.purpose.key,
            table.c.channel == new.channel,
            table.c.asked_ip == new.asking.address,
            table.c.sent,
        )
        .order_by(table.c.issued_at_us.desc())
        .limit(1)
    )
    row = connection.execute(newest).one_or_none()
    found = None if row is None else CodeRow(*row)
    return found if found is not None and found.end(now_us) is None else None


def issue(connection: Connection, parts: Parts, new: Issue) -> CodeRow:
    """Void the older codes of the same subject, purpose and channel, and write the new one."""
    code_id, now_us = CODE.new(parts.clock, parts.chance), parts.clock.now_us()
    _void_older(connection, new, now_us)
    digest = digest_of(parts, code_id, new.digits)
    row = CodeRow(
        id=code_id,
        subject=new.asking.subject,
        action=new.purpose.action,
        purpose_key=new.purpose.key,
        digest=digest if new.digits else parts.chance.octets(DIGEST_OCTETS),
        asked=msgspec.json.encode(new.asked),
        issued_at_us=now_us,
        expires_at_us=now_us + LIFE_US,
        tries_left=TRIES,
        used_at_us=None,
        voided_for="",
    )
    connection.execute(
        insert(one_time_code),
        {
            **row._asdict(),
            "lane": new.asking.lane.value,
            "channel": new.channel.value,
            "recipient_digest": new.asking.recipient,
            "block_digest": new.asking.block,
            "asked_ip": new.asking.address,
            "asked_prefix": new.asking.prefix,
            "sent": bool(new.digits),
            "voided_at_us": None,
            "strength": "",
            "signs": "",
        },
    )
    return row


def _void_older(connection: Connection, new: Issue, now_us: int) -> None:
    table = one_time_code
    connection.execute(
        update(table)
        .where(
            table.c.subject == new.asking.subject,
            table.c.purpose_key == new.purpose.key,
            table.c.channel == new.channel,
            table.c.sent == bool(new.digits),  # a decoy takes nobody's code away
            table.c.used_at_us.is_(None),
            table.c.voided_at_us.is_(None),
        )
        .values(voided_at_us=now_us, voided_for=End.SUPERSEDED.value)
    )


def void(connection: Connection, row: CodeRow, end: End, now_us: int) -> None:
    """Write down that a code is over: what the clock said once stays so when it is set back."""
    if row.used_at_us is None and not row.voided_for:
        _change(connection, row, voided_at_us=now_us, voided_for=end.value)


def void_all(connection: Connection, subject: str, now_us: int) -> int:
    """Let nothing that was sent to a subject be entered any more, and return how many codes that were."""
    table = one_time_code
    return connection.execute(
        update(table)
        .where(table.c.subject == subject, table.c.used_at_us.is_(None), table.c.voided_at_us.is_(None))
        .values(voided_at_us=now_us, voided_for=End.WITHDRAWN.value)
    ).rowcount


def use(connection: Connection, row: CodeRow, evidence: RelayEvidence, now_us: int) -> None:
    """Write down that a code was entered."""
    _change(
        connection,
        row,
        used_at_us=now_us,
        strength=evidence.strength.value,
        signs=" ".join(evidence.names),
    )


def burn(connection: Connection, row: CodeRow, evidence: RelayEvidence, chance_octets: bytes) -> None:
    """Make a decoy of a code that was relayed: nothing fits it any more."""
    _change(
        connection,
        row,
        digest=chance_octets,
        strength=evidence.strength.value,
        signs=" ".join(evidence.names),
    )


def fail(connection: Connection, parts: Parts, row: CodeRow, trying: Trying) -> int:
    """Count a failed try, and return how many are left."""
    count_failure(connection, parts, row.id, trying)
    _change(connection, row, tries_left=row.tries_left - 1)
    return row.tries_left - 1


def count_failure(connection: Connection, parts: Parts, code_id: str, trying: Trying) -> None:
    """Count a failed try of a subject and an address."""
    connection.execute(
        insert(code_failure),
        {
            "id": CODE.new(parts.clock, parts.chance),
            "code_id": code_id[:64],
            "subject": trying.subject,
            "lane": trying.lane.value,
            "ip": trying.address,
            "at_us": parts.clock.now_us(),
        },
    )


def forget(connection: Connection, before_us: int) -> int:
    """Delete codes and failures from before a time, and return how many rows that were."""
    old = (
        delete(one_time_code).where(one_time_code.c.issued_at_us < before_us),
        delete(code_failure).where(code_failure.c.at_us < before_us),
    )
    return sum(connection.execute(each).rowcount for each in old)


def _change(connection: Connection, row: CodeRow, **values: object) -> None:
    connection.execute(update(one_time_code).where(one_time_code.c.id == row.id).values(**values))
