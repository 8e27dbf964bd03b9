"""Bank accounts of a wallet: which there are, a new one from approval to the bank and back, and its end."""

from typing import Any, NamedTuple

from litestar import Response, get, post

from sekisho.identity.assurance import Need
from sekisho.identity.openid.parameters import read_form
from sekisho.kernel.refusals import Refusal
from sekisho.linking.banks import bank_in_words
from sekisho.wallet.identity_levels import IdentityLevel, LevelTooLow
from sekisho.wallet.link_returns import BankAnswer, LinkReturnUnfit
from sekisho.wallet.link_rows import LIVE, BankLink, LinkState
from sekisho.wallet.links import RETURN_PATH, AtBank, LinkToApprove, LinkUnknown
from sekisho.wallet.switches import Function
from sekisho.web.members.gate_answers import new_key
from sekisho.web.members.roles import ROLE, Role
from sekisho.web.members.site import ReadsWish
from sekisho.web.members.visits import AnyRequest, Visit, visit_of
from sekisho.web.members.wishes import Wish, is_granted
from sekisho.web.members.writing import show
from sekisho.web.wallet.closed_wallets import USES
from sekisho.web.wallet.desks import desks_of
from sekisho.web.wallet.gate_answers import GATE_ANSWERS
from sekisho.web.wallet.identity_pages import to_identity
from sekisho.web.wallet.overview_pages import sight

OF_MEMBERS = {ROLE: Role.MEMBER, USES: True}
APPROVED = {ROLE: Role.APPROVED, USES: True}
LINK, PASSKEY = "link", "passkey"
DONE = {"linked", "waits", "ended"}


class Shown(NamedTuple):
    """A link as its page shows it: the bank's name beside it."""

    link: BankLink
    bank: str


class Choice(NamedTuple):
    """A bank that can be linked: its code and its name."""

    code: str
    name: str


@get("/banks", opt=OF_MEMBERS)
async def links_page(request: AnyRequest) -> Response[Any]:
    """Show the accounts that are linked."""
    visit = visit_of(request)
    desks = desks_of(request)
    today = desks.house.today()
    links = await desks.links.links(visit.who().member.id)
    done = request.query_params.get("done", "")
    seen = await sight(visit, today, today)
    return show(
        visit,
        "wallet/links.html",
        links=[_shown(visit, one) for one in links if one.state in LIVE],
        done=done if done in DONE else "",
        may_link=seen.wallet.level is IdentityLevel.VERIFIED,
    )


@get("/banks/new", opt=OF_MEMBERS, sync_to_thread=False)
def choice_page(request: AnyRequest) -> Response[Any]:
    """Ask for the bank."""
    visit = visit_of(request)
    desks = desks_of(request)
    today = desks.house.today()
    banks = [Choice(one.bank, bank_in_words(one.bank, today)) for one in desks.banks.linkable()]
    return show(visit, "wallet/link_choice.html", banks=banks, key=new_key(visit))


@post("/banks/new", opt=OF_MEMBERS)
async def begin_link(request: AnyRequest) -> Response[Any]:
    """Begin a link, which is worth nothing until it is approved."""
    visit = visit_of(request)
    try:
        begun = await desks_of(request).links.begin(
            visit.who().present, visit.form["bank"], visit.form["key"]
        )
    except LevelTooLow:
        return to_identity(visit, Function.LINK_REGISTER)
    return visit.go(f"/banks/{begun.link.id}")


@get("/banks/{link_id:str}", opt=APPROVED)
async def link_page(request: AnyRequest) -> Response[Any]:
    """Show a link: what it will do, before it is approved; how it stands, after."""
    visit = visit_of(request)
    found = await desks_of(request).links.to_approve(visit.who().member.id, request.path_params["link_id"])
    if found.link.state is not LinkState.BEGUN:
        return show(visit, "wallet/link.html", one=_shown(visit, found.link))
    return show(
        visit,
        "wallet/link_confirm.html",
        one=_shown(visit, found.link),
        approved=is_granted(visit, linking(found)),
    )


@post("/banks/set-out", opt=APPROVED)
async def set_out(request: AnyRequest) -> Response[Any]:
    """Send a member to the bank, once everything at the gate has been passed."""
    visit = visit_of(request)
    desks, who = desks_of(request), visit.who()
    found = await desks.links.to_approve(who.member.id, visit.form["link"])
    out = await desks.links.set_out(who.present, visit.arrival(), found.link.id)
    if isinstance(out, AtBank):
        name = bank_in_words(out.link.bank, desks.house.today())
        return visit.page("wallet/to_bank.html", to=out.address, bank=name, here="/banks")
    return GATE_ANSWERS.go_on(visit, out, linking(found), linking(found, by_passkey=True))


@get(RETURN_PATH, opt=OF_MEMBERS)
async def come_back(request: AnyRequest) -> Response[Any]:
    """Take a member back from the bank."""
    visit = visit_of(request)
    link = await desks_of(request).returns.come_back(visit.who().present, visit.arrival(), _answer(request))
    return visit.go("/banks?done=waits" if link.state is LinkState.CONFIRMED else "/banks?done=linked")


@get("/banks/{link_id:str}/end", opt=OF_MEMBERS)
async def end_page(request: AnyRequest) -> Response[Any]:
    """Ask whether to end a link."""
    visit = visit_of(request)
    found = await desks_of(request).links.to_approve(visit.who().member.id, request.path_params["link_id"])
    if found.link.state is LinkState.ENDED:
        return visit.go("/banks")
    return show(visit, "wallet/link_end.html", one=_shown(visit, found.link))


@post("/banks/end", opt=OF_MEMBERS)
async def end_link(request: AnyRequest) -> Response[Any]:
    """End a link. It takes no proof, because it only keeps money where it is."""
    visit = visit_of(request)
    await desks_of(request).links.end(visit.who().present, visit.form["link"])
    return visit.go("/banks?done=ended")


def linking(found: LinkToApprove, *, by_passkey: bool = False) -> Wish:
    """Return the wish to link exactly this account."""
    text = f"{LINK}:{found.link.id}:{PASSKEY}" if by_passkey else f"{LINK}:{found.link.id}"
    path = f"/banks/{found.link.id}"
    return Wish(text, found.purpose, Need.PAY_OUT, path, "/banks", exact=True, by_passkey=by_passkey)


async def read_linking(visit: Visit, name: str) -> Wish | None:
    """Return the wish for a link of the visitor's."""
    link_id, _, way = name.partition(":")
    try:
        found = await desks_of(visit.request).links.to_approve(visit.who().member.id, link_id)
    except LinkUnknown:
        return None
    return linking(found, by_passkey=way == PASSKEY)


def _answer(request: AnyRequest) -> BankAnswer:
    """Read what the bank put into the address. Raises LinkReturnUnfit where it can't be told."""
    try:
        said = read_form(request.scope["query_string"])
        return BankAnswer(said.get("state"), said.get("iss"), said.get("code"), said.get("error"))
    except Refusal as refusal:
        raise LinkReturnUnfit(known=refusal.code) from refusal


def _shown(visit: Visit, link: BankLink) -> Shown:
    return Shown(link, bank_in_words(link.bank, desks_of(visit.request).house.today()))


WISHES: dict[str, ReadsWish] = {LINK: read_linking}
ROUTES = (links_page, choice_page, begin_link, link_page, set_out, come_back, end_page, end_link)
