"""Logging in with the ID: out to it and back, the opening of an account, confirmations, and logouts."""

from typing import Any
from urllib.parse import unquote

from litestar import Response, get, post

from sekisho.identity.assurance import Level, Need, Standing
from sekisho.identity.openid.parameters import read_form
from sekisho.identity.relying.desk import Answer, Begun, Confirmed, Entered, Finished, Shut, Stranger
from sekisho.identity.relying.refusals import LogoutTokenUnfit, SignInOver
from sekisho.identity.relying.tickets import Wanted
from sekisho.kernel.refusals import Refusal
from sekisho.web.id.endpoints import read_parameters
from sekisho.web.members import cookies
from sekisho.web.members.admission import own_path
from sekisho.web.members.entering import stopped, welcomed
from sekisho.web.members.roles import ROLE, Role
from sekisho.web.members.visits import NO_STORE, AnyRequest, Visit, visit_of
from sekisho.web.members.wishes import UnknownWish, read_wish
from sekisho.web.wallet import sign_in_cookies
from sekisho.web.wallet.desks import desks_of

OPEN = {ROLE: Role.ANYONE}
CONFIRM_PATH = "/login/id/confirm"
SAID = {"over": "login_over", "unfrozen": "login_unfrozen"}
JSON = "application/json"


@get("/login", opt=OPEN, sync_to_thread=False)
def login_page(request: AnyRequest) -> Response[Any]:
    """Offer the login with the ID. `?next=` is the page that is opened afterwards."""
    visit = visit_of(request)
    wanted = own_path(unquote(request.query_params.get("next", "")))
    if wanted != "/":
        visit.set(cookies.hosted(cookies.NEXT, wanted, max_age_s=cookies.STEP_S))
    if visit.signed_in is not None and wanted == "/":
        return visit.go("/")
    said = next((words for name, words in SAID.items() if name in request.query_params), "")
    return visit.page("wallet/login.html", trouble_words=said, here="/login")


@get("/login/id", opt=OPEN)
async def set_out(request: AnyRequest) -> Response[Any]:
    """Send the browser to the ID."""
    visit = visit_of(request)
    wanted = Wanted(next_path=_next(visit), language=visit.language)
    begun = await desks_of(request).sign_in.begin(wanted)
    sign_in_cookies.keep(visit, begun)
    return visit.go(begun.url)


@get("/login/id/callback", opt=OPEN)
async def come_back(request: AnyRequest) -> Response[Any]:
    """Take what the browser brings back from the ID."""
    visit = visit_of(request)
    answer = _answer(request)
    ticket = sign_in_cookies.take(visit, answer.state)
    finished = await desks_of(request).sign_in.finish(
        answer,
        ticket,
        visit.arrival(),
        replaces=cookies.read(request, cookies.SESSION),
        session=visit.signed_in.session if visit.signed_in is not None else None,
    )
    return await _finished(visit, finished)


@get("/open", opt=OPEN, sync_to_thread=False)
def opening_page(request: AnyRequest) -> Response[Any]:
    """Say what is opened, to somebody who has no wallet yet."""
    visit = visit_of(request)
    return visit.go("/") if visit.signed_in is not None else visit.page("wallet/open.html")


@post("/open", opt=OPEN)
async def open_account(request: AnyRequest) -> Response[Any]:
    """Send the browser to the ID once more, so that an account is opened by what it says."""
    visit = visit_of(request)
    wanted = Wanted(next_path=_next(visit), language=visit.language, opening=True)
    return _to_id(visit, await desks_of(request).sign_in.begin(wanted))


@post(CONFIRM_PATH, opt={ROLE: Role.MEMBER})
async def confirm(request: AnyRequest) -> Response[Any]:
    """Let a member confirm a wish by a new login with the ID. Money is never confirmed so."""
    visit = visit_of(request)
    wish, who = await read_wish(visit, visit.form["wish"]), visit.who()
    if wish.need is Need.PAY_OUT or wish.by_passkey:
        raise UnknownWish(known="not for the ID to confirm")
    trusted = who.device.standing is Standing.TRUSTED
    wanted = Wanted(
        next_path=wish.go_on,
        language=visit.language,
        fresh=True,
        # On a browser that nobody knows, nothing but a passkey says that it is the member.
        levels=(Level.CODE, Level.PASSKEY) if trusted else (Level.PASSKEY,),
        session_id=who.session.id,
        purpose=wish.purpose.key,
    )
    return _to_id(visit, await desks_of(request).sign_in.begin(wanted))


@post("/login/id/logout", opt={ROLE: Role.CLIENT}, status_code=200)
async def logged_out_there(request: AnyRequest) -> Response[Any]:
    """Take the ID's word that a session is over (OpenID Connect Back-Channel Logout)."""
    try:
        token = (await read_parameters(request)).need("logout_token")
    except Refusal as refusal:
        raise LogoutTokenUnfit(known=refusal.code) from refusal
    await desks_of(request).sign_in.log_out(token)
    return Response(b"", media_type=JSON, headers=NO_STORE)


@get("/login/id/keys", opt=OPEN)
async def show_keys(request: AnyRequest) -> Response[Any]:
    """Show the public key by which the wallet proves to the ID that it is its client."""
    return Response((await desks_of(request).sign_in.key_set()).encode(), media_type=JSON, headers=NO_STORE)


def _answer(request: AnyRequest) -> Answer:
    """Read what the ID put into the address. Raises SignInOver where it can't be told."""
    try:
        said = read_form(request.scope["query_string"])
        return Answer(said.get("state"), said.get("iss"), said.get("code"), said.get("error"))
    except Refusal as refusal:
        raise SignInOver(known=refusal.code) from refusal


async def _finished(visit: Visit, finished: Finished) -> Response[Any]:
    match finished:
        case Entered():
            return await welcomed(visit, finished.welcome, to=own_path(finished.next_path))
        case Shut():
            return stopped(visit, finished.stopped, by_passkey=finished.by_passkey)
        case Begun():
            sign_in_cookies.keep(visit, finished)
            return visit.go(finished.url)
        case Confirmed():
            visit.set(cookies.hosted(cookies.SESSION, finished.opened.token))
            return visit.go(own_path(finished.next_path))
        case Stranger():
            return visit.go("/open")


def _next(visit: Visit) -> str:
    return own_path(cookies.read(visit.request, cookies.NEXT))


def _to_id(visit: Visit, begun: Begun) -> Response[Any]:
    """Answer a form with a page that goes on by itself: browsers let no form of ours end on another site."""
    sign_in_cookies.keep(visit, begun)
    return visit.page("wallet/to_id.html", to=begun.url, here="/")


ROUTES = (login_page, set_out, come_back, opening_page, open_account, confirm, logged_out_there, show_keys)
