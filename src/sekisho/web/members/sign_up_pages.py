"""Opening an account in three steps: how we reach somebody, the proof that it is theirs, and who they are."""

import re
import unicodedata
from collections.abc import Callable
from typing import Any

from litestar import Response, get, post

from sekisho.identity.code_limits import TooMany
from sekisho.identity.contacts import EmailUnusable, read_email
from sekisho.identity.names import NameFault, NameUnusable, read_kana, read_name
from sekisho.identity.password_rules import PasswordUnfit
from sekisho.identity.people import (
    AddressUnusable,
    BirthDateUnusable,
    Person,
    read_address,
    read_birth_date,
)
from sekisho.identity.recipients import NumberNotServed, mobile_number
from sekisho.identity.sign_up import SignUpForm, SignUpOver
from sekisho.kernel.refusals import Refusal
from sekisho.web.members import cookies
from sekisho.web.members.entering import welcomed
from sekisho.web.members.roles import ROLE, Role
from sekisho.web.members.visits import AnyRequest, Visit, visit_of

OPEN = {ROLE: Role.ANYONE}
UNPROCESSABLE = 422
TOO_MANY = 429
SIGN_UP_S = 3_600
POSTAL_CODE = re.compile(r"[0-9]{7}")
UNUSABLE = (AddressUnusable, BirthDateUnusable, EmailUnusable, NameUnusable, NumberNotServed)
TYPED = ("name", "name_kana", "birth_date", "postal_code", "home_address")


@get("/signup", opt=OPEN, sync_to_thread=False)
def contact_page(request: AnyRequest) -> Response[Any]:
    """Ask for an e-mail address and a mobile number."""
    visit = visit_of(request)
    return _contact(visit, trouble="sign_up_over" if "over" in request.query_params else "")


@post("/signup", opt=OPEN)
async def take_contact(request: AnyRequest) -> Response[Any]:
    """Send a code to each; the answer is the same where one of them is a member's already."""
    visit = visit_of(request)
    form = SignUpForm(visit.form.trimmed("email"), visit.form.trimmed("mobile"), visit.language)
    errors = _errors({"email": lambda: read_email(form.email), "mobile": lambda: mobile_number(form.mobile)})
    if errors:
        return _contact(visit, errors=errors, status=UNPROCESSABLE)
    step = await visit.site.desks.sign_up.begin(form, visit.arrival())
    if isinstance(step, TooMany):
        return _contact(visit, trouble="code_too_soon", status=TOO_MANY)
    visit.set(cookies.hosted(cookies.STEP, step.token, max_age_s=SIGN_UP_S))
    return visit.go("/signup/codes")


@get("/signup/codes", opt=OPEN, sync_to_thread=False)
def codes_page(request: AnyRequest) -> Response[Any]:
    """Ask for both codes."""
    visit = visit_of(request)
    step = cookies.read(request, cookies.STEP)
    return _codes(visit, step, sent_again="again" in request.query_params) if step else visit.go("/signup")


@post("/signup/codes", opt=OPEN)
async def take_codes(request: AnyRequest) -> Response[Any]:
    """Take the codes; one that fitted does not have to be entered again."""
    visit = visit_of(request)
    form, step = visit.form, visit.form["step"]
    proven = await visit.site.desks.sign_up.enter(
        step, form["email_code"], form["mobile_code"], visit.arrival()
    )
    if isinstance(proven, SignUpOver):
        return _begin_again(visit)
    if proven.email and proven.mobile:
        return visit.go("/signup/details")
    fitted = [name for name, fits in (("email", proven.email), ("mobile", proven.mobile)) if fits]
    return _codes(visit, step, fitted=fitted, wrong=True, status=UNPROCESSABLE)


@post("/signup/again", opt=OPEN)
async def send_codes_again(request: AnyRequest) -> Response[Any]:
    """Send new codes to what is not proven yet."""
    visit = visit_of(request)
    step = visit.form["step"]
    sent = await visit.site.desks.sign_up.send_again(step, visit.arrival())
    if isinstance(sent, SignUpOver):
        return _begin_again(visit)
    if isinstance(sent, TooMany):
        return _codes(visit, step, trouble="code_too_soon", status=TOO_MANY)
    return visit.go("/signup/codes?again")


