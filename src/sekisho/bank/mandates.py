"""Mandates: what a depositor allows a partner to do with an account, and every move with who and why.

A mandate stands apart from the debits under it. A partner's clients link accounts with the depositor's
consent; collectors that send files hand in what depositors signed on paper. One account has one living
mandate for a partner: the same user's new one replaces it, another user's is refused.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, Row, insert, select, update

from sekisho.bank.house import BankParts
from sekisho.bank.mandate_states import Actor, Deed, MandateState, Standing, Who, after
from sekisho.kernel.ids import MANDATE, DepositId, MandateId
from sekisho.kernel.refusals import Refusal
from sekisho.kernel.yen import Yen
from sekisho.ledger.journal import take_turn
from sekisho.storage import outbox
from sekisho.storage.keyring import Keyring
from sekisho.storage.tables.mandates import mandate, mandate_move

ENDED = (MandateState.REVOKED,)
STOPPED_BEFORE = "stopped_before"
_STOP_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
_STOP_GROUPS, _STOP_GROUP = 3, 4


class AccountLinkedAlready(Refusal):
    """Another user of the same partner holds a mandate for this account that has not ended."""

    code = "account_linked_already"
    status = 409
    told = "This account is linked with this service already."


class MandateUnknown(Refusal):
    """There is no such mandate, or it is not the asker's."""

    code = "mandate_unknown"
    status = 404
    told = "There is no such mandate."


class Action(StrEnum):
    """What a mandate allows."""

    DEBIT = "debit"
    """Debit the account, within the ceilings."""

    CREDIT = "credit"
    """Pay out to the account."""


class Origin(StrEnum):
    """How a mandate came to be."""

    LINK = "link"
    """The depositor agreed on the bank's own site."""

    PAPER = "paper"
    """A collector handed in what the depositor signed, and the bank compared it."""


class Mandate(msgspec.Struct, frozen=True, kw_only=True):
    """A mandate as it stands. `partner` is a client id or a collector's code; ceilings are whole yen.

    `user_ref` is the partner's own name for its user, opaque to the bank. `way` is how the bank made sure of
    the depositor. `month_ceiling_yen` holds for the calendar month in Japan.
    """

    id: MandateId
    partner: str
    origin: Origin
    deposit_id: DepositId
    user_ref: str
    actions: str
    ceiling_yen: int
    month_ceiling_yen: int
    way: str
    state: MandateState
    stops: str
    moves: int
    stop_digest: bytes | None
    requested_at_us: int
    active_from_us: int | None = None
    first_debit_at_us: int | None = None

    @property
    def standing(self) -> Standing:
        """Return how it stands, as the rules see it."""
        return Standing(self.state, frozenset(Who(who) for who in self.stops.split(",") if who))

    def allows(self, action: Action) -> bool:
        """Say whether the depositor agreed to an action; the state is apart from it."""
        return action in self.actions.split(",")


class Consented(NamedTuple):
    """What a depositor agreed to, and how the bank made sure that it was the depositor."""

    partner: str
    deposit_id: DepositId
    user_ref: str
    actions: tuple[Action, ...]
    ceiling: Yen
    month_ceiling: Yen
    way: str
    by: str = ""
    origin: Origin = Origin.LINK


class Doing(NamedTuple):
    """What is done to a mandate, by whom and why: a word for staff, without personal data."""

    deed: Deed
    by: Actor
    why: str


class Move(NamedTuple):
    """One move of a mandate: when, from which state to which, by whom and why."""

    number: int
    at_us: int
    before: str
    after: str
    by: str
    why: str


def activate_within(connection: Connection, bank: BankParts, consented: Consented) -> Mandate:
    """Make the mandate that a depositor agreed to, within the unit of work that records the consent.

    An older one of the same user ends. Where the bank or its watch had stopped the one before, they have
    stopped this one. Raises AccountLinkedAlready where another user of the partner has one, and ValueError
    for ceilings that are none.
    """
    if not Yen(0) < consented.ceiling <= consented.month_ceiling:
        raise ValueError("a ceiling is above zero, and no higher than the month's")
    # Two consents at once for one account have to see each other.
    take_turn(connection)
    depositor = Actor(Who.DEPOSITOR, consented.by)
    stopped_by = _stops_that_stay(connection, consented)
    for other in living(connection, consented.partner, consented.deposit_id):
        if other.user_ref != consented.user_ref or other.state is MandateState.DISPUTED:
            raise AccountLinkedAlready(known=f"{other.id} is {other.state}")
        move(connection, bank, other, Doing(Deed.REVOKE, depositor, "replaced"))
    made = _request(connection, bank, consented)
    made = _moved(connection, bank, made, Doing(Deed.AUTHENTICATE, depositor, consented.way))
    made = _moved(connection, bank, made, Doing(Deed.ACTIVATE, depositor, "consented"))
    for who in stopped_by:
        made = _moved(connection, bank, made, Doing(Deed.STOP, Actor(who), STOPPED_BEFORE))
    return made


