"""Campaigns at the desks: hunt for them, see whom they entered and what was done about them."""

import asyncio
from typing import TYPE_CHECKING, Any, cast

from litestar import Response, get, post

from sekisho.console.campaign_desk import Known, Listed, lines_of
from sekisho.console.campaign_story import Story
from sekisho.console.case_desk import CaseDesk
from sekisho.console.hunts import STEPS
from sekisho.console.rights import Right
from sekisho.kernel.clock import MINUTE_US
from sekisho.response import containment_rows
from sekisho.response.containment_rows import Crowd, Rank, Standing
from sekisho.response.functions import functions
from sekisho.web.console.campaign_drawing import draw, source_tables
from sekisho.web.console.following import told
from sekisho.web.console.rendering import clock_time, number, percent
from sekisho.web.console.staff_admission import RIGHT, STAFF, staff_of
from sekisho.web.console.staff_deeds import deed
from sekisho.web.console.staff_desks import InstitutionDesks, desks_at
from sekisho.web.console.typed import TypedUnusable, as_typed, read_moment
from sekisho.web.console.words import Words
from sekisho.web.members.roles import ROLE, UNATTENDED, Role
from sekisho.web.members.visits import AnyRequest, visit_of

if TYPE_CHECKING:
    from sekisho.console.staff import StaffDesk

SEEING = {ROLE: Role.MEMBER, RIGHT: Right.SEE_CAMPAIGNS}
SEEING_COHORTS = {ROLE: Role.MEMBER, RIGHT: Right.SEE_COHORTS}
NEWEST = 50
PLACES = {
    "switches": Right.SEE_SWITCHES,
    "cases": Right.SEE_MEMBERS,
    "claims": Right.SEE_MEMBERS,
    "reports": Right.MAKE_REPORTS,
}
"""Where more is said of what was done, and the right that opens it."""

IN_ORDER = (
    Standing.FAILED,
    Standing.PROPOSED,
    Standing.WAITING,
    Standing.DONE,
    Standing.UNDONE,
    Standing.TURNED_DOWN,
    Standing.UNKNOWN,
    Standing.BELOW,
)
"""In which order the parts of a cohort are shown: what waits for a person comes first."""


@get("/{institution:str}/campaigns", opt=SEEING)
async def campaigns_page(request: AnyRequest) -> Response[Any]:
    """Show what the last hunt found, and the campaigns that were contained."""
    visit, desks, staff = visit_of(request), desks_at(request), staff_of(request)
    last = await asyncio.to_thread(desks.hunts.last)
    begun = await desks.parts.read(lambda at: containment_rows.newest(at, NEWEST))
    counts = await desks.parts.read(lambda at: containment_rows.counts(at, [one.id for one in begun]))
    return visit.page(
        "desks/campaigns.html",
        desks=desks,
        last=last,
        begun=begun,
        counts=counts,
        hunting=desks.hunts.is_running,
        step=desks.hunts.step,
        steps=STEPS,
        trouble=desks.hunts.trouble,
        may_hunt=staff.may(desks.institution.key, Right.SEE_COHORTS),
    )


@post("/{institution:str}/campaigns/hunt", opt=SEEING_COHORTS)
async def hunt(request: AnyRequest) -> Response[Any]:
    """Begin a hunt through the record."""
    desks = desks_at(request)
    await desks.campaigns.hunt(by=staff_of(request).id)
    return visit_of(request).go(f"/{desks.institution.key}/campaigns")


@get("/{institution:str}/campaigns/hunt/progress", opt={**SEEING, UNATTENDED: True}, sync_to_thread=False)
def hunt_progress(request: AnyRequest) -> Response[Any]:
    """Say what the hunt does now, for the page that shows it."""
    visit, hunts = visit_of(request), desks_at(request).hunts
    if not hunts.is_running:
        return told({})
    return told({"progress": visit.part("desks/hunt_progress.html", step=hunts.step, steps=STEPS)})


@get("/{institution:str}/campaigns/{campaign:str}", opt=SEEING_COHORTS)
async def campaign_page(request: AnyRequest) -> Response[Any]:
    """Show one campaign, its cohort, and how far its containment is."""
    return await show_campaign(request)


@get("/{institution:str}/campaigns/{campaign:str}/progress", opt={**SEEING_COHORTS, UNATTENDED: True})
async def campaign_progress(request: AnyRequest) -> Response[Any]:
    """Say how far the containment of a campaign is, for the page that shows it."""
    visit, desks = visit_of(request), desks_at(request)
    campaign = request.path_params["campaign"]
    begun = await desks.parts.read(lambda at: containment_rows.of_campaign(at, campaign))
    progress = None if begun is None else desks.runs.progress(begun.id)
    if progress is None:
        return told({})
    return told({"progress": visit.part("desks/containment_progress.html", progress=progress)})


