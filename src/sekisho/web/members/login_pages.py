"""The login: passkey first, ID and password as the other way, and the one step after it for all strangers."""

from typing import Any
from urllib.parse import unquote

import msgspec
from litestar import Response, get, post

from sekisho.identity import passkey_signals
from sekisho.identity.ceremonies import CeremonyOver
from sekisho.identity.claims import LoginForm
from sekisho.identity.known_logins import Again
from sekisho.identity.login_codes import CodeForm, LoginOver, NotRight
from sekisho.identity.logins import NextStep
from sekisho.identity.passkey_answers import PasskeyMalformed, PasskeyRefused
from sekisho.identity.puzzles import puzzle_for
from sekisho.identity.welcomes import Stopped, Welcome
from sekisho.web.members import cookies
from sekisho.web.members.admission import own_path
from sekisho.web.members.entering import stopped, welcomed
from sekisho.web.members.roles import ROLE, Role
from sekisho.web.members.visits import NO_STORE, AnyRequest, Visit, visit_of

OPEN = {ROLE: Role.ANYONE}
UNAUTHORISED = 401
JSON = "application/json"
FILLED_DIGITS_MAX = 7
SAID = {"over": "login_over", "unfrozen": "login_unfrozen"}


@get("/login", opt=OPEN, sync_to_thread=False)
def login_page(request: AnyRequest) -> Response[Any]:
    """Ask who is there. `?next=` is the page that is opened afterwards."""
    visit = visit_of(request)
    wanted = own_path(unquote(request.query_params.get("next", "")))
    if wanted != "/":
        visit.set(cookies.hosted(cookies.NEXT, wanted, max_age_s=cookies.STEP_S))
    if visit.signed_in is not None and wanted == "/":
        return visit.go("/")
    said = next((words for name, words in SAID.items() if name in request.query_params), "")
    return _login(visit, trouble=said)


@get("/login/passkey/options", opt=OPEN, sync_to_thread=False)
def login_options(request: AnyRequest) -> Response[Any]:
    """Begin a ceremony in which any passkey of ours may answer."""
    begun = visit_of(request).site.desks.passkey_proofs.begin_login()
    body = msgspec.json.encode({"ceremony": begun.token, "options": begun.options})
    return Response(body, media_type=JSON, headers=NO_STORE)


@post("/login/passkey", opt=OPEN)
async def log_in_by_passkey(request: AnyRequest) -> Response[Any]:
    """Take a passkey's answer."""
    visit = visit_of(request)
    desks, arrival = visit.site.desks, visit.arrival()
    ceremony, credential = visit.form["ceremony"], visit.form["credential"].encode()
    try:
        used = await desks.passkey_proofs.login(ceremony, credential, arrival)
    except (CeremonyOver, PasskeyMalformed):
        return _login(visit, trouble="login_over", status=UNAUTHORISED)
    except PasskeyRefused as refusal:
        signal = _forget(visit, refusal.unknown_credential_id)
        return _login(visit, trouble="login_passkey_refused", status=UNAUTHORISED, signal=signal)
    entered = await desks.logins.welcome_by_passkey(used.passkey.member_id, arrival, replaces=_before(visit))
    if isinstance(entered, Stopped):
        return stopped(visit, entered, by_passkey=True)
    return await welcomed(visit, entered)


@post("/login", opt=OPEN)
async def log_in(request: AnyRequest) -> Response[Any]:
    """Take ID and password. All strangers are sent on to the same page."""
    visit = visit_of(request)
    form = LoginForm(visit.form.trimmed("name"), visit.form["password"])
    answer = await visit.site.desks.logins.begin(form, visit.arrival(), replaces=_before(visit))
    match answer:
        case Welcome():
            return await welcomed(visit, answer)
        case Stopped():
            return stopped(visit, answer)
        case Again():
            return _login(visit, trouble="login_again", status=UNAUTHORISED, name=form.name)
        case NextStep():
            visit.set(cookies.hosted(cookies.STEP, answer.step_token, max_age_s=cookies.STEP_S))
            return visit.go("/login/code")


@get("/login/code", opt=OPEN, sync_to_thread=False)
def code_page(request: AnyRequest) -> Response[Any]:
    """Ask for the code that was sent, if one was."""
    visit = visit_of(request)
    step = cookies.read(request, cookies.STEP)
    if not step:
        return visit.go("/login")
    return _code(visit, step, sent_again="again" in request.query_params)


@post("/login/code", opt=OPEN)
async def take_code(request: AnyRequest) -> Response[Any]:
    """Take a code."""
    visit = visit_of(request)
    step, typed = visit.form["step"], visit.form["code"]
    form = CodeForm(step, typed, filled_in_ms(visit.form["filled_in_ms"]), _before(visit))
    taken = await visit.site.desks.logins.take_code(form, visit.arrival())
    match taken:
        case Welcome():
            return await welcomed(visit, taken)
        case NotRight():
            return _code(visit, step, error="code_wrong", status=UNAUTHORISED)
        case LoginOver():
            return _begin_again(visit)


@post("/login/code/again", opt=OPEN)
async def send_again(request: AnyRequest) -> Response[Any]:
    """Take the wish for another code."""
    visit = visit_of(request)
    going_on = await visit.site.desks.logins.send_again(visit.form["step"], visit.arrival())
    return _begin_again(visit) if isinstance(going_on, LoginOver) else visit.go("/login/code?again")


@post("/login/code/puzzle", opt=OPEN, status_code=204)
async def take_puzzle(request: AnyRequest) -> None:
    """Take a solved puzzle, unseen by whoever waits for the code."""
    visit = visit_of(request)
    await visit.site.desks.logins.take_puzzle(visit.form["step"], visit.form["solution"], visit.arrival())


def _forget(visit: Visit, credential_id: bytes) -> str:
    """Return what tells the passkey manager that we do not have this passkey; nothing where we do."""
    if not credential_id:
        return ""
    told = passkey_signals.unknown_credential(visit.site.parts.institution, credential_id)
    return msgspec.json.encode({"unknown": told}).decode()


def _login(
    visit: Visit, *, trouble: str = "", name: str = "", status: int = 200, signal: str = ""
) -> Response[Any]:
    return visit.page(
        visit.site.login_page, status=status, trouble_words=trouble, name=name, signal=signal, here="/login"
    )


def _code(
    visit: Visit, step: str, *, error: str = "", sent_again: bool = False, status: int = 200
) -> Response[Any]:
    return visit.page(
        "members/login_code.html",
        status=status,
        step=step,
        puzzle=puzzle_for(step),
        error=error,
        sent_again=sent_again,
    )


def _begin_again(visit: Visit) -> Response[Any]:
    visit.set(cookies.gone(cookies.STEP))
    return visit.go("/login?over")


def _before(visit: Visit) -> str:
    return cookies.read(visit.request, cookies.SESSION)


def filled_in_ms(text: str) -> int | None:
    """Read how long a page saw a code being typed, in milliseconds; None where it did not tell."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= FILLED_DIGITS_MAX else None


ROUTES = (
    login_page,
    login_options,
    log_in_by_passkey,
    log_in,
    code_page,
    take_code,
    send_again,
    take_puzzle,
)
