"""A member's password: its hash, whether it still opens anything, and how often strangers got it wrong."""

from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, delete, insert, select, update

from sekisho.identity.hashing import Hasher, octets_of
from sekisho.identity.institution import Parts
from sekisho.kernel.clock import DAY_US
from sekisho.kernel.ids import MemberId
from sekisho.storage import outbox
from sekisho.storage.keyring import Keyring
from sekisho.storage.tables.members import password

STRANGE_FAILURES_MAX = 100
"""After so many failures in a row from browsers that the member is not known on, the password works on
trusted devices only (NIST SP 800-63B-4, 3.2.2): who guesses is stopped, and nobody is locked out.
"""


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of a password."""

    hash: str
    pepper: str
    set_at_us: int
    strange_failures: int
    invalidated_at_us: int | None
    invalidated_for: str
    found_leaked_at_us: int | None

    @property
    def is_valid(self) -> bool:
        """Whether it may open anything at all."""
        return self.invalidated_at_us is None

    @property
    def works_for_strangers(self) -> bool:
        """Whether it may open anything on a browser that is not a trusted device."""
        return self.is_valid and self.strange_failures < STRANGE_FAILURES_MAX


class Peppered(NamedTuple):
    """A typed password as it may wait in memory: keyed, for the kept hash and for a new one."""

    for_kept: bytes
    for_new: bytes
    newest_pepper: str


def pepper(keyring: Keyring, typed: str, kept: Kept | None) -> Peppered:
    """Key a typed password. Raises Unsealable where the kept hash's pepper is not here."""
    octets = octets_of(typed)
    for_new, newest = keyring.pepper(octets)
    if kept is None or kept.pepper == newest:
        return Peppered(for_new, for_new, newest)
    for_kept, _ = keyring.pepper(octets, pepper=kept.pepper)
    return Peppered(for_kept, for_new, newest)


def secret_token(keyring: Keyring, typed: str, now_us: int) -> str:
    """Return what the guard counts a password by: equal for equal passwords of one day (UTC).

    It stays in history with the attempt, so it must not link passwords for ever.
    """
    text = octets_of(typed).decode("utf-8", "replace")
    return keyring.digest(text, context=f"guard:secret:{now_us // DAY_US}")[:16].hex()


def find(connection: Connection, member_id: str) -> Kept | None:
    """Return what is kept of a member's password, None where there is none."""
    row = connection.execute(select(password).where(password.c.member_id == member_id)).one_or_none()
    return None if row is None else msgspec.convert(row, Kept, from_attributes=True)


def put(connection: Connection, parts: Parts, member_id: MemberId, hashed: str, pepper_name: str) -> None:
    """Make this the member's password from now on; whatever was held against the one before is gone."""
    now_us = parts.clock.now_us()
    connection.execute(delete(password).where(password.c.member_id == member_id))
    connection.execute(
        insert(password),
        {
            "member_id": member_id,
            "hash": hashed,
            "pepper": pepper_name,
            "set_at_us": now_us,
            "strange_failures": 0,
            "invalidated_at_us": None,
            "invalidated_for": "",
            "found_leaked_at_us": None,
        },
    )
    event = outbox.Entry("member:password:set", f"{member_id}:{now_us}", now_us, b"{}")
    outbox.append(connection, [event])


def invalidate(connection: Connection, parts: Parts, member_id: MemberId, why: str) -> bool:
    """Let the password open nothing more and tell whether it did until now. Sessions are ended elsewhere."""
    now_us = parts.clock.now_us()
    changed = connection.execute(
        update(password)
        .where(password.c.member_id == member_id, password.c.invalidated_at_us.is_(None))
        .values(invalidated_at_us=now_us, invalidated_for=why)
    ).rowcount
    if changed:
        subject = f"{member_id}:{now_us}"
        outbox.append(connection, [outbox.Entry("member:password:invalidated", subject, now_us, b"{}")])
    return bool(changed)


def keep_invalid_for(connection: Connection, member_id: MemberId, why: str) -> None:
    """Give an invalid password another reason, so that taking the one before back does not make it valid."""
    invalid = update(password).where(
        password.c.member_id == member_id, password.c.invalidated_at_us.is_not(None)
    )
    connection.execute(invalid.values(invalidated_for=why))


def make_valid(connection: Connection, parts: Parts, member_id: MemberId, why: str) -> bool:
    """Take an invalidation back that was made for this reason, and for no other."""
    now_us = parts.clock.now_us()
    changed = connection.execute(
        update(password)
        .where(
            password.c.member_id == member_id,
            password.c.invalidated_at_us.is_not(None),
            password.c.invalidated_for == why,
        )
        .values(invalidated_at_us=None, invalidated_for="")
    ).rowcount
    if changed:
        subject = f"{member_id}:{now_us}"
        outbox.append(connection, [outbox.Entry("member:password:revalidated", subject, now_us, b"{}")])
    return bool(changed)


def count_strange_failure(connection: Connection, member_id: MemberId) -> int:
    """Count a wrong password typed by a stranger and return how many there were in a row."""
    own = password.c.member_id == member_id
    connection.execute(update(password).where(own).values(strange_failures=password.c.strange_failures + 1))
    return int(connection.execute(select(password.c.strange_failures).where(own)).scalar_one_or_none() or 0)


def forget_strange_failures(connection: Connection, member_id: MemberId) -> None:
    """Begin to count anew, because the member has passed."""
    connection.execute(
        update(password)
        .where(password.c.member_id == member_id, password.c.strange_failures > 0)
        .values(strange_failures=0)
    )


def mark_leaked(connection: Connection, member_id: MemberId, now_us: int) -> None:
    """Keep that the member's password was found on a list of leaked ones."""
    connection.execute(
        update(password)
        .where(password.c.member_id == member_id, password.c.found_leaked_at_us.is_(None))
        .values(found_leaked_at_us=now_us)
    )


async def renewed_hash(hasher: Hasher, kept: Kept, peppered: Peppered) -> tuple[str, str] | None:
    """Return a hash and its pepper's name to put in the place of an outdated one, None where it is not.

    Call it with a password that was right. Raises HashingBusy.
    """
    if kept.pepper == peppered.newest_pepper and not hasher.is_outdated(kept.hash):
        return None
    return await hasher.hash(peppered.for_new), peppered.newest_pepper


def renew(connection: Connection, member_id: MemberId, kept: Kept, renewed: tuple[str, str]) -> None:
    """Put a renewed hash of the same password in the place of the one that it was made beside."""
    connection.execute(
        update(password)
        .where(password.c.member_id == member_id, password.c.hash == kept.hash)
        .values(hash=renewed[0], pepper=renewed[1])
    )
