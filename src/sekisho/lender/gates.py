"""The lender's gate: its own switches, and what it knows of session, device, contacts and loan."""

from sekisho.guard.answers import AsksGuard
from sekisho.lender.house import LenderParts
from sekisho.lender.money_out_signs import PASSKEY_FROM, STOPPED_FROM, facts_of, money_out_signs
from sekisho.lender.switches import Function, SwitchedOff, Switches, Usage
from sekisho.response import switches as response_switches
from sekisho.response.money_gates import Asked, GateSettings, MoneyGate, OnOutage, Weighed

SETTINGS = GateSettings(passkey_from=PASSKEY_FROM, stopped_from=STOPPED_FROM)


class Gatekeeper(MoneyGate):
    """Keeps the gate of one lender: every borrowing, every change of where money or codes go."""

    def __init__(
        self,
        house: LenderParts,
        guard: AsksGuard,
        switches: Switches,
        *,
        on_outage: OnOutage,
        settings: GateSettings = SETTINGS,
    ) -> None:
        super().__init__(house.parts, guard, on_outage=on_outage, settings=settings)
        self._switches = switches

    async def off_for(self, usage: response_switches.Usage) -> SwitchedOff | None:
        """Return what the lender's switches say against a usage. Raises OperationalError."""
        own = Usage(Function(usage.function), usage.member_id, usage.partner, usage.session_id)
        return await self._switches.off_for(own)

    async def weigh(self, asked: Asked) -> Weighed:
        """Return the signs of session, device, contacts, amount and the loan's last movements."""
        now_us = self._parts.clock.now_us()
        facts = await self._parts.read(lambda at: facts_of(at, asked.present, asked.amount, now_us))
        evidence = money_out_signs(facts, risk_max=self.settings.risk_max)
        return Weighed(evidence.names, evidence.points)