def _stops_that_stay(connection: Connection, consented: Consented) -> list[Who]:
    """Return whose stop a new mandate takes over: to end a link and make it anew lifts nobody else's."""
    before = latest(connection, consented.partner, consented.deposit_id)
    if before is None:
        return []
    ended_by = moves_of(connection, before.id)[-1].by.partition(":")[0]
    if before.state is MandateState.REVOKED and ended_by == Who.BANK:
        # The bank has decided, and its stop has gone with what it ended.
        return []
    return sorted(before.standing.stops & {Who.BANK, Who.WATCH})


def find(connection: Connection, mandate_id: str) -> Mandate | None:
    """Return a mandate by id, None where there is none."""
    return _one(connection, mandate.c.id == mandate_id)


def found(connection: Connection, mandate_id: str) -> Mandate:
    """Return a mandate by id. Raises MandateUnknown."""
    one = find(connection, mandate_id)
    if one is None:
        raise MandateUnknown(known=mandate_id[:40])
    return one


def living(connection: Connection, partner: str, deposit_id: str) -> list[Mandate]:
    """Return a partner's mandates for an account that have not ended, the oldest first."""
    its = select(mandate).where(
        mandate.c.partner == partner, mandate.c.deposit_id == deposit_id, mandate.c.state.not_in(ENDED)
    )
    return _all(connection.execute(its.order_by(mandate.c.id)))


def latest(connection: Connection, partner: str, deposit_id: str) -> Mandate | None:
    """Return a partner's newest mandate for an account, in whatever state; None where there never was one."""
    its = select(mandate).where(mandate.c.partner == partner, mandate.c.deposit_id == deposit_id)
    rows = _all(connection.execute(its.order_by(mandate.c.id.desc()).limit(1)))
    return rows[0] if rows else None


def of_deposits(connection: Connection, deposit_ids: Iterable[str]) -> list[Mandate]:
    """Return the mandates on some accounts, the newest first."""
    its = select(mandate).where(mandate.c.deposit_id.in_(list(deposit_ids)))
    return _all(connection.execute(its.order_by(mandate.c.id.desc())))


def held_by_watch(connection: Connection) -> list[Mandate]:
    """Return the mandates that the bank's watch has stopped and nobody has released, the oldest first."""
    its = select(mandate).where(
        mandate.c.state == MandateState.SUSPENDED.value, mandate.c.stops.contains(Who.WATCH.value)
    )
    return _all(connection.execute(its.order_by(mandate.c.id)))


def by_stop_code(connection: Connection, keyring: Keyring, typed: str) -> Mandate | None:
    """Return the mandate that a stop code is for, however it was typed; None where it is for none."""
    plain = "".join(letter for letter in typed.upper() if letter in _STOP_LETTERS)
    if len(plain) != _STOP_GROUPS * _STOP_GROUP:
        return None
    return _one(connection, mandate.c.stop_digest == _stop_digest(keyring, plain))


def moves_of(connection: Connection, mandate_id: str) -> list[Move]:
    """Return every move of a mandate, the first one first."""
    its = select(
        *(mandate_move.c[name] for name in Move._fields),
    ).where(mandate_move.c.mandate_id == mandate_id)
    return [Move(*row) for row in connection.execute(its.order_by(mandate_move.c.number))]


def move(connection: Connection, bank: BankParts, one: Mandate, doing: Doing) -> Mandate | None:
    """Do something to a mandate and write it down; None, and nothing written, where it changes nothing."""
    # A debit that is being booked sees the mandate either before or after this, never in between.
    take_turn(connection)
    current = found(connection, one.id)
    standing = after(current.standing, doing.deed, doing.by.who)
    return None if standing is None else _write(connection, bank, current, standing, (doing.by, doing.why))


