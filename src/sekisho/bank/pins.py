"""PINs of cash cards: four digits, kept as an Argon2id hash over a keyed digest, and their lock on the web.

Ten thousand PINs are tried in no time: what protects a table of them is the key that is not in the database,
and against whoever has the key as well, the hash makes each account cost minutes. What protects the bank's
pages are counters. Wrong PINs that strangers type on the web lock the web's way for a day, and that alone:
the card, the online bank and links by passkey go on, so that the lock is no weapon.
"""

import re
import unicodedata
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, select, update

from sekisho.bank.house import BankParts
from sekisho.identity.hashing import Hasher
from sekisho.kernel.clock import DAY_US
from sekisho.kernel.refusals import Refusal
from sekisho.messages.queue import insert_once
from sekisho.storage import outbox
from sekisho.storage.keyring import Keyring
from sekisho.storage.tables.deposits import deposit_pin

WEB_TRIES = 5
WEB_TRIES_WITHIN_US = DAY_US
WEB_LOCKED_US = DAY_US

_PIN = re.compile(r"[0-9]{4}")
_TYPED_CHARS_MAX = 16
_STEPS = "0123456789012"
_PATTERNS = frozenset({"2580", "0852", "1379", "7913"})
_RECENT_YEARS = ("19", "20")


class CardPinTooSimple(Refusal):
    """The PIN is no four digits, or one that is guessed first. Only the bank's own staff ever read this."""

    code = "card_pin_too_simple"
    status = 422
    told = "A PIN has four digits that are no row, no pattern, no year, and not part of the holder's data."


