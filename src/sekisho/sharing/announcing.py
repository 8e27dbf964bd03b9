"""What of our own happenings partners hear of: a policy table, read against the outbox.

Whatever freezes, contains or disowns need not know of partners. The outbox is followed from where it was
left, and each entry is announced in the unit of work that moves on: nothing is told twice, or never.
"""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from sekisho.identity.institution import Parts
from sekisho.kernel.clock import SECOND_US
from sekisho.kernel.ids import MEMBER as MEMBER_IDS
from sekisho.sharing import outbox_cursors
from sekisho.sharing.agreed_subjects import MEMBER, About
from sekisho.sharing.announcements import Announcement, announce_within
from sekisho.sharing.deeds import was_made_by_signal
from sekisho.sharing.events import BY_SHORT_NAME, KINDS, Event, EventUnreadable, read_event
from sekisho.sharing.openid_names import (
    LOGIN_COMPLETED,
    SESSION_OPENED,
    learn_federated_session,
    learn_login,
)
from sekisho.storage.outbox import StoredEntry, last_position
from sekisho.storage.tables.members import password
from sekisho.storage.tables.outbox import outbox
from sekisho.storage.tables.protections import hold
from sekisho.storage.tables.sessions import device, session, sign_in

DEFAULT = Path(__file__).with_name("announcing.toml")
CURSOR = "announcing"
AT_ONCE = 200
TXN_OCTETS = 12

Learner = Callable[[Connection, Parts, StoredEntry], None]
"""Learns from a happening by which names a partner knows something of ours."""

LEARNERS: dict[str, Learner] = {LOGIN_COMPLETED: learn_login, SESSION_OPENED: learn_federated_session}

_OWNERS = {"ses": session, "dev": device, "hld": hold, "sin": sign_in}


class BadAnnouncingTable(ValueError):  # noqa: N818 - named like a refusal, for it is one to the operator
    """The table of announcements cannot be used; the text says where and why."""


