"""Recovery from partners at the desks: what they bear of paid claims, asked for and given up, with sums."""

import re
from typing import TYPE_CHECKING, Any, NamedTuple, cast
from urllib.parse import quote

from litestar import Response, get, post

from sekisho.console.rights import Right
from sekisho.kernel.clock import MINUTE_US
from sekisho.kernel.refusals import Refusal
from sekisho.response import containment_rows
from sekisho.response.partner_recoveries import (
    TEXT_MAX,
    NothingToRecover,
    ReceiptWaits,
    RecoveryChanged,
    RecoveryUnusable,
    Wanted,
)
from sekisho.response.recovery_rows import Recovery, Sums
from sekisho.response.staff import SecondPersonNeeded
from sekisho.storage.unit_of_work import Connection
from sekisho.web.console.proposals import Proposal, to_approve
from sekisho.web.console.staff_admission import RIGHT, STAFF, staff_of
from sekisho.web.console.staff_desks import InstitutionDesks, desks_at, require_desk
from sekisho.web.console.typed import TypedUnusable, as_typed, read_moment
from sekisho.web.members.roles import ROLE, Role
from sekisho.web.members.visits import AnyRequest, Visit, visit_of

if TYPE_CHECKING:
    from sekisho.console.staff import StaffDesk

SEEING = {ROLE: Role.MEMBER, RIGHT: Right.SEE_MEMBERS}
HANDLING = {ROLE: Role.MEMBER, RIGHT: Right.HANDLE_CASES}
APPROVING = {ROLE: Role.MEMBER, RIGHT: Right.APPROVE}
PARTNER_MAX = 300
SHOWN = 100
_SHARE = re.compile(r"[0-9]{1,3}")


class OfCampaign(NamedTuple):
    """What one partner may bear of one campaign: its sums, what it was not asked for yet, and each claim.

    `has_reports` says that reports can be drawn up about the campaign.
    """

    sums: Sums
    unasked: list[Recovery]
    ones: list[Recovery]
    has_reports: bool


@get("/{institution:str}/recoveries", opt=SEEING)
async def recoveries_page(request: AnyRequest) -> Response[Any]:
    """Show the sums by campaign and partner as of any time, and the money that waits for a second person."""
    visit, desks = visit_of(request), desks_at(request)
    desk, receipts = require_desk(desks.recoveries), require_desk(desks.receipts)
    typed, now_us = request.query_params.get("as_of", ""), visit.now_us()
    try:
        # To the end of that minute, as a form knows no seconds.
        as_of_us = min(read_moment(typed, words="") + MINUTE_US - 1, now_us) if typed else now_us
    except TypedUnusable:
        as_of_us = now_us
    summed, newest = await desk.summed(as_of_us=as_of_us), await receipts.newest()
    partners = {row.partner for row in summed.rows} | {one.partner for one in newest}
    return visit.page(
        "desks/recoveries.html",
        desks=desks,
        summed=summed,
        receipts=newest,
        partner_names=await desk.names(partners, visit.language),
        names=await _names(request),
        way_to=lambda partner: partner_path(desks, partner),
        as_of=as_typed(as_of_us),
        path=f"/{desks.institution.key}/recoveries",
        here=f"/{desks.institution.key}/recoveries",
    )


@get("/{institution:str}/recoveries/partner", opt=SEEING)
async def partner_page(request: AnyRequest) -> Response[Any]:
    """Show one partner: what it was asked for by campaign, what came, what is open, claim by claim."""
    return await show_partner(request, request.query_params.get("of", ""))


@post("/{institution:str}/recoveries/ask", opt=HANDLING)
async def ask_partner(request: AnyRequest) -> Response[Any]:
    """Keep that a partner is asked for a share of every claim of a campaign that it was not asked for."""
    visit, desks, staff = visit_of(request), desks_at(request), staff_of(request)
    desk, typed = require_desk(desks.recoveries), visit.form.only("partner", "campaign", "share", "ground")
    share = typed["share"].strip()
    number = int(share) if _SHARE.fullmatch(share) and share.isascii() else 0
    wanted = Wanted(typed["partner"], typed["campaign"], number, typed["ground"])
    try:
        expected = await desk.asking(wanted)
        rows = (
            *await _whose(visit, desks, wanted.partner, wanted.campaign),
            ("recovery_claims", f"{expected.claims:,}"),
            ("recovery_share", f"{wanted.share}%"),
            ("recovery_asked_yen", str(visit.words("case_yen", yen=f"{expected.yen:,}"))),
            ("recovery_ground", wanted.ground.strip()),
        )
        page = await to_approve(visit, desks, _asked(desks, "recovery_ask", "ask", typed, rows))
        if page is not None:
            return page
        await desk.ask(wanted, expected, by=staff.id)
    except (NothingToRecover, RecoveryChanged, RecoveryUnusable) as refusal:
        return await show_partner(request, wanted.partner, refusal=refusal)
    return visit.go(partner_path(desks, wanted.partner))


