"""What a thief moved out of a wallet, and how it is made good: paid back into it, at our loss."""

from sqlalchemy import Connection, Select, select, union_all

from sekisho.kernel.yen import Yen
from sekisho.ledger.journal import take_turn
from sekisho.ledger.statements import transfer_of
from sekisho.ledger.transfers import Refused, Transfer, post
from sekisho.linking.bank_bookings import Direction
from sekisho.linking.banks import bank_in_words
from sekisho.response.claims import Award, ClaimRefused, Loss
from sekisho.response.partner_books import Booking, Received, book_received
from sekisho.response.recovery_rows import Way
from sekisho.storage.tables.bank_links import bank_link, bank_move
from sekisho.storage.tables.wallet_money import payment, send
from sekisho.wallet.bank_moves import MoveState
from sekisho.wallet.house import WalletParts
from sekisho.wallet.merchants import find_merchant
from sekisho.wallet.send_rows import SendState
from sekisho.wallet.wallets import WalletState, wallet_of

SHOWN_MAX = 200
"""How many movements of one member are offered to choose from."""

COMPENSATION = "wallet:compensation"
"""The kind of what is paid back."""

RECOVERY = "wallet:recovery"
"""The kind of what a partner bears."""


class WalletLosses:
    """Knows what left wallets for banks, shops and others, by the id of the payout, payment or send."""

    ways = (Way.TRANSFER,)

    def __init__(self, house: WalletParts) -> None:
        self._house = house

    def find(self, connection: Connection, loss: str) -> Loss | None:
        """Return what was moved, of whose wallet and when; of a payment, what the shop has not given back."""
        moved = _moved().subquery()
        row = connection.execute(select(moved).where(moved.c.id == loss)).one_or_none()
        return None if row is None else Loss(row.member_id, row.yen, row.lost_at_us)

    def of_member(self, connection: Connection, member_id: str) -> dict[str, Loss]:
        """Return what left a member's wallet, by id, the newest first."""
        moved = _moved().subquery()
        own = select(moved).where(moved.c.member_id == member_id).order_by(moved.c.lost_at_us.desc())
        rows = connection.execute(own.limit(SHOWN_MAX))
        return {row.id: Loss(row.member_id, row.yen, row.lost_at_us) for row in rows}

    def partner_of(self, connection: Connection, loss: str) -> str:
        """Return the bank that took a payout, or the shop that took a payment; a send went to no partner."""
        joined = bank_move.join(bank_link, bank_link.c.id == bank_move.c.link_id)
        taken = union_all(
            select(bank_link.c.bank.label("partner")).select_from(joined).where(bank_move.c.id == loss),
            select(payment.c.merchant_id).where(payment.c.id == loss),
        )
        return connection.execute(taken).scalar_one_or_none() or ""

    def name_of(self, connection: Connection, partner: str, language: str) -> str:
        """Return what a bank or a shop is called."""
        merchant = find_merchant(connection, partner)
        return bank_in_words(partner, self._house.today()) if merchant is None else merchant.name(language)

    def receive(self, connection: Connection, received: Received) -> str:
        """Book what came to our account at a bank against our loss. Raises ReceiptNotBookable."""
        take_turn(connection)
        own, house = self._house.accounts, self._house
        key = f"partner_receipt:{received.receipt_id}"
        booking = Booking(key, RECOVERY, own.bank_receivable, own.fraud_loss)
        return book_received(connection, received, booking, clock=house.clock, chance=house.chance)

    def make_good(self, connection: Connection, award: Award) -> str:
        """Pay a loss back into the wallet. Raises ClaimRefused where the wallet is gone or can't hold it."""
        take_turn(connection)
        key = f"claim:{award.claim_id}"
        before = transfer_of(connection, key)
        # What was paid on another day, or before the shop gave something back, was paid all the same.
        if before is not None and before.amount_yen == award.yen:
            return before.id
        house, loss = self._house, self.find(connection, award.loss)
        wallet = None if loss is None else wallet_of(connection, loss.member_id, for_update=True)
        if loss is None or wallet is None or wallet.state is WalletState.CLOSED or award.yen > loss.yen:
            raise ClaimRefused(known=f"{award.loss}: no wallet, or less was lost")
        paid_back = Transfer(
            key=key,
            kind=COMPENSATION,
            debit=house.accounts.fraud_loss,
            credit=wallet.account,
            amount=Yen(award.yen),
            effective_on=house.today(),
            details={"loss": award.loss},
        )
        booked = post(connection, paid_back, clock=house.clock, chance=house.chance)
        if isinstance(booked, Refused):
            raise ClaimRefused(known=f"{award.loss}: {booked.why}", told="The wallet can't take this.")
        return booked.transfer_id


def _moved() -> Select[tuple[object, ...]]:
    out = select(
        bank_move.c.id, bank_move.c.member_id, bank_move.c.amount_yen, bank_move.c.ended_at_us
    ).where(
        bank_move.c.direction == Direction.CREDIT.value,
        bank_move.c.state == MoveState.DONE.value,
    )
    paid = select(
        payment.c.id, payment.c.member_id, payment.c.amount_yen - payment.c.refunded_yen, payment.c.paid_at_us
    ).where(payment.c.amount_yen > payment.c.refunded_yen)
    # What nobody has accepted yet is taken back, and was never lost.
    sent = select(send.c.id, send.c.sender_id, send.c.amount_yen, send.c.sent_at_us).where(
        send.c.state == SendState.ACCEPTED.value
    )
    every = union_all(out, paid, sent).subquery().c
    names = ("id", "member_id", "yen", "lost_at_us")
    return select(*(column.label(name) for column, name in zip(every, names, strict=True)))
