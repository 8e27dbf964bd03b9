"""What members moved in the last days: charges, payouts, payments and sends that a switch would have met."""

from collections.abc import Iterator

from sqlalchemy import Connection, exists, select

from sekisho.linking.bank_bookings import Direction
from sekisho.response.past_uses import PastUse, with_sessions
from sekisho.response.switches import Usage
from sekisho.storage.tables.bank_links import bank_link, bank_move, bank_order
from sekisho.storage.tables.wallet_money import payment, send
from sekisho.wallet.bank_order_rows import OrderState
from sekisho.wallet.switches import Function


class WalletUses:
    """The wallet's movements out of its own tables, each under the attempt by which it passed the gate."""

    def since(self, connection: Connection, from_us: int) -> Iterator[PastUse]:
        """Return what was moved with banks, paid and sent since a time, and whether each was the first."""
        uses = [
            *_with_banks(connection, from_us),
            *_payments(connection, from_us),
            *_sends(connection, from_us),
        ]
        return with_sessions(connection, uses)


def _with_banks(connection: Connection, from_us: int) -> Iterator[PastUse]:
    moved_before = exists().where(
        bank_order.c.link_id == bank_move.c.link_id,
        bank_order.c.direction == bank_move.c.direction,
        bank_order.c.state == OrderState.DONE.value,
        bank_order.c.settled_at_us < bank_move.c.ordered_at_us,
    )
    moved = (
        select(bank_move, bank_link.c.bank, (~moved_before).label("is_new"))
        .select_from(bank_move.join(bank_link, bank_link.c.id == bank_move.c.link_id))
        .where(bank_move.c.ordered_at_us >= from_us)
    )
    for row in connection.execute(moved):
        function = Function.CHARGE if row.direction == Direction.DEBIT else Function.PAYOUT
        usage = Usage(
            function.value, row.member_id, row.bank, is_new=bool(row.is_new), session_id=row.session_id
        )
        yield _use(row.attempt_id or row.id, row.ordered_at_us, usage, row.amount_yen)


def _payments(connection: Connection, from_us: int) -> Iterator[PastUse]:
    other = payment.alias()
    paid_before = exists().where(
        other.c.member_id == payment.c.member_id,
        other.c.merchant_id == payment.c.merchant_id,
        other.c.paid_at_us < payment.c.paid_at_us,
    )
    paid = select(payment, (~paid_before).label("is_new")).where(payment.c.paid_at_us >= from_us)
    for row in connection.execute(paid):
        usage = Usage(
            Function.PAYMENT.value, row.member_id, is_new=bool(row.is_new), session_id=row.session_id
        )
        yield _use(row.attempt_id or row.id, row.paid_at_us, usage, row.amount_yen)


def _sends(connection: Connection, from_us: int) -> Iterator[PastUse]:
    other = send.alias()
    sent_before = exists().where(
        other.c.sender_id == send.c.sender_id,
        other.c.phone_digest == send.c.phone_digest,
        other.c.sent_at_us < send.c.sent_at_us,
    )
    sent = select(send, (~sent_before).label("is_new")).where(send.c.sent_at_us >= from_us)
    for row in connection.execute(sent):
        usage = Usage(Function.SEND.value, row.sender_id, is_new=bool(row.is_new), session_id=row.session_id)
        yield _use(row.attempt_id or row.id, row.sent_at_us, usage, row.amount_yen)


def _use(key: str, at_us: int, usage: Usage, yen: int) -> PastUse:
    return PastUse(key, at_us, usage, (usage.function,), yen)
