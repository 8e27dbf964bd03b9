"""Containments in the store: who is in which, where each stands, and what was done to whom."""

import hashlib
from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    exists,
    func,
    insert,
    literal_column,
    select,
    tuple_,
    update,
)

from sekisho.kernel.ids import CaseId, ContainmentId, HoldId, MemberId
from sekisho.messages.queue import insert_once
from sekisho.response.cohorts import Suspect
from sekisho.storage.tables.cases import contained_member, containment
from sekisho.storage.tables.sessions import session

READ_AT_ONCE = 5_000


class Standing(StrEnum):
    """Where somebody of a cohort stands."""

    PROPOSED = "proposed"
    """Staff decides: the probability is between the lines, or too many were to be shut at once."""

    WAITING = "waiting"
    """To be shut, next."""

    DONE = "done"
    """Shut and told."""

    BELOW = "below"
    """Too improbable to be touched."""

    UNKNOWN = "unknown"
    """We have no open account of that name."""

    FAILED = "failed"
    """Something of this account is broken, and somebody has to look."""

    TURNED_DOWN = "turned_down"
    """Staff decided against it."""

    UNDONE = "undone"
    """It was the member, and what was done is taken back."""


class Policy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the lines are; see containment.toml."""

    revision: int
    automatic_from: float
    proposed_from: float
    automatic_members_max: int


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What was done to one account. `told_by` are the channels by which its member hears of it.

    `key_sent` says that a letter goes home with the key for a new password: there is no passkey.
    """

    sessions: int = 0
    devices: int = 0
    passkeys: int = 0
    codes: int = 0
    had_password: bool = False
    told_by: tuple[str, ...] = ()
    key_sent: bool = False
    note: str = ""


class Containment(NamedTuple):
    """One containment: of which campaign, under which policy, begun and approved by whom."""

    id: ContainmentId
    campaign: str
    policy: Policy
    begun_by: str
    begun_at_us: int
    approved_by: str
    approved_at_us: int | None


class Contained(NamedTuple):
    """One of a cohort: how it is named, who that is (empty: nobody), and where they stand."""

    containment_id: ContainmentId
    named: str
    member_id: MemberId
    probability: float
    entered_at_us: int
    standing: Standing
    at_us: int
    by: str
    hold_id: HoldId
    case_id: CaseId
    outcome: Outcome


class Crowd(NamedTuple):
    """Those of a cohort who wait for a second person: how many, and one digest of exactly who."""

    size: int
    digest: str


class Rank(NamedTuple):
    """Where somebody stands in the order of a list: the likeliest come first; of these, the last by name."""

    probability: float
    named: str


def add(connection: Connection, new: Containment) -> None:
    """Write a containment."""
    connection.execute(insert(containment), new._asdict() | {"policy": msgspec.json.encode(new.policy)})


def find(connection: Connection, containment_id: str, *, to_change: bool = False) -> Containment | None:
    """Return a containment by id; `to_change` lets nobody else in until this work is over."""
    found = select(containment).where(containment.c.id == containment_id)
    return _one(connection, found.with_for_update() if to_change else found)


def of_campaign(connection: Connection, campaign: str) -> Containment | None:
    """Return the containment of a campaign; there is one at most."""
    return _one(connection, select(containment).where(containment.c.campaign == campaign))


def newest(connection: Connection, count: int) -> list[Containment]:
    """Return the newest containments."""
    rows = connection.execute(select(containment).order_by(containment.c.id.desc()).limit(count))
    return [_containment(row) for row in rows]


def approve(connection: Connection, containment_id: str, *, by: str, at_us: int) -> None:
    """Keep who let it go on, and when."""
    approved = update(containment).where(containment.c.id == containment_id)
    connection.execute(approved.values(approved_by=by, approved_at_us=at_us))


def add_member(
    connection: Connection, containment_id: ContainmentId, one: Suspect, standing: Standing, at_us: int
) -> bool:
    """Put somebody into a containment and tell whether they are new in it."""
    values = {
        "containment_id": containment_id,
        "named": one.named,
        "member_id": "",
        "probability": one.probability,
        "entered_at_us": one.entered_at_us,
        "standing": standing.value,
        "at_us": at_us,
        "by": "",
        "hold_id": "",
        "case_id": "",
        "outcome": msgspec.json.encode(Outcome()),
    }
    return insert_once(connection, contained_member, values)


