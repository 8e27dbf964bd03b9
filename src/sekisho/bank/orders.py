"""What partners asked for under mandates: debits and credits, each once by its key, with its answer."""

import hashlib
from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, Row, func, select

from sekisho.bank import debit_statements
from sekisho.kernel import chain
from sekisho.kernel.clock import Clock
from sekisho.kernel.japan import in_japan
from sekisho.kernel.refusals import Refusal
from sekisho.kernel.yen import Yen
from sekisho.linking.zengin import DebitResult
from sekisho.storage import outbox
from sekisho.storage.tables.mandates import mandate_order


class KeyUsedOtherwise(Refusal):
    """The key was used before for something else. Nothing was booked."""

    code = "idempotency_key_reused"
    status = 422
    told = "This Idempotency-Key was used for another request."


class TooLate(Refusal):
    """It is later than the partner wanted it. Nothing was booked by the key, and nothing will be."""

    code = "too_late"
    status = 409
    told = "It is later than not_after. Nothing was booked, and nothing will be under this key."


class OrderUnknown(Refusal):
    """Nothing was ordered by this id or key under the asker's mandate."""

    code = "bank_order_unknown"
    status = 404
    told = "Nothing was ordered by this id or key."


class Direction(StrEnum):
    """Which way the money goes, seen from the depositor's account."""

    DEBIT = "debit"
    CREDIT = "credit"


class OrderState(StrEnum):
    """What came of an order. Both are final."""

    DONE = "done"
    """Booked."""

    REFUSED = "refused"
    """Nothing was booked, and nothing will be by this key."""


class Why(StrEnum):
    """What came of an order, in the order in which reasons are looked for. DONE is the last."""

    SWITCHED_OFF = "switched_off"
    """The bank has switched this off for the partner, for now."""

    NO_MANDATE = "no_mandate"
    """The mandate does not allow this, or was never active."""

    DEPOSITOR_STOPPED = "depositor_stopped"
    """The depositor stopped, ended or reported the mandate, or froze the account."""

    PARTNER_STOPPED = "partner_stopped"
    """The partner itself stopped or ended the mandate."""

    BANK_STOPPED = "bank_stopped"
    """The bank has stopped the mandate, or blocked the account."""

    NO_ACCOUNT = "no_account"
    """The account is closed."""

    ABOVE_CEILING = "above_ceiling"
    """More than the depositor agreed to for one debit."""

    ABOVE_MONTH_CEILING = "above_month_ceiling"
    """More than the depositor agreed to for a month."""

    HELD_FOR_REVIEW = "held_for_review"
    """The bank takes a look first: debits of new mandates look like fraud."""

    NO_FUNDS = "no_funds"
    """The account does not hold enough."""

    PARTNER_FUNDS = "partner_funds"
    """The partner owes the bank as much as it may."""

    DONE = "done"
    """Booked."""


ZENGIN = {
    Why.DONE: DebitResult.DONE,
    Why.NO_FUNDS: DebitResult.NO_FUNDS,
    Why.NO_ACCOUNT: DebitResult.NO_ACCOUNT,
    Why.DEPOSITOR_STOPPED: DebitResult.DEPOSITOR_STOPPED,
    Why.NO_MANDATE: DebitResult.NO_MANDATE,
    Why.PARTNER_STOPPED: DebitResult.COLLECTOR_STOPPED,
}
"""What a reason is in a file; what is not here is `OTHER`."""


class Asked(NamedTuple):
    """What a partner asks for. `text` is for the depositor's statement, in half-width characters.

    `not_after_us` is when the partner gives up: nothing new is booked by this key later than that.
    """

    partner: str
    mandate_id: str
    key: str
    amount: Yen
    reference: str
    text: str
    not_after_us: int | None = None

    @property
    def digest(self) -> bytes:
        """Return what tells two requests apart. A time to give up may be moved."""
        same = (self.mandate_id, self.amount.amount, self.reference, self.text)
        return hashlib.sha256(chain.canonical(same)).digest()


class Outcome(NamedTuple):
    """What came of an order. `is_first` says that it is the first debit under its mandate."""

    order_id: str
    why: Why
    transfer_id: str | None = None
    is_first: bool = False


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """An order with its answer."""

    id: str
    partner: str
    key: str
    request: bytes
    direction: Direction
    mandate_id: str
    deposit_id: str
    amount_yen: int
    reference: str
    text: str
    state: OrderState
    why: Why
    month: str
    is_first: bool
    transfer_id: str | None
    booked_at_us: int

    @property
    def amount(self) -> Yen:
        """Return the amount."""
        return Yen(self.amount_yen)

    @property
    def result(self) -> DebitResult:
        """Return the code that files have for what came of it."""
        return ZENGIN.get(self.why, DebitResult.OTHER)


