"""Sessions at a smartphone ATM: shown as a QR code, claimed by one app, approved, and over.

The code that a machine shows names the machine and a nonce, and nothing in it is a link: a camera that reads
it opens no page. The nonce is a keyed digest of the session's id, so that a copy of the database shows no
code that could be claimed. Whoever has no camera types digits that are made likewise. What is claimed once is
claimed for good.
"""

import hmac
import re
import unicodedata
from enum import StrEnum
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, select, update

from sekisho.identity.session_desk import Present
from sekisho.kernel.clock import MINUTE_US
from sekisho.kernel.ids import ATM_SESSION
from sekisho.kernel.refusals import Refusal
from sekisho.kernel.yen import Yen
from sekisho.lender.house import LenderParts
from sekisho.messages.queue import insert_once
from sekisho.storage.keyring import Keyring
from sekisho.storage.tables.atm import atm_machine, atm_session

SHOWN_US = 2 * MINUTE_US
"""How long a code may be claimed."""

CLAIMED_US = 5 * MINUTE_US
"""How long a member has to choose and approve: as long as a proof is fresh."""

APPROVED_US = 3 * MINUTE_US
"""How long a member has to type at the machine."""

NONCE_OCTETS = 16
TYPED_DIGITS = 10
"""How many digits stand for a code that is typed: within its two minutes nobody finds one by trying."""

TYPED_AMONG = 20
"""Among how many of a machine's latest sessions typed digits are looked for; it shows one at a time."""

QR_CHARS_MAX = 200

_MARK = "SEKISHO-ATM/1"
_QR = re.compile(
    _MARK + r"/(?P<machine>[0-9A-Za-z-]{1,32})/(?P<session>ats_[0-9a-f]{32})/(?P<nonce>[0-9a-f]{32})"
)
_TYPED = re.compile(r"(?P<machine>[0-9A-Za-z-]{1,32}?)-?(?P<first>[0-9]{5})-?(?P<last>[0-9]{5})")
_DASHES = re.compile(r"[\u2010-\u2015\u2212\u30fc]")


class AtmSessionOver(Refusal):
    """There is no such session for this member here: expired, claimed by another app, ended, or never shown.

    One answer for all of these, so that nobody learns what became of a code that is not theirs.
    """

    code = "atm_session_over"
    status = 409
    told = "This code can't be used any more. Please begin again at the ATM."


class AtmMachineUnknown(Refusal):
    """No machine of this network is registered by this id."""

    code = "atm_machine_unknown"
    status = 404
    told = "This machine is not registered."


class Direction(StrEnum):
    """Which way the cash goes."""

    WITHDRAWAL = "withdrawal"
    """Out of the machine: the member borrows."""

    REPAYMENT = "repayment"
    """Into the machine: the member repays."""


class SessionState(StrEnum):
    """How far a session has come."""

    SHOWN = "shown"
    """The machine shows its code."""

    CLAIMED = "claimed"
    """One app has read it, and its member chooses."""

    APPROVED = "approved"
    """The member approved exactly one movement; the machine waits for the company number."""

    ORDERED = "ordered"
    """The cash is on its way: the order says how it stands."""

    ENDED = "ended"
    """Nothing came of it."""


_GOING = (SessionState.SHOWN, SessionState.CLAIMED, SessionState.APPROVED)


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """A registered machine: the network that it belongs to, and where it stands, in words for members."""

    id: str
    network: str
    place: str
    registered_at_us: int
    closed_at_us: int | None


class AtmSession(msgspec.Struct, frozen=True, kw_only=True):
    """One session, as it stands. Who claimed it and for what is empty until then."""

    id: str
    opening_key: str
    machine_id: str
    state: SessionState
    opened_at_us: int
    expires_at_us: int
    member_id: str
    session_id: str
    claimed_at_us: int | None
    direction: str
    amount_yen: int
    fee_yen: int
    purpose_key: str
    attempt_id: str
    order_id: str
    wrong_numbers: int
    answer_key: str
    answer: str

    def is_open(self, now_us: int) -> bool:
        """Say whether something may still come of it."""
        return self.state not in {SessionState.ENDED, SessionState.ORDERED} and now_us < self.expires_at_us

    @property
    def amount(self) -> Yen:
        """What the member chose to draw or to repay, without the fee."""
        return Yen(self.amount_yen)

    @property
    def fee(self) -> Yen:
        """What the network takes for it."""
        return Yen(self.fee_yen)


