"""Switches in the store: who is named by them, what was done with them, and which can stop something."""

from collections.abc import Collection
from typing import NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, and_, func, insert, or_, select, update

from sekisho.kernel.ids import SwitchId
from sekisho.response import audit
from sekisho.response.audit import Act
from sekisho.response.switches import AppliesTo, Scope, Switch
from sekisho.storage import outbox
from sekisho.storage.tables.switches import switch, switch_deed, switch_member

CLOCK = "clock"
"""Who ends a switch whose time is over."""


class Deed(NamedTuple):
    """One thing that was done with a switch. `by` is a staff id, or CLOCK for what time brought."""

    switch_id: SwitchId
    deed: str
    by: str
    at_us: int
    note: str = ""


def add(connection: Connection, new: Switch, members: Collection[str]) -> None:
    """Write a switch and the members that it names."""
    told = {"told_ja": new.told.get("ja", ""), "told_en": new.told.get("en", "")}
    values = msgspec.structs.asdict(new) | msgspec.structs.asdict(new.scope) | told
    del values["scope"], values["told"]
    values["open_ways"] = " ".join(new.open_ways)
    connection.execute(insert(switch), values)
    if members:
        rows = [{"switch_id": new.id, "member_id": each} for each in sorted(set(members))]
        connection.execute(insert(switch_member), rows)


def find(connection: Connection, switch_id: str) -> Switch | None:
    """Return a switch by id."""
    row = connection.execute(select(switch).where(switch.c.id == switch_id)).one_or_none()
    return None if row is None else _of(row)


def open_ones(connection: Connection, now_us: int) -> list[Switch]:
    """Return those that are neither lifted nor past their time, the oldest first."""
    rows = connection.execute(select(switch).where(_is_open(now_us)).order_by(switch.c.id))
    return [_of(row) for row in rows]


def newest(connection: Connection, count: int) -> list[Switch]:
    """Return the newest switches, whatever became of them."""
    rows = connection.execute(select(switch).order_by(switch.c.id.desc()).limit(count))
    return [_of(row) for row in rows]


def set_between(connection: Connection, from_us: int, until_us: int, *, limit: int = 100) -> list[Switch]:
    """Return the switches that were set between two times, the oldest first."""
    within = select(switch).where(switch.c.set_at_us >= from_us, switch.c.set_at_us <= until_us)
    return [_of(row) for row in connection.execute(within.order_by(switch.c.id).limit(limit))]


def naming(connection: Connection, switch_ids: Collection[str], member_id: str) -> set[str]:
    """Return which of some switches name a member."""
    named = select(switch_member.c.switch_id).where(
        switch_member.c.member_id == member_id, switch_member.c.switch_id.in_(switch_ids)
    )
    return set(connection.execute(named).scalars())


def named_alone(connection: Connection, by: str, since_us: int) -> int:
    """Return how many members the switches name that somebody set alone since a time."""
    alone = select(func.coalesce(func.sum(switch.c.names_members), 0)).where(
        switch.c.set_by == by, switch.c.set_at_us > since_us, switch.c.is_wide.is_(False)
    )
    return int(connection.execute(alone).scalar_one())


def members_of(connection: Connection, switch_id: str) -> list[str]:
    """Return the members that a switch names."""
    named = select(switch_member.c.member_id).where(switch_member.c.switch_id == switch_id)
    return list(connection.execute(named.order_by(switch_member.c.member_id)).scalars())


def change(connection: Connection, switch_id: str, **values: object) -> None:
    """Fill in what was decided about a switch."""
    connection.execute(update(switch).where(switch.c.id == switch_id).values(values))


def write_down(connection: Connection, deed: Deed) -> None:
    """Keep what was done with a switch, in its log and as an event."""
    connection.execute(insert(switch_deed), deed._asdict())
    body = msgspec.json.encode({"by": deed.by, "note": deed.note})
    subject = f"{deed.switch_id}:{deed.at_us}"
    event = outbox.Entry(f"response:switch:{deed.deed}", subject, deed.at_us, body)
    outbox.append(connection, [event])
    if deed.by != CLOCK:
        act = Act(actor=deed.by, act=f"switch:{deed.deed}", subject=deed.switch_id, reason=deed.note)
        audit.record(connection, act, at_us=deed.at_us)


def deeds(connection: Connection, switch_id: str) -> list[Deed]:
    """Return what was done with a switch, in order."""
    columns = (
        switch_deed.c.switch_id,
        switch_deed.c.deed,
        switch_deed.c.by,
        switch_deed.c.at_us,
        switch_deed.c.note,
    )
    log = select(*columns).where(switch_deed.c.switch_id == switch_id).order_by(switch_deed.c.position)
    return [Deed(*row) for row in connection.execute(log)]


def ending_before(connection: Connection, now_us: int, before_us: int) -> list[Switch]:
    """Return those that end within a time and of whose end nobody was told yet."""
    # One that is over already is told as well: the process may have been down.
    ends = or_(
        switch.c.until_us < before_us,
        and_(switch.c.approved_at_us.is_(None), switch.c.is_wide, switch.c.urgent_until_us < before_us),
    )
    wanted = and_(switch.c.lifted_at_us.is_(None), switch.c.expiry_told_at_us.is_(None), ends)
    rows = connection.execute(select(switch).where(wanted, switch.c.set_at_us <= now_us))
    return [_of(row) for row in rows]


def _is_open(now_us: int) -> ColumnElement[bool]:
    return and_(switch.c.lifted_at_us.is_(None), or_(switch.c.until_us.is_(None), switch.c.until_us > now_us))


def _of(row: Row[tuple[object, ...]]) -> Switch:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it
    values["scope"] = Scope(
        **{name: values.pop(name) for name in Scope.__struct_fields__ if name != "applies_to"},
        applies_to=AppliesTo(values.pop("applies_to")),
    )
    values["told"] = {"ja": values.pop("told_ja"), "en": values.pop("told_en")}
    values["open_ways"] = tuple(str(values["open_ways"]).split())
    del values["expiry_told_at_us"]
    return Switch(**values)
