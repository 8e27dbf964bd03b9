"""What a depositor meets who links an account: who asks, the proof, the consent, and the way back.

A cookie ties the request to the browser that came for it; each page names its request as well, so that what
was read in one tab is never agreed to in another. The way back leads to another site: see `id/hand_back`.
"""

from typing import Any

from litestar import Response, get, post

from sekisho.bank.authorisation.pushed_requests import Step
from sekisho.bank.authorisation.refusals import LinkRequestGone, LinkVisitOver
from sekisho.bank.authorisation.settings import LinkPolicy
from sekisho.bank.link_authentication import Came, Next
from sekisho.bank.link_consents import SendBack
from sekisho.bank.link_gate import LinkForm
from sekisho.identity.ceremonies import CeremonyOver
from sekisho.identity.openid.parameters import read_form
from sekisho.identity.openid.refusals import InvalidRequest, RequestUnreadable
from sekisho.identity.passkey_answers import PasskeyMalformed, PasskeyRefused
from sekisho.identity.people import BirthDateUnusable, read_birth_date
from sekisho.linking.link_details import Action
from sekisho.web.bank.desks import desks_of
from sekisho.web.members import cookies
from sekisho.web.members.login_pages import filled_in_ms
from sekisho.web.members.roles import ROLE, Role
from sekisho.web.members.visits import AnyRequest, visit_of
from sekisho.web.members.writing import show

COOKIE = "__Host-link"
OPEN = {ROLE: Role.ANYONE}
UNAUTHORISED = 401
PAGES = {Step.OPENED: "/link/account", Step.CODE: "/link/code", Step.PROVEN: "/link/consent"}


@get("/link/authorize", opt=OPEN)
async def authorise(request: AnyRequest) -> Response[Any]:
    """Take the browser that a partner sent, with the name of what it pushed."""
    visit, desks = visit_of(request), desks_of(request)
    try:
        parameters = read_form(request.scope["query_string"])
        client_id, uri = parameters.need("client_id"), parameters.need("request_uri")
    except (InvalidRequest, RequestUnreadable) as refusal:
        raise LinkRequestGone(known=refusal.told) from refusal
    token = await desks.authentication.open(client_id, uri)
    visit.set(cookies.hosted(COOKIE, token, max_age_s=desks.settings.visit_s))
    # The address with the request's name is left at once, and nothing of it stays in the history.
    return visit.go(PAGES[Step.OPENED])


@get("/link/account", opt=OPEN)
async def account_page(request: AnyRequest) -> Response[Any]:
    """Ask for the account and what proves that it is the depositor's."""
    return await _ask_account(request)


@post("/link/account", opt=OPEN)
async def take_account(request: AnyRequest) -> Response[Any]:
    """Take what was typed. Whatever is wrong with it, the answer is the same."""
    visit, desks = visit_of(request), desks_of(request)
    form = visit.form
    typed = LinkForm(
        branch=form["branch"],
        number=form["number"],
        name_kana=form["name_kana"],
        birth_date=_day(form["birth_date"], visit.now_us()),
        pin=form["pin"],
    )
    step = await desks.authentication.identify(_came(request), typed, visit.arrival())
    if step is Next.IDENTIFY:
        return await _ask_account(request, wrong=True)
    return await _go_on(request, step)


@post("/link/passkey", opt=OPEN)
async def take_passkey(request: AnyRequest) -> Response[Any]:
    """Take a passkey of the online bank."""
    visit, desks = visit_of(request), desks_of(request)
    came, proofs = _came(request), visit.site.desks.passkey_proofs
    credential = visit.form["credential"].encode()
    try:
        used = await proofs.login(visit.form["ceremony"], credential, visit.arrival())
    except (CeremonyOver, PasskeyMalformed, PasskeyRefused):
        return await _ask_account(request, wrong=True)
    step = await desks.authentication.by_passkey(came, used.passkey.member_id)
    if step is Next.IDENTIFY:
        return await _ask_account(request, wrong=True)
    return await _go_on(request, step)


@get("/link/code", opt=OPEN)
async def code_page(request: AnyRequest) -> Response[Any]:
    """Ask for the code that was sent, if one was."""
    return await _ask_code(request)


@post("/link/code", opt=OPEN)
async def take_code(request: AnyRequest) -> Response[Any]:
    """Take a code."""
    visit = visit_of(request)
    seen_ms = filled_in_ms(visit.form["filled_in_ms"])
    authentication = desks_of(request).authentication
    step = await authentication.take_code(
        _came(request), visit.form["code"], visit.arrival(), filled_in_ms=seen_ms
    )
    return await _ask_code(request, wrong=True) if step is Next.CODE else await _go_on(request, step)


