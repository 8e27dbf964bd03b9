"""How many codes may be asked for, and how many may be tried: by person, recipient, source and in all.

Strangers and members in their sessions are counted apart. Whoever floods the login page uses up what
strangers may do, and the member who is logged in goes on; so a limit is no weapon.
"""

from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, select

from sekisho.kernel.clock import DAY_US, HOUR_US, MINUTE_US, SECOND_US
from sekisho.storage.tables.codes import code_failure, one_time_code

RESEND_US = (30 * SECOND_US, 60 * SECOND_US, 2 * MINUTE_US, 5 * MINUTE_US)
"""The pause before the same code is sent again, after the first, second, third and each further one within
an hour.
"""


SIGN_UP = "sign_up"
"""The action of the codes that anybody at all is sent."""


class Lane(StrEnum):
    """Who asks."""

    STRANGER = "stranger"
    """Somebody without a session: at login, sign-up or recovery."""

    MEMBER = "member"
    """A member within a session."""


class Limit(NamedTuple):
    """At most so many within a span of time (microseconds)."""

    number: int
    within_us: int


class CodeLimits(NamedTuple):
    """The limits of one lane. Of several for one thing, each holds."""

    subject: tuple[Limit, ...]
    recipient: tuple[Limit, ...]
    block: tuple[Limit, ...]
    address: tuple[Limit, ...]
    prefix: tuple[Limit, ...]
    everybody: tuple[Limit, ...]
    wrong_by_subject: tuple[Limit, ...]
    wrong_by_address: tuple[Limit, ...]


STRANGERS = CodeLimits(
    subject=(Limit(5, HOUR_US), Limit(10, DAY_US)),
    recipient=(Limit(5, HOUR_US), Limit(10, DAY_US)),
    block=(Limit(30, HOUR_US),),
    address=(Limit(30, HOUR_US),),
    prefix=(Limit(200, HOUR_US),),
    everybody=(Limit(300, MINUTE_US),),
    wrong_by_subject=(Limit(15, HOUR_US), Limit(50, DAY_US)),
    wrong_by_address=(Limit(60, HOUR_US),),
)
MEMBERS = CodeLimits(
    subject=(Limit(12, HOUR_US), Limit(30, DAY_US)),
    recipient=(Limit(12, HOUR_US), Limit(30, DAY_US)),
    block=(),
    address=(),
    prefix=(),
    everybody=(Limit(3_000, MINUTE_US),),
    wrong_by_subject=(Limit(20, HOUR_US), Limit(60, DAY_US)),
    wrong_by_address=(),
)


class TooMany(NamedTuple):
    """No code was made. `again_at_us` is when one may be asked for; `why` stays inside."""

    again_at_us: int
    why: str


class Asking(NamedTuple):
    """Who asks for a code, in the forms in which that is counted."""

    lane: Lane
    action: str
    subject: str
    recipient: bytes
    block: bytes
    address: str
    prefix: str


class Trying(NamedTuple):
    """Who tries a code, in the forms in which that is counted."""

    lane: Lane
    subject: str
    address: str


_Counted = tuple[str, tuple[Limit, ...], ColumnElement[bool]]

# A stranger's decoy takes nothing from whose name was typed; a member's own counts as a code does.
_COUNTS = one_time_code.c.sent | (one_time_code.c.lane == Lane.MEMBER.value)


def refused_by_source(
    connection: Connection, limits: CodeLimits, asking: Asking, now_us: int
) -> TooMany | None:
    """Return what stands in the way of any code from there, whoever it is for, or None."""
    table = one_time_code
    lane = table.c.lane == asking.lane
    # Anybody can sign up a thousand times, which must not use up the codes of those who log in.
    opens = table.c.action == SIGN_UP
    alike = opens if asking.action == SIGN_UP else ~opens
    counted: tuple[_Counted, ...] = (
        ("everybody", limits.everybody, lane & table.c.sent & alike),
        ("prefix", limits.prefix, lane & (table.c.asked_prefix == asking.prefix)),
        ("address", limits.address, lane & (table.c.asked_ip == asking.address)),
    )
    return _first_full(connection, counted, now_us)


def refused_by_person(
    connection: Connection, limits: CodeLimits, asking: Asking, now_us: int
) -> TooMany | None:
    """Return what stands in the way of one more code for this subject and recipient, or None."""
    table = one_time_code
    lane = (table.c.lane == asking.lane) & _COUNTS
    counted: tuple[_Counted, ...] = (
        ("block", limits.block, lane & (table.c.block_digest == asking.block)),
        ("recipient", limits.recipient, lane & (table.c.recipient_digest == asking.recipient)),
        ("subject", limits.subject, lane & (table.c.subject == asking.subject)),
    )
    return _first_full(connection, counted, now_us)


def too_many_wrong(connection: Connection, limits: CodeLimits, trying: Trying, now_us: int) -> bool:
    """Say whether so many tries failed lately that no further one is looked at."""
    table = code_failure
    lane = table.c.lane == trying.lane
    counted: tuple[tuple[tuple[Limit, ...], ColumnElement[bool]], ...] = (
        (limits.wrong_by_subject, lane & (table.c.subject == trying.subject)),
        (limits.wrong_by_address, lane & (table.c.ip == trying.address)),
    )
    return any(
        _full_until(connection, table.c.at_us, rows, limit, now_us) is not None
        for each, rows in counted
        for limit in each
    )


def _first_full(connection: Connection, counted: tuple[_Counted, ...], now_us: int) -> TooMany | None:
    for why, limits, rows in counted:
        for limit in limits:
            full = _full_until(connection, one_time_code.c.issued_at_us, rows, limit, now_us)
            if full is not None:
                return TooMany(full, why)
    return None


def asked_lately(
    connection: Connection, subject: str, now_us: int, *, purpose_key: str = "", channel: str = ""
) -> tuple[int, ...]:
    """Return when a subject asked for codes within the last hour, the newest first, as many as matter here:
    all of them, or those for one purpose by one channel.
    """
    table = one_time_code
    newest = (
        select(table.c.issued_at_us)
        .where(
            table.c.subject == subject,
            _COUNTS,
            table.c.issued_at_us > now_us - HOUR_US,
            table.c.issued_at_us < now_us + HOUR_US,
        )
        .order_by(table.c.issued_at_us.desc())
        .limit(len(RESEND_US))
    )
    if purpose_key:
        newest = newest.where(table.c.purpose_key == purpose_key, table.c.channel == channel)
    return tuple(connection.execute(newest).scalars())


def may_resend_at_us(asked_us: tuple[int, ...]) -> int:
    """Return from when on what was asked for at these times (the newest first) may be asked for again."""
    return asked_us[0] + RESEND_US[min(len(asked_us), len(RESEND_US)) - 1] if asked_us else 0


def _full_until(
    connection: Connection, at_us: ColumnElement[int], rows: ColumnElement[bool], limit: Limit, now_us: int
) -> int | None:
    # Where the clock was set back, what was written before lies ahead: it counts for one span and no longer.
    newest = (
        select(at_us)
        .where(rows, at_us > now_us - limit.within_us, at_us < now_us + limit.within_us)
        .order_by(at_us.desc())
        .offset(limit.number - 1)
        .limit(1)
    )
    oldest_that_counts = connection.execute(newest).scalar_one_or_none()
    return None if oldest_that_counts is None else int(oldest_that_counts) + limit.within_us
