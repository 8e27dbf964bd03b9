"""Confirming once more: passkey first, a code for exactly this purpose where that is enough."""

from typing import Any

import msgspec
from litestar import Response, get, post

from sekisho.identity.assurance import Granted, InsufficientAuthentication, Need, Way
from sekisho.identity.ceremonies import CeremonyOver
from sekisho.identity.code_limits import TooMany
from sekisho.identity.codes import Over, Wrong
from sekisho.identity.passkey_answers import PasskeyMalformed, PasskeyRefused
from sekisho.identity.purposes import in_words
from sekisho.identity.sessions import Opened
from sekisho.identity.step_ups import Asking, TypedCode
from sekisho.web.members import cookies
from sekisho.web.members.login_pages import JSON, UNAUTHORISED, filled_in_ms
from sekisho.web.members.roles import ROLE, Role
from sekisho.web.members.step_up import step_up_path
from sekisho.web.members.visits import NO_STORE, AnyRequest, Visit, visit_of
from sekisho.web.members.wishes import Wish, answer_to, read_wish

OF_MEMBERS = {ROLE: Role.MEMBER}


@get("/step-up", opt=OF_MEMBERS)
async def step_up_page(request: AnyRequest) -> Response[Any]:
    """Ask for a fresh proof; `?wish=` says for what. Who has one already goes on."""
    visit = visit_of(request)
    return await _page(visit, await read_wish(visit, request.query_params.get("wish", "")))


@get("/step-up/options", opt=OF_MEMBERS)
async def approval_options(request: AnyRequest) -> Response[Any]:
    """Begin a ceremony in which one of the member's passkeys approves a wish."""
    visit = visit_of(request)
    wish = await read_wish(visit, request.query_params.get("wish", ""))
    begun = await visit.site.desks.passkey_proofs.begin_approval(visit.who().session, wish.purpose)
    body = msgspec.json.encode({"ceremony": begun.token, "options": begun.options})
    return Response(body, media_type=JSON, headers=NO_STORE)


@post("/step-up", opt=OF_MEMBERS)
async def approve_by_passkey(request: AnyRequest) -> Response[Any]:
    """Take a passkey's approval."""
    visit = visit_of(request)
    wish, form = await read_wish(visit, visit.form["wish"]), visit.form
    try:
        opened = await visit.site.desks.passkey_proofs.approve(
            visit.who().session,
            form["ceremony"],
            form["credential"].encode(),
            visit.arrival(),
            purpose=wish.purpose,
        )
    except (CeremonyOver, PasskeyMalformed, PasskeyRefused):
        return await _page(visit, wish, trouble="step_up_passkey_refused", status=UNAUTHORISED)
    return _proven(visit, wish, opened)


@post("/step-up/code/send", opt=OF_MEMBERS)
async def send_step_up_code(request: AnyRequest) -> Response[Any]:
    """Send a code for a wish."""
    visit = visit_of(request)
    wish = await read_wish(visit, visit.form["wish"])
    try:
        asked = await visit.site.desks.step_ups.send_code(_asking(visit, wish), visit.language)
    except InsufficientAuthentication:
        return visit.go(step_up_path(wish))
    if isinstance(asked, TooMany):
        return await _page(visit, wish, trouble="code_too_soon")
    visit.set(cookies.hosted(cookies.STEP, asked.code_id, max_age_s=cookies.STEP_S))
    return visit.go(f"/step-up/code?wish={wish.text}")


@get("/step-up/code", opt=OF_MEMBERS)
async def step_up_code_page(request: AnyRequest) -> Response[Any]:
    """Ask for the code that was sent for a wish."""
    visit = visit_of(request)
    wish = await read_wish(visit, request.query_params.get("wish", ""))
    code_id = cookies.read(request, cookies.STEP)
    return _code(visit, wish, code_id) if code_id else visit.go(step_up_path(wish))


@post("/step-up/code", opt=OF_MEMBERS)
async def approve_by_code(request: AnyRequest) -> Response[Any]:
    """Take the code of a wish."""
    visit = visit_of(request)
    wish, form = await read_wish(visit, visit.form["wish"]), visit.form
    typed = TypedCode(form["code_id"], form["code"], filled_in_ms(form["filled_in_ms"]))
    try:
        taken = await visit.site.desks.step_ups.enter_code(_asking(visit, wish), typed)
    except InsufficientAuthentication:
        return visit.go(step_up_path(wish))
    match taken:
        case Wrong():
            return _code(visit, wish, typed.code_id, error="code_wrong", status=UNAUTHORISED)
        case Over():
            visit.set(cookies.gone(cookies.STEP))
            return await _page(visit, wish, trouble="code_over", status=UNAUTHORISED)
        case Opened():
            return _proven(visit, wish, taken)


def _asking(visit: Visit, wish: Wish) -> Asking:
    who = visit.who()
    return Asking(who.session, who.device, visit.arrival(), wish.purpose)


def _proven(visit: Visit, wish: Wish, opened: Opened) -> Response[Any]:
    visit.set(cookies.hosted(cookies.SESSION, opened.token))
    if cookies.read(visit.request, cookies.STEP):
        visit.set(cookies.gone(cookies.STEP))
    return visit.go(wish.go_on)


async def _page(visit: Visit, wish: Wish, *, trouble: str = "", status: int = 200) -> Response[Any]:
    answer = answer_to(visit, wish)
    if isinstance(answer, Granted):
        return visit.go(wish.go_on)
    member_id, desks = visit.who().session.member_id, visit.site.desks
    held = await desks.passkeys.held(member_id)
    # Money is approved where its amount is shown, which is nowhere but here.
    by_id = bool(visit.site.confirms_with) and wish.need is not Need.PAY_OUT and not wish.by_passkey
    return visit.page(
        "members/step_up.html",
        status=status,
        wish=wish.text,
        approved=in_words(wish.purpose, visit.language),
        by_passkey=Way.PASSKEY in answer.ways and any(passkey.works for passkey in held),
        by_code=Way.CODE in answer.ways and await desks.step_ups.reaches(member_id),
        by_id=by_id,
        by_approval=Way.APPROVAL in answer.ways,
        trouble_words=trouble,
        back=wish.back,
        here=step_up_path(wish),
    )


def _code(visit: Visit, wish: Wish, code_id: str, *, error: str = "", status: int = 200) -> Response[Any]:
    return visit.page(
        "members/step_up_code.html",
        status=status,
        wish=wish.text,
        approved=in_words(wish.purpose, visit.language),
        code_id=code_id,
        error=error,
        back=wish.back,
        here=f"/step-up/code?wish={wish.text}",
    )


ROUTES = (
    step_up_page,
    approval_options,
    approve_by_passkey,
    send_step_up_code,
    step_up_code_page,
    approve_by_code,
)
