"""Deposit accounts: opened for a holder at a branch, found by branch and number, blocked and freed.

What stands on an account is the ledger's to say. A general account (総合口座) may be overdrawn to a limit.
"""

import re
import unicodedata
from enum import StrEnum
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, Row, insert, select, update

from sekisho.bank.house import BankParts
from sekisho.kernel.ids import DEPOSIT, DepositId, DepositorId
from sekisho.kernel.refusals import Refusal
from sekisho.kernel.yen import Yen
from sekisho.ledger.accounts import Account, Side, find_account, open_account
from sekisho.ledger.journal import take_turn
from sekisho.ledger.transfers import Result, Transfer, post
from sekisho.storage import outbox
from sekisho.storage.tables.deposits import deposit

NUMBER_DIGITS = 7
LAST_SHOWN = 4
_BRANCH, _NUMBER = re.compile(r"[0-9]{3}"), re.compile(r"[0-9]{7}")
_TYPED_CHARS_MAX = 20


class DepositNumberTaken(Refusal):
    """An account of this number stands at this branch already. Only the bank's own staff ever read this."""

    code = "deposit_number_taken"
    status = 409
    told = "There is an account of this number at this branch."


class DepositKind(StrEnum):
    """What kind of account it is, by the digit that banks' files have for it."""

    ORDINARY = "1"
    """普通: for everybody's everyday money."""

    CURRENT = "2"
    """当座: for businesses."""

    SAVINGS = "4"
    """貯蓄: not for payments."""


class DepositState(StrEnum):
    """What may be done with an account."""

    OPEN = "open"
    """Everything."""

    BLOCKED = "blocked"
    """Nothing goes out, by any way; money may come in."""

    CLOSED = "closed"
    """Nothing at all; what the law demands is kept."""


class Deposit(msgspec.Struct, frozen=True, kw_only=True):
    """An account as the bank knows it, without its balance and without its holder's data."""

    id: DepositId
    branch: str
    kind: DepositKind
    number: str
    depositor_id: DepositorId
    ledger_account: str
    state: DepositState
    state_reason: str
    state_since_us: int
    opened_at_us: int

    @property
    def guarded_as(self) -> str:
        """By which name the guard knows the account: branch and number, as people type it."""
        return f"{self.branch}-{self.number}"

    @property
    def last_digits(self) -> str:
        """The end of the number, which may be shown."""
        return self.number[-LAST_SHOWN:]


class Opening(NamedTuple):
    """What is opened, and for whom. Without a number one is drawn; `overdraft` is for a general account."""

    depositor_id: DepositorId
    branch: str
    kind: DepositKind = DepositKind.ORDINARY
    number: str = ""
    overdraft: Yen = Yen(0)


def open_deposit(connection: Connection, bank: BankParts, opening: Opening) -> Deposit:
    """Open an account that stands at zero. Raises BranchUnknown, DepositNumberTaken and ValueError."""
    if opening.overdraft < Yen(0):
        raise ValueError("an overdraft is no negative amount")
    # Two openings at once may not draw one number, nor open two accounts in the books.
    take_turn(connection)
    branch = bank.profile.branch(opening.branch).code
    number = opening.number or _draw(connection, bank, branch)
    if not _NUMBER.fullmatch(number):
        raise ValueError(f"an account's number has {NUMBER_DIGITS} digits")
    if find_by_number(connection, branch, number) is not None:
        raise DepositNumberTaken(known=f"{branch}-{number}")
    now_us = bank.clock.now_us()
    deposit_id = DEPOSIT.new(bank.clock, bank.chance)
    account = open_account(
        connection,
        kind="deposit",
        owner=deposit_id,
        normal=Side.CREDIT,
        net_debit_max=opening.overdraft,
        clock=bank.clock,
        chance=bank.chance,
    )
    opened = Deposit(
        id=deposit_id,
        branch=branch,
        kind=opening.kind,
        number=number,
        depositor_id=opening.depositor_id,
        ledger_account=account,
        state=DepositState.OPEN,
        state_reason="",
        state_since_us=now_us,
        opened_at_us=now_us,
    )
    connection.execute(insert(deposit), msgspec.structs.asdict(opened))
    outbox.append(connection, [outbox.Entry("bank:deposit:opened", deposit_id, now_us, b"{}")])
    return opened


