"""What is opened at the counter: an account with a PIN and cash in it, and a paper for a collector."""

import datetime as dt
from typing import NamedTuple

from sekisho.bank import counter
from sekisho.bank.counter import Paper
from sekisho.bank.deposits import Deposit
from sekisho.bank.holders import NewHolder
from sekisho.bank.house import BankParts
from sekisho.bank.openings import NewAccount, open_account
from sekisho.bank.pins import CardPinTooSimple
from sekisho.identity.hashing import Hasher
from sekisho.identity.names import NameUnusable
from sekisho.identity.people import BirthDateUnusable
from sekisho.identity.recipients import NumberNotServed
from sekisho.kernel.yen import Yen
from sekisho.response.staff import Deed
from sekisho.storage.unit_of_work import Connection

CASH = Yen(500_000)
PAPER_CEILING, PAPER_MONTH_CEILING = Yen(500_000), Yen(1_000_000)
AT_THE_WINDOW = Deed("window", "asked for at the window")
"""Who opens accounts here: nobody but the program sits at this window."""

UNUSABLE = (NameUnusable, BirthDateUnusable, NumberNotServed, CardPinTooSimple, ValueError)


class Asked(NamedTuple):
    """What somebody says at the counter. `collectors` are those whose paper was signed, by their codes."""

    name_kana: str
    born_on: str
    phone: str
    pin: str
    collectors: tuple[str, ...] = ()


class Counter:
    """Opens accounts, at one bank."""

    def __init__(self, bank: BankParts, hasher: Hasher, branch: str) -> None:
        self._bank = bank
        self._hasher = hasher
        self._branch = branch

    async def open(self, asked: Asked) -> Deposit:
        """Open an account. Raises one of `UNUSABLE`, HashingBusy and OperationalError."""
        holder = NewHolder(asked.name_kana, dt.date.fromisoformat(asked.born_on), asked.phone)
        new = NewAccount(holder, self._branch, asked.pin, CASH)
        opened = await open_account(self._bank, self._hasher, new, AT_THE_WINDOW)
        await self._bank.written(lambda at: self._hand_in(at, opened, asked.collectors))
        return opened

    def _hand_in(self, connection: Connection, opened: Deposit, collectors: tuple[str, ...]) -> None:
        for code in collectors:
            paper = Paper(opened, code, PAPER_CEILING, PAPER_MONTH_CEILING)
            counter.lodge(connection, self._bank, paper, AT_THE_WINDOW)