class Said(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An event by its short name, and what it says."""

    type: str
    say: dict[str, Any] = {}


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line of the table: the happening, what must be known of it or must not, and what partners hear.

    `about` is the kind of what it is about; of what is no member, the happening's subject begins with the id.
    """

    happening: str
    about: str = MEMBER
    when: dict[str, list[str]] = {}
    unless: dict[str, list[str]] = {}
    event: tuple[Said, ...]


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    rule: tuple[Rule, ...]


def parse_table(text: str) -> tuple[Rule, ...]:
    """Read the table from TOML. Raises BadAnnouncingTable."""
    try:
        rules = msgspec.toml.decode(text, type=_Table).rule
    except msgspec.DecodeError as error:
        raise BadAnnouncingTable(str(error)) from error
    for rule in rules:
        for said in rule.event:
            try:
                _event(said, 0)
            except (KeyError, EventUnreadable) as error:
                raise BadAnnouncingTable(f"{rule.happening}: {said.type}: {error}") from error
    return rules


def load_table(path: Path = DEFAULT) -> tuple[Rule, ...]:
    """Read the table from a file. Raises BadAnnouncingTable with the file's name."""
    try:
        return parse_table(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, BadAnnouncingTable) as error:
        raise BadAnnouncingTable(f"{path}: {error}") from error


class Announcer:
    """Follows the outbox of one institution."""

    def __init__(
        self, parts: Parts, rules: tuple[Rule, ...], learners: Mapping[str, Learner] | None = None
    ) -> None:
        self._parts = parts
        self._rules = rules
        self._learners = {**LEARNERS, **(learners or {})}
        self._kinds = {rule.happening for rule in rules} | self._learners.keys()

    def begin(self) -> None:
        """Begin with what happens from now on, where it was not begun before. Raises OperationalError."""
        self._parts.store.write(lambda connection: outbox_cursors.begin(connection, CURSOR)).result()

    async def catch_up(self) -> int:
        """Announce what happened since the last time; return to how many partners something was queued.

        Raises OperationalError.
        """
        queued = 0
        while found := await self._parts.read(self._new):
            entries, upto = found
            queued += await self._parts.written(partial(self._announce, entries, upto))
        return queued

    def _new(self, connection: Connection) -> tuple[list[StoredEntry], int] | None:
        position = outbox_cursors.position(connection, CURSOR)
        newest = last_position(connection)
        if newest <= position:
            return None
        after = (
            select(outbox)
            .where(outbox.c.position > position, outbox.c.position <= newest, outbox.c.kind.in_(self._kinds))
            .order_by(outbox.c.position)
            .limit(AT_ONCE)
        )
        entries = [StoredEntry(*row) for row in connection.execute(after)]
        return entries, entries[-1].position if len(entries) == AT_ONCE else newest

    def _announce(self, entries: list[StoredEntry], upto: int, connection: Connection) -> int:
        # Another process may have announced these meanwhile.
        before = outbox_cursors.position(connection, CURSOR, for_update=True)
        queued = sum(self._one(connection, entry) for entry in entries if entry.position > before)
        outbox_cursors.move(connection, CURSOR, max(before, upto))
        return queued

    def _one(self, connection: Connection, entry: StoredEntry) -> int:
        if entry.kind in self._learners:
            self._learners[entry.kind](connection, self._parts, entry)
        rules = [rule for rule in self._rules if rule.happening == entry.kind]
        facts = _said(entry) if rules else {}
        about = _about(connection, entry, facts, rules[0].about) if rules else None
        if about is None or was_made_by_signal(connection, about, entry.at_us):
            return 0
        facts |= _more_facts(connection, entry, about.id)
        txn = self._parts.keyring.digest(f"{entry.kind} {entry.subject}", context="signal:txn")
        return sum(
            announce_within(
                connection,
                self._parts,
                Announcement(
                    event=_event(said, entry.at_us // SECOND_US),
                    about=about,
                    txn=txn[:TXN_OCTETS].hex(),
                ),
            )
            for rule in rules
            if _meets(rule, facts)
            for said in rule.event
        )


def _meets(rule: Rule, facts: dict[str, str]) -> bool:
    return all(facts.get(name, "") in values for name, values in rule.when.items()) and not any(
        facts.get(name, "") in values for name, values in rule.unless.items()
    )


def _event(said: Said, at_s: int) -> Event:
    event_type = BY_SHORT_NAME[said.type]
    timed = any(field.encode_name == "event_timestamp" for field in msgspec.structs.fields(KINDS[event_type]))
    event = read_event(event_type, {**said.say, **({"event_timestamp": at_s} if timed else {})})
    if event is None:
        raise KeyError(said.type)
    return event


def _about(connection: Connection, entry: StoredEntry, facts: dict[str, str], kind: str) -> About | None:
    """Return what a happening is about: by its body, or by the id that its subject begins with."""
    subject = entry.subject.partition(":")[0]
    prefix = subject.partition("_")[0]
    if kind != MEMBER:
        return About(kind, subject)
    if "member_id" in facts or prefix == MEMBER_IDS.prefix:
        return About(MEMBER, facts.get("member_id", subject))
    table = _OWNERS.get(prefix)
    if table is None:
        return None
    owner = connection.execute(select(table.c.member_id).where(table.c.id == subject)).scalar_one_or_none()
    return None if owner is None else About(MEMBER, owner)


def _said(entry: StoredEntry) -> dict[str, str]:
    body = msgspec.json.decode(entry.body)
    return {name: value for name, value in body.items() if isinstance(value, str)}


def _more_facts(connection: Connection, entry: StoredEntry, member_id: str) -> dict[str, str]:
    """Return what the entry does not say of itself, as it stands now."""
    if entry.kind == "member:password:invalidated":
        why = select(password.c.invalidated_for).where(password.c.member_id == member_id)
        return {"invalidated_for": connection.execute(why).scalar_one_or_none() or ""}
    if entry.kind == "member:hold:lifted":
        kind = select(hold.c.kind).where(hold.c.id == entry.subject)
        return {"kind": connection.execute(kind).scalar_one_or_none() or ""}
    return {}
