"""Machines in this very process, for trying the program: the network without a line."""

from collections.abc import Mapping
from datetime import date

from sekisho.kernel.posture import OperationalError
from sekisho.lender.atm_network import PART, CashAnswer, DayReport, PayOut
from sekisho.range.atm.machine import Machine


class MachinesHere:
    """Reaches machines by their id. One that is not here does not answer."""

    def __init__(self, machines: Mapping[str, Machine]) -> None:
        self._machines = machines

    async def pay_out(self, order: PayOut) -> CashAnswer:
        """Order a machine to pay out."""
        return self._machine(order.machine_id).pay_out(order)

    async def query(self, machine_id: str, order_id: str) -> CashAnswer:
        """Ask what became of an order."""
        return self._machine(machine_id).query(order_id)

    async def reverse(self, machine_id: str, order_id: str) -> CashAnswer:
        """Give an order up, or hear what became of it."""
        return self._machine(machine_id).reverse(order_id)

    async def report(self, machine_id: str, day: date) -> DayReport:
        """Ask for a machine's day."""
        return self._machine(machine_id).report(day)

    def _machine(self, machine_id: str) -> Machine:
        if machine_id not in self._machines:
            raise OperationalError(PART, "no such machine here")
        return self._machines[machine_id]
