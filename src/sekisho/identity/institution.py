"""An institution as identity sees it: its names, where it lives, and the parts that its desks stand on."""

import asyncio
from collections.abc import Callable
from typing import NamedTuple, TypeVar

import msgspec
from sqlalchemy import Connection

from sekisho.kernel.chance import Chance
from sekisho.kernel.clock import Clock
from sekisho.storage.engine import Store
from sekisho.storage.keyring import Keyring

Result = TypeVar("Result")


class Institution(msgspec.Struct, frozen=True, kw_only=True):
    """A company that has members. Texts for people are given by language, `ja` and `en`.

    `host` is the relying party of its passkeys and the host in the last line of a text message; `origin` is
    scheme, host and port, as a browser names it.
    """

    key: str
    names: dict[str, str]
    host: str
    origin: str
    telephone: str
    desk_hours: dict[str, str]

    def name(self, language: str) -> str:
        """Return the name in a language, the Japanese one where there is no other."""
        return self.names.get(language) or self.names["ja"]


class Parts(NamedTuple):
    """What every desk of identity stands on: one institution's store, keys, time and chance."""

    institution: Institution
    store: Store
    keyring: Keyring
    clock: Clock
    chance: Chance

    async def written(self, work: Callable[[Connection], Result]) -> Result:
        """Do a unit of work and return what it returned. Raises what it raised, and OperationalError."""
        return await asyncio.wrap_future(self.store.write(work))

    async def read(self, look: Callable[[Connection], Result]) -> Result:
        """Read from one state of the store, beside the event loop. Raises OperationalError."""

        def reading() -> Result:
            with self.store.read() as connection:
                return look(connection)

        return await asyncio.to_thread(reading)
