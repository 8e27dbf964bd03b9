"""Links to banks at the desks: those that wait are compared and decided; any one is stopped or ended."""

from typing import Any
from unicodedata import normalize

from litestar import Response, get, post

from sekisho.console.rights import Right
from sekisho.kernel.japan import day_in_japan
from sekisho.kernel.refusals import Refusal
from sekisho.linking.banks import bank_in_words
from sekisho.response.access import REASON_MIN, ReasonMissing
from sekisho.wallet.identity_levels import LevelTooLow
from sekisho.wallet.link_reviews import Decision, ReviewOver
from sekisho.wallet.link_rows import LIVE, OPEN, BankLink, LinkState, Review
from sekisho.wallet.link_sights import Names
from sekisho.wallet.link_stops import StaffStop
from sekisho.wallet.links import LinkUnknown
from sekisho.wallet.wallets import WalletNotOpen
from sekisho.web.console.proposals import Proposal, to_approve
from sekisho.web.console.staff_admission import RIGHT, staff_of
from sekisho.web.console.staff_desks import InstitutionDesks, desks_at, require_desk
from sekisho.web.console.typed import TypedUnusable
from sekisho.web.members.roles import ROLE, Role
from sekisho.web.members.visits import AnyRequest, visit_of

SEEING = {ROLE: Role.MEMBER, RIGHT: Right.SEE_MEMBERS}
DECIDING = {ROLE: Role.MEMBER, RIGHT: Right.DECIDE_LINKS}
CONTAINING = {ROLE: Role.MEMBER, RIGHT: Right.CONTAIN}
CONFLICT, UNPROCESSABLE = 409, 422
REASON_MAX = 400
WAYS = {"approve": True, "turn_down": False}
STOPS = ("stop", "resume", "end")


@get("/{institution:str}/links", opt=DECIDING)
async def links_page(request: AnyRequest) -> Response[Any]:
    """Show the links that wait for a person and the movements that were lost, the oldest first; no name."""
    visit, desks = visit_of(request), desks_at(request)
    links = require_desk(desks.links)
    return visit.page(
        "desks/links.html",
        desks=desks,
        waiting=await links.sights.waiting(),
        lost=await links.lost.lost(),
        bank_of=lambda link: _bank(request, link),
        path=f"/{desks.institution.key}/links",
        here=f"/{desks.institution.key}/links",
    )


@get("/{institution:str}/links/{link_id:str}", opt=SEEING)
async def link_page(request: AnyRequest) -> Response[Any]:
    """Show one link: where it stands, what it allows, what differs; the names need a reason."""
    return await _page(request)


@post("/{institution:str}/links/{link_id:str}/names", opt=DECIDING)
async def compare_names(request: AnyRequest) -> Response[Any]:
    """Show the two names side by side, once, for a reason that a passkey approved."""
    visit, desks, staff = visit_of(request), desks_at(request), staff_of(request)
    links, link_id = require_desk(desks.links), request.path_params["link_id"]
    link, reason = await links.sights.find(link_id), visit.form.trimmed("reason")
    if not REASON_MIN <= len(reason) <= REASON_MAX:
        return await _page(request, trouble="reason_missing_title", status=UNPROCESSABLE)
    path = _path(desks, link)
    asked = Proposal("link_names", f"{path}/names", path, {"reason": reason}, (("reason", reason),))
    page = await to_approve(visit, desks, asked)
    if page is not None:
        return page
    try:
        names = await links.sights.names(link.id, by=staff.id, reason=reason)
    except ReviewOver as refusal:
        return await _page(request, trouble=_words_of(refusal), status=refusal.status)
    # Half-width letters are the banks' own; people compare full-width ones.
    return await _page(request, names=Names(*(normalize("NFKC", name) for name in names)))


@post("/{institution:str}/links/{link_id:str}/review", opt=DECIDING)
async def review_link(request: AnyRequest) -> Response[Any]:
    """Make a link active that waits, or end it."""
    visit, desks, staff = visit_of(request), desks_at(request), staff_of(request)
    links, typed = require_desk(desks.links), visit.form.only("what", "reason")
    link, reason = await links.sights.find(request.path_params["link_id"]), typed["reason"].strip()
    if typed["what"] not in WAYS:
        return await _page(request, trouble="desk_link_wrong_decision", status=UNPROCESSABLE)
    if not REASON_MIN <= len(reason) <= REASON_MAX:
        return await _page(request, trouble="reason_missing_title", status=UNPROCESSABLE)
    path, approved = _path(desks, link), WAYS[typed["what"]]
    rows = (
        ("desk_link_bank", _bank(request, link)),
        ("desk_link_decision", str(visit.words(f"desk_link_do_{typed['what']}"))),
        ("reason", reason),
    )
    asked = Proposal("link_review", f"{path}/review", path, typed, rows, grave=not approved)
    page = await to_approve(visit, desks, asked)
    if page is not None:
        return page
    try:
        await links.reviews.decide(Decision(link.id, approved, staff.id, reason))
    except (LevelTooLow, ReviewOver, WalletNotOpen) as refusal:
        return await _page(request, trouble=_words_of(refusal), status=refusal.status)
    return visit.go(f"/{desks.institution.key}/links")


