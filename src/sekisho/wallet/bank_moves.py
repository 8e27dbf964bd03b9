"""Money between a wallet and its linked account: wished for, approved, pending, settled by the bank.

What a charge brings is in the wallet when the bank has debited it, and not before; what a payout takes has
left the wallet at once, and is back where the bank did not take it. Both are one reservation in the books,
ended in the unit of work that writes down what became of the order.
"""

from enum import StrEnum
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, RowMapping, and_, insert, select, update

from sekisho.identity.notifying import warn
from sekisho.identity.purposes import Purpose
from sekisho.kernel.clock import DAY_US, MINUTE_US
from sekisho.kernel.ids import BankLinkId, BankMoveId, MemberId
from sekisho.kernel.refusals import Refusal
from sekisho.kernel.yen import Yen
from sekisho.ledger.journal import take_turn
from sekisho.ledger.transfers import Refused, Result, Transfer, Why, post, reserve, settle, void
from sekisho.linking.bank_bookings import Direction
from sekisho.linking.banks import bank_in_words
from sekisho.messages.notices import NoticeKind
from sekisho.storage import outbox
from sekisho.storage.tables.bank_links import bank_move
from sekisho.wallet import link_rows
from sekisho.wallet.bank_order_rows import BankOrder, OrderState
from sekisho.wallet.house import WalletParts
from sekisho.wallet.link_rows import BankLink
from sekisho.wallet.spending import KINDS
from sekisho.wallet.switches import Function
from sekisho.wallet.wallets import Wallet

KEY_MAX = 80
WISH_US = 15 * MINUTE_US
"""How long a wish may wait for its approval."""

# A reservation has to have an end in the books; the bank's word, or a person's, comes long before.
_RESERVED_US = 3_650 * DAY_US


class MoveState(StrEnum):
    """Where a movement stands."""

    REQUESTED = "requested"
    """The member wished for it and has not approved it yet."""

    ORDERED = "ordered"
    """It is booked as pending, and the bank's word is awaited."""

    DONE = "done"
    """The bank moved the money."""

    FAILED = "failed"
    """The bank did not; everything is as it was."""

    LOST = "lost"
    """Nobody can tell yet: a person asks the bank, and the money stays reserved."""


class BankMoveUnknown(Refusal):
    """The member has no such movement, or it has waited too long for its approval."""

    code = "bank_move_unknown"
    status = 404
    told = "There is no such order."


class BankMoveKeyReused(Refusal):
    """The key was used for another movement."""

    code = "bank_move_key_reused"
    status = 422
    told = "This was asked for before, in another way."


class WalletFull(Refusal):
    """The wallet may hold no more."""

    code = "wallet_full"
    status = 409
    told = "Your wallet can't hold this much."


class WalletTooEmpty(Refusal):
    """The wallet holds less than is to be paid out."""

    code = "wallet_too_empty"
    status = 409
    told = "There is not enough in your wallet."


class BankMove(msgspec.Struct, frozen=True, kw_only=True):
    """A movement. `result` is the bank's word for it; times are microseconds since the epoch."""

    id: BankMoveId
    key: str
    member_id: MemberId
    link_id: BankLinkId
    direction: Direction
    amount_yen: int
    state: MoveState
    result: str
    order_id: str | None
    transfer_id: str | None
    session_id: str
    attempt_id: str
    approved_by: str
    requested_at_us: int
    ordered_at_us: int | None
    ended_at_us: int | None

    @property
    def amount(self) -> Yen:
        """How much is to move."""
        return Yen(self.amount_yen)

    @property
    def function(self) -> Function:
        """What of the wallet is used for it."""
        return Function.CHARGE if self.direction is Direction.DEBIT else Function.PAYOUT


class MoveToApprove(NamedTuple):
    """A movement that was wished for, and the purpose that has to be approved for it."""

    move: BankMove
    purpose: Purpose


