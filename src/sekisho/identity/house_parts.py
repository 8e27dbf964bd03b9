"""What the desks of a house that keeps money stand on, whichever house it is."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from sqlalchemy import Connection

from sekisho.identity.institution import Institution, Parts
from sekisho.kernel.chance import Chance
from sekisho.kernel.clock import Clock
from sekisho.kernel.japan import day_in_japan
from sekisho.storage.engine import Store
from sekisho.storage.keyring import Keyring

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class HouseParts:
    """Identity's parts, to which each house adds its own: accounts in the ledger, terms, a profile."""

    parts: Parts

    @property
    def institution(self) -> Institution:
        """The house's names and where it lives."""
        return self.parts.institution

    @property
    def store(self) -> Store:
        """Where everything is kept."""
        return self.parts.store

    @property
    def keyring(self) -> Keyring:
        """What seals personal data."""
        return self.parts.keyring

    @property
    def clock(self) -> Clock:
        """What tells the time."""
        return self.parts.clock

    @property
    def chance(self) -> Chance:
        """What draws ids and keys."""
        return self.parts.chance

    def today(self) -> date:
        """Return the day that it is in Japan, by which bookings and ceilings count."""
        return day_in_japan(self.clock.now_us())

    async def written(self, work: Callable[[Connection], Result]) -> Result:
        """Do a unit of work and return what it returned. Raises what it raised, and OperationalError."""
        return await self.parts.written(work)

    async def read(self, look: Callable[[Connection], Result]) -> Result:
        """Read from one state of the store, beside the event loop. Raises OperationalError."""
        return await self.parts.read(look)
