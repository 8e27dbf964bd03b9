"""The lender's gates ask the book of switches."""

from sekisho.identity.institution import Parts
from sekisho.lender.switches import Function, SwitchedOff, Usage
from sekisho.response import switches
from sekisho.response.switch_book import SwitchBook


class LenderSwitches:
    """Fills in what the lender's gates ask: what is switched off for a usage now."""

    def __init__(self, parts: Parts) -> None:
        self._book = SwitchBook(parts)

    async def off_for(self, usage: Usage) -> SwitchedOff | None:
        """Return what stands in the way of a usage now; None where nothing does. Raises OperationalError."""
        asked = switches.Usage(
            usage.function.value,
            usage.member_id,
            partner=usage.partner,
            is_new=_is_new(usage.function),
            session_id=usage.session_id,
        )
        off = await self._book.off_for(asked)
        if off is None:
            return None
        own = {function.value for function in Function}
        open_ways = tuple(Function(way) for way in off.open_ways if way in own)
        return SwitchedOff(off.reason, off.told, off.until_us, open_ways)


def _is_new(function: Function) -> bool | None:
    """Say whether a function always sets something up anew; where it may be both, nothing is said."""
    return True if function is Function.PAYOUT_CHANGE else None