def find(connection: Connection, deposit_id: str) -> Deposit | None:
    """Return an account by id, None where there is none."""
    row = connection.execute(select(deposit).where(deposit.c.id == deposit_id)).one_or_none()
    return None if row is None else _of(row)


def find_by_number(connection: Connection, branch: str, number: str) -> Deposit | None:
    """Return the account of a number at a branch, in any state; None where there is none."""
    its = select(deposit).where(deposit.c.branch == branch, deposit.c.number == number)
    row = connection.execute(its).one_or_none()
    return None if row is None else _of(row)


def of_depositor(connection: Connection, depositor_id: str) -> list[Deposit]:
    """Return a holder's accounts, the oldest first."""
    its = select(deposit).where(deposit.c.depositor_id == depositor_id).order_by(deposit.c.id)
    return [_of(row) for row in connection.execute(its)]


def books_of(connection: Connection, one: Deposit) -> Account:
    """Return what the ledger has of an account. Raises LookupError where the books lack it."""
    account = find_account(connection, one.ledger_account)
    if account is None:
        raise LookupError(f"no account {one.ledger_account} in the books")
    return account


def balance(connection: Connection, one: Deposit) -> Yen:
    """Return what stands on an account, negative where it is overdrawn."""
    return books_of(connection, one).balance


def can_go_out(connection: Connection, one: Deposit) -> Yen:
    """Return how much may leave an account now, overdraft included; nothing unless it is open."""
    if one.state is not DepositState.OPEN:
        return Yen(0)
    return books_of(connection, one).room(Side.DEBIT) or Yen(0)


def pay_in(connection: Connection, bank: BankParts, one: Deposit, amount: Yen, *, key: str) -> Result:
    """Book cash that was paid in over the counter, once by its key."""
    paid = Transfer(
        key=f"bank:cash_in:{key}",
        kind="bank:cash_in",
        debit=bank.accounts.cash,
        credit=one.ledger_account,
        amount=amount,
        effective_on=bank.today(),
    )
    if one.state is DepositState.CLOSED:
        raise ValueError("a closed account takes no money")
    return post(connection, paid, clock=bank.clock, chance=bank.chance)


def set_state(
    connection: Connection, bank: BankParts, deposit_id: str, state: DepositState, reason: str
) -> bool:
    """Block, free or close an account, and tell whether that changed anything; a closed one stays closed.

    An account is closed only at zero with nothing pending, and that is for whoever closes it to see to.
    """
    now_us = bank.clock.now_us()
    changed = connection.execute(
        update(deposit)
        .where(
            deposit.c.id == deposit_id,
            deposit.c.state != state.value,
            deposit.c.state != DepositState.CLOSED.value,
        )
        .values(state=state.value, state_reason=reason, state_since_us=now_us)
    ).rowcount
    if changed:
        event = outbox.Entry(f"bank:deposit:{state}", f"{deposit_id}:{now_us}", now_us, b"{}")
        outbox.append(connection, [event])
    return bool(changed)


def read_branch(typed: str) -> str:
    """Return a branch's code as it was typed, full-width digits too; empty where it is none."""
    plain = _plain(typed)
    return plain if _BRANCH.fullmatch(plain) else ""


def read_number(typed: str) -> str:
    """Return an account's number as it was typed, with its leading zeros; empty where it is none."""
    plain = _plain(typed)
    number = plain.zfill(NUMBER_DIGITS)
    return number if plain and _NUMBER.fullmatch(number) else ""


def _plain(typed: str) -> str:
    return unicodedata.normalize("NFKC", typed[:_TYPED_CHARS_MAX]).strip()


def _draw(connection: Connection, bank: BankParts, branch: str) -> str:
    number = _some_number(bank)
    while find_by_number(connection, branch, number) is not None:
        number = _some_number(bank)
    return number


def _some_number(bank: BankParts) -> str:
    return str(10 ** (NUMBER_DIGITS - 1) + bank.chance.below(9 * 10 ** (NUMBER_DIGITS - 1)))


def _of(row: Row[tuple[object, ...]]) -> Deposit:
    return msgspec.convert(row, Deposit, from_attributes=True)
