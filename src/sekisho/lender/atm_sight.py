"""What a member's own pages show of the smartphone ATM: the PIN, what goes on here, what is not settled."""

from enum import StrEnum
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, select

from sekisho.identity.session_desk import Present
from sekisho.kernel.yen import Yen
from sekisho.lender.atm_order_states import OPEN, OrderState
from sekisho.lender.atm_pins import find_pin
from sekisho.lender.atm_sessions import AtmSession, SessionState
from sekisho.storage.tables.atm import atm_machine, atm_order, atm_session

NOT_SETTLED = frozenset({*OPEN, OrderState.DISPUTED})
"""The states of orders of which it is not known what was moved, or not agreed."""


class PinStanding(StrEnum):
    """Whether a member can type a PIN at a machine."""

    MISSING = "missing"
    SET = "set"

    LOCKED = "locked"
    """It was typed wrong too often; only setting it anew helps."""


class Unsettled(msgspec.Struct, frozen=True, kw_only=True):
    """An order of which it is not known yet what the machine moved, or that a person has to look at."""

    id: str
    direction: str
    amount_yen: int
    state: OrderState
    place: str
    made_at_us: int

    @property
    def amount(self) -> Yen:
        """What was asked for, without the fee."""
        return Yen(self.amount_yen)


class AtmSight(NamedTuple):
    """A member's PIN, the session that this very app session is in, and all that is not settled."""

    pin: PinStanding
    current: AtmSession | None
    unsettled: tuple[Unsettled, ...]


def atm_sight(connection: Connection, present: Present, now_us: int) -> AtmSight:
    """Return what the pages show of the smartphone ATM."""
    own = present.session
    return AtmSight(
        pin=_pin_standing(connection, own.member_id),
        current=_current(connection, own.id, now_us),
        unsettled=unsettled(connection, own.member_id, NOT_SETTLED),
    )


def _pin_standing(connection: Connection, member_id: str) -> PinStanding:
    pin = find_pin(connection, member_id)
    if pin is None:
        return PinStanding.MISSING
    return PinStanding.SET if pin.tries_left else PinStanding.LOCKED


def _current(connection: Connection, session_id: str, now_us: int) -> AtmSession | None:
    its = (
        select(atm_session)
        .where(
            atm_session.c.state.in_([SessionState.CLAIMED, SessionState.APPROVED]),
            atm_session.c.expires_at_us > now_us,
            atm_session.c.session_id == session_id,
        )
        .order_by(atm_session.c.claimed_at_us.desc())
        .limit(1)
    )
    row = connection.execute(its).mappings().one_or_none()
    return None if row is None else msgspec.convert(row, AtmSession)


def unsettled(connection: Connection, member_id: str, states: frozenset[OrderState]) -> tuple[Unsettled, ...]:
    """Return a member's orders that are in one of these states, the newest first."""
    columns = [atm_order.c[name] for name in Unsettled.__struct_fields__ if name != "place"]
    its = (
        select(*columns, atm_machine.c.place)
        .join(atm_machine, atm_machine.c.id == atm_order.c.machine_id)
        .where(atm_order.c.state.in_(sorted(states)), atm_order.c.member_id == member_id)
        .order_by(atm_order.c.made_at_us.desc(), atm_order.c.id)
    )
    return tuple(msgspec.convert(row, Unsettled) for row in connection.execute(its).mappings())
