"""Files between a lender and its bank: what is due goes out, what the bank answers is taken, once."""

import asyncio

import structlog

from sekisho.lender.house import LenderParts
from sekisho.lender.transfer_runs import TransferRuns
from sekisho.lender.web_debit_runs import WebDebitRuns
from sekisho.linking.bank_files import ResultFileRefused, ResultTakenBefore, read_result
from sekisho.linking.exchange import FolderTray, InTray
from sekisho.linking.zengin import FileKind, Party

log = structlog.get_logger(__name__)


class BankExchange:
    """Sends and takes files, for one lender. Each step can be done again after a crash."""

    def __init__(self, house: LenderParts, party: Party, out: FolderTray, results: InTray) -> None:
        """Take who we are to the bank, and the folders to it and from it."""
        self._house = house
        self._results = results
        self.transfers = TransferRuns(house, party, out)
        self.debits = WebDebitRuns(house, party, out)

    async def go_round(self) -> None:
        """Send what is due, and take what is there. Raises OSError, Unsealable and OperationalError."""
        await self.transfers.send_due()
        await self.debits.send_due()
        for name in await asyncio.to_thread(self._results.waiting):
            taken = await self._take(name)
            await asyncio.to_thread(self._results.put_away, name, taken=taken)

    async def _take(self, name: str) -> bool:
        """Take a result and tell whether it was one; a refused one lies apart until a person has looked."""
        octets = await asyncio.to_thread(self._results.read, name)
        try:
            is_of_debits = read_result(octets, near=self._house.today()).kind is FileKind.DEBITS
            runs = self.debits if is_of_debits else self.transfers
            await runs.take_result(octets)
        except ResultTakenBefore:
            return True
        except ResultFileRefused as refused:
            log.warning("bank_exchange:result:refused", file=name[:100], known=refused.known)
            return False
        return True
