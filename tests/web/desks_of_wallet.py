"""The desks of a wallet as the program opens them, for tests of the pages that only a wallet has."""

from pathlib import Path

from tests.guard.small_world import new_guard

from sekisho.cli.desks_house import Served, institution_desks
from sekisho.console.live_tally import LiveTally
from sekisho.wallet.house import WalletParts
from sekisho.web.console.staff_desks import InstitutionDesks


def wallet_desks(house: WalletParts, folder: Path) -> InstitutionDesks:
    """Return what the desks can do at a wallet; what is hunted lies in the folder."""
    return institution_desks(Served(house.parts, folder / "wallet" / "history", new_guard(), LiveTally()))
