"""Opening an account at the counter: the holder, the account, the cash that is paid in, the card's PIN."""

from typing import NamedTuple

from sqlalchemy import Connection

from sekisho.bank import deposits, holders, pins
from sekisho.bank.deposits import Deposit, Opening
from sekisho.bank.holders import NewHolder
from sekisho.bank.house import BankParts
from sekisho.bank.pins import CardPinTooSimple, Personal
from sekisho.identity.hashing import Hasher
from sekisho.kernel.ids import DepositorId
from sekisho.kernel.yen import Yen
from sekisho.response import audit
from sekisho.response.staff import Deed


class NewAccount(NamedTuple):
    """What is asked for at the counter. Without a `number` one is drawn."""

    holder: NewHolder
    branch: str
    pin: str
    cash: Yen
    number: str = ""
    overdraft: Yen = Yen(0)


async def open_account(bank: BankParts, hasher: Hasher, asked: NewAccount, deed: Deed) -> Deposit:
    """Open an account with a PIN and cash in it; who opened it and why is on record.

    Raises NameUnusable, BirthDateUnusable, NumberNotServed, BranchUnknown, DepositNumberTaken,
    CardPinTooSimple, StaffIdUnusable, HashingBusy, ValueError and OperationalError; then nothing was opened.
    """
    pin = pins.digits_of(asked.pin)
    personal = Personal(asked.holder.birth_date.isoformat(), (asked.holder.phone, asked.number))
    if pins.is_simple(pin, personal):
        raise CardPinTooSimple

    def opened(connection: Connection) -> Deposit:
        depositor_id = holders.take_on(connection, bank, asked.holder)
        one = _opened(connection, bank, asked, depositor_id)
        yen = {"cash_yen": asked.cash.amount, "overdraft_yen": asked.overdraft.amount}
        audit.record_deed(connection, deed, "bank:account_opened", one.id, at_us=bank.clock.now_us(), **yen)
        return one

    # The hash is over the account's id as well: an account whose process died here has no PIN yet.
    one = await bank.written(opened)
    made = await pins.hashed(bank, hasher, one.id, pin)
    await bank.written(lambda at: pins.keep(at, bank, one.id, made))
    return one


def _opened(connection: Connection, bank: BankParts, asked: NewAccount, depositor_id: DepositorId) -> Deposit:
    opening = Opening(depositor_id, asked.branch, number=asked.number, overdraft=asked.overdraft)
    one = deposits.open_deposit(connection, bank, opening)
    if asked.cash > Yen(0):
        deposits.pay_in(connection, bank, one, asked.cash, key=one.id)
    return one