@post("/link/code/again", opt=OPEN)
async def send_again(request: AnyRequest) -> Response[Any]:
    """Take the wish for another code."""
    visit = visit_of(request)
    await desks_of(request).authentication.send_again(_came(request), visit.arrival())
    return visit.go(f"{PAGES[Step.CODE]}?again")


@get("/link/consent", opt=OPEN)
async def consent_page(request: AnyRequest) -> Response[Any]:
    """Say who asks for what, for how much, on which account; and ask."""
    visit, desks = visit_of(request), desks_of(request)
    offer = await desks.consents.offer(_came(request, named=False))
    link, branches = offer.visit.asked.link, desks.bank.profile.branches
    return show(
        visit,
        "bank/link_consent.html",
        request=offer.visit.id,
        partner=offer.partner,
        actions=link.actions,
        debits=Action.DEBIT in link.actions,
        ceiling=link.ceiling,
        month_ceiling=link.month_ceiling,
        name_kana=offer.name_kana,
        accounts=[(one, branches[one.branch]) for one in offer.accounts],
        phone_is_told=bool(link.holder.phone),
    )


@post("/link/consent", opt=OPEN)
async def take_consent(request: AnyRequest) -> Response[Any]:
    """Take a depositor's yes."""
    back = await desks_of(request).consents.agree(_came(request), visit_of(request).form["account"])
    return _hand_back(request, back)


@post("/link/decline", opt=OPEN)
async def decline(request: AnyRequest) -> Response[Any]:
    """Take a depositor's no, at any step."""
    return _hand_back(request, await desks_of(request).consents.decline(_came(request)))


async def _ask_account(request: AnyRequest, *, wrong: bool = False) -> Response[Any]:
    visit, desks = visit_of(request), desks_of(request)
    found, partner = await desks.authentication.visit(_came(request, named=False))
    if found.step is not Step.OPENED:
        return visit.go(PAGES[found.step])
    return show(
        visit,
        "bank/link_account.html",
        status=UNAUTHORISED if wrong else 200,
        request=found.id,
        partner=partner,
        ceiling=found.asked.link.ceiling,
        debits=Action.DEBIT in found.asked.link.actions,
        by_pin=desks.settings.policy is not LinkPolicy.PASSKEY,
        wrong=wrong,
        here=PAGES[Step.OPENED],
    )


async def _ask_code(request: AnyRequest, *, wrong: bool = False) -> Response[Any]:
    visit, desks = visit_of(request), desks_of(request)
    found, partner = await desks.authentication.visit(_came(request, named=False))
    if found.step is not Step.CODE:
        return visit.go(PAGES[found.step])
    return show(
        visit,
        "bank/link_code.html",
        status=UNAUTHORISED if wrong else 200,
        request=found.id,
        partner=partner,
        ceiling=found.asked.link.ceiling,
        wrong=wrong,
        sent_again="again" in request.query_params and not wrong,
        here=PAGES[Step.CODE],
    )


async def _go_on(request: AnyRequest, step: Next) -> Response[Any]:
    visit, desks = visit_of(request), desks_of(request)
    if step is Next.CODE:
        return visit.go(PAGES[Step.CODE])
    if step is Next.CONSENT:
        return visit.go(PAGES[Step.PROVEN])
    found, partner = await desks.authentication.given_up(_came(request))
    return _hand_back(request, await desks.consents.give_up(found, partner), gave_up=True)


def _hand_back(request: AnyRequest, back: SendBack, *, gave_up: bool = False) -> Response[Any]:
    visit = visit_of(request)
    visit.set(cookies.gone(COOKIE))
    return visit.page(
        "bank/link_back.html",
        to=back.uri,
        client=back.partner.name(visit.language),
        gave_up=gave_up,
        here="/",
    )


def _came(request: AnyRequest, *, named: bool = True) -> Came:
    """Return who came: by the cookie alone to see a page, and by the page's own request to do something."""
    visit = visit_of(request)
    token = cookies.read(request, COOKIE)
    request_id = visit.form["request"] if named else ""
    if not token or (named and not request_id):
        raise LinkVisitOver(known="no cookie, or a form without its request")
    return Came(token, request_id)


def _day(typed: str, now_us: int) -> str:
    """Return a birth date as it is kept; what is none is compared as nothing."""
    try:
        return read_birth_date(typed, now_us)
    except BirthDateUnusable:
        return ""


ROUTES = (
    authorise,
    account_page,
    take_account,
    take_passkey,
    code_page,
    take_code,
    send_again,
    consent_page,
    take_consent,
    decline,
)
