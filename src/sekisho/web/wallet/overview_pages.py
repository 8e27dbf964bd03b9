"""The wallet's first page, what is in it, and what came and went."""

from collections.abc import Callable
from datetime import date
from typing import Any, NamedTuple

from litestar import Response, get

from sekisho.kernel.japan import day_in_japan
from sekisho.kernel.yen import Yen
from sekisho.ledger.journal import Line, statement
from sekisho.storage.unit_of_work import Connection
from sekisho.wallet.identity_levels import hold_max, rules_on
from sekisho.wallet.switches import Function
from sekisho.wallet.wallets import Wallet, WalletNotOpen, WalletState, account_of, wallet_of
from sekisho.web.members.roles import ROLE, Role
from sekisho.web.members.visits import AnyRequest, Visit, visit_of
from sekisho.web.members.writing import show
from sekisho.web.problems import NotFound
from sekisho.web.wallet.desks import desks_of

LINES_SHOWN = 5
MONTHS_SHOWN = 24


class Doing(NamedTuple):
    """Something that a member can do with the wallet: its page, the name of its card, and what it takes."""

    path: str
    name: str
    function: Function


DOINGS = (
    Doing("/pay", "pay", Function.PAYMENT),
    Doing("/pay/code", "show_code", Function.PAYMENT),
    Doing("/charge", "charge", Function.CHARGE),
    Doing("/payout", "payout", Function.PAYOUT),
    Doing("/send", "send", Function.SEND),
    Doing("/banks", "links", Function.LINK_REGISTER),
)


class WalletSight(NamedTuple):
    """A member's wallet as pages show it: what is in it, what waits to go, and what came and went."""

    wallet: Wallet
    balance: Yen
    waiting: Yen
    lines: list[Line]


def today_of(visit: Visit) -> date:
    """Return the day that it is in Japan."""
    return desks_of(visit.request).house.today()


async def sight(visit: Visit, first: date, last: date) -> WalletSight:
    """Return the visitor's wallet with what moved from one day to another, the newest first.

    Raises WalletNotOpen where there is none, and OperationalError.
    """
    member_id = visit.who().member.id

    def look(connection: Connection) -> WalletSight:
        found = wallet_of(connection, member_id)
        if found is None:
            raise WalletNotOpen(known=f"{member_id} has none")
        account = account_of(connection, found)
        lines = statement(connection, found.account, first, last)
        return WalletSight(found, account.balance, Yen(account.debits_pending), lines[::-1])

    return await desks_of(visit.request).house.read(look)


@get("/", opt={ROLE: Role.ANYONE})
async def overview_page(request: AnyRequest) -> Response[Any]:
    """Show a member what is in the wallet, and everybody else what it is and the way in."""
    visit = visit_of(request)
    if visit.signed_in is None:
        return visit.page("wallet/front.html")
    today = desks_of(request).house.today()
    seen = await sight(visit, today.replace(day=1), today)
    return show(
        visit,
        "wallet/closed.html" if seen.wallet.state is WalletState.CLOSED else "wallet/overview.html",
        seen=seen,
        lines=seen.lines[:LINES_SHOWN],
        hold_max=hold_max(seen.wallet.level, today),
        sign=signed,
        kind=kind_of(visit),
        offers=await desks_of(request).sends.offers(visit.who().member.id),
        doings=[each for each in DOINGS if each.function in rules_on(today).rule(seen.wallet.level).may],
    )


@get("/history", opt={ROLE: Role.MEMBER})
async def history_page(request: AnyRequest) -> Response[Any]:
    """Show what came and went in a month: `?month=2026-11`, this month where none is named."""
    visit = visit_of(request)
    today = desks_of(request).house.today()
    months = _months(visit, today)
    wanted = request.query_params.get("month", "")
    month = next((each for each in months if f"{each:%Y-%m}" == wanted), None)
    if wanted and month is None:
        raise NotFound
    month = month or months[0]
    seen = await sight(visit, month, _last_day(month))
    return show(
        visit,
        "wallet/history.html",
        seen=seen,
        month=month,
        months=months,
        sign=signed,
        kind=kind_of(visit),
    )


def kind_of(visit: Visit) -> Callable[[Line], str]:
    """Return what names the words for a movement: those of `wallet:send:back` are `wallet_kind_send_back`."""

    def named(line: Line) -> str:
        key = f"wallet_kind_{line.kind.removeprefix('wallet:').replace(':', '_')}"
        return key if visit.words.has(key) else "wallet_kind_other"

    return named


def signed(amount: Yen) -> str:
    """Return the sign that stands before an amount that came or went."""
    return "+" if amount > Yen(0) else ""


def _months(visit: Visit, today: date) -> list[date]:
    """Return the months since the member came, the newest first."""
    came = day_in_japan(visit.who().member.opened_at_us).replace(day=1)
    months = [today.replace(day=1)]
    while months[-1] > came and len(months) < MONTHS_SHOWN:
        year, month = months[-1].year, months[-1].month - 1
        months.append(date(year, month, 1) if month else date(year - 1, 12, 1))
    return months


def _last_day(month: date) -> date:
    following = date(month.year + month.month // 12, month.month % 12 + 1, 1)
    return date.fromordinal(following.toordinal() - 1)


ROUTES = (overview_page, history_page)