def month_of(at_us: int) -> str:
    """Return the calendar month that it is in Japan, as `2026-11`."""
    return f"{in_japan(at_us):%Y-%m}"


def answered(connection: Connection, asked: Asked, direction: Direction, clock: Clock) -> Order | None:
    """Return what a key was answered before; None where it is new and still wanted.

    Raises KeyUsedOtherwise, and TooLate where it is new and no longer wanted.
    """
    before = by_key(connection, asked.partner, direction, asked.key)
    if before is not None and before.request != asked.digest:
        raise KeyUsedOtherwise(known=before.id)
    if before is None and asked.not_after_us is not None and clock.now_us() > asked.not_after_us:
        raise TooLate(known=str(asked.not_after_us))
    return before


def record(  # noqa: PLR0913 - what was asked for, from which account, and what came of it
    connection: Connection,
    asked: Asked,
    deposit_id: str,
    outcome: Outcome,
    *,
    direction: Direction,
    clock: Clock,
) -> Order:
    """Write an order down with its answer, as an event too: `bank:debit:done`, `bank:credit:refused`."""
    now_us = clock.now_us()
    order = Order(
        id=outcome.order_id,
        partner=asked.partner,
        key=asked.key,
        request=asked.digest,
        direction=direction,
        mandate_id=asked.mandate_id,
        deposit_id=deposit_id,
        amount_yen=asked.amount.amount,
        reference=asked.reference,
        text=asked.text,
        state=OrderState.DONE if outcome.why is Why.DONE else OrderState.REFUSED,
        why=outcome.why,
        month=month_of(now_us),
        is_first=outcome.is_first,
        transfer_id=outcome.transfer_id,
        booked_at_us=now_us,
    )
    debit_statements.insert_order(connection, msgspec.to_builtins(order, builtin_types=(bytes,)))
    told = {"partner": order.partner, "amount_yen": order.amount_yen, "why": order.why}
    kind = f"bank:{direction}:{order.state}"
    outbox.append(connection, [outbox.Entry(kind, order.id, now_us, msgspec.json.encode(told))])
    return order


def by_key(connection: Connection, partner: str, direction: Direction, key: str) -> Order | None:
    """Return what a partner ordered by a key."""
    fields = Order.__struct_fields__
    row = debit_statements.order_by_key(connection, fields, partner, direction.value, key)
    if row is None:
        return None
    values = dict(zip(fields, row, strict=True))
    # SQLite has no truth values of its own.
    return msgspec.convert(values | {"is_first": bool(values["is_first"])}, Order)


def find(connection: Connection, order_id: str) -> Order | None:
    """Return an order by id."""
    its = select(mandate_order).where(mandate_order.c.id == order_id)
    return next(iter(_all(connection.execute(its))), None)


def debited_in(connection: Connection, partner: str, deposit_id: str, month: str) -> Yen:
    """Return what a partner debited from an account in a month, under whichever mandate."""
    return Yen(debit_statements.debited_in(connection, partner, deposit_id, month))


def latest_of(connection: Connection, mandate_id: str, limit: int, *, since_us: int = 0) -> list[Order]:
    """Return what was ordered under a mandate, the latest first."""
    its = select(mandate_order).where(
        mandate_order.c.mandate_id == mandate_id, mandate_order.c.booked_at_us >= since_us
    )
    return _all(connection.execute(its.order_by(mandate_order.c.id.desc()).limit(limit)))


def of_partner(connection: Connection, partner: str, from_us: int, until_us: int) -> list[Order]:
    """Return what a partner ordered from one time up to, not including, another, the oldest first."""
    its = select(mandate_order).where(
        mandate_order.c.partner == partner,
        mandate_order.c.booked_at_us >= from_us,
        mandate_order.c.booked_at_us < until_us,
    )
    return _all(connection.execute(its.order_by(mandate_order.c.id)))


def first_debits_since(connection: Connection, partner: str, since_us: int, until_us: int) -> int:
    """Return how many mandates of a partner were debited for the first time between two times."""
    its = select(func.count()).where(
        mandate_order.c.partner == partner,
        mandate_order.c.booked_at_us >= since_us,
        mandate_order.c.booked_at_us < until_us,
        mandate_order.c.is_first.is_(True),
    )
    return int(connection.execute(its).scalar_one())


def _all(rows: Iterable[Row[tuple[object, ...]]]) -> list[Order]:
    return [msgspec.convert(row, Order, from_attributes=True) for row in rows]
