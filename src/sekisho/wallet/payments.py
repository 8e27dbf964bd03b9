"""Payments at shops: a wallet pays a merchant, once by its key, and a merchant may give some of it back.

A member scans the shop's code and approves exactly this amount for exactly this shop; or shows a code of its
own, which the shop's till uses (`payment_codes`). Both end in `pay_within`.
"""

from enum import StrEnum
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, insert, select

from sekisho.guard.attempts import Gate
from sekisho.identity.arrivals import Arrival
from sekisho.identity.assurance import NotFromHere, StepUp
from sekisho.identity.notifying import warn
from sekisho.identity.purposes import Purpose
from sekisho.identity.session_desk import Present
from sekisho.kernel.ids import PAYMENT, MemberId, PaymentId
from sekisho.kernel.refusals import Refusal
from sekisho.kernel.yen import Yen
from sekisho.ledger.journal import take_turn
from sekisho.ledger.transfers import Refused, Transfer, Why, post
from sekisho.messages.notices import NoticeKind
from sekisho.response.money_gates import Asked, Held, Passed, Stopped
from sekisho.storage import outbox
from sekisho.storage.tables.wallet_money import payment
from sekisho.wallet.emv_qr import REFERENCE_MAX, MerchantCode, QrUnreadable, read_code
from sekisho.wallet.gates import Gatekeeper
from sekisho.wallet.house import WalletParts
from sekisho.wallet.merchants import Merchant, find_merchant, require_merchant
from sekisho.wallet.payment_requests import AMOUNT_MAX, require_request
from sekisho.wallet.spending import KINDS, require_room
from sekisho.wallet.switches import Function
from sekisho.wallet.wallets import require_open

KEY_MAX = 80


class PaymentWay(StrEnum):
    """Who showed the code."""

    SCANNED = "scanned"
    """The member scanned the shop's code."""

    SHOWN = "shown"
    """The shop scanned the member's code."""


class PaymentRefused(Refusal):
    """The payment can't be made; `known` says why."""

    code = "payment_refused"
    status = 409
    told = "This payment can't be made."


class NotEnough(Refusal):
    """The wallet holds less than is to be paid."""

    code = "not_enough"
    status = 409
    told = "There is not enough in your wallet."


class PaymentKeyReused(Refusal):
    """The key was used for another payment, or another refund."""

    code = "payment_key_reused"
    status = 422
    told = "This was asked for before, in another way."


class Payment(msgspec.Struct, frozen=True, kw_only=True):
    """A payment. `refunded_yen` is what came back of it."""

    id: PaymentId
    key: str
    member_id: MemberId
    merchant_id: str
    way: PaymentWay
    amount_yen: int
    refunded_yen: int
    reference: str
    request_id: str | None
    session_id: str
    attempt_id: str
    transfer_id: str
    paid_at_us: int

    @property
    def amount(self) -> Yen:
        """How much was paid."""
        return Yen(self.amount_yen)


class Order(NamedTuple):
    """What is to be paid: to whom, how much, for which purchase. `key` makes it happen once."""

    key: str
    merchant_id: str
    amount: Yen
    reference: str = ""
    request_id: str = ""


class Payer(NamedTuple):
    """Whose wallet pays, in which session, under which attempt of the guard, and which way."""

    member_id: MemberId
    session_id: str
    attempt_id: str
    way: PaymentWay


class Scanned(NamedTuple):
    """What a scanned code asks for: the shop, and the amount where the code names one."""

    merchant: Merchant
    amount: Yen | None
    reference: str
    request_id: str


