"""Containments that run behind the pages, step by step; what a crash cut short, the next start takes up."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

import structlog

from sekisho.kernel.posture import OperationalError
from sekisho.response.cohorts import Suspect
from sekisho.response.containment import ContainmentDesk
from sekisho.response.containment_rows import Containment

log = structlog.get_logger(__name__)

Step = Callable[[], Awaitable[None]]


class Progress(NamedTuple):
    """How far a containment is: so many of so many, who are written down (`adding`) or shut."""

    adding: bool
    done: int
    of: int


class ContainmentRuns:
    """Runs containments of one institution, each once at a time."""

    def __init__(self, desk: ContainmentDesk) -> None:
        self._desk = desk
        self._last: dict[str, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._progress: dict[str, Progress] = {}

    def begin(self, begun: Containment, cohort: Sequence[Suspect]) -> None:
        """Write a cohort down and shut everybody who waits, behind the answer."""
        self._in_turn(begun.id, lambda: self._add(begun, cohort))
        self.run(begun.id)

    def run(self, containment_id: str) -> None:
        """Shut everybody who waits in a containment, behind the answer."""
        self._in_turn(containment_id, lambda: self._shut(containment_id))

    def is_running(self, containment_id: str) -> bool:
        """Say whether something is done in a containment now."""
        task = self._last.get(containment_id)
        return task is not None and not task.done()

    def progress(self, containment_id: str) -> Progress | None:
        """Return how far that is which is done in a containment now; None where nothing is."""
        return self._progress.get(containment_id) if self.is_running(containment_id) else None

    async def quiet(self) -> None:
        """Return when nothing runs any more."""
        await asyncio.gather(*self._tasks)

    async def close(self) -> None:
        """Let go of what runs; who waits is shut after the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _in_turn(self, containment_id: str, step: Step) -> None:
        """Do a step behind the one before it: what was decided while that one ended is not left out."""
        before = self._last.get(containment_id)

        async def after() -> None:
            if before is not None:
                await asyncio.wait({before})
            try:
                await step()
            except OperationalError as outage:
                log.warning("desks:containment:waits", containment=containment_id, failure=str(outage))

        task = asyncio.get_running_loop().create_task(after())
        self._last[containment_id] = task
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _add(self, begun: Containment, cohort: Sequence[Suspect]) -> None:
        told = self._teller(begun.id, adding=True, of=len(cohort))
        await self._desk.add(begun, cohort, progress=told)

    async def _shut(self, containment_id: str) -> None:
        told = self._teller(containment_id, adding=False, of=await self._desk.waiting(containment_id))
        await self._desk.run(containment_id, progress=told)

    def _teller(self, containment_id: str, *, adding: bool, of: int) -> Callable[[int], None]:
        self._progress[containment_id] = Progress(adding, 0, of)

        def tell(more: int) -> None:
            # Who was decided meanwhile makes it more than it was at first.
            done = self._progress[containment_id].done + more
            self._progress[containment_id] = Progress(adding, done, max(of, done))

        return tell
