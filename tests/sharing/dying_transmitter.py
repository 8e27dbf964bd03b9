"""A process that delivers what waits at the ID, until somebody kills it: `FOLDER ORIGIN NOW_US`."""

import asyncio
import sys
from pathlib import Path

from tests.sharing.two_houses import open_house

from sekisho.kernel.clock import SetClock


async def _deliver() -> None:
    folder, origin, now_us = sys.argv[1:]
    house = await open_house(Path(folder), "id", SetClock(int(now_us)), origin=origin)
    await house.go_on()


asyncio.run(_deliver())