def names_in(connection: Connection, containment_id: str) -> set[str]:
    """Return the names of everybody in a containment."""
    named = select(contained_member.c.named).where(contained_member.c.containment_id == containment_id)
    return set(connection.execute(named).scalars())


def shut_alone(connection: Connection, containment_id: str, probability_from: float) -> int:
    """Return how many are shut, or wait to be, at least so probable and without anybody's decision."""
    alone = select(func.count()).where(
        contained_member.c.containment_id == containment_id,
        contained_member.c.standing.in_((Standing.WAITING.value, Standing.DONE.value)),
        contained_member.c.probability >= probability_from,
        contained_member.c.by == "",
    )
    return int(connection.execute(alone).scalar_one())


def raise_to_waiting(connection: Connection, containment_id: str, probability_from: float, *, by: str) -> int:
    """Let those who are proposed and at least so probable be shut, and return how many that are."""
    proposed = update(contained_member).where(
        contained_member.c.containment_id == containment_id,
        contained_member.c.standing == Standing.PROPOSED.value,
        contained_member.c.probability >= probability_from,
    )
    return connection.execute(proposed.values(standing=Standing.WAITING.value, by=by)).rowcount


def member(
    connection: Connection, containment_id: str, named: str, *, to_change: bool = False
) -> Contained | None:
    """Return somebody of a containment by the name of the list, or by member id."""
    its = select(contained_member).where(contained_member.c.containment_id == containment_id)
    # One after the other: asked for both at once, SQLite looks at everybody of the containment.
    for same in (contained_member.c.named == named, contained_member.c.member_id == named):
        found = its.where(same).limit(1)
        row = connection.execute(found.with_for_update() if to_change else found).first()
        if row is not None:
            return _contained(row)
    return None


def is_done(connection: Connection, containment_id: str, member_id: str) -> bool:
    """Say whether a member was shut in a containment, under whichever name."""
    done = select(contained_member.c.named).where(
        contained_member.c.containment_id == containment_id,
        contained_member.c.member_id == member_id,
        contained_member.c.standing.in_((Standing.DONE.value, Standing.UNDONE.value)),
    )
    return connection.execute(done).first() is not None


def next_waiting(connection: Connection, containment_id: str, limit: int) -> list[Contained]:
    """Return the likeliest who wait."""
    waiting = _ranked(containment_id, Standing.WAITING).limit(limit)
    return [_contained(row) for row in connection.execute(waiting)]


def not_contained(connection: Connection, campaigns: Iterable[str], risk_from: float) -> dict[str, int]:
    """Return by campaign how many were logged in as at such a risk who are not in its containment."""
    of = contained_member.join(containment, containment.c.id == contained_member.c.containment_id)
    # Two questions, as above.
    named, known = (
        exists()
        .select_from(of)
        .where(containment.c.campaign == session.c.campaign, column == session.c.member_id)
        for column in (contained_member.c.named, contained_member.c.member_id)
    )
    members = select(session.c.campaign, func.count(session.c.member_id.distinct())).where(
        session.c.campaign.in_(list(campaigns)),
        session.c.campaign != literal_column("''"),
        session.c.risk >= risk_from,
        ~named,
        ~known,
    )
    return {row[0]: int(row[1]) for row in connection.execute(members.group_by(session.c.campaign))}


def to_decide(connection: Connection) -> list[tuple[Containment, int, int]]:
    """Return the containments that wait for a person: how many are proposed, and how many failed."""
    waits = (Standing.PROPOSED.value, Standing.FAILED.value)
    grouped = (
        select(contained_member.c.containment_id, contained_member.c.standing, func.count())
        .where(contained_member.c.standing.in_(waits))
        .group_by(contained_member.c.containment_id, contained_member.c.standing)
    )
    found: dict[str, dict[str, int]] = {}
    for containment_id, standing, members in connection.execute(grouped):
        found.setdefault(containment_id, {})[standing] = members
    rows = connection.execute(
        select(containment).where(containment.c.id.in_(found)).order_by(containment.c.id)
    )
    return [
        (_containment(row), found[row.id].get(waits[0], 0), found[row.id].get(waits[1], 0)) for row in rows
    ]


def crowd_size(connection: Connection, containment_id: str, probability_from: float) -> int:
    """Return how many are proposed and at least so probable."""
    waiting = select(func.count()).select_from(contained_member)
    return int(connection.execute(waiting.where(*_waiting(containment_id, probability_from))).scalar_one())


