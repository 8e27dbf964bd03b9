"""Money of partners at the desks: entered by its number by one person, booked by another one."""

from datetime import date
from typing import TYPE_CHECKING, Any, cast

from litestar import Response, get, post

from sekisho.console.rights import Right
from sekisho.kernel.refusals import Refusal
from sekisho.response.partner_books import ReceiptNotBookable
from sekisho.response.partner_receipts import (
    Came,
    ReceiptDecided,
    ReceiptNumberUsed,
    RecoveryMoreThanOpen,
)
from sekisho.response.partner_recoveries import TEXT_MAX, RecoveryChanged, RecoveryUnusable
from sekisho.response.recovery_rows import Part, Way
from sekisho.response.staff import SecondPersonNeeded
from sekisho.web.console.proposals import Proposal, to_approve
from sekisho.web.console.recovery_pages import partner_in_words, partner_path, show_partner
from sekisho.web.console.staff_admission import RIGHT, STAFF, staff_of
from sekisho.web.console.staff_desks import desks_at, require_desk
from sekisho.web.console.typed import TypedUnusable, read_choice, read_yen
from sekisho.web.members.roles import ROLE, Role
from sekisho.web.members.visits import AnyRequest, Visit, visit_of

if TYPE_CHECKING:
    from sekisho.console.staff import StaffDesk

SEEING = {ROLE: Role.MEMBER, RIGHT: Right.SEE_MEMBERS}
HANDLING = {ROLE: Role.MEMBER, RIGHT: Right.HANDLE_CASES}
APPROVING = {ROLE: Role.MEMBER, RIGHT: Right.APPROVE}
FIELDS = ("partner", "campaign", "way", "number", "yen", "day")
ANY = "any"
"""What stands in the field of the campaign where money counts for whatever was paid first."""


@post("/{institution:str}/recoveries/came", opt=HANDLING)
async def enter_receipt(request: AnyRequest) -> Response[Any]:
    """Enter money that came; the page shows for which campaigns it would count."""
    visit, desks, staff = visit_of(request), desks_at(request), staff_of(request)
    desk, typed = require_desk(desks.receipts), visit.form.only(*FIELDS)
    try:
        came = _came(typed)
        parts = await desk.counts_for(came)
        rows = (
            ("recovery_partner", await partner_in_words(visit, desks, came.partner)),
            ("receipt_way", str(visit.words(f"receipt_way_{came.way.value}"))),
            ("receipt_number", came.number),
            ("receipt_yen", str(visit.words("case_yen", yen=f"{came.yen:,}"))),
            ("receipt_day", came.day.isoformat()),
            ("receipt_counts_for", _counts_for(visit, parts)),
        )
        action = f"/{desks.institution.key}/recoveries/came"
        back = partner_path(desks, came.partner)
        page = await to_approve(visit, desks, Proposal("receipt_enter", action, back, typed, rows))
        if page is not None:
            return page
        receipt = await desk.enter(came, parts, by=staff.id)
    except (
        ReceiptNumberUsed,
        RecoveryChanged,
        RecoveryMoreThanOpen,
        RecoveryUnusable,
    ) as refusal:
        return await show_partner(request, typed["partner"], refusal=refusal)
    return visit.go(f"/{desks.institution.key}/recoveries/{receipt.id}")


@get("/{institution:str}/recoveries/{receipt_id:str}", opt=SEEING)
async def receipt_page(request: AnyRequest) -> Response[Any]:
    """Show money of a partner: its number, for which claims it counts, who entered and who booked it."""
    return await _page(request)


@post("/{institution:str}/recoveries/{receipt_id:str}/book", opt=APPROVING)
async def book_receipt(request: AnyRequest) -> Response[Any]:
    """Book it in the ledger, as the second person."""
    visit, desks, staff = visit_of(request), desks_at(request), staff_of(request)
    desk, receipt_id = require_desk(desks.receipts), request.path_params["receipt_id"]
    receipt, parts = await desk.find(receipt_id)
    path = f"/{desks.institution.key}/recoveries/{receipt.id}"
    rows = (
        ("recovery_partner", await partner_in_words(visit, desks, receipt.partner)),
        ("receipt_number", receipt.number),
        ("receipt_yen", str(visit.words("case_yen", yen=f"{receipt.yen:,}"))),
        ("receipt_day", receipt.came_on),
        ("receipt_counts_for", _counts_for(visit, parts)),
    )
    page = await to_approve(visit, desks, Proposal("receipt_book", f"{path}/book", path, {}, rows))
    if page is not None:
        return page
    try:
        await desk.book(receipt_id, by=staff.id)
    except (ReceiptDecided, ReceiptNotBookable, SecondPersonNeeded) as refusal:
        return await _page(request, refusal=refusal)
    return visit.go(path)


