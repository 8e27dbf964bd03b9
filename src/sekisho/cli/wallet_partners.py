"""The wallet's partners as an operator names them in a file: the ID, banks to link at, and its own bank."""

import datetime as dt
from pathlib import Path
from typing import NamedTuple

import msgspec

from sekisho.cli.bank_ties import BankSettings, BankTie
from sekisho.cli.partner_files import read_partner_file, unreadable
from sekisho.identity.http_line import AddressUnfit, require_fit
from sekisho.identity.person_checks import Trust
from sekisho.kernel.yen import Yen
from sekisho.linking.link_partners import LinkPartner, PartnerBook, Strength
from sekisho.wallet.outside import Outside, client_at


class IdSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The ID that members log in with: its issuer, and what it calls us."""

    issuer: str
    client_id: str


class LinkedBankSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A bank that accounts are linked at, from a day until a day: its code, its issuer, what it calls us.

    `strength` (1, 2 or 3) is how sure it was agreed to be of its depositors.
    """

    bank: str
    issuer: str
    client_id: str
    strength: Strength
    once_max_yen: int = 100_000
    month_max_yen: int = 300_000
    from_: dt.date = msgspec.field(name="from")
    until: dt.date | None = None

    def agreed(self) -> LinkPartner:
        """Return the agreement."""
        return LinkPartner(
            bank=self.bank,
            issuer=self.issuer,
            client_id=self.client_id,
            strength=self.strength,
            once_max=Yen(self.once_max_yen),
            month_max=Yen(self.month_max_yen),
            from_=self.from_,
            until=self.until,
        )


class WalletPartnerSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everybody whom a wallet works with."""

    id: IdSettings
    banks: tuple[LinkedBankSettings, ...] = ()
    bank: BankSettings | None = None


class WalletTies(NamedTuple):
    """Whom a wallet asks, and its own bank, which pays merchants out; None where it has none."""

    outside: Outside
    bank: BankTie | None = None


def wallet_ties(path: Path, trust: Trust, origin: str) -> WalletTies:
    """Return whom a wallet on an origin works with. Raises PartnersUnreadable and OSError."""
    named = read_partner_file(path, WalletPartnerSettings)
    for issuer in (named.id.issuer, *(bank.issuer for bank in named.banks)):
        try:
            require_fit(issuer)
        except AddressUnfit as unfit:
            raise unreadable(f"{issuer[:100]}: {unfit.told}") from unfit
    outside = Outside(
        id=client_at(named.id.issuer, named.id.client_id, origin),
        trust=trust,
        partners=PartnerBook(tuple(bank.agreed() for bank in named.banks)),
    )
    return WalletTies(outside, None if named.bank is None else named.bank.tied())
