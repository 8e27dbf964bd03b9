"""The rows of a file: each is moved on its own, and has a result of its own."""

from typing import NamedTuple

from sqlalchemy import Connection

from sekisho.bank import deposits, holders, mandates
from sekisho.bank.debits import DebitDesk
from sekisho.bank.deposits import Deposit, DepositState
from sekisho.bank.house import BankParts
from sekisho.bank.orders import Asked
from sekisho.bank.switches import Function, Switches, Usage
from sekisho.kernel.yen import Yen
from sekisho.ledger.transfers import Booked, Transfer, post
from sekisho.linking.holder_names import HolderNameUnusable, read_holder_name
from sekisho.linking.zengin import DebitResult, FileKind, Row, TransferResult, ZenginFile

TEXT_MAX = 20


class Moved(NamedTuple):
    """What came of a row, and the transfer in the books where there is one."""

    result: DebitResult | TransferResult
    transfer_id: str | None = None


class FileRows:
    """Moves what the rows of a file ask for."""

    def __init__(self, bank: BankParts, debits: DebitDesk, switches: Switches) -> None:
        self._bank = bank
        self._debits = debits
        self._switches = switches

    def move(self, connection: Connection, file: ZenginFile, partner: str, account: str) -> tuple[Moved, ...]:
        """Move every row of a file, in its order, and return what came of each."""
        if file.kind is FileKind.DEBITS:
            return tuple(self._debit(connection, file, row, partner, account) for row in file.rows)
        return tuple(self._pay_in(connection, file, row, partner, account) for row in file.rows)

    def _debit(self, connection: Connection, file: ZenginFile, row: Row, partner: str, account: str) -> Moved:
        found = self._account(connection, row)
        if found is None or not self._is_holder(connection, found, row):
            # Who asks for the wrong holder is not told whose account it is.
            return Moved(DebitResult.NO_ACCOUNT)
        held = mandates.latest(connection, partner, found.id)
        if held is None:
            return Moved(DebitResult.NO_MANDATE)
        asked = Asked(
            partner=partner,
            mandate_id=held.id,
            key=f"{file.on:%Y%m%d}:{row.reference}",
            amount=row.amount,
            reference=row.reference,
            text=_text(file.party.kana),
        )
        order = self._debits.debit_within(connection, asked, settled_through=account)
        return Moved(order.result, order.transfer_id)

    def _pay_in(
        self, connection: Connection, file: ZenginFile, row: Row, partner: str, account: str
    ) -> Moved:
        found = self._account(connection, row)
        if found is None or found.state is DepositState.CLOSED:
            return Moved(TransferResult.NO_ACCOUNT)
        if not self._is_holder(connection, found, row):
            return Moved(TransferResult.HOLDER_DIFFERS)
        usage = Usage(Function.CREDIT, partner)
        if self._switches.off_within(connection, usage) is not None:
            return Moved(TransferResult.OTHER)
        transfer = Transfer(
            key=f"bank:file:{partner}:{file.on:%Y%m%d}:{row.reference}",
            kind="bank:transfer_in",
            debit=account,
            credit=found.ledger_account,
            amount=row.amount,
            effective_on=self._bank.today(),
            details={"text": _text(file.party.kana)},
        )
        booked = post(connection, transfer, clock=self._bank.clock, chance=self._bank.chance)
        if not isinstance(booked, Booked):
            return Moved(TransferResult.OTHER)
        return Moved(TransferResult.PAID, booked.transfer_id)

    def _account(self, connection: Connection, row: Row) -> Deposit | None:
        """Return the account that a row names, None where it is none of ours."""
        if row.account.bank != self._bank.profile.code or row.amount <= Yen(0):
            return None
        found = deposits.find_by_number(connection, row.account.branch, row.account.number)
        return found if found is not None and found.kind.value == row.account.kind else None

    def _is_holder(self, connection: Connection, found: Deposit, row: Row) -> bool:
        """Say whether a row names the account's holder: equal in banks' writing, spaces aside."""
        depositor = holders.find(connection, self._bank, found.depositor_id)
        if depositor is None:
            return False
        try:
            named = read_holder_name(row.holder_kana)
        except HolderNameUnusable:
            return False
        return _plain(named) == _plain(depositor.holder.name_kana)


def _plain(name_kana: str) -> str:
    return name_kana.replace(" ", "")


def _text(party_kana: str) -> str:
    return party_kana[:TEXT_MAX].strip() or "-"