class Shown(msgspec.Struct, frozen=True):
    """What a machine shows: the text of the QR code, what is typed without a camera, and until when."""

    session_id: str
    qr: str
    expires_at_us: int
    typed: str = ""


class _Read(NamedTuple):
    machine_id: str
    session_id: str
    nonce: str


def register_machine(
    connection: Connection, house: LenderParts, machine_id: str, network: str, place: str
) -> None:
    """Register a machine, or change where it stands. Raises ValueError where its id can't stand in a code."""
    if not re.fullmatch(r"[0-9A-Za-z-]{1,32}", machine_id):
        raise ValueError(f"no id of a machine: {machine_id[:40]!r}")
    row = {"id": machine_id, "network": network, "place": place, "closed_at_us": None}
    if not insert_once(connection, atm_machine, row | {"registered_at_us": house.clock.now_us()}):
        its = update(atm_machine).where(atm_machine.c.id == machine_id)
        connection.execute(its.values(network=network, place=place, closed_at_us=None))


def find_machine(connection: Connection, machine_id: str, network: str | None = None) -> Machine | None:
    """Return a machine in service, of one network where it is named; None where there is none."""
    its = select(atm_machine).where(atm_machine.c.id == machine_id, atm_machine.c.closed_at_us.is_(None))
    if network is not None:
        its = its.where(atm_machine.c.network == network)
    row = connection.execute(its).mappings().one_or_none()
    return None if row is None else Machine(**row)


def machines(connection: Connection) -> list[Machine]:
    """Return all machines in service, by id."""
    its = select(atm_machine).where(atm_machine.c.closed_at_us.is_(None)).order_by(atm_machine.c.id)
    return [Machine(**row) for row in connection.execute(its).mappings()]


def open_session(connection: Connection, house: LenderParts, machine: Machine, key: str) -> Shown:
    """Open a session at a machine; the same key shows the same code. Raises AtmSessionOver once over."""
    now_us = house.clock.now_us()
    opening_key = f"{machine.id}:{key}"
    row = AtmSession(
        id=ATM_SESSION.new(house.clock, house.chance),
        opening_key=opening_key,
        machine_id=machine.id,
        state=SessionState.SHOWN,
        opened_at_us=now_us,
        expires_at_us=now_us + SHOWN_US,
        member_id="",
        session_id="",
        claimed_at_us=None,
        direction="",
        amount_yen=0,
        fee_yen=0,
        purpose_key="",
        attempt_id="",
        order_id="",
        wrong_numbers=0,
        answer_key="",
        answer="",
    )
    if not insert_once(connection, atm_session, msgspec.structs.asdict(row)):
        its = select(atm_session).where(atm_session.c.opening_key == opening_key)
        row = _of(connection.execute(its).mappings().one())
        if row.state is not SessionState.SHOWN or not row.is_open(now_us):
            raise AtmSessionOver(known=f"{row.id} is {row.state} and was to be shown again")
    keyring = house.keyring
    return Shown(row.id, qr_text(keyring, row), row.expires_at_us, typed_text(keyring, row))


def qr_text(keyring: Keyring, of: AtmSession) -> str:
    """Return what the QR code of a session says."""
    return f"{_MARK}/{of.machine_id}/{of.id}/{_nonce(keyring, of.id)}"


def typed_text(keyring: Keyring, of: AtmSession) -> str:
    """Return what somebody types who has no camera: the machine's number, and ten digits."""
    digits = _digits(keyring, of.id)
    return f"{of.machine_id}-{digits[:5]}-{digits[5:]}"


def claim(connection: Connection, house: LenderParts, present: Present, code: str) -> AtmSession:
    """Claim what a machine shows for one app session, read from its QR or typed. Raises AtmSessionOver.

    The same app session may say it again; nobody else may, and not even the member's other browser.
    """
    own = present.session
    found = _named(connection, house.keyring, code)
    now_us = house.clock.now_us()
    if not found.is_open(now_us):
        raise AtmSessionOver(known=f"{found.id} is {found.state} or expired")
    if found.state is not SessionState.SHOWN:
        return require_own(found, present, now_us)
    claimed = msgspec.structs.replace(
        found,
        state=SessionState.CLAIMED,
        member_id=own.member_id,
        session_id=own.id,
        claimed_at_us=now_us,
        expires_at_us=now_us + CLAIMED_US,
    )
    change(connection, found, claimed)
    return claimed


