"""The bank asks the book of switches what is off for a partner."""

from collections.abc import Mapping

from sqlalchemy import Connection

from sekisho.bank.switches import Function, SwitchedOff, Usage
from sekisho.identity.institution import Parts
from sekisho.response import switches
from sekisho.response.functions import EVERY
from sekisho.response.switch_book import SwitchBook


class BankSwitches:
    """Fills in what the bank asks: what is switched off for a usage now, or for a partner at all."""

    def __init__(self, parts: Parts) -> None:
        self._book = SwitchBook(parts)

    def off_within(self, connection: Connection, usage: Usage) -> SwitchedOff | None:
        """Return what stands in the way of a usage, as the unit of work sees it that is about to do it."""
        return _told(self._book.off_within(connection, _asked(usage)))

    async def off_for(self, usage: Usage) -> SwitchedOff | None:
        """Return what stands in the way of a usage now; None where nothing does. Raises OperationalError."""
        return _told(await self._book.off_for(_asked(usage)))

    async def off_for_partner(self, partner: str) -> Mapping[str, SwitchedOff]:
        """Return what is off for a partner whoever the depositor is, by function. Raises OperationalError."""
        off = await self._book.off_for_partner(partner)
        every = off.get(EVERY)
        told = {function.value: _told(off.get(function.value) or every) for function in Function}
        return {function: switched_off for function, switched_off in told.items() if switched_off is not None}


def _asked(usage: Usage) -> switches.Usage:
    return switches.Usage(usage.function.value, usage.member_id, partner=usage.partner, is_new=usage.is_new)


def _told(off: switches.SwitchedOff | None) -> SwitchedOff | None:
    return None if off is None else SwitchedOff(off.reason, off.told, off.until_us)