class PaymentDesk:
    """Takes members' payments at one wallet."""

    def __init__(self, house: WalletParts, gatekeeper: Gatekeeper) -> None:
        self._house = house
        self._gatekeeper = gatekeeper

    async def scan(self, payload: str) -> Scanned:
        """Return what a scanned code asks for.

        Raises QrUnreadable, QrNotOurs, MerchantUnknown, RequestOver, and OperationalError.
        """
        code = read_code(payload)
        return await self._house.read(lambda at: self._scanned(at, code))

    async def pay(
        self, present: Present, arrival: Arrival, order: Order
    ) -> Payment | StepUp | NotFromHere | Held | Stopped:
        """Pay, once the gate lets it pass; an order that was paid is returned as it is.

        Raises MerchantUnknown, RequestOver, LevelTooLow, AboveCeiling, NotEnough, WalletNotOpen,
        PaymentRefused, PaymentKeyReused and OperationalError.
        """
        member_id = present.session.member_id
        before = await self._house.read(lambda at: self._before(at, member_id, order))
        if isinstance(before, Payment):
            return before
        asked = Asked(
            present=present,
            arrival=arrival,
            gate=Gate.TRANSFER,
            function=Function.PAYMENT,
            purpose=purpose_of(order, before),
            amount=order.amount,
            target=order.merchant_id,
            is_new=await self._house.read(lambda at: _is_first(at, member_id, order.merchant_id)),
        )
        passed = await self._gatekeeper.ask(asked)
        if not isinstance(passed, Passed):
            return passed
        done = False
        try:
            paid = await self._house.written(lambda at: self._pay(at, asked, passed, order))
            done = isinstance(paid, Payment)
        finally:
            await self._gatekeeper.settle(passed, done=done)
        return paid

    async def merchant(self, merchant_id: str) -> Merchant:
        """Return a merchant that takes payments. Raises MerchantUnknown and OperationalError."""
        return await self._house.read(lambda at: require_merchant(at, merchant_id))

    async def shop_of(self, made: Payment) -> Merchant:
        """Return the merchant that was paid, also one that takes no payments now. Raises OperationalError."""

        def look(connection: Connection) -> Merchant:
            found = find_merchant(connection, made.merchant_id)
            if found is None:
                raise LookupError(f"{made.id} has no merchant")
            return found

        return await self._house.read(look)

    async def of_member(self, member_id: MemberId, count: int = 100) -> list[Payment]:
        """Return a member's payments, the newest first. Raises OperationalError."""
        return await self._house.read(lambda at: payments_of(at, member_id, count))

    def _scanned(self, connection: Connection, code: MerchantCode) -> Scanned:
        merchant = require_merchant(connection, code.merchant_id)
        if not code.request_id:
            return Scanned(merchant, code.amount, code.reference, "")
        # What stands in a picture proves nothing: the purchase is looked up.
        kept = require_request(connection, code.request_id, self._house.clock.now_us())
        if (kept.merchant_id, kept.amount) != (code.merchant_id, code.amount):
            raise QrUnreadable(known=f"{code.request_id} says something else")
        return Scanned(merchant, kept.amount, kept.reference, kept.id)

    def _before(self, connection: Connection, member_id: MemberId, order: Order) -> Payment | Merchant:
        made = payment_by_key(connection, _own_key(member_id, order.key))
        if made is not None:
            return _same(made, order)
        own = require_open(connection, member_id)
        require_room(connection, own, Function.PAYMENT, order.amount, self._house.today())
        return require_merchant(connection, order.merchant_id)

    def _pay(
        self, connection: Connection, asked: Asked, passed: Passed, order: Order
    ) -> Payment | StepUp | NotFromHere | Held:
        # Who else pays the same at this moment has to be seen before the approval is used up.
        take_turn(connection)
        session = asked.present.session
        made = payment_by_key(connection, _own_key(session.member_id, order.key))
        if made is not None:
            return _same(made, order)
        refused = self._gatekeeper.take_within(connection, asked, passed)
        if refused is not None:
            return refused
        payer = Payer(session.member_id, session.id, passed.attempt_id, PaymentWay.SCANNED)
        keyed = order._replace(key=_own_key(session.member_id, order.key))
        return pay_within(connection, self._house, payer, keyed)


def purpose_of(order: Order, merchant: Merchant) -> Purpose:
    """Return what is approved: this amount, for this shop, in this order."""
    details = {"order": order.key, "merchant": merchant.id, "request": order.request_id}
    return Purpose(action="payment", amount_yen=order.amount.amount, place=merchant.name_ja, details=details)


