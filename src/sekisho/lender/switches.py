"""What may be switched off, and what is told then: the first question of every gate.

A switch stops one function, for everybody or for some, while the other ways stay open; its text names them.
Who sets switches, and whom they hit, is the business of whoever fills the protocol in.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple, Protocol


class Function(StrEnum):
    """What members can do with the lender that moves money, or changes where it goes."""

    TRANSFER_LOAN = "transfer_loan"
    """Borrow by transfer to the member's own account."""

    ATM_WITHDRAWAL = "atm_withdrawal"
    """Borrow cash at a smartphone ATM."""

    ATM_REPAYMENT = "atm_repayment"
    """Repay in cash at a smartphone ATM."""

    WEB_DEBIT = "web_debit"
    """Repay by a debit of the member's bank account."""

    PAYOUT_CHANGE = "payout_change"
    """Register or change the account that loans are paid out to."""

    CONTACT_CHANGE = "contact_change"
    """Change the mobile number or the e-mail address."""


class Usage(NamedTuple):
    """Who wants to use what, with whom: `partner` is a bank's code or a network of machines.

    `session_id` names the session that asks; without it, nobody knows of its risk or its device, and any
    switch that asks for them stands in the way.
    """

    function: Function
    member_id: str
    partner: str = ""
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
