"""Tell partners from where we are attacked, while we are: read off the guard's own decisions.

A source is told where the guard was sure enough, in a campaign, that an attempt was hostile. Under a flood
not every attempt is looked at: the sources of an attack come again.
"""

from functools import partial
from typing import NamedTuple, TypeGuard

from sqlalchemy import Connection, select

from sekisho.identity.institution import Parts
from sekisho.sharing import outbox_cursors, partners
from sekisho.sharing.settings import SignalSettings
from sekisho.sharing.source_exchange import Source, sources_of, tell_within
from sekisho.storage.attempts import DECIDED, AttemptDecided, event_of
from sekisho.storage.outbox import StoredEntry, last_position
from sekisho.storage.tables.outbox import outbox

CURSOR = "sources"
AT_ONCE = 1_000
SURE = 0.9


class _Seen(NamedTuple):
    sources: dict[Source, None]
    upto: int


class SourceWatch:
    """Follows the decisions of one institution's guard."""

    def __init__(self, parts: Parts, settings: SignalSettings) -> None:
        self._parts = parts
        self._settings = settings

    def begin(self) -> None:
        """Begin with what is decided from now on. Raises OperationalError."""
        self._parts.store.write(lambda connection: outbox_cursors.begin(connection, CURSOR)).result()

    async def look(self) -> int:
        """Tell of what was decided since the last look, and return how many digests went out.

        Raises OperationalError.
        """
        seen = await self._parts.read(self._new)
        return 0 if seen is None else await self._parts.written(partial(self._tell, seen))

    def _new(self, connection: Connection) -> _Seen | None:
        position, newest = outbox_cursors.position(connection, CURSOR), last_position(connection)
        if newest <= position:
            return None
        if not partners.source_keys(connection, self._parts):
            return _Seen({}, newest)
        latest = (
            select(outbox)
            .where(outbox.c.position > position, outbox.c.position <= newest, outbox.c.kind == DECIDED)
            .order_by(outbox.c.position.desc())
            .limit(AT_ONCE)
        )
        decided = [event_of(StoredEntry(*row)) for row in connection.execute(latest)]
        hostile = [source for one in decided if _is_hostile(one) for source in sources_of(one.attempt)]
        return _Seen(dict.fromkeys(hostile), newest)

    def _tell(self, seen: _Seen, connection: Connection) -> int:
        # Another process may have looked meanwhile.
        before = outbox_cursors.position(connection, CURSOR, for_update=True)
        outbox_cursors.move(connection, CURSOR, max(before, seen.upto))
        if before >= seen.upto or not seen.sources:
            return 0
        return tell_within(connection, self._parts, self._settings, seen.sources)


def _is_hostile(event: object) -> TypeGuard[AttemptDecided]:
    return (
        isinstance(event, AttemptDecided)
        and bool(event.decision.campaign)
        and event.decision.probability >= SURE
    )
