"""Charging a wallet from a linked account, and paying out to one: wished for, approved, carried out.

A charge passes the signs of `link_risk` and the ceilings of the level, of the link and of the bank; both
directions pass the gate. What is approved is one amount between this wallet and this account, once.
"""

from sqlalchemy import Connection

from sekisho.guard.attempts import Gate
from sekisho.identity.arrivals import Arrival
from sekisho.identity.assurance import NotFromHere, StepUp
from sekisho.identity.session_desk import Present
from sekisho.kernel.ids import BANK_MOVE, BankLinkId, MemberId
from sekisho.kernel.yen import Yen
from sekisho.ledger.journal import take_turn
from sekisho.linking.bank_bookings import Direction
from sekisho.response.money_gates import Asked, Held, Passed, Stopped, Weighed
from sekisho.wallet import bank_moves, bank_order_rows
from sekisho.wallet.bank_moves import (
    KEY_MAX,
    WISH_US,
    BankMove,
    BankMoveKeyReused,
    BankMoveUnknown,
    MoveState,
    MoveToApprove,
    purpose_of,
    reserve_within,
)
from sekisho.wallet.bank_orders import BankOrders, LinkNotUsable, Wish, place_within
from sekisho.wallet.gates import Gatekeeper
from sekisho.wallet.house import WalletParts
from sekisho.wallet.link_charges import ChargeAsked, weigh_charge
from sekisho.wallet.link_limits import require_chargeable, room_for
from sekisho.wallet.link_rows import BankLink, LinkState
from sekisho.wallet.links import owned as owned_link
from sekisho.wallet.spending import AboveCeiling, require_room, room
from sekisho.wallet.switches import Function
from sekisho.wallet.wallets import require_open

SHOWN_MAX = 100
PASSBOOK_TEXT = "ｶﾓﾒｳｵﾚﾂﾄ"
"""What the passbook shows of every debit and credit of ours."""


