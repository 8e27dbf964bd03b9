"""Password hashes: Argon2id over a keyed digest, on a bounded number of threads.

What is hashed is the password's HMAC under a pepper that is not in the database, so that a stolen table alone
cannot be attacked at all. Argon2id takes 19 MiB and two passes, as OWASP's password storage cheat sheet has
it. It gives the interpreter away while it works; more threads than cores would only take memory.
"""

import asyncio
import os
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from sekisho.kernel.chance import Chance
from sekisho.kernel.refusals import Refusal

Result = TypeVar("Result")

MEMORY_KIB = 19 * 1024
PASSES = 2
WAITING_PER_THREAD_MAX = 32
"""About a second of work a thread: who came later would hear nothing before the browser gives up."""

TYPED_MAX = 4_096
"""Longer texts are no passwords of ours, and are cut before anything is computed over them."""


class HashingBusy(Refusal):
    """So many passwords wait for their hash that another one would wait too long."""

    code = "hashing_busy"
    status = 503
    told = "Too many people are logging in just now. Please try again in a moment."


def octets_of(password: str) -> bytes:
    """Return the octets of a password, which are the same for every way to type it.

    Compatible characters are made one (NFKC), as NIST SP 800-63B-4 section 3.1.1.2 recommends: a full-width
    keyboard types the same password.
    """
    return unicodedata.normalize("NFKC", password[:TYPED_MAX]).encode("utf-8", "surrogatepass")


class Hasher:
    """Hashes and verifies on as many threads as there are cores, and sheds what would wait too long."""

    def __init__(
        self,
        chance: Chance,
        *,
        threads: int | None = None,
        memory_kib: int = MEMORY_KIB,
        passes: int = PASSES,
        waiting_max: int | None = None,
    ) -> None:
        """Take the number of threads (as many as cores), how many may wait, and what a hash costs."""
        count = threads or os.cpu_count() or 1
        self._argon2 = PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=1)
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="argon2")
        self._waiting = 0
        self._waiting_max = waiting_max or count * WAITING_PER_THREAD_MAX
        self._decoy = self._argon2.hash(chance.octets(32))

    @property
    def waiting(self) -> int:
        """How many passwords are being hashed or wait for it."""
        return self._waiting

    async def hash(self, peppered: bytes) -> str:
        """Hash a peppered password. Raises HashingBusy."""
        return await self.run(lambda: self._argon2.hash(peppered))

    async def verify(self, stored: str | None, peppered: bytes, *, of_stranger: bool = False) -> bool:
        """Say whether a peppered password is the stored one; nobody's costs the same. Raises HashingBusy.

        Strangers' passwords fill half of what may wait: whoever floods the login keeps no known device out.
        """
        waiting_max = max(1, self._waiting_max // 2) if of_stranger else self._waiting_max
        right = await self._run(lambda: self._is_right(stored or self._decoy, peppered), waiting_max)
        return right and stored is not None

    async def run(self, work: Callable[[], Result]) -> Result:
        """Do one hash's work on a thread. Raises HashingBusy where too many wait."""
        return await self._run(work, self._waiting_max)

    async def _run(self, work: Callable[[], Result], waiting_max: int) -> Result:
        if self._waiting >= waiting_max:
            raise HashingBusy(known=f"{self._waiting} passwords wait for their hash")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting -= 1

    def is_outdated(self, stored: str) -> bool:
        """Say whether a hash was made with other parameters than those of today."""
        return self._argon2.check_needs_rehash(stored)

    def close(self) -> None:
        """End the threads; what waits is dropped."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _is_right(self, stored: str, peppered: bytes) -> bool:
        try:
            return self._argon2.verify(stored, peppered)
        except (VerificationError, InvalidHashError):
            return False
