"""Refunds: a shop gives a payment back, whole or in parts, and never more than was paid."""

from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, insert, select, update

from sekisho.kernel.ids import REFUND
from sekisho.kernel.refusals import Refusal
from sekisho.kernel.yen import Yen
from sekisho.ledger.journal import take_turn
from sekisho.ledger.transfers import Refused, Transfer, post
from sekisho.messages.notices import NoticeKind
from sekisho.storage.tables.wallet_money import payment, payment_refund
from sekisho.wallet.house import WalletParts
from sekisho.wallet.merchants import find_merchant
from sekisho.wallet.payments import KEY_MAX, Payment, PaymentKeyReused, PaymentRefused, tell
from sekisho.wallet.wallets import wallet_of


class PaymentUnknown(Refusal):
    """There is no such payment."""

    code = "payment_unknown"
    status = 404
    told = "There is no such payment."


class Refund(NamedTuple):
    """What a shop gives back: of which payment, how much. `key` makes it happen once."""

    key: str
    merchant_id: str
    payment_id: str
    amount: Yen


def refund_within(connection: Connection, house: WalletParts, wanted: Refund) -> Payment:
    """Give a part of a payment back into the wallet that made it, once by the key; return the payment then.

    It never gives back more than was paid. Raises PaymentUnknown, PaymentRefused and PaymentKeyReused.
    """
    merchant_id, payment_id, amount = wanted.merchant_id, wanted.payment_id, wanted.amount
    take_turn(connection)
    its = select(payment).where(payment.c.id == payment_id, payment.c.merchant_id == merchant_id)
    row = connection.execute(its).one_or_none()
    if row is None:
        raise PaymentUnknown(known=payment_id[:40])
    made = msgspec.convert(row, Payment, from_attributes=True)
    key = f"{merchant_id}:{wanted.key[:KEY_MAX]}"
    before = connection.execute(select(payment_refund).where(payment_refund.c.key == key)).one_or_none()
    if before is not None:
        if (before.payment_id, before.amount_yen) != (payment_id, amount.amount):
            raise PaymentKeyReused(known=key)
        return made
    if amount <= Yen(0) or made.refunded_yen + amount.amount > made.amount_yen:
        raise PaymentRefused(known="more than was paid", told="No more can be given back than was paid.")
    wallet, merchant = wallet_of(connection, made.member_id), find_merchant(connection, merchant_id)
    if wallet is None or merchant is None:
        raise LookupError(f"{payment_id} has no wallet or no merchant")
    refund_id = REFUND.new(house.clock, house.chance)
    move = Transfer(
        key=f"refund:{refund_id}",
        kind="wallet:refund",
        debit=merchant.account,
        credit=wallet.account,
        amount=amount,
        effective_on=house.today(),
        details={"payment": payment_id},
    )
    booked = post(connection, move, clock=house.clock, chance=house.chance)
    if isinstance(booked, Refused):
        raise PaymentRefused(
            known=booked.why, told="The wallet can't take this refund. Please pay it in cash."
        )
    values = {
        "id": refund_id,
        "key": key,
        "payment_id": payment_id,
        "amount_yen": amount.amount,
        "transfer_id": booked.transfer_id,
        "at_us": house.clock.now_us(),
    }
    connection.execute(insert(payment_refund), values)
    refunded = made.refunded_yen + amount.amount
    connection.execute(update(payment).where(payment.c.id == payment_id).values(refunded_yen=refunded))
    tell(connection, house, made, merchant, NoticeKind.PAYMENT_REFUNDED, amount, refund_id)
    return msgspec.structs.replace(made, refunded_yen=refunded)