class BankMoveDesk:
    """Takes wishes for charges and payouts and their approvals, for one wallet."""

    def __init__(self, house: WalletParts, gatekeeper: Gatekeeper, orders: BankOrders) -> None:
        self._house = house
        self._gatekeeper = gatekeeper
        self._orders = orders

    async def charge(self, present: Present, link_id: str, amount: Yen, key: str) -> MoveToApprove:
        """Take the wish for a charge; nothing moves yet. The same key again returns what it made.

        Raises LinkUnknown, LinkNotUsable, LinkCoolingOff, AboveLinkCeiling, AboveCeiling, LevelTooLow,
        WalletNotOpen, BankMoveKeyReused and OperationalError.
        """
        return await self._wish(present, link_id, amount, key, Direction.DEBIT)

    async def pay_out(self, present: Present, link_id: str, amount: Yen, key: str) -> MoveToApprove:
        """Take the wish for a payout; nothing moves yet. The same key again returns what it made.

        Raises what `charge` does.
        """
        return await self._wish(present, link_id, amount, key, Direction.CREDIT)

    async def to_approve(self, member_id: MemberId, move_id: str) -> MoveToApprove:
        """Return a movement with its purpose. Raises BankMoveUnknown and OperationalError."""
        return await self._house.read(lambda at: self._to_approve(at, member_id, move_id))

    async def approve(
        self, present: Present, arrival: Arrival, move_id: str
    ) -> BankMove | StepUp | NotFromHere | Held | Stopped:
        """Order a movement once the gate lets it pass, and return it as it stands after the first try.

        ORDERED means that the bank's word is awaited. Approved before, it is returned as it is. Raises what
        `charge` does, WalletFull and WalletTooEmpty.
        """
        move, purpose = await self.to_approve(present.session.member_id, move_id)
        if move.state is not MoveState.REQUESTED:
            return move
        link, weighed = await self._house.read(lambda at: self._weighed(at, present, move))
        asked = Asked(
            present=present,
            arrival=arrival,
            gate=Gate.TRANSFER,
            function=move.function,
            purpose=purpose,
            amount=move.amount,
            target=link.bank,
            partner=link.bank,
            is_new=await self._house.read(lambda at: bank_order_rows.is_first(at, link.id, move.direction)),
            weighed=weighed,
        )
        passed = await self._gatekeeper.ask(asked)
        if not isinstance(passed, Passed):
            return passed
        done = False
        try:
            outcome = await self._house.written(lambda at: self._order(at, asked, passed, move))
            done = isinstance(outcome, BankMove)
        finally:
            await self._gatekeeper.settle(passed, done=done)
        if not isinstance(outcome, BankMove):
            return outcome
        if outcome.order_id is not None:
            await self._orders.carry_out(outcome.order_id)
        return (await self.to_approve(outcome.member_id, outcome.id)).move

    async def of_member(self, member_id: MemberId) -> list[BankMove]:
        """Return a member's movements, the newest first, a hundred at most. Raises OperationalError."""
        return await self._house.read(lambda at: bank_moves.of_member(at, member_id, SHOWN_MAX))

    async def room(self, present: Present, link_id: str) -> Yen:
        """Return how much could be charged over a link now, by all ceilings together.

        Raises LinkUnknown, LevelTooLow, WalletNotOpen and OperationalError.
        """
        return await self._house.read(lambda at: self._room(at, present.session.member_id, link_id))

    async def _wish(
        self, present: Present, link_id: str, amount: Yen, key: str, direction: Direction
    ) -> MoveToApprove:
        house, now_us = self._house, self._house.clock.now_us()
        wished = BankMove(
            id=BANK_MOVE.new(house.clock, house.chance),
            key=f"{present.session.member_id}:{key[:KEY_MAX]}",
            member_id=present.session.member_id,
            link_id=BankLinkId(link_id),
            direction=direction,
            amount_yen=amount.amount,
            state=MoveState.REQUESTED,
            result="",
            order_id=None,
            transfer_id=None,
            session_id=present.session.id,
            attempt_id="",
            approved_by="",
            requested_at_us=now_us,
            ordered_at_us=None,
            ended_at_us=None,
        )
        return await self._house.written(lambda at: self._take(at, wished))

    def _take(self, connection: Connection, wished: BankMove) -> MoveToApprove:
        link = owned_link(connection, wished.member_id, wished.link_id)
        before = bank_moves.by_key(connection, wished.key)
        if before is not None:
            same = (before.link_id, before.direction, before.amount_yen)
            if same != (wished.link_id, wished.direction, wished.amount_yen):
                raise BankMoveKeyReused(known=before.id)
            return MoveToApprove(before, purpose_of(connection, self._house, before, link))
        self._require_fit(connection, wished, link)
        bank_moves.add(connection, wished)
        return MoveToApprove(wished, purpose_of(connection, self._house, wished, link))

    def _require_fit(self, connection: Connection, move: BankMove, link: BankLink) -> None:
        """Let a movement through that link, level and ceilings allow; asked early, and again at the end."""
        wallet = require_open(connection, move.member_id)
        if link.state is not LinkState.ACTIVE:
            raise LinkNotUsable(known=f"{link.id}: {link.state}")
        if move.amount <= Yen(0):
            raise AboveCeiling(Yen(0))
        now_us = self._house.clock.now_us()
        if move.direction is Direction.DEBIT:
            charged = bank_order_rows.charged_over(connection, link.id, now_us)
            require_chargeable(link.ceilings, charged, move.amount, now_us)
        require_room(connection, wallet, move.function, move.amount, self._house.today())

    def _to_approve(self, connection: Connection, member_id: MemberId, move_id: str) -> MoveToApprove:
        move = bank_moves.owned(connection, member_id, move_id)
        waited_us = self._house.clock.now_us() - move.requested_at_us
        if move.state is MoveState.REQUESTED and waited_us >= WISH_US:
            raise BankMoveUnknown(known=f"{move.id}: waited too long")
        link = owned_link(connection, member_id, move.link_id)
        return MoveToApprove(move, purpose_of(connection, self._house, move, link))

    def _weighed(self, connection: Connection, present: Present, move: BankMove) -> tuple[BankLink, Weighed]:
        link = owned_link(connection, move.member_id, move.link_id)
        if move.direction is Direction.CREDIT:
            # It goes to the member's own account, which a bank has matched: the gate's own doubts suffice.
            return link, Weighed()
        asked = ChargeAsked(present, link, move.amount)
        now_us, risk_max = self._house.clock.now_us(), self._gatekeeper.settings.risk_max
        return link, weigh_charge(connection, asked, now_us=now_us, risk_max=risk_max)

    def _order(
        self, connection: Connection, asked: Asked, passed: Passed, move: BankMove
    ) -> BankMove | Held | StepUp | NotFromHere:
        # Who else approves the same at this moment has to be seen before the approval is used up.
        take_turn(connection)
        house, now_us = self._house, self._house.clock.now_us()
        current = bank_moves.owned(connection, move.member_id, move.id)
        if current.state is not MoveState.REQUESTED:
            return current
        link = owned_link(connection, move.member_id, move.link_id)
        self._require_fit(connection, current, link)
        refused = self._gatekeeper.take_within(connection, asked, passed)
        if refused is not None:
            return refused
        transfer_id = reserve_within(connection, house, current, require_open(connection, current.member_id))
        wish = Wish(f"bank_move:{move.id}", link.id, move.direction, move.amount, PASSBOOK_TEXT)
        order = place_within(connection, house, wish)
        bank_moves.change(
            connection,
            current,
            MoveState.ORDERED,
            order_id=order.id,
            transfer_id=transfer_id,
            attempt_id=passed.attempt_id,
            approved_by=passed.way.value,
            ordered_at_us=now_us,
        )
        return bank_moves.owned(connection, move.member_id, move.id)

    def _room(self, connection: Connection, member_id: MemberId, link_id: str) -> Yen:
        link, now_us = owned_link(connection, member_id, link_id), self._house.clock.now_us()
        if link.state is not LinkState.ACTIVE:
            return Yen(0)
        charged = bank_order_rows.charged_over(connection, link.id, now_us)
        over_link = room_for(link.ceilings, charged, now_us)
        wallet = require_open(connection, member_id)
        of_level = room(connection, wallet, Function.CHARGE, self._house.today())
        return over_link if of_level is None else min(over_link, of_level)
