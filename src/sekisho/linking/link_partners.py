"""Banks that links may go to: where each one lives, how sure it is of its depositors, and what was agreed.

Agreed once with each bank, and dated, because a bank may change how it authenticates; what its own metadata
says is believed only where it is no stronger than what was agreed.
"""

import datetime as dt
from collections.abc import Sequence
from enum import IntEnum

import msgspec

from sekisho.kernel.refusals import Refusal
from sekisho.kernel.yen import Yen


class Strength(IntEnum):
    """How sure a bank is that whoever links an account is its depositor."""

    KNOWLEDGE = 1
    """Account, name, birth date and PIN: nothing that could not be stolen from far away (`account_pin`)."""

    POSSESSION = 2
    """That, and a code that goes to the phone on file (`account_pin_code`)."""

    PASSKEY = 3
    """A passkey of the online bank (`passkey`): nothing that could be told to a stranger."""


AUTHENTICATIONS = {
    "account_pin": Strength.KNOWLEDGE,
    "account_pin_code": Strength.POSSESSION,
    "passkey": Strength.PASSKEY,
}
"""The ways of a bank's metadata (`sekisho_link_authentication`), and how strong each is."""


class BankNotLinkable(Refusal):
    """There is no agreement with this bank, or none today."""

    code = "bank_not_linkable"
    status = 404
    told = "Accounts of this bank can't be linked at the moment."


class LinkPartner(msgspec.Struct, frozen=True, kw_only=True):
    """A bank with which linking was agreed, from a day until a day (both included; None: until further).

    `issuer` is the bank's origin and `client_id` what it knows us by. `strength` is how it was agreed to
    authenticate. The ceilings are what it debits at most at once and in a calendar month in Japan.
    """

    bank: str
    issuer: str
    client_id: str
    strength: Strength
    once_max: Yen = Yen(100_000)
    month_max: Yen = Yen(300_000)
    from_: dt.date = dt.date(2020, 12, 1)
    until: dt.date | None = None

    def stands(self, on: dt.date) -> bool:
        """Say whether the agreement is in force on a day."""
        return self.from_ <= on and (self.until is None or on <= self.until)


class PartnerBook:
    """All agreements. A bank may have several, one after the other."""

    def __init__(self, partners: Sequence[LinkPartner]) -> None:
        self._partners = tuple(partners)

    def on(self, bank: str, day: dt.date) -> LinkPartner:
        """Return the agreement with a bank on a day. Raises BankNotLinkable."""
        found = next((one for one in self._partners if one.bank == bank and one.stands(day)), None)
        if found is None:
            raise BankNotLinkable(known=f"{bank[:8]} on {day}")
        return found

    def linkable(self, day: dt.date) -> tuple[LinkPartner, ...]:
        """Return the banks that can be linked on a day."""
        return tuple(one for one in self._partners if one.stands(day))