class Pin(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of an account's PIN, and of the wrong ones that were typed on the web."""

    hash: str
    pepper: str
    set_at_us: int
    web_wrong: int
    web_wrong_since_us: int
    web_locked_until_us: int


class Personal(NamedTuple):
    """What a PIN must not be made of: the birth date (ISO 8601), and numbers of the holder."""

    birth_date: str
    numbers: tuple[str, ...] = ()


async def hashed(bank: BankParts, hasher: Hasher, deposit_id: str, pin: str) -> tuple[str, str]:
    """Return a PIN's hash and the name of its pepper. Raises HashingBusy."""
    peppered, name = _peppered(bank.keyring, deposit_id, pin)
    return await hasher.hash(peppered), name


def keep(connection: Connection, bank: BankParts, deposit_id: str, made: tuple[str, str]) -> None:
    """Make this the account's PIN; what was mistyped before is forgotten."""
    now_us = bank.clock.now_us()
    row = {
        "hash": made[0],
        "pepper": made[1],
        "set_at_us": now_us,
        "web_wrong": 0,
        "web_wrong_since_us": 0,
        "web_locked_until_us": 0,
    }
    if not insert_once(connection, deposit_pin, row | {"deposit_id": deposit_id}):
        connection.execute(update(deposit_pin).where(deposit_pin.c.deposit_id == deposit_id).values(row))
    event = outbox.Entry("bank:card_pin:set", f"{deposit_id}:{now_us}", now_us, b"{}")
    outbox.append(connection, [event])


async def set_pin(bank: BankParts, hasher: Hasher, deposit_id: str, typed: str, personal: Personal) -> None:
    """Set an account's PIN. Raises CardPinTooSimple, HashingBusy and OperationalError."""
    pin = digits_of(typed)
    if is_simple(pin, personal):
        raise CardPinTooSimple
    made = await hashed(bank, hasher, deposit_id, pin)
    await bank.written(lambda at: keep(at, bank, deposit_id, made))


async def is_right(bank: BankParts, hasher: Hasher, deposit_id: str, kept: Pin | None, typed: str) -> bool:
    """Say whether a PIN is the account's. Nobody's costs the same. Raises HashingBusy and Unsealable."""
    pin = digits_of(typed)
    peppered, _ = _peppered(bank.keyring, deposit_id, pin, "" if kept is None else kept.pepper)
    right = await hasher.verify(None if kept is None else kept.hash, peppered, of_stranger=True)
    return right and bool(pin)


def find(connection: Connection, deposit_id: str) -> Pin | None:
    """Return what is kept of an account's PIN, None where there is none."""
    columns = (deposit_pin.c[name] for name in Pin.__struct_fields__)
    its = select(*columns).where(deposit_pin.c.deposit_id == deposit_id)
    row = connection.execute(its).mappings().one_or_none()
    return None if row is None else Pin(**row)


def is_locked(kept: Pin | None, now_us: int) -> bool:
    """Say whether the web's way by PIN is locked."""
    return kept is not None and now_us < kept.web_locked_until_us


def count_wrong(connection: Connection, deposit_id: str, now_us: int) -> bool:
    """Count a wrong PIN that was typed on the web; return whether the web's way is locked from now on.

    Five within a day lock it for a day. While it is locked, nothing is counted: it cannot be locked for good.
    """
    found = select(deposit_pin).where(deposit_pin.c.deposit_id == deposit_id).with_for_update()
    row = connection.execute(found).one_or_none()
    if row is None or now_us < row.web_locked_until_us:
        return False
    fresh = not 0 <= now_us - row.web_wrong_since_us < WEB_TRIES_WITHIN_US
    wrong = 1 if fresh else row.web_wrong + 1
    locks = wrong >= WEB_TRIES
    values = {
        "web_wrong": 0 if locks else wrong,
        "web_wrong_since_us": now_us if fresh else row.web_wrong_since_us,
        "web_locked_until_us": now_us + WEB_LOCKED_US if locks else row.web_locked_until_us,
    }
    connection.execute(update(deposit_pin).where(deposit_pin.c.deposit_id == deposit_id).values(values))
    return locks


def forget_wrong(connection: Connection, deposit_id: str) -> None:
    """Forget what was mistyped, because the holder has got in."""
    its = update(deposit_pin).where(deposit_pin.c.deposit_id == deposit_id, deposit_pin.c.web_wrong > 0)
    connection.execute(its.values(web_wrong=0, web_wrong_since_us=0))


def digits_of(typed: str) -> str:
    """Return the four digits that were typed, full-width ones too; empty where they are something else."""
    plain = unicodedata.normalize("NFKC", typed[:_TYPED_CHARS_MAX]).strip()
    return plain if plain.isascii() and _PIN.fullmatch(plain) else ""


def is_simple(pin: str, personal: Personal) -> bool:
    """Say whether a PIN is guessed first: rows, pairs, years, and what stands in the holder's papers."""
    if not pin or len(set(pin)) == 1 or pin[:2] == pin[2:]:
        return True
    if pin in _STEPS or pin in _STEPS[::-1] or pin in _PATTERNS or pin.startswith(_RECENT_YEARS):
        return True
    return is_of_birth_date(pin, personal.birth_date) or any(
        number[-4:] == pin for number in personal.numbers
    )


def is_of_birth_date(pin: str, birth_date: str) -> bool:
    """Say whether a PIN is made of a birth date (ISO 8601): its year, its day, in either order."""
    year, month, day = [*birth_date.split("-"), "", "", ""][:3]
    return pin in {year, month + day, day + month, year[2:] + month, month + year[2:], year[2:] + day}


def secret_token(keyring: Keyring, pin: str, now_us: int) -> str:
    """Return what the guard counts a PIN by: equal for equal PINs of one day (UTC), whatever the account."""
    return keyring.digest(pin, context=f"guard:card_pin:{now_us // DAY_US}")[:16].hex()


def _peppered(keyring: Keyring, deposit_id: str, pin: str, pepper: str = "") -> tuple[bytes, str]:
    # With the account's id in it, two accounts with the same PIN have nothing in common in memory either.
    return keyring.pepper(f"card_pin:{deposit_id}:{pin}".encode(), pepper=pepper)
