"""What may be switched off at the wallet, by function and bank: the first question of every gate.

Who sets switches, and whom they hit, is the business of whoever fills the protocol in.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple, Protocol


class Function(StrEnum):
    """What members can do with a wallet."""

    LINK_REGISTER = "link_register"
    """Link a bank account that was not linked before."""

    LINK_CHANGE = "link_change"
    """Change a link, or put another account in its place."""

    CHARGE = "charge"
    """Take money from a linked account into the wallet."""

    PAYOUT = "payout"
    """Give money from the wallet to a linked account."""

    PAYMENT = "payment"
    """Pay at a shop."""

    SEND = "send"
    """Send money to another wallet."""


class Usage(NamedTuple):
    """Who wants to use what, with whom: `partner` is a bank's code.

    `is_new` says whether it is done for the first time: with this bank, over this link, to this shop or
    number. What is not told, None or empty, meets any switch that asks for it.
    """

    function: Function
    member_id: str
    partner: str = ""
    is_new: bool | None = None
    session_id: str = ""


class SwitchedOff(NamedTuple):
    """A function is off. `told` says why and names the ways that stay open, by language (`ja`, `en`)."""

    reason: str
    told: Mapping[str, str]
    until_us: int | None = None
    open_ways: tuple[Function, ...] = ()


class Switches(Protocol):
    """Whoever knows what is switched off."""

    async def off_for(self, usage: Usage) -> SwitchedOff | None:
        """Return what stands in the way of a usage now; None where nothing does. Raises OperationalError."""
        ...


class NothingSwitchedOff:
    """Switches that nobody has touched: everything is on."""

    async def off_for(self, usage: Usage) -> SwitchedOff | None:
        """Let everything through."""
        del usage
        return None
