"""Movements whose end a bank never told: what staff see of them, and what they found out from the bank."""

from sqlalchemy import Connection, select

from sekisho.response import audit
from sekisho.response.audit import Act
from sekisho.response.staff import require_staff
from sekisho.storage.tables.bank_links import bank_move
from sekisho.wallet.bank_moves import BankMove, MoveBooks, MoveState, find
from sekisho.wallet.house import WalletParts
from sekisho.wallet.staff_desk import Deed

SHOWN_MAX = 200


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
