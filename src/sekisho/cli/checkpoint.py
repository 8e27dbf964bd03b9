"""A checkpoint as `serve` and `up` run it: a guard that remembers, a desk on record, the store's health."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from sekisho.cli.guard_options import GuardOptions
from sekisho.guard.attempts import Outcome
from sekisho.guard.devices import DeviceTokens
from sekisho.kernel.chance import Chance
from sekisho.kernel.clock import Clock
from sekisho.kernel.posture import Posture
from sekisho.storage.attempts import AttemptStore
from sekisho.storage.engine import Store
from sekisho.storage.health import StoreHealth
from sekisho.storage.keys import persistent_key
from sekisho.storage.memory.keeping import KeptMemory, remember
from sekisho.web.guard_api.desk import Assessed, GuardDesk

MEMORY = "guard.memory"
REOPENED_MAX = 20_000


class Checkpoint(NamedTuple):
    """The parts of a checkpoint. Serve its desk within `living`."""

    desk: GuardDesk
    memory: KeptMemory
    health: StoreHealth

    def is_ready(self) -> bool:
        """Say whether it may be sent traffic."""
        return self.health.is_up

    @asynccontextmanager
    async def living(self) -> AsyncIterator[None]:
        """Watch the store and put the guard's memory away from time to time, and once more at the end."""
        async with self.memory.saving(), self.health.watching():
            yield


def open_checkpoint(  # noqa: PLR0913 - the parts of a checkpoint, each named at the call
    store: Store,
    data: Path,
    on_outage: Posture,
    *,
    clock: Clock,
    chance: Chance,
    adding: GuardOptions,
) -> Checkpoint:
    """Open a checkpoint on a store and the keys and the memory in a folder.

    Call it before anything is moved from the store to history: the guard relives what is there. Raises
    KeyUnusable, OperationalError and OSError.
    """
    record = AttemptStore(store, clock=clock)
    key = persistent_key(data / "guard.key", chance)
    memory = remember(
        record,
        data / MEMORY,
        key=key,
        policy=adding.policy,
        shadows=adding.shadows,
        lists=adding.lists,
    )
    desk = GuardDesk(
        memory.guard,
        clock=clock,
        chance=chance,
        recorder=record,
        on_outage=on_outage,
        devices=DeviceTokens(persistent_key(data / "devices.key", chance)),
        geography=adding.geography,
    )
    _reopen(memory, desk, record)
    return Checkpoint(desk, memory, StoreHealth(store))


def _reopen(memory: KeptMemory, desk: GuardDesk, record: AttemptStore) -> None:
    """Let outcomes be told, and learnt, of what was decided before this process began."""
    for kept in reversed(record.recent(REOPENED_MAX)):
        decided = Assessed(
            attempt_id=kept.attempt_id, attempt=kept.attempt, decision=kept.decision, at_us=kept.at_us
        )
        desk.reopen(decided, kept.outcome, kept.challenge)
        if kept.outcome is Outcome.UNKNOWN:
            memory.guard.reopen(kept.attempt, kept.decision)
