"""What partners bear of paid claims, as it is kept: what was asked, came and was given up; and the sums.

Nothing is counted that can't be counted again: each sum is a query over rows that carry their times.
"""

from enum import StrEnum
from typing import NamedTuple

import msgspec
from sqlalchemy import BigInteger, Connection, Row, Select, cast, func, insert, select, text, update

from sekisho.identity.institution import Parts
from sekisho.kernel.ids import PARTNER_RECOVERY, PartnerReceiptId, PartnerRecoveryId
from sekisho.storage.tables.cases import claim, partner_receipt, partner_receipt_part, partner_recovery


class Way(StrEnum):
    """How a partner pays."""

    TRANSFER = "transfer"
    """Money came to our account; its number is the bank's own."""

    SET_OFF = "set_off"
    """It was set off against what we owe the partner; its number is that of the partner's agreement."""


class Recovery(msgspec.Struct, frozen=True, kw_only=True):
    """What of a paid claim a partner may bear. `came_yen` is booked, `waiting_yen` is entered only."""

    id: PartnerRecoveryId
    claim_id: str
    partner: str
    campaign: str
    paid_yen: int
    paid_at_us: int
    asked_yen: int
    asked_by: str
    asked_at_us: int | None
    ground: str
    given_up_yen: int
    given_up_by: str
    given_up_at_us: int | None
    given_up_why: str
    came_yen: int
    waiting_yen: int

    @property
    def open_yen(self) -> int:
        """What was asked, has not come, and was not given up."""
        return self.asked_yen - self.given_up_yen - self.came_yen

    @property
    def room_yen(self) -> int:
        """What of that nobody has entered as come."""
        return self.open_yen - self.waiting_yen


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """Money of a partner. It waits for a second person until it is booked or turned down."""

    id: PartnerReceiptId
    partner: str
    way: Way
    number: str
    yen: int
    came_on: str
    entered_by: str
    entered_at_us: int
    booked_by: str
    booked_at_us: int | None
    posting: str
    turned_down_by: str
    turned_down_at_us: int | None
    turned_down_why: str

    @property
    def waits(self) -> bool:
        """Whether it is neither booked nor turned down."""
        return self.booked_at_us is None and self.turned_down_at_us is None


class Part(NamedTuple):
    """What of a receipt counts for a claim, of which campaign."""

    recovery_id: PartnerRecoveryId
    claim_id: str
    campaign: str
    yen: int


class Sums(NamedTuple):
    """Sums as of a time, of one campaign and partner or of all together; amounts in yen."""

    campaign: str
    partner: str
    claims: int
    paid_yen: int
    asked_yen: int
    came_yen: int
    given_up_yen: int
    open_yen: int


class Summed(NamedTuple):
    """Sums by campaign and partner, those of all, and the queries that give exactly these."""

    rows: list[Sums]
    total: Sums
    query: str
    total_query: str


def begin(connection: Connection, parts: Parts, of: tuple[str, str, str], paid_yen: int) -> None:
    """Keep, once a claim, that a partner may bear what was paid just now: claim, partner, campaign."""
    claim_id, partner, campaign = of
    if of_claim(connection, claim_id) is not None:
        return
    connection.execute(
        insert(partner_recovery).values(
            id=PARTNER_RECOVERY.new(parts.clock, parts.chance),
            claim_id=claim_id,
            partner=partner,
            campaign=campaign,
            paid_yen=paid_yen,
            paid_at_us=parts.clock.now_us(),
            asked_yen=0,
            given_up_yen=0,
            **dict.fromkeys(("asked_by", "ground", "given_up_by", "given_up_why"), ""),
        )
    )


def of_claim(connection: Connection, claim_id: str) -> Recovery | None:
    """Return what a partner may bear of a claim."""
    row = connection.execute(_recoveries().where(partner_recovery.c.claim_id == claim_id)).one_or_none()
    return None if row is None else msgspec.convert(row, Recovery, from_attributes=True)


def of_partner(connection: Connection, partner: str, *, to_change: bool = False) -> list[Recovery]:
    """Return what a partner may bear, the oldest first."""
    if to_change:
        its = select(partner_recovery.c.id).where(partner_recovery.c.partner == partner)
        connection.execute(its.order_by(partner_recovery.c.id).with_for_update()).all()
    own = _recoveries().where(partner_recovery.c.partner == partner).order_by(partner_recovery.c.id)
    return [msgspec.convert(row, Recovery, from_attributes=True) for row in connection.execute(own)]


def change(connection: Connection, recovery_id: str, **values: object) -> None:
    """Change what is kept of a recovery."""
    its = update(partner_recovery).where(partner_recovery.c.id == recovery_id)
    connection.execute(its.values(values))


def receipt_of(connection: Connection, receipt_id: str, *, to_change: bool = False) -> Receipt | None:
    """Return a receipt by id."""
    its = select(partner_receipt).where(partner_receipt.c.id == receipt_id)
    row = connection.execute(its.with_for_update() if to_change else its).one_or_none()
    return None if row is None else _receipt(row)


def receipts(connection: Connection, *, partner: str = "", limit: int = 100) -> list[Receipt]:
    """Return receipts, those that wait first, then the newest; of one partner or of all."""
    found = select(partner_receipt)
    if partner:
        found = found.where(partner_receipt.c.partner == partner)
    done_at_us = func.coalesce(partner_receipt.c.booked_at_us, partner_receipt.c.turned_down_at_us)
    order = (done_at_us.is_not(None), partner_receipt.c.id.desc())
    return [_receipt(row) for row in connection.execute(found.order_by(*order).limit(limit))]


