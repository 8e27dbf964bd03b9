"""What members did in the last days, as far as a switch could have met it: from the outbox and from history.

A room that has uses which pass no gate of the guard gives them through the same protocol.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection, select

from sekisho.identity.institution import Parts
from sekisho.response.functions import functions
from sekisho.response.switches import Usage
from sekisho.storage.attempts import DECIDED, AttemptDecided, event_of
from sekisho.storage.history.parquet import HistoryFolder
from sekisho.storage.outbox import StoredEntry
from sekisho.storage.tables.outbox import outbox
from sekisho.storage.tables.sessions import device, session

SESSIONS_AT_ONCE = 400


class PastUse(NamedTuple):
    """One use of a function: of which gate or by which name, when, by whom, with how much money.

    `names` are the functions that it may have been, for one gate serves several. `key` is the attempt's id
    where it passed a gate: a room that gives the same key knows better what it was.
    """

    key: str
    at_us: int
    usage: Usage
    names: tuple[str, ...]
    amount_yen: int = 0


class PastUses(Protocol):
    """Whoever knows of uses in the past."""

    def since(self, connection: Connection, from_us: int) -> Iterable[PastUse]:
        """Return the uses since a time, in any order, each once."""
        ...


class AttemptHistory:
    """The uses that passed a gate: the attempts in the outbox, and those that were moved to history."""

    def __init__(self, parts: Parts, folder: Path | None) -> None:
        self._parts = parts
        self._folder = folder

    def since(self, connection: Connection, from_us: int) -> Iterable[PastUse]:
        """Return the attempts of members at the gates of functions since a time, each once."""
        found = {use.key: use for use in self._from_history(from_us)}
        found |= {use.key: use for use in _from_outbox(connection, from_us)}
        return with_sessions(connection, list(found.values()))

    def _from_history(self, from_us: int) -> Iterator[PastUse]:
        if self._folder is None or not self._folder.is_dir():
            return
        table = HistoryFolder(self._folder).attempts_between(from_us, self._parts.clock.now_us() + 1)
        wanted = ("attempt_id", "time_us", "gate", "member", "client", "session", "amount_yen", "known")
        passed = pc.is_in(table["gate"], value_set=pa.array(list(_NAMES), pa.string()))
        for row in table.select(list(wanted)).filter(passed).to_pylist():
            if row["known"] is not False:
                usage = Usage("", row["member"], row["client"] or "", session_id=row["session"] or "")
                amount = row["amount_yen"] or 0
                yield PastUse(row["attempt_id"], row["time_us"], usage, _NAMES[row["gate"]], amount)


def _from_outbox(connection: Connection, from_us: int) -> Iterator[PastUse]:
    decided = select(outbox).where(outbox.c.kind == DECIDED, outbox.c.at_us >= from_us)
    for row in connection.execute(decided.order_by(outbox.c.position)):
        try:
            event = event_of(StoredEntry(*row))
        except msgspec.DecodeError:
            continue  # what cannot be read is evidence, and no use of anything
        if not isinstance(event, AttemptDecided):
            continue
        made = event.attempt
        if made.gate in _NAMES and made.known is not False:
            usage = Usage("", made.member, made.client, session_id=made.session)
            yield PastUse(event.attempt_id, made.time_us, usage, _NAMES[made.gate], made.amount_yen or 0)


def _names_by_gate() -> dict[str, tuple[str, ...]]:
    gates = {gate for function in functions().values() for gate in function.gates}
    return {
        gate: tuple(name for name, function in functions().items() if gate in function.gates)
        for gate in gates
    }


_NAMES = _names_by_gate()


def with_sessions(connection: Connection, uses: list[PastUse]) -> Iterator[PastUse]:
    """Return uses with the risk of their sessions and the age of their devices, as far as these are known."""
    ids = sorted({use.usage.session_id for use in uses} - {""})
    known: dict[str, tuple[float, int]] = {}
    joined = session.join(device, device.c.id == session.c.device_id)
    for start in range(0, len(ids), SESSIONS_AT_ONCE):
        some = ids[start : start + SESSIONS_AT_ONCE]
        found = select(session.c.id, session.c.risk, device.c.first_seen_us).select_from(joined)
        rows = connection.execute(found.where(session.c.id.in_(some)))
        known |= {row.id: (row.risk, row.first_seen_us) for row in rows}
    for use in uses:
        risk, since_us = known.get(use.usage.session_id, (None, None))
        yield use._replace(usage=use.usage._replace(risk=risk, device_since_us=since_us))
