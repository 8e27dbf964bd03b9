"""Applying for a credit line: what is asked, the steps that follow, the documents, and the signature.

Where an application stands tells of somebody's money, so all of it asks for the proof that shows a loan's
figures; whoever stole a session can neither read nor make one.
"""

from typing import Any

from litestar import Response, get, post

from sekisho.identity.assurance import InsufficientAuthentication, Need
from sekisho.identity.purposes import Purpose
from sekisho.kernel.yen import Yen
from sekisho.lender.applications import (
    GIVEN_UP,
    Application,
    ApplicationDetailsMissing,
    ApplicationNotFound,
    ApplicationUnusable,
    Fault,
    LineOpen,
    NotAtThisStep,
    Said,
    State,
)
from sekisho.lender.rates import Rate
from sekisho.lender.refusal_reasons import reasons_in_words
from sekisho.web.lender.desks import desks_of
from sekisho.web.lender.diagnosis_page import typed_man
from sekisho.web.lender.proven import with_figures
from sekisho.web.lender.statement_files import PDF, as_file
from sekisho.web.members.forms import Form
from sekisho.web.members.gate_answers import new_key
from sekisho.web.members.roles import ROLE, Role
from sekisho.web.members.step_up import to_step_up
from sekisho.web.members.visits import AnyRequest, Visit, visit_of
from sekisho.web.members.wishes import Wish, is_granted
from sekisho.web.members.writing import show

APPROVED = {ROLE: Role.APPROVED}
UNPROCESSABLE = 422
FIELDS = ("wanted", "income", "employer", "employed_years", "owed", "due_day")
DUE_DAYS = (5, 15, 25, 31)
MONTHS = 12
YEARS_DIGITS = 2
CONTRACT = "contract"
FAULTS = {
    Fault.INCOME: ("income", "amount_unreadable"),
    Fault.EMPLOYER: ("employer", "company_unusable"),
    Fault.EMPLOYED_MONTHS: ("employed_years", "apply_years_wrong"),
    Fault.WANTED: ("wanted", "apply_wanted_wrong"),
    Fault.OWED: ("owed", "amount_unreadable"),
    Fault.DUE_DAY: ("due_day", "apply_due_day_wrong"),
}
PAGES = {
    State.DRAFTED: "lender/apply_check.html",
    State.SUBMITTED: "lender/apply_waits.html",
    State.IDENTITY_CHECKED: "lender/apply_waits.html",
    State.A_PERSON_DECIDES: "lender/apply_waits.html",
    State.GRANTED: "lender/apply_offer.html",
    State.DOCUMENTS_SHOWN: "lender/apply_sign.html",
    State.SIGNED: "lender/apply_signed.html",
    State.REFUSED: "lender/apply_refused.html",
}
WAITS_FOR = {
    State.SUBMITTED: "apply_waits_identity",
    State.IDENTITY_CHECKED: "apply_waits_screening",
    State.A_PERSON_DECIDES: "apply_waits_person",
}


@get("/apply", opt=APPROVED)
@with_figures("apply")
async def apply_page(request: AnyRequest) -> Response[Any]:
    """Show the step that an application is at, or ask for one."""
    visit = visit_of(request)
    application = await desks_of(request).applications.current(visit.who().member.id)
    if application is None or application.state in GIVEN_UP or application.is_over(visit.now_us()):
        return _ask(visit)
    return await _step(visit, application)


@post("/apply", opt=APPROVED)
@with_figures("apply")
async def begin(request: AnyRequest) -> Response[Any]:
    """Take what was typed as a draft, or in the place of the one that there is."""
    visit = visit_of(request)
    desk, member_id, form = desks_of(request).applications, visit.who().member.id, visit.form
    try:
        said, current = read_said(form), await desk.current(member_id)
        if current is not None and current.state is State.DRAFTED and not current.is_over(visit.now_us()):
            await desk.change(member_id, current.id, said)
        else:
            await desk.begin(member_id, form["key"], said)
    except ApplicationUnusable as refusal:
        return _ask(visit, errors=dict(FAULTS[fault] for fault in refusal.faults))
    except LineOpen:
        return visit.go("/loan")
    return visit.go("/apply")


@post("/apply/change", opt=APPROVED)
@with_figures("apply")
async def change(request: AnyRequest) -> Response[Any]:
    """Ask again for a draft."""
    return _ask(visit_of(request))


@post("/apply/submit", opt=APPROVED)
@with_figures("apply")
async def submit(request: AnyRequest) -> Response[Any]:
    """Send the draft off."""
    visit = visit_of(request)
    try:
        await desks_of(request).applications.submit(visit.who().member.id, visit.form["application"])
    except ApplicationDetailsMissing:
        return show(visit, "lender/apply_details.html", status=UNPROCESSABLE, here="/apply")
    return visit.go("/apply")