def crowd(connection: Connection, containment_id: str, probability_from: float) -> Crowd:
    """Read everybody who is proposed and at least so probable in one pass, for a digest of who they are."""
    each = select(contained_member.c.named, contained_member.c.entered_at_us, contained_member.c.probability)
    waiting = each.where(*_waiting(containment_id, probability_from)).order_by(contained_member.c.named)
    size, digest = 0, hashlib.sha256()
    for some in connection.execute(waiting).partitions(READ_AT_ONCE):
        size += len(some)
        digest.update(msgspec.json.encode([tuple(row) for row in some]))
    return Crowd(size, digest.hexdigest())


def listed(
    connection: Connection, containment_id: str, standing: Standing, *, after: Rank | None, limit: int
) -> list[Contained]:
    """Return some who stand somewhere, the likeliest first, from behind a rank on."""
    found = _ranked(containment_id, standing)
    if after is not None:
        rank = tuple_(contained_member.c.probability, contained_member.c.named)
        found = found.where(rank < tuple_(after.probability, after.named))
    return [_contained(row) for row in connection.execute(found.limit(limit))]


def members_of(connection: Connection, containment_id: str) -> list[Contained]:
    """Return the whole cohort, the likeliest first."""
    everybody = select(contained_member).where(contained_member.c.containment_id == containment_id)
    ordered = everybody.order_by(contained_member.c.probability.desc(), contained_member.c.named)
    return [_contained(row) for row in connection.execute(ordered)]


def of_member(connection: Connection, member_id: str) -> list[Contained]:
    """Return every containment that a member is in."""
    own = select(contained_member).where(contained_member.c.member_id == member_id)
    return [_contained(row) for row in connection.execute(own.order_by(contained_member.c.at_us))]


def change(connection: Connection, of: Contained) -> None:
    """Write down where somebody stands now."""
    values = of._asdict() | {"standing": of.standing.value, "outcome": msgspec.json.encode(of.outcome)}
    same = (contained_member.c.containment_id == of.containment_id) & (contained_member.c.named == of.named)
    connection.execute(update(contained_member).where(same).values(values))


def unfinished(connection: Connection) -> list[ContainmentId]:
    """Return the containments in which somebody waits to be shut."""
    waiting = select(contained_member.c.containment_id).where(
        contained_member.c.standing == Standing.WAITING.value
    )
    return sorted(set(connection.execute(waiting.distinct()).scalars()))


def counts(connection: Connection, containment_ids: Iterable[str]) -> dict[str, dict[Standing, int]]:
    """Return for containments how many stand where."""
    ids = list(containment_ids)
    grouped = (
        select(contained_member.c.containment_id, contained_member.c.standing, func.count().label("members"))
        .where(contained_member.c.containment_id.in_(ids))
        .group_by(contained_member.c.containment_id, contained_member.c.standing)
    )
    found: dict[str, dict[Standing, int]] = {each: {} for each in ids}
    for row in connection.execute(grouped):
        found[row.containment_id][Standing(row.standing)] = row.members
    return found


def _ranked(containment_id: str, standing: Standing) -> Select[tuple[object, ...]]:
    # Both columns fall, so that the index gives the order: many are equally likely, and sorting them anew for
    # each few would take as long as all the rest.
    member = contained_member.c
    some = select(contained_member).where(
        member.containment_id == containment_id, member.standing == standing.value
    )
    return some.order_by(member.probability.desc(), member.named.desc())


def _waiting(containment_id: str, probability_from: float) -> tuple[ColumnElement[bool], ...]:
    member = contained_member.c
    return (
        member.containment_id == containment_id,
        member.standing == Standing.PROPOSED.value,
        member.probability >= probability_from,
    )


def _one(connection: Connection, found: Select[tuple[object, ...]]) -> Containment | None:
    row = connection.execute(found).one_or_none()
    return None if row is None else _containment(row)


def _containment(row: Row[tuple[object, ...]]) -> Containment:
    policy = msgspec.json.decode(row.policy, type=Policy)
    return Containment(
        ContainmentId(row.id),
        row.campaign,
        policy,
        row.begun_by,
        row.begun_at_us,
        row.approved_by,
        row.approved_at_us,
    )


def _contained(row: Row[tuple[object, ...]]) -> Contained:
    return Contained(
        ContainmentId(row.containment_id),
        row.named,
        MemberId(row.member_id),
        row.probability,
        row.entered_at_us,
        Standing(row.standing),
        row.at_us,
        row.by,
        HoldId(row.hold_id),
        CaseId(row.case_id),
        msgspec.json.decode(row.outcome, type=Outcome),
    )
