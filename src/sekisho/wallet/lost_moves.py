"""Movements whose end a bank never told: what staff see of them, and what they found out from the bank."""

from typing import NamedTuple

from sqlalchemy import Connection, select

from sekisho.ledger.accounts import find_account
from sekisho.ledger.statements import KeptTransfer, find_transfer
from sekisho.response import audit
from sekisho.response.audit import Act
from sekisho.response.staff import Deed, require_staff
from sekisho.storage.tables.bank_links import bank_move
from sekisho.wallet import bank_order_rows, link_rows
from sekisho.wallet.bank_moves import BankMove, BankMoveUnknown, MoveBooks, MoveState, find
from sekisho.wallet.bank_order_rows import BankOrder
from sekisho.wallet.house import WalletParts

SHOWN_MAX = 200


class LostMove(NamedTuple):
    """A movement, the order behind it, its bank, and its reservation: from which kind of account to which."""

    move: BankMove
    order: BankOrder
    bank: str
    transfer: KeptTransfer
    debit_kind: str
    credit_kind: str


class LostMoveDesk:
    """Shows movements that were lost, and books what a person found out, for one wallet."""

    def __init__(self, house: WalletParts) -> None:
        self._house = house
        self._books = MoveBooks(house)

    async def lost(self) -> list[BankMove]:
        """Return the movements that wait for a person, the oldest first. Raises OperationalError."""
        its = select(bank_move.c.id).where(bank_move.c.state == MoveState.LOST.value)
        ids = its.order_by(bank_move.c.id).limit(SHOWN_MAX)

        def look(connection: Connection) -> list[BankMove]:
            found = [find(connection, move_id) for move_id in connection.execute(ids).scalars().all()]
            return [move for move in found if move is not None]

        return await self._house.read(look)

    async def look(self, move_id: str) -> LostMove:
        """Return a movement with what the books and the order say. Raises BankMoveUnknown where it never was.

        One that was decided meanwhile is returned as it is. Raises OperationalError as well.
        """

        def look(connection: Connection) -> LostMove:
            move = find(connection, move_id)
            if move is None or move.transfer_id is None or move.order_id is None:
                raise BankMoveUnknown(known=move_id[:40])
            transfer = find_transfer(connection, move.transfer_id)
            order = bank_order_rows.find(connection, move.order_id)
            if transfer is None or order is None:
                raise LookupError(f"no transfer or no order of {move.id}")
            debit, credit = (find_account(connection, of) for of in (transfer.debit, transfer.credit))
            kinds = ["" if account is None else account.kind for account in (debit, credit)]
            link = link_rows.find(connection, move.link_id)
            return LostMove(move, order, "" if link is None else link.bank, transfer, kinds[0], kinds[1])

        return await self._house.read(look)

    async def decide(self, move_id: str, deed: Deed, *, moved: bool) -> BankMove:
        """Book that the bank moved the money, or that it did not; it is on record with the booking.

        Raises BankMoveUnknown where it is not lost, StaffIdUnusable and OperationalError.
        """
        by = require_staff(deed.by)

        def work(connection: Connection) -> BankMove:
            move = self._books.decide_lost(connection, move_id, moved=moved, by=by)
            act = Act(actor=by, act="bank_move:decided", subject=move.id, reason=deed.reason)
            audit.record(connection, act, at_us=self._house.clock.now_us())
            return move

        return await self._house.written(work)
