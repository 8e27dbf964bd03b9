"""Work that comes round again and again while a program lives; that it fails once does not end it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from traceback import format_exc
from typing import NamedTuple

import structlog

from sekisho.kernel.posture import OperationalError

log = structlog.get_logger(__name__)


class Round(NamedTuple):
    """Work, and the seconds from its end to its next beginning. `name` stands in the log."""

    name: str
    every_s: float
    work: Callable[[], Awaitable[object]]


@asynccontextmanager
async def going_round(rounds: Sequence[Round]) -> AsyncIterator[None]:
    """Do each piece of work now and again, beside the others, for as long as the block runs."""
    going = [asyncio.create_task(_go(each), name=each.name) for each in rounds]
    try:
        yield
    finally:
        for task in going:
            task.cancel()
        if going:
            await asyncio.wait(going)


async def _go(each: Round) -> None:
    while True:
        try:
            await each.work()
        except (OperationalError, OSError) as outage:
            log.warning("round:unreachable", name=each.name, failure=type(outage).__name__)
        except Exception:  # noqa: BLE001 - whatever it was this time, the work is there to be done again
            log.error("round:failed", name=each.name, trace=format_exc())  # noqa: TRY400 - rendered, an exception shows local variables
        await asyncio.sleep(each.every_s)