@post("/{institution:str}/recoveries/{receipt_id:str}/turn-down", opt=APPROVING)
async def turn_down_receipt(request: AnyRequest) -> Response[Any]:
    """Let what was entered wrongly count for nothing."""
    visit, desks, staff = visit_of(request), desks_at(request), staff_of(request)
    desk, receipt_id = require_desk(desks.receipts), request.path_params["receipt_id"]
    receipt, _ = await desk.find(receipt_id)
    path, why = f"/{desks.institution.key}/recoveries/{receipt.id}", visit.form.trimmed("why")
    if not 0 < len(why) <= TEXT_MAX:
        return await _page(request, refusal=RecoveryUnusable())
    rows = (
        ("receipt_number", receipt.number),
        ("receipt_yen", str(visit.words("case_yen", yen=f"{receipt.yen:,}"))),
        ("reason", why),
    )
    asked = Proposal("receipt_turn_down", f"{path}/turn-down", path, {"why": why}, rows, grave=True)
    page = await to_approve(visit, desks, asked)
    if page is not None:
        return page
    try:
        await desk.turn_down(receipt_id, by=staff.id, why=why)
    except ReceiptDecided as refusal:
        return await _page(request, refusal=refusal)
    return visit.go(path)


def _came(typed: dict[str, str]) -> Came:
    """Read what came from a form. Raises RecoveryUnusable."""
    try:
        return Came(
            partner=typed["partner"],
            campaign=None if typed["campaign"] == ANY else typed["campaign"],
            way=read_choice(Way, typed["way"], words="recovery_unusable"),
            number=typed["number"].strip(),
            yen=read_yen(typed["yen"], words="recovery_unusable"),
            day=date.fromisoformat(typed["day"].strip()),
        )
    except (TypedUnusable, ValueError) as error:
        raise RecoveryUnusable(known="a field of the form") from error


def _counts_for(visit: Visit, parts: list[Part]) -> str:
    """Say by campaign how many claims money counts for, and with how much."""
    lines = []
    for campaign in dict.fromkeys(part.campaign for part in parts):
        its = [part for part in parts if part.campaign == campaign]
        claims, yen = f"{len(its):,}", f"{sum(part.yen for part in its):,}"
        named = campaign or visit.words("recovery_no_campaign")
        lines.append(str(visit.words("receipt_counts", campaign=named, claims=claims, yen=yen)))
    return "\n".join(lines)


async def _page(request: AnyRequest, *, refusal: Refusal | None = None) -> Response[Any]:
    visit, desks, staff = visit_of(request), desks_at(request), staff_of(request)
    receipt, parts = await require_desk(desks.receipts).find(request.path_params["receipt_id"])
    path = f"/{desks.institution.key}/recoveries/{receipt.id}"
    names = await require_desk(desks.recoveries).names({receipt.partner}, visit.language)
    may_approve = staff.may(desks.institution.key, Right.APPROVE)
    return visit.page(
        "desks/receipt.html",
        status=200 if refusal is None else refusal.status,
        desks=desks,
        receipt=receipt,
        parts=parts,
        partner_name=names[receipt.partner],
        way_to=partner_path(desks, receipt.partner),
        names=await cast("StaffDesk", request.app.state[STAFF]).names(),
        may_approve=may_approve,
        may_book=may_approve and staff.id != receipt.entered_by,
        text_max=TEXT_MAX,
        trouble_words="" if refusal is None else f"desk_{refusal.code}",
        path=path,
        here=path,
    )


ROUTES = (enter_receipt, receipt_page, book_receipt, turn_down_receipt)
