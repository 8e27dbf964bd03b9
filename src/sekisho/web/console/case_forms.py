"""A new case as a form: whose damage it is, who says so, and since when it holds."""

from sekisho.console.case_desk import CaseDesk
from sekisho.console.member_search import NobodyFound
from sekisho.kernel.ids import CASE
from sekisho.response.case_stages import Stage
from sekisho.response.cases import CaseKind, Opening, Report, Reporter, Step
from sekisho.web.console.staff_desks import InstitutionDesks
from sekisho.web.console.typed import TypedUnusable, as_typed, read_choice, read_moment, read_yen
from sekisho.web.members.forms import Form
from sekisho.web.members.visits import Visit

FIELDS = (
    "occasion",
    "kind",
    "reporter",
    "member",
    "name",
    "contact",
    "account",
    "address",
    "text",
    "campaign",
    "partner",
    "loss",
    "as_of",
)
REPORTERS = (Reporter.MEMBER, Reporter.NON_MEMBER, Reporter.PARTNER, Reporter.STAFF)
STEP_FIELDS = ("stage", "amount", "basis", "as_of", "why")
SHORT_MAX, TEXT_MAX = 300, 4_000


def proposed(visit: Visit, desks: InstitutionDesks) -> dict[str, str]:
    """Return the fields of a new case: the occasion is drawn, so that one form opens one case."""
    given = {"member": visit.request.query_params.get("member", "")[:SHORT_MAX]}
    given["campaign"] = visit.request.query_params.get("campaign", "")[:SHORT_MAX]
    occasion = CASE.new(desks.parts.clock, desks.parts.chance)
    return (
        dict.fromkeys(FIELDS, "")
        | {
            "reporter": Reporter.MEMBER.value,
            "occasion": f"staff:{occasion}",
            "as_of": as_typed(visit.now_us()),
        }
        | given
    )


async def read_opening(desk: CaseDesk, form: Form) -> Opening:
    """Read a case from a form. Raises TypedUnusable with the words' key where a field is wrong."""
    reporter = read_choice(Reporter, form["reporter"], words="case_wrong_reporter")
    if reporter not in REPORTERS:
        raise TypedUnusable(known="case_wrong_reporter")
    short = {name: form.trimmed(name) for name in FIELDS if name != "text"}
    if any(len(text) > SHORT_MAX for text in short.values()) or len(form["text"]) > TEXT_MAX:
        raise TypedUnusable(known="case_wrong_length")
    if not short["occasion"].startswith("staff:"):
        raise TypedUnusable(known="case_wrong_length")
    if reporter is Reporter.NON_MEMBER and not (short["name"] and short["contact"]):
        raise TypedUnusable(known="case_wrong_person")
    if reporter is Reporter.PARTNER and not short["partner"]:
        raise TypedUnusable(known="case_wrong_partner")
    member_id = ""
    if short["member"]:
        try:
            member_id = await desk.member_of(short["member"])
        except NobodyFound as error:
            raise TypedUnusable(known="case_wrong_member") from error
    elif reporter is Reporter.MEMBER:
        raise TypedUnusable(known="case_wrong_member")
    return Opening(
        kind=read_choice(CaseKind, form["kind"], words="case_wrong_kind"),
        reporter=reporter,
        occasion=short["occasion"],
        report=Report(
            text=form["text"],
            name=short["name"],
            contact=short["contact"],
            account=short["account"],
            address=short["address"],
        ),
        member_id=member_id,
        campaign=short["campaign"],
        partner=short["partner"],
        loss_yen=read_yen(short["loss"], words="case_wrong_yen") if short["loss"] else 0,
        as_of_us=read_moment(short["as_of"], words="case_wrong_time"),
    )


def read_step(form: Form, now_us: int) -> Step:
    """Read a step from a form. Raises TypedUnusable with the words' key where a field is wrong."""
    as_of_us = read_moment(form["as_of"], words="case_wrong_time")
    basis = form.trimmed("basis")
    if not basis or len(basis) > SHORT_MAX or len(form["why"]) > SHORT_MAX:
        raise TypedUnusable(known="case_wrong_basis")
    if as_of_us > now_us:
        raise TypedUnusable(known="case_wrong_time")
    return Step(
        read_choice(Stage, form["stage"], words="case_wrong_stage"),
        read_yen(form["amount"], words="case_wrong_yen"),
        basis,
        as_of_us,
        form.trimmed("why"),
    )
