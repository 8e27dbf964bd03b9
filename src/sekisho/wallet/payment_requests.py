"""Purchases for which a shop shows a code, and the codes of shops."""

from typing import NamedTuple

from sqlalchemy import Connection, insert, select

from sekisho.kernel.clock import MINUTE_US
from sekisho.kernel.ids import PAYMENT_REQUEST, PaymentRequestId
from sekisho.kernel.refusals import Refusal
from sekisho.kernel.yen import Yen
from sekisho.storage.tables.wallet_money import payment, payment_request
from sekisho.wallet.emv_qr import REFERENCE_MAX, MerchantCode, write_code
from sekisho.wallet.house import WalletParts
from sekisho.wallet.merchants import Merchant, require_merchant

REQUEST_US = 15 * MINUTE_US
KEY_MAX = 80
AMOUNT_MAX = Yen(1_000_000)


class RequestOver(Refusal):
    """The code was for one purchase, which is paid or too long ago."""

    code = "payment_request_over"
    status = 409
    told = "This code was paid already, or is too old. Ask the shop for a new one."


class RequestUnusable(Refusal):
    """The amount or the reference of a purchase does not fit, or the key was used for another one."""

    code = "payment_request_unusable"
    status = 422
    told = "This purchase can't be asked for as it is."


class Purchase(NamedTuple):
    """What a shop asks for. `key` makes it happen once; `reference` is the shop's own, in ASCII."""

    key: str
    merchant_id: str
    amount: Yen
    reference: str = ""


class Request(NamedTuple):
    """One purchase for which a shop shows a code."""

    id: PaymentRequestId
    merchant_id: str
    amount: Yen
    reference: str
    expires_at_us: int


def request_within(connection: Connection, house: WalletParts, asked: Purchase) -> tuple[Request, str]:
    """Write a purchase down for which a shop shows a code; return it with the code's payload.

    The same key again returns the same. Raises MerchantUnknown and RequestUnusable.
    """
    amount, reference = asked.amount, asked.reference
    merchant = require_merchant(connection, asked.merchant_id)
    if not Yen(0) < amount <= AMOUNT_MAX or len(reference) > REFERENCE_MAX or not reference.isascii():
        raise RequestUnusable(known="the amount or the reference")
    key = f"{merchant.id}:{asked.key[:KEY_MAX]}"
    row = connection.execute(select(payment_request).where(payment_request.c.key == key)).one_or_none()
    if row is not None and (row.amount_yen, row.reference) != (amount.amount, reference):
        raise RequestUnusable(known=f"{key}: used otherwise")
    if row is None:
        now_us = house.clock.now_us()
        request_id = PAYMENT_REQUEST.new(house.clock, house.chance)
        values = {
            "id": request_id,
            "key": key,
            "merchant_id": merchant.id,
            "amount_yen": amount.amount,
            "reference": reference,
            "made_at_us": now_us,
            "expires_at_us": now_us + REQUEST_US,
        }
        connection.execute(insert(payment_request), values)
        made = Request(request_id, merchant.id, amount, reference, now_us + REQUEST_US)
    else:
        made = Request(row.id, merchant.id, amount, reference, row.expires_at_us)
    return made, code_of(merchant, made)


def code_of(merchant: Merchant, request: Request | None = None) -> str:
    """Return the payload of a shop's code: for one purchase, or the one that hangs at the till."""
    code = MerchantCode(
        merchant_id=merchant.id,
        name=merchant.name_en,
        city=merchant.city,
        category=merchant.category,
        local_name=merchant.name_ja,
    )
    if request is not None:
        code = code._replace(amount=request.amount, request_id=request.id, reference=request.reference)
    return write_code(code)


def require_request(connection: Connection, request_id: str, now_us: int) -> Request:
    """Return a purchase that waits to be paid. Raises RequestOver."""
    found = find_request(connection, request_id)
    paid = select(payment.c.id).where(payment.c.request_id == request_id)
    if found is None or found.expires_at_us <= now_us or connection.execute(paid).first() is not None:
        raise RequestOver(known=request_id[:40])
    return found


def find_request(connection: Connection, request_id: str) -> Request | None:
    """Return a purchase, whatever became of it."""
    row = connection.execute(select(payment_request).where(payment_request.c.id == request_id)).one_or_none()
    if row is None:
        return None
    return Request(row.id, row.merchant_id, Yen(row.amount_yen), row.reference, row.expires_at_us)