@post("/{institution:str}/links/{link_id:str}/stand", opt=CONTAINING)
async def change_link(request: AnyRequest) -> Response[Any]:
    """Stop a link, let it go on, or end it for good; with word to the bank where it may be fraud."""
    visit, desks, staff = visit_of(request), desks_at(request), staff_of(request)
    links = require_desk(desks.links)
    link = await links.sights.find(request.path_params["link_id"])
    try:
        what, stop = _stop(visit.form.only("what", "reason", "fraud"), link, staff.id)
    except TypedUnusable as refusal:
        return await _page(request, trouble=str(refusal.known), status=UNPROCESSABLE)
    path = _path(desks, link)
    told = ("desk_link_fraud_yes" if stop.is_fraud else "desk_link_fraud_no",) if what != "resume" else ()
    rows = (
        ("desk_link_bank", _bank(request, link)),
        ("desk_link_decision", str(visit.words(f"desk_link_do_{what}"))),
        *(("desk_link_fraud", str(visit.words(words))) for words in told),
        ("reason", stop.reason),
    )
    fields = {"what": what, "reason": stop.reason, "fraud": "1" if stop.is_fraud else ""}
    asked = Proposal("link_stand", f"{path}/stand", path, fields, rows, grave=what != "resume")
    page = await to_approve(visit, desks, asked)
    if page is not None:
        return page
    try:
        match what:
            case "stop":
                await links.stops.stop(stop)
            case "resume":
                await links.stops.resume(link.id, by=staff.id, reason=stop.reason)
            case _:
                await links.stops.end(stop)
    except LinkUnknown:
        return await _page(request, trouble="desk_link_unchanged", status=CONFLICT)
    return visit.go(path)


def _stop(typed: dict[str, str], link: BankLink, by: str) -> tuple[str, StaffStop]:
    """Read what is to be done to a link. Raises TypedUnusable."""
    reason = typed["reason"].strip()
    if typed["what"] not in STOPS:
        raise TypedUnusable(known="desk_link_wrong_decision")
    if not REASON_MIN <= len(reason) <= REASON_MAX:
        raise TypedUnusable(known=f"{ReasonMissing.code}_title")
    is_fraud = bool(typed["fraud"]) and typed["what"] != "resume"
    if is_fraud and not reason.isascii():
        raise TypedUnusable(known="desk_link_wrong_reason")
    return typed["what"], StaffStop(link.id, by, reason, is_fraud)


async def _page(
    request: AnyRequest, *, names: Names | None = None, trouble: str = "", status: int = 200
) -> Response[Any]:
    visit, desks, staff = visit_of(request), desks_at(request), staff_of(request)
    link = await require_desk(desks.links).sights.find(request.path_params["link_id"])
    key, path = desks.institution.key, _path(desks, link)
    name, birth, phone = (*link.holder_match.split("/"), "", "", "")[:3]
    return visit.page(
        "desks/link.html",
        status=status,
        desks=desks,
        link=link,
        bank=_bank(request, link),
        names=names,
        compared={"name": name, "birth": birth, "phone": phone},
        waits=(link.state, link.review) == (LinkState.CONFIRMED, Review.WAITING),
        may_decide=staff.may(key, Right.DECIDE_LINKS),
        may_contain=staff.may(key, Right.CONTAIN),
        can_stop=link.state in LIVE,
        can_resume=link.state is LinkState.SUSPENDED,
        can_end=link.state in OPEN,
        reason_max=REASON_MAX,
        trouble_words=trouble,
        path=path,
        here=path,
    )


def _words_of(refusal: Refusal) -> str:
    return f"desk_{refusal.code}"


def _bank(request: AnyRequest, link: BankLink) -> str:
    return bank_in_words(link.bank, day_in_japan(visit_of(request).now_us()))


def _path(desks: InstitutionDesks, link: BankLink) -> str:
    return f"/{desks.institution.key}/links/{link.id}"


ROUTES = (links_page, link_page, compare_names, review_link, change_link)
