"""What can be switched off at the bank for one partner or for all, and whoever knows what is.

Money is moved in the unit of work that asked: what was switched off a moment before moves nothing any more.
Who throws switches, and when they apply, is no part of this file.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple, Protocol

from sqlalchemy import Connection


class Function(StrEnum):
    """What partners can do with the bank."""

    LINK_REGISTER = "link_register"
    """Have a depositor link an account."""

    LINK_CHANGE = "link_change"
    """Have a depositor link another account, or change what was allowed."""

    DEBIT = "debit"
    """Debit a linked account."""

    CREDIT = "credit"
    """Pay out to a linked account."""


class Usage(NamedTuple):
    """Who wants to do what: `partner` is a client id or a collector's code.

    `is_new` says that nothing was ever debited under this mandate; `member_id` is the depositor's where the
    depositor uses the online bank.
    """

    function: Function
    partner: str
    is_new: bool = False
    member_id: str = ""


class SwitchedOff(NamedTuple):
    """A function is off. `told` says why, by language (`ja`, `en`)."""

    reason: str
    told: Mapping[str, str]
    until_us: int | None = None


class Switches(Protocol):
    """Whoever knows what is switched off."""

    def off_within(self, connection: Connection, usage: Usage) -> SwitchedOff | None:
        """Return what stands in the way of a usage, as the unit of work sees it that is about to do it."""
        ...

    async def off_for(self, usage: Usage) -> SwitchedOff | None:
        """Return what stands in the way of a usage now; None where nothing does. Raises OperationalError."""
        ...

    async def off_for_partner(self, partner: str) -> Mapping[str, SwitchedOff]:
        """Return what is off for a partner whoever the depositor is, by function. Raises OperationalError."""
        ...


class NothingSwitchedOff:
    """Switches that nobody has touched: everything is on."""

    def off_within(self, connection: Connection, usage: Usage) -> SwitchedOff | None:
        """Let everything through."""
        del connection, usage
        return None

    async def off_for(self, usage: Usage) -> SwitchedOff | None:
        """Let everything through."""
        del usage
        return None

    async def off_for_partner(self, partner: str) -> Mapping[str, SwitchedOff]:
        """Say that nothing is off."""
        del partner
        return {}