def find(connection: Connection, move_id: str) -> BankMove | None:
    """Return a movement by id."""
    row = connection.execute(select(bank_move).where(bank_move.c.id == move_id)).mappings().one_or_none()
    return None if row is None else _read(row)


def by_key(connection: Connection, key: str) -> BankMove | None:
    """Return what a key asked for."""
    row = connection.execute(select(bank_move).where(bank_move.c.key == key)).mappings().one_or_none()
    return None if row is None else _read(row)


def of_member(connection: Connection, member_id: str, limit: int) -> list[BankMove]:
    """Return a member's movements, the newest first."""
    its = select(bank_move).where(bank_move.c.member_id == member_id)
    rows = its.order_by(bank_move.c.requested_at_us.desc(), bank_move.c.id.desc()).limit(limit)
    return [_read(row) for row in connection.execute(rows).mappings()]


def under_way(connection: Connection, member_id: str) -> list[BankMove]:
    """Return a member's movements that are reserved in the books and not ended, the oldest first."""
    reserved = bank_move.c.state.in_((MoveState.ORDERED, MoveState.LOST))
    rows = select(bank_move).where(bank_move.c.member_id == member_id, reserved).order_by(bank_move.c.id)
    return [_read(row) for row in connection.execute(rows).mappings()]


def owned(connection: Connection, member_id: str, move_id: str) -> BankMove:
    """Return a member's own movement. Raises BankMoveUnknown."""
    move = find(connection, move_id)
    if move is None or move.member_id != member_id:
        raise BankMoveUnknown(known=move_id[:40])
    return move


def add(connection: Connection, move: BankMove) -> None:
    """Write a wish down."""
    connection.execute(insert(bank_move), msgspec.structs.asdict(move))


def change(connection: Connection, move: BankMove, after: MoveState, **values: object) -> bool:
    """Move on from the state in which it was read, and tell whether it still stood there."""
    still = and_(bank_move.c.id == move.id, bank_move.c.state == move.state)
    return bool(connection.execute(update(bank_move).where(still).values(state=after, **values)).rowcount)


def purpose_of(connection: Connection, house: WalletParts, move: BankMove, link: BankLink) -> Purpose:
    """Return what has to be approved: this amount, between this wallet and this account, once."""
    shown = link_rows.secrets_of(connection, house.keyring, link.id)
    return Purpose(
        action="charge" if move.direction is Direction.DEBIT else "transfer",
        amount_yen=move.amount_yen,
        details={
            "bank": bank_in_words(link.bank, house.today()),
            "account": f"***{shown.last4}",
            "move": move.id,
        },
    )


def reserve_within(connection: Connection, house: WalletParts, move: BankMove, wallet: Wallet) -> str:
    """Book a movement as pending, and return the transfer's id. Raises WalletFull and WalletTooEmpty."""
    accounts = house.accounts
    if move.direction is Direction.DEBIT:
        debit, credit = accounts.bank_receivable, wallet.account
    else:
        debit, credit = wallet.account, accounts.payout_clearing
    transfer = Transfer(
        key=f"bank_move:{move.id}",
        kind=KINDS[move.function],
        debit=debit,
        credit=credit,
        amount=move.amount,
        effective_on=house.today(),
        details={"link": move.link_id},
    )
    until_us = house.clock.now_us() + _RESERVED_US
    made = reserve(connection, transfer, expires_at_us=until_us, clock=house.clock, chance=house.chance)
    if not isinstance(made, Refused):
        return made.transfer_id
    if made.why is Why.ABOVE_CREDIT_LIMIT:
        raise WalletFull(known=made.why)
    raise WalletTooEmpty(known=made.why)


