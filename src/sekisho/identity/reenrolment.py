"""Getting in again after an account was shut, for a member who has no passkey: with a key from a letter.

The thief knows the password and may read mail or text messages; what was sent home on paper, to an address
that nobody has changed since, is in the member's hand. The key follows from the hold that shut the account:
nothing of it is kept, a later containment makes another one, and once the account is open it opens nothing.
"""

import asyncio
import hmac
import tomllib
import unicodedata
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection

from sekisho.identity import members, passkeys, passwords
from sekisho.identity.answer_floors import moment_in, until
from sekisho.identity.arrivals import Arrival
from sekisho.identity.containment import enrol_anew, shutting_holds
from sekisho.identity.hashing import Hasher
from sekisho.identity.holds import Hold, HoldKind, HoldScope, place
from sekisho.identity.institution import Parts
from sekisho.identity.members import MemberState
from sekisho.identity.notifying import facts_of, home_unchanged, language_of, warn
from sekisho.identity.personal_data import Item, read_for_use
from sekisho.kernel.clock import DAY_US
from sekisho.kernel.ids import MemberId
from sekisho.messages.message import Channel, Message
from sekisho.messages.notices import NoticeKind, moment
from sekisho.messages.queue import queue
from sekisho.storage.keyring import Keyring, Unsealable

LETTERS = Path(__file__).with_name("reenrolment.toml")
KIND = "code:reenrolment"
KEY_DIGITS = 20
GROUP = 4
KEY_US = 60 * DAY_US
HELD_AFTERWARDS_US = 7 * DAY_US
ANSWER_FLOOR_S = 0.1
"""Nobody hears earlier that a key is none: finding no member takes less time than comparing keys."""

RequireFit = Callable[[MemberId, str], None]


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The letter in one language."""

    subject: str
    text: str


class Enrolled(NamedTuple):
    """The account is open, with the new password; money stays in until a time."""

    member_id: MemberId
    held_until_us: int


class NoSuchKey(NamedTuple):
    """Number and key do not belong together, or no longer. Nothing says which."""


@cache
def letters() -> dict[str, Words]:
    """Return the letter by language."""
    return msgspec.convert(tomllib.loads(LETTERS.read_text(encoding="utf-8")), dict[str, Words])


def key_of(keyring: Keyring, member_id: MemberId, hold_id: str) -> str:
    """Return the key that opens an account that a hold shut: twenty digits, which nobody can guess."""
    digest = keyring.digest(f"{member_id}:{hold_id}", context="reenrolment")
    return f"{int.from_bytes(digest, 'big') % 10**KEY_DIGITS:0{KEY_DIGITS}d}"


def grouped(key: str) -> str:
    """Write a key as it is read and typed."""
    return " ".join(key[start : start + GROUP] for start in range(0, KEY_DIGITS, GROUP))


def read_key(typed: str) -> str:
    """Return the digits of a key as people type it."""
    plain = unicodedata.normalize("NFKC", typed[: 4 * KEY_DIGITS])
    return "".join(character for character in plain if character.isascii() and character.isdecimal())


def needs_key(connection: Connection, member_id: MemberId) -> bool:
    """Say whether a member has no passkey, by which the account could be opened again."""
    return not any(each.works for each in passkeys.of_member(connection, member_id))


def send_key(
    connection: Connection, parts: Parts, member_id: MemberId, hold_id: str, *, since_us: int
) -> bool:
    """Queue the letter, once a hold, unless the address was changed since a time; say whether it goes."""
    if not home_unchanged(connection, member_id, since_us):
        return False
    try:
        found = read_for_use(connection, parts.keyring, member_id, (Item.HOME_ADDRESS, Item.NAME))
    except Unsealable:
        return False
    home, name = found.get(Item.HOME_ADDRESS, ""), found.get(Item.NAME, "")
    if not (home and name):
        return False
    language = "en" if language_of(connection, member_id) == "en" else "ja"
    until_us = parts.clock.now_us() + KEY_US
    values = {
        "key": grouped(key_of(parts.keyring, member_id, hold_id)),
        "until": moment(until_us, language),
        "name": parts.institution.name(language),
        "telephone": parts.institution.telephone,
    }
    letter = Message(
        dedupe=f"reenrolment:{hold_id}",
        member_id=member_id,
        channel=Channel.LETTER,
        kind=KIND,
        to=f"{home}\n{name}{' 様' if language == 'ja' else ''}",
        subject=letters()[language].subject,
        text=letters()[language].text.strip().format(**values),
        language=language,
    )
    queue(connection, letter, keyring=parts.keyring, clock=parts.clock, chance=parts.chance)
    return True


class ReenrolmentDesk:
    """Takes keys and new passwords. `require_fit` raises PasswordUnfit for one that a member may not have."""

    def __init__(self, parts: Parts, hasher: Hasher, require_fit: RequireFit) -> None:
        self._parts = parts
        self._hasher = hasher
        self._require_fit = require_fit

    async def enrol(self, number: str, key: str, password: str, arrival: Arrival) -> Enrolled | NoSuchKey:
        """Set a new password with a key from a letter, and open the account.

        Raises PasswordUnfit, HashingBusy and OperationalError; the first only where the key fits.
        """
        due_s = moment_in(ANSWER_FLOOR_S)
        found = await self._parts.read(lambda at: self._find(at, number, key))
        if found is None:
            await until(due_s)
            return NoSuchKey()
        member_id, _ = found
        await asyncio.to_thread(self._require_fit, member_id, password)
        peppered = passwords.pepper(self._parts.keyring, password, None)
        hashed = await self._hasher.hash(peppered.for_new)

        def work(connection: Connection) -> Enrolled | NoSuchKey:
            # Somebody else may have used the key meanwhile, and a new containment has another one.
            if self._find(connection, number, key) != found:
                return NoSuchKey()
            return self._enrol(connection, member_id, (hashed, peppered.newest_pepper), arrival)

        return await self._parts.written(work)

    def _find(self, connection: Connection, number: str, key: str) -> tuple[MemberId, Hold] | None:
        member = members.find_by_name(connection, self._parts.keyring, number)
        if member is None or member.state is not MemberState.INVALIDATED:
            return None
        typed, now_us = read_key(key), self._parts.clock.now_us()
        for hold in shutting_holds(connection, self._parts, member.id):
            right = key_of(self._parts.keyring, member.id, hold.id)
            if hmac.compare_digest(right.encode(), typed.encode()) and now_us < hold.from_us + KEY_US:
                return member.id, hold
        return None

    def _enrol(
        self, connection: Connection, member_id: MemberId, hashed: tuple[str, str], arrival: Arrival
    ) -> Enrolled:
        parts, now_us = self._parts, self._parts.clock.now_us()
        passwords.put(connection, parts, member_id, *hashed)
        enrol_anew(connection, parts, member_id, by="letter")
        until_us = now_us + HELD_AFTERWARDS_US
        kind, scope = HoldKind.RECOVERY, HoldScope.MONEY_OUT
        place(connection, parts, member_id, kind, scope, reason="reenrolled", until_us=until_us)
        values = facts_of(arrival, now_us, language_of(connection, member_id))
        notice = NoticeKind.PASSWORD_CHANGED
        warn(connection, parts, member_id, notice, values, dedupe=f"{notice}:{member_id}:{now_us}")
        return Enrolled(member_id, until_us)
