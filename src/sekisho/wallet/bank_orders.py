"""The bank's leg of charges and payouts: ordered with the books, carried out once, asked about until known.

An order is written down in the unit of work that books the wallet's side as pending. Then the bank is asked,
by the order's own key. An answer that was lost, late or doubled changes nothing: what the bank may have heard
is never sent a second time, it is asked about; and what it had not heard when it was too late for it to begin
never was. Whoever booked the pending side hears what became of it in the unit of work that writes it down.
"""

from collections.abc import Callable
from typing import NamedTuple

import msgspec
import structlog
from sqlalchemy import Connection

from sekisho.kernel.clock import DAY_US, MINUTE_US, SECOND_US
from sekisho.kernel.ids import BANK_ORDER, BankLinkId
from sekisho.kernel.refusals import Refusal
from sekisho.kernel.yen import Yen
from sekisho.linking.bank_bookings import Direction, Movement
from sekisho.linking.bank_http import BankAway
from sekisho.linking.link_answers import Booking, BookingState, Declined
from sekisho.linking.link_partners import BankNotLinkable
from sekisho.linking.zengin import DebitResult
from sekisho.storage import outbox
from sekisho.wallet import bank_order_rows, link_rows
from sekisho.wallet.bank_order_rows import BankOrder, OrderState, Settled
from sekisho.wallet.house import WalletParts
from sekisho.wallet.link_banks import LinkBanks
from sekisho.wallet.link_ends import Suspension, suspend_within
from sekisho.wallet.link_limits import require_chargeable
from sekisho.wallet.link_rows import BankLink, LinkState
from sekisho.wallet.link_tokens import LinkRefusedByBank, LinkTokens

log = structlog.get_logger(__name__)

NOT_AFTER_US = 2 * MINUTE_US
"""So long a bank may begin an order; nobody waits longer in front of a page."""

MARGIN_US = 2 * MINUTE_US
"""How far a bank's clock may run behind ours: only after this, silence about a key means never."""

LEASE_US = 60 * SECOND_US
PAUSE_US_MAX = 10 * MINUTE_US
GIVE_UP_US = DAY_US
"""After so long without a word a person has to ask the bank."""

STOPS_LINK = (DebitResult.DEPOSITOR_STOPPED, DebitResult.NO_MANDATE, DebitResult.NO_ACCOUNT)
"""Results after which a link stands still: who told the bank to stop may never have linked it."""

AT_ONCE = 20
_UNAUTHORISED = 401
_TOO_LATE = "too_late"
_BUSY = (408, 425, 429)

SettledHook = Callable[[Connection, BankOrder], None]
"""Hears of an order that is settled, in the unit of work that settles it: posts or voids what was pending."""


class LinkNotUsable(Refusal):
    """The link is suspended, ended, or not active yet."""

    code = "link_not_usable"
    status = 409
    told = "This account can't be used at the moment."


class OrderKeyReused(Refusal):
    """The key was used for another order."""

    code = "bank_order_key_reused"
    status = 422
    told = "This was ordered before, in another way."


class Wish(NamedTuple):
    """What is to move over a link. `key` makes it happen once; `text` is what the passbook shows."""

    key: str
    link_id: BankLinkId
    direction: Direction
    amount: Yen
    text: str


def place_within(connection: Connection, house: WalletParts, wish: Wish) -> BankOrder:
    """Write an order down, in the unit of work that books it as pending; the same key returns what it made.

    Raises LinkNotUsable, LinkCoolingOff, AboveLinkCeiling and OrderKeyReused.
    """
    before = bank_order_rows.by_key(connection, wish.key)
    if before is not None:
        if (before.link_id, before.direction, before.amount) != (wish.link_id, wish.direction, wish.amount):
            raise OrderKeyReused(known=before.id)
        return before
    now_us = house.clock.now_us()
    link = link_rows.find(connection, wish.link_id, for_update=True)
    if link is None or link.state is not LinkState.ACTIVE:
        raise LinkNotUsable(known=wish.link_id if link is None else f"{link.id}: {link.state}")
    if wish.amount <= Yen(0):
        raise LinkNotUsable(known="no amount")
    if wish.direction is Direction.DEBIT:
        charged = bank_order_rows.charged_over(connection, link.id, now_us)
        require_chargeable(link.ceilings, charged, wish.amount, now_us)
    order = BankOrder(
        id=BANK_ORDER.new(house.clock, house.chance),
        key=wish.key,
        link_id=link.id,
        direction=wish.direction,
        amount_yen=wish.amount.amount,
        text=wish.text,
        state=OrderState.ORDERED,
        result="",
        bank_id="",
        maybe_heard=False,
        ordered_at_us=now_us,
        not_after_us=now_us + NOT_AFTER_US,
        tries=0,
        next_try_us=now_us,
        settled_at_us=None,
    )
    bank_order_rows.add(connection, order)
    return order