class MoveBooks:
    """Ends reservations by the bank's word: what `BankOrders` calls when an order is settled."""

    def __init__(self, house: WalletParts) -> None:
        self._house = house

    def settled(self, connection: Connection, order: BankOrder) -> None:
        """Book what became of an order, in the unit of work that writes it down."""
        move = self._of(connection, order)
        match order.state:
            case OrderState.DONE:
                self._done(connection, move, order)
            case OrderState.LOST:
                change(connection, move, MoveState.LOST, result=order.result)
            case _:
                self._failed(connection, move, order.result or order.state.value)

    def decide_lost(self, connection: Connection, move_id: str, *, moved: bool, by: str) -> BankMove:
        """Book what a person found out of the bank about a movement that was lost. `by` says who.

        Raises BankMoveUnknown where it is not lost.
        """
        # Of two who decide at once, the second one finds it decided.
        take_turn(connection)
        move = find(connection, move_id)
        if move is None or move.state is not MoveState.LOST:
            raise BankMoveUnknown(known=move_id[:40])
        if moved:
            self._done(connection, move, None)
        else:
            self._failed(connection, move, "decided")
        now_us = self._house.clock.now_us()
        body = msgspec.json.encode({"moved": moved, "by": by})
        outbox.append(connection, [outbox.Entry("wallet:bank_move:decided", move.id, now_us, body)])
        after = find(connection, move.id)
        assert after is not None  # noqa: S101 - it was changed just now
        return after

    def _done(self, connection: Connection, move: BankMove, order: BankOrder | None) -> None:
        house, now_us = self._house, self._house.clock.now_us()
        _must(settle(connection, move.transfer_id or "", clock=house.clock))
        if move.direction is Direction.CREDIT:
            self._clear(connection, move)
        result = "decided" if order is None else order.result
        change(connection, move, MoveState.DONE, result=result, ended_at_us=now_us)
        kind = NoticeKind.WALLET_CHARGED
        if move.direction is Direction.CREDIT:
            kind = NoticeKind.WALLET_PAID_OUT
        self._tell(connection, move, kind, now_us)

    def _clear(self, connection: Connection, move: BankMove) -> None:
        """Settle what was on its way with what we hold at the bank, which paid it for us."""
        paid = Transfer(
            key=f"bank_move_paid:{move.id}",
            kind="wallet:payout_paid",
            debit=self._house.accounts.payout_clearing,
            credit=self._house.accounts.bank_receivable,
            amount=move.amount,
            effective_on=self._house.today(),
        )
        _must(post(connection, paid, clock=self._house.clock, chance=self._house.chance))

    def _failed(self, connection: Connection, move: BankMove, result: str) -> None:
        now_us = self._house.clock.now_us()
        _must(void(connection, move.transfer_id or "", clock=self._house.clock))
        change(connection, move, MoveState.FAILED, result=result, ended_at_us=now_us)
        # A refused debit is seen on the page at once; money that was to leave and is back is told.
        if move.direction is Direction.CREDIT:
            self._tell(connection, move, NoticeKind.WALLET_PAYOUT_FAILED, now_us)

    def _tell(self, connection: Connection, move: BankMove, kind: NoticeKind, now_us: int) -> None:
        link = link_rows.find(connection, move.link_id)
        bank = "" if link is None else bank_in_words(link.bank, self._house.today())
        values: dict[str, str | int] = {"when": now_us, "amount": move.amount_yen, "bank": bank}
        # The money has moved, or has not: no contact that does not open may undo that.
        warn(connection, self._house.parts, move.member_id, kind, values, dedupe=f"{kind}:{move.id}")

    def _of(self, connection: Connection, order: BankOrder) -> BankMove:
        row = select(bank_move).where(bank_move.c.order_id == order.id)
        found = connection.execute(row).mappings().one_or_none()
        if found is None:
            raise LookupError(f"no movement of {order.id}")
        return _read(found)


def _must(result: Result) -> None:
    """Insist: the books have kept this for the movement alone, and that they refuse it is a fault of ours."""
    match result:
        case Refused(why=why):
            raise ArithmeticError(f"the books refuse what they had reserved: {why}")


def _read(row: RowMapping) -> BankMove:
    return msgspec.convert({name: row[name] for name in BankMove.__struct_fields__}, BankMove)