@get("/signup/details", opt=OPEN, sync_to_thread=False)
def details_page(request: AnyRequest) -> Response[Any]:
    """Ask who it is, and for a password."""
    visit = visit_of(request)
    step = cookies.read(request, cookies.STEP)
    return _details(visit, step) if step else visit.go("/signup")


@post("/signup/details", opt=OPEN)
async def open_account(request: AnyRequest) -> Response[Any]:
    """Open the account, and offer to make a passkey as the next thing."""
    visit = visit_of(request)
    form, step, now_us = visit.form, visit.form["step"], visit.now_us()
    errors = _errors(
        {
            "name": lambda: read_name(form["name"]),
            "name_kana": lambda: read_kana(form["name_kana"]),
            "birth_date": lambda: read_birth_date(form["birth_date"], now_us),
            "home_address": lambda: read_address(form["home_address"]),
        }
    )
    postal_code = _postal_code(form["postal_code"])
    if not postal_code:
        errors["postal_code"] = "postal_code_wrong"
    person = Person(
        name=form["name"],
        kana=form["name_kana"],
        birth_date=form["birth_date"],
        home_address=f"〒{postal_code} {form['home_address']}",
    )
    errors |= {name: "field_empty" for name in TYPED if not form.trimmed(name)}
    if errors:
        return _details(visit, step, errors=errors, status=UNPROCESSABLE)
    before = cookies.read(request, cookies.SESSION)
    try:
        opened = await visit.site.desks.sign_up.finish(
            step, person, form["password"], visit.arrival(), replaces=before
        )
    except PasswordUnfit as refusal:
        errors = {"password": f"password_{refusal.fault}"}
        return _details(visit, step, errors=errors, status=UNPROCESSABLE)
    if isinstance(opened, SignUpOver):
        return _begin_again(visit)
    return await welcomed(visit, opened, to="/passkey/new?welcome")


def _postal_code(typed: str) -> str:
    digits = re.sub(r"[\s〒-]", "", unicodedata.normalize("NFKC", typed[:20]))
    return f"{digits[:3]}-{digits[3:]}" if POSTAL_CODE.fullmatch(digits) else ""


def _errors(readers: dict[str, Callable[[], object]]) -> dict[str, str]:
    """Return by field which words say what is wrong with it."""
    found = {}
    for field, read in readers.items():
        try:
            read()
        except UNUSABLE as refusal:
            found[field] = _fault(field, refusal)
    return found


def _fault(field: str, refusal: Refusal) -> str:
    if isinstance(refusal, NameUnusable) and refusal.fault is not NameFault.EMPTY:
        return f"name_{refusal.fault}"
    return f"{field}_wrong"


def _contact(
    visit: Visit, *, errors: dict[str, str] | None = None, trouble: str = "", status: int = 200
) -> Response[Any]:
    return visit.page(
        "members/sign_up.html",
        status=status,
        step_number=1,
        filled=visit.form.only("email", "mobile"),
        errors={"email": "", "mobile": ""} | (errors or {}),
        trouble_words=trouble,
    )


def _codes(  # noqa: PLR0913 - what the page can say
    visit: Visit,
    step: str,
    *,
    fitted: list[str] | None = None,
    wrong: bool = False,
    sent_again: bool = False,
    trouble: str = "",
    status: int = 200,
) -> Response[Any]:
    return visit.page(
        "members/sign_up_codes.html",
        status=status,
        step_number=2,
        step=step,
        fitted=fitted or [],
        wrong=wrong,
        sent_again=sent_again,
        trouble_words=trouble,
        here="/signup/codes",
    )


def _details(
    visit: Visit, step: str, *, errors: dict[str, str] | None = None, status: int = 200
) -> Response[Any]:
    return visit.page(
        "members/sign_up_details.html",
        status=status,
        step_number=3,
        step=step,
        filled=visit.form.only(*TYPED),
        errors=errors or {},
    )


def _begin_again(visit: Visit) -> Response[Any]:
    visit.set(cookies.gone(cookies.STEP))
    return visit.go("/signup?over")


ROUTES = (
    contact_page,
    take_contact,
    codes_page,
    take_codes,
    send_codes_again,
    details_page,
    open_account,
)
