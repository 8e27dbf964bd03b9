"""Answers that come no earlier than a moment, so that their time does not tell what was done for them."""

import asyncio


def moment_in(seconds: float) -> float:
    """Return the moment of the running loop's clock that lies so many seconds ahead."""
    return asyncio.get_running_loop().time() + seconds


async def until(moment_s: float) -> None:
    """Sleep until a moment of the loop's clock, which costs no processor time; a past one is now."""
    await asyncio.sleep(max(0.0, moment_s - asyncio.get_running_loop().time()))