@post("/apply/withdraw", opt=APPROVED)
@with_figures("apply")
async def withdraw(request: AnyRequest) -> Response[Any]:
    """Take the application back."""
    visit = visit_of(request)
    await desks_of(request).applications.withdraw(visit.who().member.id, visit.form["application"])
    return visit.go("/loan")


@post("/apply/documents", opt=APPROVED)
@with_figures("apply")
async def show_documents(request: AnyRequest) -> Response[Any]:
    """Take the consent to electronic delivery, and hand over what goes before the contract."""
    visit = visit_of(request)
    documents, who = desks_of(request).documents, visit.who()
    if visit.form["consent"] != "yes":
        return visit.go("/apply")
    await documents.consent(who.present)
    await documents.show_before_contract(who.member.id, visit.form["application"])
    return visit.go("/apply")


@get("/apply/documents/{document_id:str}", opt=APPROVED)
@with_figures("apply")
async def read_document(request: AnyRequest) -> Response[Any]:
    """Give a document of the member's out, as it was issued."""
    visit = visit_of(request)
    document_id = request.path_params["document_id"]
    read = await desks_of(request).documents.read(visit.who().member.id, document_id)
    return as_file(read.pdf, PDF, f"{read.document.kind}.pdf")


@post("/apply/sign", opt=APPROVED)
async def sign(request: AnyRequest) -> Response[Any]:
    """Sign what was shown, once exactly this was approved."""
    visit = visit_of(request)
    signing, who, application_id = desks_of(request).signing, visit.who(), visit.form["application"]
    try:
        await signing.sign(who.present, application_id, visit.arrival())
    except InsufficientAuthentication:
        purpose = await signing.purpose(who.member.id, application_id)
        return to_step_up(visit, _signature(application_id, purpose))
    return visit.go("/apply")


def read_said(form: Form) -> Said:
    """Read the form. What can't be read is refused as what can't be taken is. Raises ApplicationUnusable."""
    man = {
        name: typed_man(form[name] or ("0" if name == "owed" else ""))
        for name in ("wanted", "income", "owed")
    }
    years, due_day = form.trimmed("employed_years"), form["due_day"]
    has_years = years.isascii() and years.isdecimal() and len(years) <= YEARS_DIGITS
    wrong = {
        Fault.WANTED: man["wanted"] is None,
        Fault.INCOME: man["income"] is None,
        Fault.OWED: man["owed"] is None,
        Fault.EMPLOYED_MONTHS: not has_years,
        Fault.DUE_DAY: due_day not in {str(day) for day in DUE_DAYS},
    }
    if faults := tuple(fault for fault, is_wrong in wrong.items() if is_wrong):
        raise ApplicationUnusable(faults)
    wanted, income, owed = ((man[name] or Yen(0)).amount for name in ("wanted", "income", "owed"))
    return Said(
        income_yen=income,
        employer=form.trimmed("employer"),
        employed_months=int(years) * MONTHS,
        wanted_yen=wanted,
        owed_to_lenders_yen=owed,
        due_day=int(due_day),
    )


async def read_signature(visit: Visit, application_id: str) -> Wish | None:
    """Return the wish to sign an application of the visitor's."""
    try:
        purpose = await desks_of(visit.request).signing.purpose(visit.who().member.id, application_id)
    except (ApplicationNotFound, NotAtThisStep):
        return None
    return _signature(application_id, purpose)


def _signature(application_id: str, purpose: Purpose) -> Wish:
    return Wish(f"{CONTRACT}:{application_id}", purpose, Need.CHANGE, "/apply", "/apply", exact=True)


def _ask(visit: Visit, *, errors: dict[str, str] | None = None) -> Response[Any]:
    house = desks_of(visit.request).house
    return show(
        visit,
        "lender/apply.html",
        status=UNPROCESSABLE if errors else 200,
        typed={name: visit.form[name][:100] for name in FIELDS},
        errors=errors or {},
        terms=house.book.on(house.today()),
        due_days=DUE_DAYS,
        key=new_key(visit),
        here="/apply",
    )


async def _step(visit: Visit, application: Application) -> Response[Any]:
    approved = False
    if application.state is State.DOCUMENTS_SHOWN:
        wish = await read_signature(visit, application.id)
        approved = wish is not None and is_granted(visit, wish)
    return show(
        visit,
        PAGES[application.state],
        application=application,
        rate=Rate(application.rate),
        waits_for=WAITS_FOR.get(application.state, ""),
        reasons=reasons_in_words(application, visit.language),
        approved=approved,
        here="/apply",
    )


WISHES = {CONTRACT: read_signature}
ROUTES = (
    apply_page,
    begin,
    change,
    submit,
    withdraw,
    show_documents,
    read_document,
    sign,
)