@post("/{institution:str}/recoveries/give-up", opt=APPROVING)
async def give_up_recovery(request: AnyRequest) -> Response[Any]:
    """Ask no more for what is open of a partner for a campaign, as somebody else than who asked."""
    visit, desks, staff = visit_of(request), desks_at(request), staff_of(request)
    desk, typed = require_desk(desks.recoveries), visit.form.only("partner", "campaign", "why")
    partner, campaign, why = typed["partner"], typed["campaign"], typed["why"].strip()
    try:
        if not 0 < len(why) <= TEXT_MAX:
            raise RecoveryUnusable  # noqa: TRY301 - told as the others are
        expected = await desk.giving_up(partner, campaign)
        rows = (
            *await _whose(visit, desks, partner, campaign),
            ("recovery_claims", f"{expected.claims:,}"),
            ("recovery_given_up_yen", str(visit.words("case_yen", yen=f"{expected.yen:,}"))),
            ("reason", why),
        )
        asked = _asked(desks, "recovery_give_up", "give-up", typed, rows)._replace(grave=True)
        page = await to_approve(visit, desks, asked)
        if page is not None:
            return page
        await desk.give_up(partner, campaign, expected, by=staff.id, why=why)
    except (
        NothingToRecover,
        ReceiptWaits,
        RecoveryChanged,
        RecoveryUnusable,
        SecondPersonNeeded,
    ) as refusal:
        return await show_partner(request, partner, refusal=refusal)
    return visit.go(partner_path(desks, partner))


async def show_partner(request: AnyRequest, partner: str, *, refusal: Refusal | None = None) -> Response[Any]:
    """Return the page of a partner, with what was refused on it. Raises NothingToRecover."""
    visit, desks, staff = visit_of(request), desks_at(request), staff_of(request)
    key, known = (
        desks.institution.key,
        await require_desk(desks.recoveries).at(partner[:PARTNER_MAX], visit.language),
    )
    reported = await desks.parts.read(lambda at: _contained(at, {row.campaign for row in known.summed.rows}))
    campaigns = [
        OfCampaign(
            sums,
            [one for one in known.recoveries if one.campaign == sums.campaign and one.asked_at_us is None],
            [one for one in known.recoveries if one.campaign == sums.campaign],
            sums.campaign in reported,
        )
        for sums in known.summed.rows
    ]
    path = partner_path(desks, known.partner)
    return visit.page(
        "desks/recovery.html",
        status=200 if refusal is None else refusal.status,
        desks=desks,
        known=known,
        campaigns=campaigns,
        ways=require_desk(desks.receipts).ways,
        names=await _names(request),
        may_handle=staff.may(key, Right.HANDLE_CASES),
        may_approve=staff.may(key, Right.APPROVE),
        may_report=staff.may(key, Right.MAKE_REPORTS),
        typed=visit.form.only("share", "ground", "number", "yen", "day", "way"),
        today=as_typed(visit.now_us())[:10],
        text_max=TEXT_MAX,
        shown=SHOWN,
        trouble_words="" if refusal is None else f"desk_{refusal.code}",
        path=f"/{key}/recoveries",
        here=path,
    )


async def partner_in_words(visit: Visit, desks: InstitutionDesks, partner: str) -> str:
    """Return what a partner is called, and the word by which it is kept where that is another."""
    names = await require_desk(desks.recoveries).names({partner}, visit.language)
    name = names[partner]
    return name if name == partner else f"{name} ({partner})"


def partner_path(desks: InstitutionDesks, partner: str) -> str:
    """Return the path of a partner's page. What a case calls its partner may be any text."""
    return f"/{desks.institution.key}/recoveries/partner?of={quote(partner, safe='')}"


def _asked(
    desks: InstitutionDesks,
    name: str,
    what: str,
    typed: dict[str, str],
    rows: tuple[tuple[str, str], ...],
) -> Proposal:
    action = f"/{desks.institution.key}/recoveries/{what}"
    return Proposal(name, action, partner_path(desks, typed["partner"]), typed, rows)


async def _whose(
    visit: Visit, desks: InstitutionDesks, partner: str, campaign: str
) -> tuple[tuple[str, str], ...]:
    of_campaign = campaign or str(visit.words("recovery_no_campaign"))
    named = await partner_in_words(visit, desks, partner)
    return (("recovery_partner", named), ("recovery_campaign", of_campaign))


def _contained(connection: Connection, campaigns: set[str]) -> set[str]:
    return {
        campaign
        for campaign in campaigns
        if campaign and containment_rows.of_campaign(connection, campaign) is not None
    }


async def _names(request: AnyRequest) -> dict[str, str]:
    return await cast("StaffDesk", request.app.state[STAFF]).names()


ROUTES = (recoveries_page, partner_page, ask_partner, give_up_recovery)
