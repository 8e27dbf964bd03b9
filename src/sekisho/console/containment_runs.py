"""Containments that run behind the pages: one task each; what a crash cut short, the next start takes up."""

import asyncio

import structlog

from sekisho.kernel.posture import OperationalError
from sekisho.response.containment import ContainmentDesk

log = structlog.get_logger(__name__)


class ContainmentRuns:
    """Runs containments of one institution, each once at a time."""

    def __init__(self, desk: ContainmentDesk) -> None:
        self._desk = desk
        self._running: dict[str, asyncio.Task[None]] = {}

    def run(self, containment_id: str) -> None:
        """Shut everybody who waits in a containment, behind the answer."""
        if not self.is_running(containment_id):
            task = asyncio.get_running_loop().create_task(self._run(containment_id))
            self._running[containment_id] = task

    def is_running(self, containment_id: str) -> bool:
        """Say whether accounts of a containment are being shut now."""
        task = self._running.get(containment_id)
        return task is not None and not task.done()

    async def quiet(self) -> None:
        """Return when nothing runs any more."""
        await asyncio.gather(*self._running.values())

    async def close(self) -> None:
        """Let go of what runs; it goes on at the next start."""
        for task in self._running.values():
            task.cancel()
        await asyncio.gather(*self._running.values(), return_exceptions=True)

    async def _run(self, containment_id: str) -> None:
        try:
            await self._desk.run(containment_id)
        except OperationalError as outage:
            log.warning("desks:containment:waits", containment=containment_id, failure=str(outage))
