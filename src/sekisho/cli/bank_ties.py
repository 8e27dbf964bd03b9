"""What ties an institution to its own bank: who it is there, and the folders through which files go."""

from pathlib import Path
from typing import NamedTuple

import msgspec

from sekisho.linking.exchange import FolderTray, InTray
from sekisho.linking.zengin import BankAccount, Party


class BankTie(NamedTuple):
    """Who we are to our bank, the folders to it and from it, and how often both are looked at, in seconds."""

    party: Party
    out: FolderTray
    results: InTray
    every_s: float


class BankSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Our bank: who we are to it, and the folders in which files go out and results come in."""

    party_code: str
    party_kana: str
    bank: str
    branch: str
    kind: str
    number: str
    send_to: Path
    results_from: Path
    every_s: float = 60.0

    def tied(self) -> BankTie:
        """Return the tie to this bank. Raises OSError where a folder can't be used."""
        account = BankAccount(self.bank, self.branch, self.kind, self.number)
        party = Party(self.party_code, self.party_kana, account)
        return BankTie(party, FolderTray(self.send_to), InTray(self.results_from), self.every_s)