def require_own(found: AtmSession | None, present: Present, now_us: int) -> AtmSession:
    """Return a session that this very app session claimed and that is not over. Raises AtmSessionOver."""
    own = present.session
    if found is None or (found.member_id, found.session_id) != (own.member_id, own.id):
        raise AtmSessionOver(known=f"not claimed by {own.id}")
    if not found.is_open(now_us):
        raise AtmSessionOver(known=f"{found.id} is {found.state} or expired")
    return found


def find(connection: Connection, atm_session_id: str, *, to_change: bool = False) -> AtmSession | None:
    """Return a session, locked where it is to be changed."""
    its = select(atm_session).where(atm_session.c.id == atm_session_id)
    if to_change:
        its = its.with_for_update()
    row = connection.execute(its).mappings().one_or_none()
    return None if row is None else _of(row)


def change(connection: Connection, before: AtmSession, after: AtmSession) -> None:
    """Write down how a session has changed. Raises AtmSessionOver where somebody changed it meanwhile."""
    old, new = msgspec.structs.asdict(before), msgspec.structs.asdict(after)
    changed = {name: value for name, value in new.items() if value != old[name]}
    if not changed:
        return
    its = update(atm_session).where(atm_session.c.id == before.id, atm_session.c.state == before.state)
    if connection.execute(its.values(changed)).rowcount != 1:
        raise AtmSessionOver(known=f"{before.id} is no longer {before.state}")


def with_state(session: AtmSession, state: SessionState) -> AtmSession:
    """Return a session that has come so far."""
    return msgspec.structs.replace(session, state=state)


def past(connection: Connection, now_us: int, limit: int) -> list[AtmSession]:
    """Return open sessions whose time is over, the oldest first, at most so many."""
    its = (
        select(atm_session)
        .where(atm_session.c.state.in_(_GOING), atm_session.c.expires_at_us <= now_us)
        .order_by(atm_session.c.expires_at_us)
        .limit(limit)
        .with_for_update()
    )
    return [_of(row) for row in connection.execute(its).mappings()]


def _read(qr: str) -> _Read | None:
    found = _QR.fullmatch(qr.strip()) if len(qr) <= QR_CHARS_MAX else None
    return None if found is None else _Read(found["machine"], found["session"], found["nonce"])


def _named(connection: Connection, keyring: Keyring, code: str) -> AtmSession:
    """Return the session that a code names, locked. Raises AtmSessionOver."""
    read = _read(code)
    if read is None:
        return _typed(connection, keyring, code)
    found = find(connection, read.session_id, to_change=True)
    if found is None:
        raise AtmSessionOver(known="no code of ours")
    fits = hmac.compare_digest(read.nonce, _nonce(keyring, found.id))
    if not fits or read.machine_id != found.machine_id:
        raise AtmSessionOver(known=f"another nonce or machine for {found.id}")
    return found


def _typed(connection: Connection, keyring: Keyring, code: str) -> AtmSession:
    plain = _DASHES.sub("-", "".join(unicodedata.normalize("NFKC", code[:QR_CHARS_MAX]).split()))
    typed = _TYPED.fullmatch(plain)
    if typed is None:
        raise AtmSessionOver(known="no code of ours")
    shown = (
        select(atm_session)
        .where(atm_session.c.machine_id == typed["machine"], atm_session.c.state.in_(_GOING))
        .order_by(atm_session.c.opened_at_us.desc())
        .limit(TYPED_AMONG)
        .with_for_update()
    )
    digits = typed["first"] + typed["last"]
    for row in connection.execute(shown).mappings():
        found = _of(row)
        if hmac.compare_digest(digits, _digits(keyring, found.id)):
            return found
    raise AtmSessionOver(known=f"no such digits at {typed['machine']}")


def _digits(keyring: Keyring, atm_session_id: str) -> str:
    number = int.from_bytes(keyring.digest(atm_session_id, context="atm:typed"))
    return f"{number % 10**TYPED_DIGITS:0{TYPED_DIGITS}d}"


def _nonce(keyring: Keyring, atm_session_id: str) -> str:
    return keyring.digest(atm_session_id, context="atm:nonce")[:NONCE_OCTETS].hex()


def _of(row: object) -> AtmSession:
    return msgspec.convert(row, AtmSession)
