"""Files that come into a folder, taken one by one; each result lies in another folder under the same name."""

import asyncio

import structlog

from sekisho.bank.file_desk import BankFileRefused, FileDesk
from sekisho.linking.exchange import InTray, OutTray

log = structlog.get_logger(__name__)


class BankFileExchange:
    """Takes files and gives results, for one way in. Each step can be done again after a crash."""

    def __init__(self, desk: FileDesk, files: InTray, results: OutTray) -> None:
        self._desk = desk
        self._files = files
        self._results = results

    async def go_round(self) -> None:
        """Take what is there. A refused file lies apart until a person has looked at it.

        Raises OSError, Unsealable and OperationalError.
        """
        for name in await asyncio.to_thread(self._files.waiting):
            taken = await self._take(name)
            await asyncio.to_thread(self._files.put_away, name, taken=taken)

    async def _take(self, name: str) -> bool:
        octets = await asyncio.to_thread(self._files.read, name)
        try:
            # Whoever dies behind this takes the same file again, and gets the same result.
            result = await self._desk.take(octets)
        except BankFileRefused as refused:
            log.warning("bank_file:refused", file=name[:100], known=refused.known)
            return False
        await asyncio.to_thread(self._results.put, name, result)
        return True