def pay_within(connection: Connection, house: WalletParts, payer: Payer, order: Order) -> Payment:
    """Move the money and write the payment down, in the caller's unit of work, which has its turn.

    Raises what `PaymentDesk.pay` does.
    """
    now_us, today = house.clock.now_us(), house.today()
    merchant = require_merchant(connection, order.merchant_id)
    if order.request_id:
        kept = require_request(connection, order.request_id, now_us)
        if (kept.merchant_id, kept.amount) != (order.merchant_id, order.amount):
            raise PaymentRefused(known=f"{order.request_id} asks for something else")
    if not Yen(0) < order.amount <= AMOUNT_MAX or len(order.reference) > REFERENCE_MAX:
        raise PaymentRefused(known="the amount or the reference")
    wallet = require_open(connection, payer.member_id)
    require_room(connection, wallet, Function.PAYMENT, order.amount, today)
    payment_id = PAYMENT.new(house.clock, house.chance)
    move = Transfer(
        key=f"payment:{payment_id}",
        kind=KINDS[Function.PAYMENT],
        debit=wallet.account,
        credit=merchant.account,
        amount=order.amount,
        effective_on=today,
    )
    booked = post(connection, move, clock=house.clock, chance=house.chance)
    if isinstance(booked, Refused):
        raise NotEnough if booked.why is Why.ABOVE_DEBIT_LIMIT else PaymentRefused(known=booked.why)
    made = Payment(
        id=payment_id,
        key=order.key,
        member_id=payer.member_id,
        merchant_id=merchant.id,
        way=payer.way,
        amount_yen=order.amount.amount,
        refunded_yen=0,
        reference=order.reference,
        request_id=order.request_id or None,
        session_id=payer.session_id,
        attempt_id=payer.attempt_id,
        transfer_id=booked.transfer_id,
        paid_at_us=now_us,
    )
    connection.execute(insert(payment), msgspec.structs.asdict(made))
    tell(connection, house, made, merchant, NoticeKind.PAYMENT_MADE, made.amount)
    return made


def payment_of_request(connection: Connection, request_id: str) -> Payment | None:
    """Return the payment of a purchase, None while it waits."""
    row = connection.execute(select(payment).where(payment.c.request_id == request_id)).one_or_none()
    return None if row is None else msgspec.convert(row, Payment, from_attributes=True)


def payment_by_key(connection: Connection, key: str) -> Payment | None:
    """Return the payment that was made by a key."""
    row = connection.execute(select(payment).where(payment.c.key == key)).one_or_none()
    return None if row is None else msgspec.convert(row, Payment, from_attributes=True)


def payments_of(connection: Connection, member_id: str, count: int) -> list[Payment]:
    """Return a member's payments, the newest first."""
    its = select(payment).where(payment.c.member_id == member_id)
    rows = connection.execute(its.order_by(payment.c.paid_at_us.desc(), payment.c.id.desc()).limit(count))
    return [msgspec.convert(row, Payment, from_attributes=True) for row in rows]


def _is_first(connection: Connection, member_id: str, merchant_id: str) -> bool:
    """Say whether a member never paid anything at a merchant before."""
    its = select(payment.c.id).where(payment.c.member_id == member_id, payment.c.merchant_id == merchant_id)
    return connection.execute(its.limit(1)).first() is None


def _same(made: Payment, order: Order) -> Payment:
    if (made.merchant_id, made.amount) != (order.merchant_id, order.amount):
        raise PaymentKeyReused(known=made.id)
    return made


def _own_key(member_id: str, key: str) -> str:
    """Return a key that no other member can have used."""
    return f"{member_id}:{key[:KEY_MAX]}"


def tell(  # noqa: PLR0913, PLR0917 - what is told of a payment, to whom
    connection: Connection,
    house: WalletParts,
    made: Payment,
    merchant: Merchant,
    kind: NoticeKind,
    amount: Yen,
    occasion: str = "",
) -> None:
    """Tell the member of a payment or of what came back of it, and write down that it happened."""
    now_us = house.clock.now_us()
    values: dict[str, str | int] = {"when": now_us, "amount": amount.amount, "place": merchant.name_ja}
    subject = occasion or made.id
    warn(connection, house.parts, made.member_id, kind, values, dedupe=f"{kind}:{subject}")
    body = msgspec.json.encode({"amount_yen": amount.amount, "merchant": merchant.id})
    happened = "paid" if kind is NoticeKind.PAYMENT_MADE else "refunded"
    outbox.append(connection, [outbox.Entry(f"wallet:payment:{happened}", subject, now_us, body)])
