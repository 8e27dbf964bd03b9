"""Strangers' logins that wait for their next step: one row each, whatever is behind it.

What still has to be hashed waits in memory, keyed by the pepper; the password itself waits nowhere.
"""

from collections import OrderedDict
from enum import StrEnum

import msgspec
from sqlalchemy import Connection, Row, delete, insert, select, update

from sekisho.identity.claims import Claim
from sekisho.identity.tokens import digest_of
from sekisho.kernel.clock import MINUTE_US
from sekisho.storage.tables.sessions import waiting_login

WAITS_US = 10 * MINUTE_US
TRIES = 5
HELD_MAX = 20_000


class State(StrEnum):
    """What is behind a waiting login. Nothing of it shows."""

    HELD = "held"
    """The guard wants the next step before anything is hashed."""

    CHECKING = "checking"
    """The password is being verified."""

    SENT = "sent"
    """The password was right, and a code is on its way."""

    DECOY = "decoy"
    """Nobody, a wrong password, or one that may not open anything here: no code was sent and none fits."""


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """One stranger's login. `member_id` is empty where the name is nobody's."""

    token_digest: bytes
    member_id: str
    state: State
    code_id: str
    code_subject: str
    tries_left: int
    sign_in_id: str
    attempt_id: str
    risk: float
    campaign: str
    password_leaked: bool
    ip: str
    begun_at_us: int

    def is_over(self, now_us: int) -> bool:
        """Say whether nothing can be entered any more. This depends on tries and time alone."""
        return self.tries_left <= 0 or not 0 <= now_us - self.begun_at_us < WAITS_US


class HeldClaims:
    """Claims whose password was not verified yet, in memory: at most so many, for ten minutes.

    A claim holds the password's keyed digest. The oldest goes first.
    """

    def __init__(self, *, count_max: int = HELD_MAX) -> None:
        self._held: OrderedDict[bytes, tuple[Claim, int]] = OrderedDict()
        self._count_max = count_max

    def __len__(self) -> int:
        return len(self._held)

    def put(self, token_digest: bytes, claim: Claim, now_us: int) -> None:
        """Keep one, and let go of what is too old or too much."""
        self._held[token_digest] = claim, now_us + WAITS_US
        while self._held:
            oldest = next(iter(self._held))
            if len(self._held) <= self._count_max and self._held[oldest][1] > now_us:
                return
            del self._held[oldest]

    def take(self, token_digest: bytes, now_us: int) -> Claim | None:
        """Return one and hold it no longer; None where there is none, or it is too old."""
        claim, until_us = self._held.pop(token_digest, (None, 0))
        return claim if until_us > now_us else None


def write(connection: Connection, waiting: Waiting) -> None:
    """Write one down."""
    connection.execute(insert(waiting_login), msgspec.structs.asdict(waiting))


def find(connection: Connection, token: str, *, for_update: bool = False) -> Waiting | None:
    """Return the waiting login of a token."""
    found = select(waiting_login).where(waiting_login.c.token_digest == digest_of(token))
    row = connection.execute(found.with_for_update() if for_update else found).one_or_none()
    return None if row is None else _of(row)


def change(connection: Connection, token_digest: bytes, **values: str | int | bool) -> None:
    """Write down what has become of one."""
    connection.execute(
        update(waiting_login).where(waiting_login.c.token_digest == token_digest).values(**values)
    )


def remove(connection: Connection, token_digest: bytes) -> bool:
    """Forget one and tell whether it was there."""
    own = delete(waiting_login).where(waiting_login.c.token_digest == token_digest)
    return bool(connection.execute(own).rowcount)


def expired(connection: Connection, now_us: int, *, limit: int) -> list[Waiting]:
    """Return those whose time is over, the oldest first."""
    old = select(waiting_login).where(waiting_login.c.begun_at_us <= now_us - WAITS_US)
    return [_of(row) for row in connection.execute(old.order_by(waiting_login.c.begun_at_us).limit(limit))]


def _of(row: Row[tuple[object, ...]]) -> Waiting:
    return msgspec.convert(row, Waiting, from_attributes=True, builtin_types=(bytes,))
