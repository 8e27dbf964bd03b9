"""The wallet asks the book of switches what is off for a member and a bank."""

from sekisho.identity.institution import Parts
from sekisho.response import switches
from sekisho.response.switch_book import SwitchBook
from sekisho.wallet.switches import Function, SwitchedOff, Usage


class WalletSwitches:
    """Fills in what the wallet's gate asks: what is switched off for a usage now."""

    def __init__(self, parts: Parts) -> None:
        self._book = SwitchBook(parts)

    async def off_for(self, usage: Usage) -> SwitchedOff | None:
        """Return what stands in the way of a usage now; None where nothing does. Raises OperationalError."""
        asked = switches.Usage(
            usage.function.value,
            usage.member_id,
            partner=usage.partner,
            is_new=usage.is_new,
            session_id=usage.session_id,
        )
        off = await self._book.off_for(asked)
        if off is None:
            return None
        ours = {function.value: function for function in Function}
        open_ways = tuple(ours[way] for way in off.open_ways if way in ours)
        return SwitchedOff(off.reason, off.told, off.until_us, open_ways)
