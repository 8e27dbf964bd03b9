"""Whether the store takes writes at present: asked again and again, so that nobody waits for the answer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import Connection

from sekisho.kernel.posture import OperationalError

if TYPE_CHECKING:
    from sekisho.storage.engine import Store

log = structlog.get_logger(__name__)

EVERY_S = 5.0
ANSWER_S_MAX = 5.0


class StoreHealth:
    """Knows whether the store's writer answered when it was asked last; `is_up` until the first time."""

    def __init__(self, store: "Store") -> None:
        self.is_up = True
        self._store = store

    async def look(self, *, answer_s_max: float = ANSWER_S_MAX) -> None:
        """Ask the store's writer for a transaction that changes nothing."""
        was_up = self.is_up
        try:
            await asyncio.wait_for(asyncio.wrap_future(self._store.write(_nothing)), answer_s_max)
            self.is_up = True
        except (OperationalError, TimeoutError) as outage:
            self.is_up = False
            if was_up:
                log.warning("store:health:down", outage=repr(outage))
        if self.is_up and not was_up:
            log.warning("store:health:up")

    @asynccontextmanager
    async def watching(self, *, every_s: float = EVERY_S) -> AsyncIterator[None]:
        """Look every so many seconds while the block runs."""
        task = asyncio.ensure_future(self._look_again_and_again(every_s))
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _look_again_and_again(self, every_s: float) -> None:
        while True:
            await self.look()
            await asyncio.sleep(every_s)


def _nothing(connection: Connection) -> None:
    connection.exec_driver_sql("SELECT 1").scalar_one()