def revoke_within(connection: Connection, bank: BankParts, mandate_id: str, by: Actor, why: str) -> bool:
    """End a mandate for good, and tell whether that changed anything. Raises MandateUnknown."""
    one = found(connection, mandate_id)
    return move(connection, bank, one, Doing(Deed.REVOKE, by, why)) is not None


def stop_code(keyring: Keyring, mandate_id: str) -> str:
    """Return the code that stops a mandate without logging in: twelve consonants, which spell nothing.

    It is derived from the mandate's id and the institution's key, so that each notice can name it and nobody
    keeps it. It stops, and does nothing else.
    """
    number = int.from_bytes(keyring.digest(mandate_id, context="mandate:stop"))
    letters = []
    for _ in range(_STOP_GROUPS * _STOP_GROUP):
        number, letter = divmod(number, len(_STOP_LETTERS))
        letters.append(_STOP_LETTERS[letter])
    plain = "".join(letters)
    return "-".join(plain[start : start + _STOP_GROUP] for start in range(0, len(plain), _STOP_GROUP))


def record_first_debit(connection: Connection, mandate_id: str, at_us: int) -> None:
    """Write down when a mandate was debited for the first time."""
    its = update(mandate).where(mandate.c.id == mandate_id, mandate.c.first_debit_at_us.is_(None))
    connection.execute(its.values(first_debit_at_us=at_us))


def _request(connection: Connection, bank: BankParts, consented: Consented) -> Mandate:
    mandate_id, now_us = MANDATE.new(bank.clock, bank.chance), bank.clock.now_us()
    plain = stop_code(bank.keyring, mandate_id).replace("-", "")
    made = Mandate(
        id=mandate_id,
        partner=consented.partner,
        origin=consented.origin,
        deposit_id=consented.deposit_id,
        user_ref=consented.user_ref,
        actions=",".join(sorted(set(consented.actions))),
        ceiling_yen=consented.ceiling.amount,
        month_ceiling_yen=consented.month_ceiling.amount,
        way=consented.way,
        state=MandateState.REQUESTED,
        stops="",
        moves=0,
        stop_digest=_stop_digest(bank.keyring, plain),
        requested_at_us=now_us,
    )
    connection.execute(insert(mandate), msgspec.structs.asdict(made))
    return _write(connection, bank, made, made.standing, (Actor(Who.PARTNER, consented.partner), "requested"))


def _moved(connection: Connection, bank: BankParts, one: Mandate, doing: Doing) -> Mandate:
    standing = after(one.standing, doing.deed, doing.by.who)
    assert standing is not None  # noqa: S101 - a new mandate goes exactly this way
    return _write(connection, bank, one, standing, (doing.by, doing.why))


def _write(
    connection: Connection, bank: BankParts, one: Mandate, standing: Standing, reason: tuple[Actor, str]
) -> Mandate:
    now_us, number, (by, why) = bank.clock.now_us(), one.moves + 1, reason
    became = one.active_from_us or (now_us if standing.state is MandateState.ACTIVE else None)
    changed = msgspec.structs.replace(
        one,
        state=standing.state,
        stops=",".join(sorted(standing.stops)),
        moves=number,
        active_from_us=became,
    )
    values = {"state": changed.state, "stops": changed.stops, "moves": number, "active_from_us": became}
    connection.execute(update(mandate).where(mandate.c.id == one.id).values(values))
    before = "" if number == 1 else one.state.value
    row = Move(number, now_us, before, standing.state.value, str(by), why)
    connection.execute(insert(mandate_move), {"mandate_id": one.id, **row._asdict()})
    body = msgspec.json.encode({"partner": one.partner, "by": by.who, "why": why, "stops": changed.stops})
    event = outbox.Entry(f"bank:mandate:{standing.state}", f"{one.id}:{number}", now_us, body)
    outbox.append(connection, [event])
    return changed


def _stop_digest(keyring: Keyring, plain: str) -> bytes:
    return keyring.digest(plain, context="mandate:stop_code")


def _one(connection: Connection, condition: object) -> Mandate | None:
    rows = _all(connection.execute(select(mandate).where(condition)))  # type: ignore[arg-type]  # a column's comparison
    return rows[0] if rows else None


def _all(rows: Iterable[Row[tuple[object, ...]]]) -> list[Mandate]:
    return [msgspec.convert(row, Mandate, from_attributes=True) for row in rows]
