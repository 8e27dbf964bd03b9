"""Whom the wallet's own pages ask, and how a handler finds them."""

from typing import Any, NamedTuple, cast

from litestar import Litestar, Request

from sekisho.guard.answers import AsksGuard
from sekisho.identity.http_line import HttpLine
from sekisho.identity.institution import Parts
from sekisho.identity.relying.desk import FederatedDesk
from sekisho.identity.relying.provider import Provider
from sekisho.kernel.posture import Posture
from sekisho.wallet.house import WalletParts, open_house
from sekisho.wallet.identity_checks import IdentityDesk
from sekisho.wallet.newcomers import opens
from sekisho.wallet.outside import Outside

STATE = "wallet"


class WalletDesks(NamedTuple):
    """The wallet's house, and what its pages are answered by. Close `line` at the end."""

    house: WalletParts
    line: HttpLine
    sign_in: FederatedDesk
    identity: IdentityDesk
    card_page: str


def open_desks(parts: Parts, guard: AsksGuard, outside: Outside) -> WalletDesks:
    """Put the wallet's desks together, with its accounts in the books. Raises OperationalError.

    Where nobody can tell whether a certificate was revoked, the check waits.
    """
    house, line = open_house(parts), HttpLine()
    provider = Provider(outside.id, line, parts.clock, parts.chance)
    return WalletDesks(
        house=house,
        line=line,
        sign_in=FederatedDesk(parts, guard, provider, opens(parts)),
        identity=IdentityDesk(house, outside.trust, on_outage=Posture.CLOSED),
        card_page=outside.card_page,
    )


def desks_of(request: Request[Any, Any, Any]) -> WalletDesks:
    """Return the desks of the application that a request came to."""
    return desks_in(request.app)


def desks_in(application: Litestar) -> WalletDesks:
    """Return the desks of a wallet's application."""
    return cast("WalletDesks", application.state[STATE])
