"""Whom the wallet's own pages ask, how a handler finds them, and what goes on without anybody's asking."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple, cast

from litestar import Litestar, Request

from sekisho.guard.answers import AsksGuard
from sekisho.identity.http_line import HttpLine
from sekisho.identity.institution import Parts
from sekisho.identity.relying.desk import FederatedDesk
from sekisho.identity.relying.provider import Provider
from sekisho.kernel.posture import Posture
from sekisho.response.money_gates import OnOutage
from sekisho.storage.rounds import Round
from sekisho.wallet.bank_move_desk import BankMoveDesk
from sekisho.wallet.bank_moves import MoveBooks
from sekisho.wallet.bank_orders import BankOrders
from sekisho.wallet.closings import ClosingDesk
from sekisho.wallet.gates import Gatekeeper
from sekisho.wallet.house import WalletParts, open_house
from sekisho.wallet.identity_checks import IdentityDesk
from sekisho.wallet.link_banks import LinkBanks
from sekisho.wallet.link_returns import LinkReturnDesk
from sekisho.wallet.link_rounds import LinkRounds
from sekisho.wallet.link_tokens import LinkTokens
from sekisho.wallet.links import LinkDesk
from sekisho.wallet.newcomers import opens
from sekisho.wallet.outside import Outside
from sekisho.wallet.payment_codes import PaymentCodes
from sekisho.wallet.payments import PaymentDesk
from sekisho.wallet.sends import SendDesk
from sekisho.wallet.switch_book import WalletSwitches

STATE = "wallet"
UNFINISHED_EVERY_S = 60.0
BANKS_EVERY_S = 5.0
ORDERS_EVERY_S = 2.0
SENDS_EVERY_S = 300.0


class WalletDesks(NamedTuple):
    """The wallet's house, and what its pages are answered by. Serve them within `living`."""

    house: WalletParts
    line: HttpLine
    sign_in: FederatedDesk
    identity: IdentityDesk
    gatekeeper: Gatekeeper
    banks: LinkBanks
    links: LinkDesk
    returns: LinkReturnDesk
    moves: BankMoveDesk
    payments: PaymentDesk
    payment_codes: PaymentCodes
    sends: SendDesk
    closings: ClosingDesk
    rounds: tuple[Round, ...]
    card_page: str

    @asynccontextmanager
    async def living(self) -> AsyncIterator[None]:
        """Let the lines to other institutions go at the end."""
        try:
            yield
        finally:
            await self.line.close()


def open_desks(parts: Parts, guard: AsksGuard, outside: Outside) -> WalletDesks:
    """Put the wallet's desks together, with its accounts in the books. Raises OperationalError.

    Where the switches or the guard cannot be asked, no money moves; where nobody can tell whether a
    certificate was revoked, the check waits.
    """
    house, line = open_house(parts), HttpLine()
    provider = Provider(outside.id, line, parts.clock, parts.chance)
    banks = LinkBanks(parts, outside.partners, line)
    on_outage = OnOutage(switches=Posture.CLOSED, guard=Posture.CLOSED)
    gatekeeper = Gatekeeper(house, guard, WalletSwitches(parts), on_outage=on_outage)
    going, sends = LinkRounds(house, banks), SendDesk(house, gatekeeper)
    orders = BankOrders(house, banks, LinkTokens(house, banks), MoveBooks(house).settled)
    return WalletDesks(
        house=house,
        line=line,
        sign_in=FederatedDesk(parts, guard, provider, opens(parts)),
        identity=IdentityDesk(house, outside.trust, on_outage=Posture.CLOSED),
        gatekeeper=gatekeeper,
        banks=banks,
        links=LinkDesk(house, gatekeeper, banks),
        returns=LinkReturnDesk(house, banks),
        moves=BankMoveDesk(house, gatekeeper, orders),
        payments=PaymentDesk(house, gatekeeper),
        payment_codes=PaymentCodes(house, gatekeeper),
        sends=sends,
        closings=ClosingDesk(house),
        rounds=(
            Round("links_unfinished", UNFINISHED_EVERY_S, going.end_unfinished),
            Round("links_to_tell", BANKS_EVERY_S, going.tell_banks),
            Round("sends_over", SENDS_EVERY_S, sends.expire_due),
            Round("bank_orders", ORDERS_EVERY_S, orders.carry_out_due),
        ),
        card_page=outside.card_page,
    )


def desks_of(request: Request[Any, Any, Any]) -> WalletDesks:
    """Return the desks of the application that a request came to."""
    return desks_in(request.app)


def desks_in(application: Litestar) -> WalletDesks:
    """Return the desks of a wallet's application."""
    return cast("WalletDesks", application.state[STATE])
