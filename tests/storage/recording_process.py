"""A process that records attempts until it is killed, and writes down which of them were acknowledged."""

import asyncio
import os
import sys

from tests.storage.attempt_samples import CHALLENGED, FULL

from sekisho.kernel.clock import SystemClock
from sekisho.storage.attempts import AttemptStore
from sekisho.storage.engine import open_store

CLIENTS = 32


async def record_for_ever(url: str) -> None:
    """Record attempts by many clients at once, and print the id of each once it is said to be kept."""
    attempts = AttemptStore(open_store(url), clock=SystemClock())

    async def client(number: int) -> None:
        count = 0
        while True:
            attempt_id = f"att_{number}_{count}"
            await attempts.record(attempt_id, FULL, CHALLENGED)
            # One small write at once: a pipe takes it whole, and no buffer of ours can lose it.
            os.write(sys.stdout.fileno(), f"{attempt_id}\n".encode())
            count += 1

    await asyncio.gather(*(client(number) for number in range(CLIENTS)))


if __name__ == "__main__":
    asyncio.run(record_for_ever(sys.argv[1]))
