"""Whom the pages and endpoints of links ask, and how a handler finds them."""

from typing import Any, NamedTuple, cast

from litestar import Request

from sekisho.bank.authorisation.access import AccessDesk, Prover
from sekisho.bank.authorisation.exchange import ExchangeDesk
from sekisho.bank.authorisation.settings import LinkSettings
from sekisho.bank.house import BankParts
from sekisho.bank.link_authentication import ANSWER_FLOOR_S, LinkAuthentication
from sekisho.bank.link_consents import LinkConsents
from sekisho.bank.link_gate import LinkGate
from sekisho.bank.pin_popularity import PinPopularity
from sekisho.bank.switches import Switches
from sekisho.kernel.posture import Posture
from sekisho.web.members.desks import Desks

STATE = "bank_links"


class LinkDesks(NamedTuple):
    """The desks of a bank's links, and what they stand on."""

    bank: BankParts
    settings: LinkSettings
    prover: Prover
    exchange: ExchangeDesk
    access: AccessDesk
    authentication: LinkAuthentication
    consents: LinkConsents

    async def sweep(self) -> None:
        """Put away what is too old to count for anything. Raises OperationalError."""
        await self.authentication.sweep()
        await self.exchange.sweep()


def open_link_desks(
    bank: BankParts,
    desks: Desks,
    settings: LinkSettings,
    switches: Switches,
    *,
    answer_floor_s: float = ANSWER_FLOOR_S,
) -> LinkDesks:
    """Put the desks of links together. Where the guard cannot be asked, nothing is linked by PIN."""
    prover, popularity = Prover(bank), PinPopularity(bank.clock, bank.chance)
    gate = LinkGate(bank, desks.guard, popularity, on_outage=Posture.CLOSED)
    authentication = LinkAuthentication(
        bank, settings, gate, desks.hasher, desks.codes, answer_floor_s=answer_floor_s
    )
    return LinkDesks(
        bank=bank,
        settings=settings,
        prover=prover,
        exchange=ExchangeDesk(bank, settings, prover, switches),
        access=AccessDesk(bank, prover),
        authentication=authentication,
        consents=LinkConsents(bank, settings, authentication, switches),
    )


def desks_of(request: Request[Any, Any, Any]) -> LinkDesks:
    """Return the desks of the application that a request came to."""
    return cast("LinkDesks", request.app.state[STATE])
