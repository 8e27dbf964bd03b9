"""Containment at the desks: of a cohort in one step, of a crowd by two people, of one member after a look."""

from typing import Any
from urllib.parse import quote

from litestar import Response, get, post

from sekisho.console.rights import Right
from sekisho.response import containment_rows
from sekisho.response.containment import ContainmentStepRefused, ContainmentUnknown
from sekisho.response.containment_rows import Contained, Containment, Standing
from sekisho.response.staff import SecondPersonNeeded
from sekisho.storage.unit_of_work import Connection
from sekisho.web.console.campaign_pages import (
    SEEING_COHORTS,
    approving,
    containing,
    path_of,
    show_campaign,
)
from sekisho.web.console.staff_admission import RIGHT, staff_of
from sekisho.web.console.staff_deeds import deed, require_approved
from sekisho.web.console.staff_desks import InstitutionDesks, desks_at
from sekisho.web.members.roles import ROLE, Role
from sekisho.web.members.visits import AnyRequest, visit_of

CONTAINING = {ROLE: Role.MEMBER, RIGHT: Right.CONTAIN}
APPROVING = {ROLE: Role.MEMBER, RIGHT: Right.APPROVE}
FORBIDDEN, NOT_FOUND, CONFLICT = 403, 404, 409
UNDECIDED = frozenset({Standing.PROPOSED, Standing.BELOW, Standing.TURNED_DOWN, Standing.FAILED})
DECISIONS = {
    "shut": UNDECIDED,
    "leave": UNDECIDED - {Standing.TURNED_DOWN},
    "undo": frozenset({Standing.DONE}),
}
"""What can be decided about one of a cohort, and where they stand then."""


@post("/{institution:str}/campaigns/{campaign:str}/contain", opt=CONTAINING)
async def contain(request: AnyRequest) -> Response[Any]:
    """Begin to contain a campaign, or add who is new in its cohort; the page says how far it is."""
    visit, desks, staff = visit_of(request), desks_at(request), staff_of(request)
    known = await desks.campaigns.known(request.path_params["campaign"], by=staff.id)
    await require_approved(visit, containing(desks, known))
    suspects = known.cohort.suspects
    begun = await desks.containments.open(known.campaign, len(suspects), by=staff.id)
    desks.runs.begin(begun, suspects)
    return visit.go(path_of(desks, known.campaign))


@post("/{institution:str}/campaigns/{campaign:str}/approve", opt=APPROVING)
async def approve(request: AnyRequest) -> Response[Any]:
    """Let a large cohort be shut, as the second person."""
    visit, desks, staff = visit_of(request), desks_at(request), staff_of(request)
    known = await desks.campaigns.known(request.path_params["campaign"], by=staff.id)
    if known.begun is None:
        raise ContainmentUnknown(known=known.campaign[:60])
    crowd = await desks.campaigns.crowd(known.begun)
    await require_approved(visit, approving(desks, known.campaign, crowd))
    try:
        await desks.containments.approve(known.begun.id, by=staff.id, crowd=crowd)
    except SecondPersonNeeded:
        return await show_campaign(request, trouble="switch_second_person", status=FORBIDDEN)
    desks.runs.run(known.begun.id)
    return visit.go(path_of(desks, known.campaign))


@get("/{institution:str}/campaigns/{campaign:str}/one", opt=SEEING_COHORTS)
async def one_page(request: AnyRequest) -> Response[Any]:
    """Show one of a cohort, and what can be decided about them."""
    named = request.query_params.get("named", "").strip()
    try:
        return await _one(request, named)
    except ContainmentUnknown:
        return await show_campaign(request, trouble="cohort_nobody", status=NOT_FOUND)


@post("/{institution:str}/campaigns/{campaign:str}/one", opt=CONTAINING)
async def decide(request: AnyRequest) -> Response[Any]:
    """Decide about one of a cohort: shut the account, leave it, or take back what was done."""
    visit, desks, staff = visit_of(request), desks_at(request), staff_of(request)
    campaign, form = request.path_params["campaign"], visit.form
    named, what = form["named"], form["what"]
    begun, _ = await _contained(desks, campaign, named)
    await require_approved(visit, _deciding(desks, begun.id, named, what))
    try:
        if what == "undo":
            await desks.containments.undo(begun.id, named, proof=form.trimmed("proof"), by=staff.id)
        else:
            await desks.containments.decide(begun.id, named, contain=what == "shut", by=staff.id)
            desks.runs.run(begun.id)
    except ContainmentStepRefused:
        return await _one(request, named, trouble="campaign_step_refused", status=CONFLICT)
    return visit.go(path_of(desks, campaign))


async def _one(request: AnyRequest, named: str, *, trouble: str = "", status: int = 200) -> Response[Any]:
    visit, desks, staff = visit_of(request), desks_at(request), staff_of(request)
    campaign = request.path_params["campaign"]
    begun, one = await _contained(desks, campaign, named)
    may = staff.may(desks.institution.key, Right.CONTAIN)
    ways = [what for what in DECISIONS if may and one.standing in DECISIONS[what]]
    return visit.page(
        "desks/campaign_one.html",
        status=status,
        desks=desks,
        begun=begun,
        one=one,
        ways={what: _deciding(desks, begun.id, one.named, what) for what in ways},
        trouble_words=trouble,
        path=path_of(desks, campaign),
        here=f"{path_of(desks, campaign)}/one?named={quote(named)}",
    )


async def _contained(desks: InstitutionDesks, campaign: str, named: str) -> tuple[Containment, Contained]:
    def reading(connection: Connection) -> tuple[Containment, Contained] | None:
        begun = containment_rows.of_campaign(connection, campaign)
        one = None if begun is None else containment_rows.member(connection, begun.id, named)
        return None if begun is None or one is None else (begun, one)

    found = await desks.parts.read(reading)
    if found is None:
        raise ContainmentUnknown(known=f"{campaign[:60]} {named[:60]}")
    return found


def _deciding(desks: InstitutionDesks, containment_id: str, named: str, what: str) -> str:
    return deed(
        "containment_decide", institution=desks.institution.key, of=containment_id, named=named, what=what
    )


ROUTES = (contain, approve, one_page, decide)
