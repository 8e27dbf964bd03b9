"""The wallet's gate: its switches before what moves money, or changes which bank account it belongs to."""

from sekisho.guard.answers import AsksGuard
from sekisho.response import switches as response_switches
from sekisho.response.money_gates import GateSettings, MoneyGate, OnOutage
from sekisho.wallet.house import WalletParts
from sekisho.wallet.link_risk import PASSKEY_FROM, STOPPED_FROM
from sekisho.wallet.switches import Function, SwitchedOff, Switches, Usage

SETTINGS = GateSettings(passkey_from=PASSKEY_FROM, stopped_from=STOPPED_FROM)


class Gatekeeper(MoneyGate):
    """Keeps the gate of one wallet. Whoever asks hands in the signs that it found."""

    def __init__(
        self,
        house: WalletParts,
        guard: AsksGuard,
        switches: Switches,
        *,
        on_outage: OnOutage,
        settings: GateSettings = SETTINGS,
    ) -> None:
        super().__init__(house.parts, guard, on_outage=on_outage, settings=settings)
        self._switches = switches

    async def off_for(self, usage: response_switches.Usage) -> SwitchedOff | None:
        """Return what the wallet's switches say against a usage. Raises OperationalError."""
        own = Usage(Function(usage.function), usage.member_id, usage.partner, usage.is_new, usage.session_id)
        return await self._switches.off_for(own)
