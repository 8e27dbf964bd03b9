"""A lender's outside, played on this machine: a bureau, a source of incomes, banks, a machine."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, cast

from sekisho.cli.bank_ties import BankTie
from sekisho.cli.lender_ties import Beside, LenderTies, StandingMachine
from sekisho.cli.played_outside import PlayedOutside
from sekisho.identity.institution import Parts
from sekisho.identity.trust_folder import FolderTrust
from sekisho.lender.outside import Outside
from sekisho.lender.transfer_hours import TransferHours
from sekisho.linking.zengin import BankAccount, Party
from sekisho.range.atm.here import MachinesHere
from sekisho.range.atm.lender_line import DeskLine
from sekisho.range.atm.machine import Machine
from sekisho.range.atm.screen import ScreenSite
from sekisho.range.atm.teller import TELL_EVERY_S, Teller
from sekisho.range.atm.vault import Vault
from sekisho.range.borrowers import played_bureau, played_incomes
from sekisho.storage.rounds import Round
from sekisho.web.lender.desks import LenderDesks

if TYPE_CHECKING:
    from sekisho.web.asgi import App

ATM_HOST = "atm.localhost"
STANDING = StandingMachine("0001", "hoshizora", "ほしぞらATM みなと通り1号機")
FILL_YEN = 3_000_000
PARTY = Party("0000008470", "ｱｻｷﾞﾘﾛ-ﾝ", BankAccount("0009", "100", "1", "0008470"))
EVERY_S = 2.0


def played(parts: Parts, trust: FolderTrust, outside: PlayedOutside, banks: dict[str, str]) -> LenderTies:
    """Return the ties of a lender to a played outside. Raises OSError."""
    machine = _machine(outside, parts)
    out, results = outside.clear(parts.institution.key, banks)

    def beside(desks: LenderDesks) -> Beside:
        teller = Teller(machine, DeskLine(desks.machines, STANDING.network), parts.chance)

        @asynccontextmanager
        async def living() -> AsyncIterator[None]:
            try:
                yield
            finally:
                machine.close()

        return Beside(
            {ATM_HOST: cast("App", ScreenSite(teller, STANDING.place))},
            (Round("atm", TELL_EVERY_S, teller.tell),),
            living,
        )

    asked = Outside(
        bureau=played_bureau(),
        incomes=played_incomes(),
        trust=trust,
        network=MachinesHere({STANDING.id: machine}),
        card_page=outside.card_page,
        # What is played never closes: whoever tries it on a Sunday night sees the money come, too.
        hours=TransferHours(),
    )
    return LenderTies(asked, BankTie(PARTY, out, results, EVERY_S), (STANDING,), beside)


def _machine(outside: PlayedOutside, parts: Parts) -> Machine:
    folder = outside.folder / "atm" / STANDING.id
    new = not (folder / "vault.ndjson").exists()
    vault = Vault(folder / "vault.ndjson")
    if new:
        vault.fill(FILL_YEN)
    return Machine(STANDING.id, folder, vault, parts.clock)