class BankOrders:
    """Carries orders out, for one wallet."""

    def __init__(
        self, house: WalletParts, banks: LinkBanks, tokens: LinkTokens, on_settled: SettledHook
    ) -> None:
        self._house = house
        self._banks = banks
        self._tokens = tokens
        self._on_settled = on_settled

    async def carry_out(self, order_id: str) -> BankOrder:
        """Try an order once, and return it as it stands then: ORDERED where it is not known yet.

        Raises LookupError where there is no such order, and OperationalError where the store is down.
        """
        order = await self._order(order_id)
        if order.state is not OrderState.ORDERED or not await self._taken(order):
            return await self._order(order_id)
        try:
            settled = await self._tried(order)
        except BankAway as away:
            log.info("bank_order:away", order=order.id, detail=away.detail, maybe_heard=away.maybe_heard)
            if not away.maybe_heard and not order.maybe_heard:
                await self._house.written(lambda at: bank_order_rows.not_heard(at, order.id))
            settled = self._given_up(order)
        except (LinkRefusedByBank, BankNotLinkable) as refusal:
            settled = _shut_out(order, refusal)
        if settled is not None:
            await self._house.written(lambda at: self._settle(at, order, settled))
        return await self._order(order_id)

    async def carry_out_due(self) -> int:
        """Try all orders whose time has come, and return how many there were. Raises OperationalError."""
        now_us = self._house.clock.now_us()
        due = await self._house.read(lambda at: bank_order_rows.due(at, now_us, AT_ONCE))
        for order in due:
            await self.carry_out(order.id)
        return len(due)

    async def _tried(self, order: BankOrder) -> Settled | None:
        """Ask the bank, by the order's key, and return what became of it; None where that is not known."""
        if self._was_never(order):
            return Settled(OrderState.NEVER)
        link = await self._link(order)
        access = await self._tokens.access(link)
        movement = _movement(order, link)
        bookings = await self._banks.bookings(link.bank)
        ask = bookings.find if order.maybe_heard else bookings.move
        if self._was_never(order):
            # Getting a token may have taken long.
            return Settled(OrderState.NEVER)
        said = await ask(access, movement)
        if isinstance(said, Declined) and said.status == _UNAUTHORISED:
            # Nothing was done for a token that the bank did not take.
            said = await ask(await self._tokens.access(link, but_not=access.token), movement)
        return self._meaning(order, said)

    def _was_never(self, order: BankOrder) -> bool:
        """Say whether the bank never heard of an order, and it is too late for it to hear."""
        return not order.maybe_heard and self._house.clock.now_us() >= order.not_after_us

    def _meaning(self, order: BankOrder, said: Booking | Declined | None) -> Settled | None:
        match said:
            case Booking():
                state = OrderState.DONE if said.state is BookingState.DONE else OrderState.REFUSED
                return Settled(state, said.result, said.id)
            case None:
                too_late = self._house.clock.now_us() >= order.not_after_us + MARGIN_US
                return Settled(OrderState.NEVER) if too_late else None
            case Declined(code=code) if code == _TOO_LATE:
                return Settled(OrderState.NEVER, code)
            case Declined(status=status) if status in _BUSY or order.maybe_heard:
                # Nothing is known of an order by a question that was not answered.
                return self._given_up(order)
            case _:
                return Settled(OrderState.REFUSED, said.code)

    def _given_up(self, order: BankOrder) -> Settled | None:
        too_long = self._house.clock.now_us() >= order.ordered_at_us + GIVE_UP_US
        return Settled(OrderState.LOST, "no_answer") if too_long else None

    def _settle(self, connection: Connection, order: BankOrder, settled: Settled) -> None:
        now_us = self._house.clock.now_us()
        if not bank_order_rows.settle(connection, order.id, settled, now_us):
            return
        after = bank_order_rows.find(connection, order.id)
        assert after is not None  # noqa: S101 - it was changed just now
        self._on_settled(connection, after)
        if order.direction is Direction.DEBIT and settled.result in STOPS_LINK:
            link = link_rows.find(connection, order.link_id)
            if link is not None:
                suspend_within(connection, self._house.parts, link, Suspension.DEBIT_STOPPED)
        body = {
            "link_id": order.link_id,
            "direction": order.direction,
            "amount_yen": order.amount_yen,
            "result": settled.result,
        }
        entry = outbox.Entry(
            f"wallet:bank_order:{settled.state}", order.id, now_us, msgspec.json.encode(body)
        )
        outbox.append(connection, [entry])

    async def _taken(self, order: BankOrder) -> bool:
        pause_us = min(PAUSE_US_MAX, LEASE_US << min(order.tries, 10))
        next_try_us = self._house.clock.now_us() + pause_us
        return await self._house.written(lambda at: bank_order_rows.take(at, order, next_try_us=next_try_us))

    async def _order(self, order_id: str) -> BankOrder:
        found = await self._house.read(lambda at: bank_order_rows.find(at, order_id))
        if found is None:
            raise LookupError(f"no order {order_id}")
        return found

    async def _link(self, order: BankOrder) -> BankLink:
        link = await self._house.read(lambda at: link_rows.find(at, order.link_id))
        if link is None:
            raise LookupError(f"no link {order.link_id}")
        return link


def _movement(order: BankOrder, link: BankLink) -> Movement:
    return Movement(
        key=order.id,
        direction=order.direction,
        mandate_id=link.mandate_id or "",
        amount=order.amount,
        reference=order.id,
        text=order.text,
        not_after_us=order.not_after_us,
    )


def _shut_out(order: BankOrder, refusal: Refusal) -> Settled:
    """Say what an order is whose bank we can't speak with any more."""
    if order.maybe_heard:
        return Settled(OrderState.LOST, refusal.code)
    return Settled(OrderState.REFUSED, refusal.code)
