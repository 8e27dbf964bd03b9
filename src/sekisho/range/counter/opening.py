"""What is opened at the counter: an account with a PIN and cash in it, and a paper for a collector."""

import datetime as dt
from typing import NamedTuple

from sqlalchemy import Connection

from sekisho.bank import deposits, file_partners, holders, mandates, pins
from sekisho.bank.deposits import Deposit, Opening
from sekisho.bank.holders import NewHolder
from sekisho.bank.house import BankParts
from sekisho.bank.mandates import Action, Consented, Origin
from sekisho.identity.hashing import Hasher
from sekisho.identity.names import NameUnusable
from sekisho.identity.people import BirthDateUnusable
from sekisho.identity.recipients import NumberNotServed
from sekisho.kernel.yen import Yen

CASH = Yen(500_000)
PAPER_CEILING, PAPER_MONTH_CEILING = Yen(500_000), Yen(1_000_000)
UNUSABLE = (NameUnusable, BirthDateUnusable, NumberNotServed, ValueError)


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
        pin = pins.digits_of(asked.pin)
        if not pin:
            raise ValueError("a PIN has four digits")
        holder = NewHolder(asked.name_kana, dt.date.fromisoformat(asked.born_on), asked.phone)
        opened = await self._bank.written(lambda at: self._open(at, holder, asked.collectors))
        made = await pins.hashed(self._bank, self._hasher, opened.id, pin)
        await self._bank.written(lambda at: pins.keep(at, self._bank, opened.id, made))
        return opened

    def _open(self, connection: Connection, holder: NewHolder, collectors: tuple[str, ...]) -> Deposit:
        bank = self._bank
        depositor_id = holders.take_on(connection, bank, holder)
        opened = deposits.open_deposit(connection, bank, Opening(depositor_id, self._branch))
        deposits.pay_in(connection, bank, opened, CASH, key=opened.id)
        for code in collectors:
            paper = Consented(
                partner=file_partners.partner_of(code),
                deposit_id=opened.id,
                user_ref="",
                actions=(Action.DEBIT,),
                ceiling=PAPER_CEILING,
                month_ceiling=PAPER_MONTH_CEILING,
                way="seal",
                origin=Origin.PAPER,
            )
            mandates.activate_within(connection, bank, paper)
        return opened
