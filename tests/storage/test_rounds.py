"""Work that comes round again and again."""

import asyncio

from sekisho.kernel.posture import OperationalError
from sekisho.storage.rounds import Round, going_round


def test_work_goes_on_after_an_outage_and_after_a_bug():
    """The first two turns fail; the third is done, and ending the block ends the work."""
    turns: list[int] = []
    done = asyncio.Event()

    async def work():
        turns.append(len(turns))
        if len(turns) == 1:
            raise OperationalError("store", "down")
        if len(turns) == 2:
            raise ZeroDivisionError
        done.set()

    async def scene():
        async with going_round([Round("test", 0, work)]):
            await asyncio.wait_for(done.wait(), 5)
        after = len(turns)
        await asyncio.sleep(0)
        assert len(turns) == after

    asyncio.run(scene())
    assert len(turns) >= 3