def parts_of(connection: Connection, receipt_id: str) -> list[Part]:
    """Return for which claims a receipt counts, the oldest first."""
    joined = partner_receipt_part.join(
        partner_recovery, partner_recovery.c.id == partner_receipt_part.c.recovery_id
    )
    columns = (partner_recovery.c.id, partner_recovery.c.claim_id, partner_recovery.c.campaign)
    its = select(*columns, partner_receipt_part.c.yen).select_from(joined)
    rows = its.where(partner_receipt_part.c.receipt_id == receipt_id).order_by(partner_recovery.c.id)
    return [Part(*row) for row in connection.execute(rows)]


def losses_of(connection: Connection, receipt_id: str) -> tuple[str, ...]:
    """Return the losses whose claims a receipt counts for, the oldest claim first."""
    joined = partner_receipt_part.join(
        partner_recovery, partner_recovery.c.id == partner_receipt_part.c.recovery_id
    ).join(claim, claim.c.id == partner_recovery.c.claim_id)
    its = select(claim.c.loss).select_from(joined).where(partner_receipt_part.c.receipt_id == receipt_id)
    return tuple(connection.execute(its.order_by(partner_recovery.c.id)).scalars())


def split(of: list[Recovery], yen: int, campaign: str | None) -> list[Part]:
    """Return how an amount counts for open claims, the oldest first: all of a claim before any of the next.

    With a campaign, only its own. What is more than they have room for is in no part.
    """
    found, left = [], yen
    for one in of:
        taken = min(left, one.room_yen)
        if taken > 0 and campaign in {None, one.campaign}:
            found.append(Part(one.id, one.claim_id, one.campaign, taken))
            left -= taken
    return found


_ONE = """\
WITH one AS (
  SELECT r.campaign, r.partner, r.paid_yen,
    CASE WHEN r.asked_at_us <= {as_of_us} THEN r.asked_yen ELSE 0 END AS asked_yen,
    CASE WHEN r.given_up_at_us <= {as_of_us} THEN r.given_up_yen ELSE 0 END AS given_up_yen,
    coalesce((SELECT sum(p.yen) FROM partner_receipt_part p JOIN partner_receipt t ON t.id = p.receipt_id
      WHERE p.recovery_id = r.id AND t.booked_at_us <= {as_of_us}), 0) AS came_yen
  FROM partner_recovery r
  WHERE r.paid_at_us <= {as_of_us} AND ({campaign} = '' OR r.campaign = {campaign})
    AND ({partner} = '' OR r.partner = {partner})
)
"""
_SUMS = """\
count(*) AS claims, coalesce(sum(paid_yen), 0) AS paid_yen, coalesce(sum(asked_yen), 0) AS asked_yen,
  coalesce(sum(came_yen), 0) AS came_yen, coalesce(sum(given_up_yen), 0) AS given_up_yen,
  coalesce(sum(asked_yen - came_yen - given_up_yen), 0) AS open_yen
FROM one"""
_BY = f"{_ONE}SELECT campaign, partner, {_SUMS}\nGROUP BY campaign, partner ORDER BY campaign, partner"
_ALL = f"{_ONE}SELECT {_SUMS}"


def summed(connection: Connection, *, as_of_us: int, campaign: str = "", partner: str = "") -> Summed:
    """Sum up as of a time what was paid, asked, came, was given up and is open; of one campaign, one partner.

    Empty means all of them.
    """
    values: dict[str, object] = {"as_of_us": as_of_us, "campaign": campaign, "partner": partner}
    marks = {name: f":{name}" for name in values}
    rows = [
        Sums(row.campaign, row.partner, *map(int, row[2:]))
        for row in connection.execute(text(_BY.format(**marks)), values)
    ]
    total = connection.execute(text(_ALL.format(**marks)), values).one()
    said = {name: _literal(value) for name, value in values.items()}
    return Summed(rows, Sums(campaign, partner, *map(int, total)), _BY.format(**said), _ALL.format(**said))


def _literal(value: object) -> str:
    quoted = str(value).replace("'", "''")
    return quoted if isinstance(value, int) else f"'{quoted}'"


def _recoveries() -> Select[tuple[object, ...]]:
    def counted(*, booked: bool) -> Select[int]:
        joined = partner_receipt_part.join(
            partner_receipt, partner_receipt.c.id == partner_receipt_part.c.receipt_id
        )
        # A sum of big integers is a decimal on PostgreSQL.
        yen = cast(func.coalesce(func.sum(partner_receipt_part.c.yen), 0), BigInteger)
        total = select(yen).select_from(joined)
        is_booked = partner_receipt.c.booked_at_us.is_not(None)
        which = is_booked if booked else ~is_booked & partner_receipt.c.turned_down_at_us.is_(None)
        return total.where(partner_receipt_part.c.recovery_id == partner_recovery.c.id, which)

    came, waiting = counted(booked=True), counted(booked=False)
    return select(
        partner_recovery,
        came.scalar_subquery().label("came_yen"),
        waiting.scalar_subquery().label("waiting_yen"),
    )


def _receipt(row: Row[tuple[object, ...]]) -> Receipt:
    return msgspec.convert(row, Receipt, from_attributes=True)
