"""Closing the wallet: what has to be settled first, what ends with it, and the approval."""

from typing import Any, NamedTuple

from litestar import Response, get, post

from sekisho.identity.assurance import InsufficientAuthentication, Need
from sekisho.identity.holds import OnHold
from sekisho.linking.banks import bank_in_words
from sekisho.wallet.bank_moves import BankMove
from sekisho.wallet.closings import Closing, WalletCaseOpen
from sekisho.wallet.identity_levels import IdentityLevel
from sekisho.wallet.link_rows import LIVE, LinkState
from sekisho.wallet.wallets import WalletNotEmpty, WalletNotOpen, WalletState
from sekisho.web.members.roles import ROLE, Role
from sekisho.web.members.site import ReadsWish
from sekisho.web.members.step_up import to_step_up
from sekisho.web.members.visits import AnyRequest, Visit, visit_of
from sekisho.web.members.wishes import Wish, is_granted
from sekisho.web.members.writing import show
from sekisho.web.wallet.desks import desks_of
from sekisho.web.wallet.move_pages import NAMES

CLOSE = "close"
PATH = "/close"


class WayOut(NamedTuple):
    """How a member gets the money out: its name, the page where it goes on, and the words of its button."""

    name: str
    path: str
    words: str


PAY_OUT = WayOut("pay_out", "/payout", "wallet_card_payout")
LINK_FIRST = WayOut("link", "/banks", "place_banks")
SPEND = WayOut("spend", "/pay", "wallet_card_pay")


@get(PATH, opt={ROLE: Role.MEMBER})
async def closing_page(request: AnyRequest) -> Response[Any]:
    """Say what closing the wallet means, or what has to be settled before."""
    visit = visit_of(request)
    closing = await desks_of(request).closings.look(visit.who().member.id)
    if closing.wallet.state is WalletState.CLOSED:
        return visit.go("/")
    return await _ask(visit, closing)


@post(PATH, opt={ROLE: Role.APPROVED})
async def close(request: AnyRequest) -> Response[Any]:
    """Close the wallet; sent twice, it is closed once."""
    visit = visit_of(request)
    closings, who = desks_of(request).closings, visit.who()
    try:
        await closings.close(who.present)
    except InsufficientAuthentication:
        return to_step_up(visit, closing_of(await closings.look(who.member.id)))
    except (WalletNotEmpty, WalletNotOpen, WalletCaseOpen, OnHold) as refusal:
        if visit.wants_json:
            raise
        return await _ask(visit, await closings.look(who.member.id), status=refusal.status)
    return visit.go("/")


def closing_of(closing: Closing) -> Wish:
    """Return the wish to close exactly this wallet."""
    text = f"{CLOSE}:{closing.wallet.id}"
    return Wish(text, closing.purpose, Need.CHANGE, PATH, "/", exact=True)


async def read_closing(visit: Visit, name: str) -> Wish | None:
    """Return the wish to close the visitor's own wallet."""
    closing = await desks_of(visit.request).closings.look(visit.who().member.id)
    return closing_of(closing) if closing.wallet.id == name else None


async def _ask(visit: Visit, closing: Closing, *, status: int = 200) -> Response[Any]:
    desks = desks_of(visit.request)
    if closing.in_the_way.refusal() is not None:
        return show(
            visit,
            "wallet/close_not_yet.html",
            status=status,
            left=closing.in_the_way,
            way_out=_way_out(closing),
            name_of=_name_of,
        )
    today = desks.house.today()
    banks = [bank_in_words(link.bank, today) for link in closing.links if link.state in LIVE]
    wish = closing_of(closing)
    return show(
        visit,
        "wallet/close.html",
        banks=banks,
        offers=bool(await desks.sends.offers(visit.who().member.id)),
        wish=wish.text,
        approved=is_granted(visit, wish),
    )


def _way_out(closing: Closing) -> WayOut:
    if closing.wallet.level is not IdentityLevel.VERIFIED:
        return SPEND
    has_account = any(link.state is LinkState.ACTIVE for link in closing.links)
    return PAY_OUT if has_account else LINK_FIRST


def _name_of(move: BankMove) -> str:
    return NAMES[move.direction]


WISHES: dict[str, ReadsWish] = {CLOSE: read_closing}
ROUTES = (closing_page, close)
