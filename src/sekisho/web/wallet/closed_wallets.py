"""What a closed wallet still shows: its past. Every page that uses a wallet says that this one is closed."""

from typing import Any

from litestar import Request, Response

from sekisho.wallet.wallets import WalletClosed, WalletState, wallet_of
from sekisho.web.members.admission import admit
from sekisho.web.members.visits import Visit, visit_of
from sekisho.web.wallet.desks import desks_of

USES = "uses_wallet"
"""The option of routes that use a wallet: they are over when it is closed."""


async def admit_to_wallet(request: Request[Any, Any, Any]) -> Response[Any] | None:
    """Let a request through to its route, as everywhere, unless it wants to use a wallet that is closed.

    Raises WalletClosed and what `admit` does.
    """
    answer = await admit(request)
    if answer is None and request.route_handler.opt.get(USES):
        await require_not_closed(visit_of(request))
    return answer


async def require_not_closed(visit: Visit) -> None:
    """Let a visitor go on whose wallet is not closed. Raises WalletClosed."""
    member_id = visit.who().member.id
    its = await desks_of(visit.request).house.read(lambda at: wallet_of(at, member_id))
    if its is not None and its.state is WalletState.CLOSED:
        raise WalletClosed(known=its.id)
