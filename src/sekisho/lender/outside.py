"""Whom a lender asks outside its own house: a bureau, a source of incomes, authorities, machines for cash."""

from datetime import date
from typing import NamedTuple, NoReturn

from sekisho.identity.person_checks import NobodyTrusted, Trust
from sekisho.kernel.posture import OperationalError
from sekisho.lender.atm_machines import AtmSettings
from sekisho.lender.atm_network import PART, AtmNetwork, CashAnswer, DayReport, PayOut
from sekisho.lender.credit_bureau import CreditBureau
from sekisho.lender.income_checks import IncomeSource
from sekisho.lender.transfer_hours import TransferHours, published_transfer_hours


class NoMachines:
    """No network of machines is connected: none of them answers."""

    async def pay_out(self, order: PayOut) -> CashAnswer:
        """Raise OperationalError."""
        self._nobody(order)

    async def query(self, machine_id: str, order_id: str) -> CashAnswer:
        """Raise OperationalError."""
        self._nobody(machine_id, order_id)

    async def reverse(self, machine_id: str, order_id: str) -> CashAnswer:
        """Raise OperationalError."""
        self._nobody(machine_id, order_id)

    async def report(self, machine_id: str, day: date) -> DayReport:
        """Raise OperationalError."""
        self._nobody(machine_id, day)

    def _nobody(self, *about: object) -> NoReturn:
        del about
        raise OperationalError(PART, "no network is connected")


class Outside(NamedTuple):
    """Whom a lender asks. Without a bureau no application is screened; it waits.

    Without `incomes` an income is proven by documents alone. `card_page` is where a card for trying out signs
    (a URL), empty where members have their own reader. `hours` is when transfers go out.
    """

    bureau: CreditBureau | None = None
    incomes: IncomeSource | None = None
    trust: Trust = NobodyTrusted()
    network: AtmNetwork = NoMachines()
    atm: AtmSettings = AtmSettings()
    card_page: str = ""
    hours: TransferHours = published_transfer_hours()
