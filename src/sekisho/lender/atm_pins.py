"""The PIN at the smartphone ATM: four digits, hashed like a password, three tries.

Four digits are soon guessed, and soon sprayed: one PIN on many members. The first is stopped by the tries,
which are taken before the hash is compared, so that many machines at once get no more of them; the second is
seen by the guard, which counts PINs by a keyed digest of the PIN alone.
"""

import re
import unicodedata
from enum import StrEnum
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, delete, select, update

from sekisho.guard.answers import UNAVAILABLE, AsksGuard
from sekisho.guard.attempts import Attempt, Gate, Outcome
from sekisho.guard.decisions import Action
from sekisho.identity import sessions
from sekisho.identity.assurance import Granted, InsufficientAuthentication, Need, StepUp, Way, demand
from sekisho.identity.browser_names import browser_in_words
from sekisho.identity.hashing import Hasher
from sekisho.identity.notifying import notify
from sekisho.identity.personal_data import Item, read_for_use
from sekisho.identity.purposes import Purpose
from sekisho.identity.session_desk import Present
from sekisho.identity.sessions import Session
from sekisho.kernel.clock import DAY_US
from sekisho.kernel.posture import Posture
from sekisho.kernel.refusals import Refusal
from sekisho.kernel.yen import Yen
from sekisho.lender.atm_sessions import find_machine
from sekisho.lender.house import LenderParts
from sekisho.messages.notices import NoticeKind
from sekisho.messages.queue import insert_once
from sekisho.storage import outbox
from sekisho.storage.keyring import Keyring
from sekisho.storage.tables.atm import atm_pin

DIGITS = 4
TRIES = 3
SETTING = Purpose(action="atm_pin")
"""What a member approves to set a PIN."""

_PIN = re.compile(r"[0-9]{4}")
_TYPED_CHARS_MAX = 16
_STEPS = "0123456789012"
_PATTERNS = frozenset({"2580", "0852", "1379", "7913"})
_RECENT_YEARS = ("19", "20")


class AtmPinTooSimple(Refusal):
    """The PIN is no four digits, or one that is guessed first."""

    code = "atm_pin_too_simple"
    status = 422
    told = (
        "Choose four digits that are no row, no pattern, no year, and not part of your birth date or number."
    )