async def show_campaign(request: AnyRequest, *, trouble: str = "", status: int = 200) -> Response[Any]:
    """Answer with the page of the campaign in a request's path."""
    visit, desks, staff = visit_of(request), desks_at(request), staff_of(request)
    key, campaign = desks.institution.key, request.path_params["campaign"]
    known = await desks.campaigns.known(campaign, by=staff.id)
    begun = known.begun
    progress = None if begun is None else desks.runs.progress(begun.id)
    may_approve = not known.added and progress is None and staff.may(key, Right.APPROVE)
    # Who may not approve needs no digest of 200,000 names.
    crowd = await desks.campaigns.crowd(begun) if begun and known.crowd and may_approve else None
    as_of_us, listed = _as_of_us(request), await _listed(request, desks, known)
    story, trace = await desks.campaigns.story(known), await desks.campaigns.trace(campaign)
    return visit.page(
        "desks/campaign.html",
        status=status,
        desks=desks,
        known=known,
        lines=lines_of(known, desks.containments.policy),
        listed=listed,
        story=story,
        live=Words(visit.language),
        number=number,
        percent=percent,
        clock_time=clock_time,
        drawn=None if trace is None else draw(trace, _marks(story)),
        kinds=[] if trace is None else source_tables(trace),
        names=await cast("StaffDesk", request.app.state[STAFF]).names(),
        functions=functions(),
        sees={place: staff.may(key, right) for place, right in PLACES.items()},
        in_order=[each for each in IN_ORDER if each in known.standing],
        progress=progress,
        containing=containing(desks, known),
        approving="" if crowd is None else approving(desks, known.campaign, crowd),
        may_contain=staff.may(key, Right.CONTAIN) and progress is None,
        counted=await CaseDesk(desks.parts).count(known.campaign, as_of_us),
        as_of=as_typed(as_of_us),
        trouble_words=trouble,
        path=path_of(desks, known.campaign),
        here=path_of(desks, known.campaign),
    )


def _marks(story: Story) -> list[tuple[str, int]]:
    """Return what of a story is marked in the drawings: what was done against the campaign itself."""
    marked = {"containment_begun", "containment_approved"}
    set_ = [one for one in story.done if one.what in marked or (one.what, one.kind) == ("switch", "set")]
    return [(one.what, one.at_us) for one in set_]


def path_of(desks: InstitutionDesks, campaign: str) -> str:
    """Return the path of a campaign's page."""
    return f"/{desks.institution.key}/campaigns/{campaign}"


def containing(desks: InstitutionDesks, known: Known) -> str:
    """Return the deed of containing a cohort: whoever is in it when it is approved is what was approved."""
    of = {"campaign": known.campaign, "cohort": known.cohort.digest}
    return deed("contain", institution=desks.institution.key, **of)


def approving(desks: InstitutionDesks, campaign: str, crowd: Crowd) -> str:
    """Return the deed of approving a crowd: who was added since the page was shown was approved by nobody."""
    of = {"campaign": campaign, "crowd": crowd.digest}
    return deed("containment_approve", institution=desks.institution.key, **of)


async def _listed(request: AnyRequest, desks: InstitutionDesks, known: Known) -> Listed | None:
    """Return that part of the cohort which is asked for, else the first in which somebody is."""
    there = [each for each in IN_ORDER if each in known.standing]
    if known.begun is None or not there:
        return None
    asked = request.query_params.get("standing", "")
    standing = next((each for each in there if each == asked), there[0])
    return await desks.campaigns.listed(known.begun, standing, _rank(request.query_params.get("after", "")))


def _rank(text: str) -> Rank | None:
    """Read the rank behind which a list goes on; None where it begins, or nothing can be read."""
    probability, _, named = text.partition("~")
    try:
        return Rank(float(probability), named) if named else None
    except ValueError:
        return None


def _as_of_us(request: AnyRequest) -> int:
    """Return as of when the damage is counted: as asked, else now."""
    asked, now_us = request.query_params.get("as_of", ""), visit_of(request).now_us()
    try:
        # To the end of that minute, as a form knows no seconds.
        return min(now_us, read_moment(asked, words="case_wrong_time") + MINUTE_US - 1) if asked else now_us
    except TypedUnusable:
        return now_us


ROUTES = (campaigns_page, hunt, hunt_progress, campaign_page, campaign_progress)
