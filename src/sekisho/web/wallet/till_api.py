"""What a shop's till calls: ask for a payment, take one with a code that a member shows, give one back.

The API key's name is the merchant's id, so that a till acts for nobody else. Everything that moves money
carries an `Idempotency-Key`: the same key again gives the same answer.
"""

from typing import Any

import msgspec
from litestar import Response, get, post

from sekisho.kernel.clock import rfc3339
from sekisho.kernel.yen import Yen
from sekisho.wallet.payment_codes import PaymentCodes
from sekisho.wallet.payment_requests import Purchase, find_request, request_within
from sekisho.wallet.payments import Order, Payment, payment_of_request
from sekisho.wallet.refunds import PaymentUnknown, Refund, refund_within
from sekisho.web.guard_api.api_keys import Scope
from sekisho.web.json_bodies import read_json
from sekisho.web.members.programs import for_programs, require_idempotency_key, require_key, told
from sekisho.web.members.roles import ROLE, Role
from sekisho.web.members.visits import AnyRequest
from sekisho.web.problems import Malformed
from sekisho.web.wallet.desks import desks_of

CREATED = 201
OF_TILLS = {ROLE: Role.CLIENT}


class PurchaseBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A purchase: how much, and the shop's own reference."""

    amount_yen: int
    reference: str = ""


class TakingBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A payment with a code that a member shows."""

    code: str
    amount_yen: int
    reference: str = ""


class RefundBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much is given back."""

    amount_yen: int


@post("/v1/till/requests", opt=OF_TILLS)
@for_programs
async def ask_for_payment(request: AnyRequest) -> Response[Any]:
    """Write a purchase down, and return the code that the till shows for it."""
    key, house = require_key(request, Scope.TILL), desks_of(request).house
    body = await read_json(request, PurchaseBody)
    asked = Purchase(require_idempotency_key(request), key.name, _yen(body.amount_yen), body.reference)
    made, payload = await house.written(lambda at: request_within(at, house, asked))
    answer = {"request_id": made.id, "payload": payload, "expires_at": rfc3339(made.expires_at_us)}
    return told(answer, status=CREATED)


@get("/v1/till/requests/{request_id:str}", opt=OF_TILLS)
@for_programs
async def payment_request(request: AnyRequest) -> Response[Any]:
    """Tell whether a purchase was paid: `waiting`, `paid` or `over`."""
    key, house = require_key(request, Scope.TILL), desks_of(request).house
    request_id, now_us = request.path_params["request_id"], house.clock.now_us()
    found, made = await house.read(
        lambda at: (find_request(at, request_id), payment_of_request(at, request_id))
    )
    if found is None or found.merchant_id != key.name:
        raise PaymentUnknown(known=request_id[:40])
    if made is not None:
        return told({"state": "paid", "payment": _told(made)})
    return told({"state": "waiting" if found.expires_at_us > now_us else "over"})


@post("/v1/till/payments", opt=OF_TILLS)
@for_programs
async def take_payment(request: AnyRequest) -> Response[Any]:
    """Take a payment with a code that a member shows."""
    key, desks = require_key(request, Scope.TILL), desks_of(request)
    body = await read_json(request, TakingBody)
    order = Order(require_idempotency_key(request), key.name, _yen(body.amount_yen), body.reference)
    codes = PaymentCodes(desks.house, desks.gatekeeper)
    return told(_told(await codes.take(body.code, order)), status=CREATED)


@post("/v1/till/payments/{payment_id:str}/refunds", opt=OF_TILLS)
@for_programs
async def refund_payment(request: AnyRequest) -> Response[Any]:
    """Give a part of a payment back."""
    key, house = require_key(request, Scope.TILL), desks_of(request).house
    body = await read_json(request, RefundBody)
    payment_id = request.path_params["payment_id"]
    wanted = Refund(require_idempotency_key(request), key.name, payment_id, _yen(body.amount_yen))
    made = await house.written(lambda at: refund_within(at, house, wanted))
    return told(_told(made), status=CREATED)


def _yen(amount: int) -> Yen:
    if not 0 < amount < 10**12:
        raise Malformed(known="the amount")
    return Yen(amount)


def _told(made: Payment) -> dict[str, object]:
    return {
        "payment_id": made.id,
        "amount_yen": made.amount_yen,
        "refunded_yen": made.refunded_yen,
        "reference": made.reference,
        "paid_at": rfc3339(made.paid_at_us),
    }


ROUTES = (ask_for_payment, payment_request, take_payment, refund_payment)