class Pin(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of a PIN."""

    hash: str
    pepper: str
    set_at_us: int
    tries_left: int


class PinTry(NamedTuple):
    """A PIN that was typed: where, for how much, and by whose session the machine was claimed."""

    session: Session
    machine_id: str
    amount: Yen
    typed: str


class PinAnswer(StrEnum):
    """What became of a try."""

    RIGHT = "right"
    WRONG = "wrong"
    LOCKED = "locked"
    STOPPED = "stopped"
    """The guard let nothing be tried."""


class PinTried(NamedTuple):
    """An answer, and how many tries are left."""

    answer: PinAnswer
    tries_left: int = 0


class PinDesk:
    """Sets PINs and takes them at machines, for one lender. `on_outage` is what a guard that is out means."""

    def __init__(self, house: LenderParts, guard: AsksGuard, hasher: Hasher, *, on_outage: Posture) -> None:
        self._house = house
        self._guard = guard
        self._hasher = hasher
        self._on_outage = on_outage

    async def set_pin(self, present: Present, typed: str) -> None:
        """Make this the member's PIN, with all tries anew; the approval is used up.

        Raises InsufficientAuthentication, AtmPinTooSimple, HashingBusy and OperationalError.
        """
        pin, member_id = digits_of(typed), present.session.member_id
        self._require_proof(present)
        known = await self._house.read(
            lambda at: read_for_use(at, self._house.keyring, member_id, (Item.BIRTH_DATE, Item.MOBILE_PHONE))
        )
        if is_simple(pin, known.get(Item.BIRTH_DATE, ""), known.get(Item.MOBILE_PHONE, "")):
            raise AtmPinTooSimple
        peppered, name = _peppered(self._house.keyring, member_id, pin)
        hashed = await self._hasher.hash(peppered)
        now_us = self._house.clock.now_us()
        row = {"hash": hashed, "pepper": name, "set_at_us": now_us, "tries_left": TRIES}

        def work(connection: Connection) -> None:
            _spend(connection, present, now_us)
            if not insert_once(connection, atm_pin, row | {"member_id": member_id}):
                connection.execute(update(atm_pin).where(atm_pin.c.member_id == member_id).values(row))
            event = outbox.Entry("member:atm_pin:set", f"{member_id}:{now_us}", now_us, b"{}")
            outbox.append(connection, [event])
            told: dict[str, str | int] = {
                "when": now_us,
                "device": browser_in_words(present.session.user_agent),
            }
            occasion = f"atm_pin_set:{member_id}:{now_us}"
            notify(connection, self._house.parts, member_id, NoticeKind.ATM_PIN_SET, told, dedupe=occasion)

        await self._house.written(work)

    async def take(self, tried: PinTry) -> PinTried:
        """Compare a typed PIN. A wrong one costs a try; three wrong ones in a row lock the PIN.

        Raises HashingBusy and OperationalError, and then the try is spent all the same.
        """
        pin, member_id = digits_of(tried.typed), tried.session.member_id
        answer = await self._guard.assess(self._attempt(tried, pin))
        out = UNAVAILABLE in answer.decision.reasons
        if answer.decision.action is Action.DENY if not out else self._on_outage is Posture.CLOSED:
            await self._guard.settle(answer.attempt_id, Outcome.REFUSED)
            return PinTried(PinAnswer.STOPPED)
        kept = await self._house.written(lambda at: _take_try(at, member_id))
        if kept is None:
            await self._guard.settle(answer.attempt_id, Outcome.REFUSED)
            return PinTried(PinAnswer.LOCKED)
        peppered, _ = _peppered(self._house.keyring, member_id, pin, kept.pepper)
        right = await self._hasher.verify(kept.hash, peppered)
        await self._guard.settle(answer.attempt_id, Outcome.SUCCESS if right else Outcome.WRONG_SECRET)
        if right:
            await self._house.written(lambda at: _give_back(at, member_id, kept.hash))
            return PinTried(PinAnswer.RIGHT, TRIES)
        if not kept.tries_left:
            await self._house.written(lambda at: self._locked(at, tried))
        return PinTried(PinAnswer.WRONG if kept.tries_left else PinAnswer.LOCKED, kept.tries_left)

    def _require_proof(self, present: Present) -> None:
        now_us = self._house.clock.now_us()
        answer = demand(present.session, present.device, Need.CHANGE, now_us, purpose=SETTING.key)
        if not isinstance(answer, Granted):
            raise InsufficientAuthentication(answer, known="a PIN")

    def _attempt(self, tried: PinTry, pin: str) -> Attempt:
        now_us = self._house.clock.now_us()
        # The machine stands where it stands; what can be known is the app that claimed it.
        return Attempt(
            time_us=now_us,
            gate=Gate.ATM_WITHDRAWAL,
            member=tried.session.member_id,
            known=True,
            ip=tried.session.ip,
            user_agent=tried.session.user_agent,
            secret=secret_token(self._house.keyring, pin, now_us),
            session=tried.session.id,
            amount_yen=tried.amount.amount,
            target=tried.machine_id,
        )

    def _locked(self, connection: Connection, tried: PinTry) -> None:
        now_us, member_id = self._house.clock.now_us(), tried.session.member_id
        machine = find_machine(connection, tried.machine_id)
        told: dict[str, str | int] = {"when": now_us, "place": "" if machine is None else machine.place}
        occasion = f"atm_pin_locked:{member_id}:{now_us}"
        notify(connection, self._house.parts, member_id, NoticeKind.ATM_PIN_LOCKED, told, dedupe=occasion)
        event = outbox.Entry("member:atm_pin:locked", f"{member_id}:{now_us}", now_us, b"{}")
        outbox.append(connection, [event])


def forget_pin(connection: Connection, member_id: str, now_us: int) -> None:
    """Keep a member's PIN no longer; where there is none, nothing changes."""
    if connection.execute(delete(atm_pin).where(atm_pin.c.member_id == member_id)).rowcount:
        event = outbox.Entry("member:atm_pin:forgotten", f"{member_id}:{now_us}", now_us, b"{}")
        outbox.append(connection, [event])


def find_pin(connection: Connection, member_id: str) -> Pin | None:
    """Return what is kept of a member's PIN, None where there is none."""
    columns = (atm_pin.c.hash, atm_pin.c.pepper, atm_pin.c.set_at_us, atm_pin.c.tries_left)
    row = (
        connection.execute(select(*columns).where(atm_pin.c.member_id == member_id)).mappings().one_or_none()
    )
    return None if row is None else Pin(**row)


def digits_of(typed: str) -> str:
    """Return the four digits that were typed, full-width ones too; empty where they are something else."""
    plain = unicodedata.normalize("NFKC", typed[:_TYPED_CHARS_MAX]).strip()
    return plain if _PIN.fullmatch(plain) else ""


def is_simple(pin: str, birth_date: str, number: str) -> bool:
    """Say whether a PIN is guessed first: rows, pairs, years, and what stands in the member's papers."""
    if not pin or len(set(pin)) == 1 or pin[:2] == pin[2:]:
        return True
    if pin in _STEPS or pin in _STEPS[::-1] or pin in _PATTERNS or pin.startswith(_RECENT_YEARS):
        return True
    year, month, day = [*birth_date.split("-"), "", "", ""][:3]
    own = {year, month + day, day + month, year[2:] + month, month + year[2:], number[-4:]}
    return pin in own


def secret_token(keyring: Keyring, pin: str, now_us: int) -> str:
    """Return what the guard counts a PIN by: equal for equal PINs of one day (UTC)."""
    return keyring.digest(pin, context=f"guard:pin:{now_us // DAY_US}")[:16].hex()


def _peppered(keyring: Keyring, member_id: str, pin: str, pepper: str = "") -> tuple[bytes, str]:
    # With the member's id in it, two members with the same PIN have nothing in common in memory either.
    return keyring.pepper(f"atm_pin:{member_id}:{pin}".encode(), pepper=pepper)


def _take_try(connection: Connection, member_id: str) -> Pin | None:
    """Take one try off, and return the PIN as it stands then; None where there is none left, or no PIN."""
    its = update(atm_pin).where(atm_pin.c.member_id == member_id, atm_pin.c.tries_left > 0)
    taken = connection.execute(its.values(tries_left=atm_pin.c.tries_left - 1)).rowcount
    return find_pin(connection, member_id) if taken else None


def _give_back(connection: Connection, member_id: str, hashed: str) -> None:
    its = update(atm_pin).where(atm_pin.c.member_id == member_id, atm_pin.c.hash == hashed)
    connection.execute(its.values(tries_left=TRIES))


def _spend(connection: Connection, present: Present, now_us: int) -> None:
    """Use a code's approval up. A passkey that has just proved the member stays fresh."""
    if any(proof.way is Way.PASSKEY for proof in present.session.proofs):
        return
    if not sessions.spend_proof(connection, present.session, Way.CODE, SETTING.key, now_us):
        raise InsufficientAuthentication(StepUp((Way.PASSKEY,)), known="the code was used already")
