"""The code that a member shows at a till: drawn anew each time, good once, for a minute, up to a ceiling.

Showing it is approved like a payment of the ceiling, because whoever scans it may take as much. The till
takes the amount with it; a code that was photographed is over when the honest till has used it, and a minute
after it was shown in any case.
"""

from typing import NamedTuple

from sqlalchemy import Connection, insert, select, update

from sekisho.guard.attempts import Gate
from sekisho.identity import sessions
from sekisho.identity.arrivals import Arrival
from sekisho.identity.assurance import NotFromHere, StepUp
from sekisho.identity.holds import holds_on
from sekisho.identity.purposes import Purpose
from sekisho.identity.session_desk import Present
from sekisho.kernel.clock import MINUTE_US
from sekisho.kernel.ids import MemberId
from sekisho.kernel.refusals import Refusal
from sekisho.kernel.yen import Yen
from sekisho.ledger.journal import take_turn
from sekisho.response.money_gates import Asked, Held, Passed, Stopped
from sekisho.response.switches import Usage
from sekisho.storage.tables.wallet_money import payment_code
from sekisho.wallet.gates import Gatekeeper
from sekisho.wallet.house import WalletParts
from sekisho.wallet.payments import (
    KEY_MAX,
    Order,
    Payer,
    Payment,
    PaymentKeyReused,
    PaymentWay,
    pay_within,
    payment_by_key,
)
from sekisho.wallet.spending import require_room
from sekisho.wallet.switches import Function
from sekisho.wallet.wallets import require_open

DIGITS = 18
PREFIX = "29"
"""What our codes begin with, so that a till knows whose they are."""

LASTS_US = MINUTE_US
CEILING = Yen(30_000)


class CodeNotUsable(Refusal):
    """The code is unknown, used, too old, or for less. A till is told no more."""

    code = "payment_code_not_usable"
    status = 409
    told = "This code can't be used. Ask for a new one."


class ShownCode(NamedTuple):
    """A code to show. `text` is a secret for as long as it is good."""

    text: str
    ceiling: Yen
    expires_at_us: int


class PaymentCodes:
    """Gives members codes to show, and takes them from tills."""

    def __init__(self, house: WalletParts, gatekeeper: Gatekeeper) -> None:
        self._house = house
        self._gatekeeper = gatekeeper

    async def show(
        self, present: Present, arrival: Arrival, occasion: str
    ) -> ShownCode | StepUp | NotFromHere | Held | Stopped:
        """Return a new code, once the gate lets it pass; the one before it is over.

        `occasion` is drawn for each showing, so that each is approved by itself. Raises LevelTooLow,
        AboveCeiling, WalletNotOpen and OperationalError.
        """
        asked = Asked(
            present=present,
            arrival=arrival,
            gate=Gate.TRANSFER,
            function=Function.PAYMENT,
            purpose=showing(occasion),
            amount=CEILING,
            target="payment_code",
        )
        passed = await self._gatekeeper.ask(asked)
        if not isinstance(passed, Passed):
            return passed
        shown: ShownCode | StepUp | NotFromHere | Held | None = None
        try:
            shown = await self._house.written(lambda at: self._draw(at, asked, passed))
        finally:
            await self._gatekeeper.settle(passed, done=isinstance(shown, ShownCode))
        return shown

    async def take(self, text: str, order: Order) -> Payment:
        """Let a till take an amount with a code; the same key again returns the payment that it made.

        Raises CodeNotUsable, PaymentKeyReused, and OperationalError; why a wallet cannot pay is not a till's
        business.
        """
        # Who stops payments, or the account, while a code is good stops that code as well.
        shown_by = await self._house.read(lambda at: self._shown_by(at, text))
        member_id, session_id = shown_by or ("", "")
        usage = Usage(Function.PAYMENT, member_id, session_id=session_id)
        off = await self._gatekeeper.switched_off(usage) if shown_by else None
        return await self._house.written(lambda at: self._take(at, text, order, is_off=off is not None))

    def _draw(
        self, connection: Connection, asked: Asked, passed: Passed
    ) -> ShownCode | StepUp | NotFromHere | Held:
        house, session, now_us = self._house, asked.present.session, self._house.clock.now_us()
        wallet = require_open(connection, session.member_id)
        require_room(connection, wallet, Function.PAYMENT, Yen(1), house.today())
        refused = self._gatekeeper.take_within(connection, asked, passed)
        if refused is not None:
            return refused
        _end_all(connection, session.member_id, now_us)
        digits = DIGITS - len(PREFIX)
        text = PREFIX + f"{house.chance.below(10**digits):0{digits}d}"
        connection.execute(
            insert(payment_code),
            {
                "digest": self._digest(text),
                "member_id": session.member_id,
                "session_id": session.id,
                "attempt_id": passed.attempt_id,
                "ceiling_yen": CEILING.amount,
                "shown_at_us": now_us,
                "expires_at_us": now_us + LASTS_US,
                "ended_at_us": None,
            },
        )
        return ShownCode(text, CEILING, now_us + LASTS_US)

    def _shown_by(self, connection: Connection, text: str) -> tuple[str, str] | None:
        """Return by whom, and in which session, a code was shown."""
        whose = select(payment_code.c.member_id, payment_code.c.session_id)
        row = connection.execute(whose.where(payment_code.c.digest == self._digest(text))).one_or_none()
        return None if row is None else (row.member_id, row.session_id)

    def _take(self, connection: Connection, text: str, order: Order, *, is_off: bool) -> Payment:
        take_turn(connection)
        key = f"{order.merchant_id}:{order.key[:KEY_MAX]}"
        before = payment_by_key(connection, key)
        if before is not None:
            if (before.merchant_id, before.amount) != (order.merchant_id, order.amount):
                raise PaymentKeyReused(known=before.id)
            return before
        now_us = self._house.clock.now_us()
        its = select(payment_code).where(payment_code.c.digest == self._digest(text))
        code = connection.execute(its).one_or_none()
        if code is None or code.ended_at_us is not None or code.expires_at_us <= now_us:
            raise CodeNotUsable(known="unknown, used or too old")
        if is_off or not _stands(connection, code.member_id, code.session_id, now_us):
            raise CodeNotUsable(known="stopped since it was shown")
        if order.amount.amount > code.ceiling_yen:
            raise CodeNotUsable(known="above the ceiling")
        payer = Payer(MemberId(code.member_id), code.session_id, code.attempt_id, PaymentWay.SHOWN)
        try:
            made = pay_within(connection, self._house, payer, order._replace(key=key))
        except Refusal as refusal:
            raise CodeNotUsable(known=f"{refusal.code}: {refusal.known}") from refusal
        _end_all(connection, code.member_id, now_us)
        return made

    def _digest(self, text: str) -> bytes:
        return self._house.keyring.digest(text, context="payment_code")


def showing(occasion: str) -> Purpose:
    """Return what is approved before a code is shown: a payment of the ceiling, on one occasion."""
    return Purpose(action="payment", amount_yen=CEILING.amount, details={"showing": occasion})


def _stands(connection: Connection, member_id: MemberId, session_id: str, now_us: int) -> bool:
    """Say whether nobody has stopped the member's money, or the session in which a code was shown."""
    session = sessions.find(connection, session_id)
    is_live = session is not None and session.is_live(now_us)
    return is_live and not holds_on(connection, member_id, now_us)


def _end_all(connection: Connection, member_id: str, now_us: int) -> None:
    live = update(payment_code).where(
        payment_code.c.member_id == member_id, payment_code.c.ended_at_us.is_(None)
    )
    connection.execute(live.values(ended_at_us=now_us))
