"""What if: the last days again under a changed policy, beside the one in force. Nothing is changed by it."""

import asyncio
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from litestar import Response, get, post

from sekisho.campaigns.known_ends import End
from sekisho.console.policy_trials import TEXT_MAX, PolicyTrials, PolicyUnusable, changed_policy, read_policy
from sekisho.console.rights import Right
from sekisho.guard.attempts import Gate
from sekisho.guard.decisions import Action
from sekisho.guard.policy import NEVER, Policy
from sekisho.guard.policy_changes import DEFAULT
from sekisho.guard.policy_faults import Fault
from sekisho.guard.policy_text import policy_text
from sekisho.kernel.refusals import Refusal
from sekisho.web.console.following import told
from sekisho.web.console.policy_pages import SHOWN_ENDS
from sekisho.web.console.policy_words import parts_in_words, percent, share
from sekisho.web.console.staff_admission import RIGHT, STAFF, staff_of
from sekisho.web.console.staff_desks import InstitutionDesks, desks_at, require_desk
from sekisho.web.members.roles import ROLE, UNATTENDED, Role
from sekisho.web.members.visits import NO_STORE, AnyRequest, visit_of

if TYPE_CHECKING:
    from sekisho.console.staff import StaffDesk

TRYING = {ROLE: Role.MEMBER, RIGHT: Right.TRY_POLICIES}
UNPROCESSABLE = 422
BUDGETS = ("friction_calm", "friction_before_hash", "friction_campaign")
DENY_FROM = "deny_from"
GATES = (DEFAULT, *Gate)
DAYS = "14"
TOML = "application/toml"
_DAYS = re.compile(r"[0-9]{1,3}")
_PERCENT = re.compile(r"[0-9]{1,3}(\.[0-9]{1,6})?")
PERCENT = 100


class NothingTried(Refusal):
    """Nothing was tried yet that could be taken along."""

    code = "nothing_tried"
    status = 404
    told = "Nothing was tried yet."


class Typed(NamedTuple):
    """What stands in the forms: the gate that is changed and its figures, or a whole policy; and the days."""

    gate: str
    days: str
    figures: Mapping[str, str]
    policy: str


@get("/{institution:str}/what-if", opt=TRYING)
async def what_if_page(request: AnyRequest) -> Response[Any]:
    """Show what was tried last, or how far the trial is that runs."""
    asked = request.query_params.get("gate", "")
    return await _page(request, _as_in_force(desks_at(request), asked if asked in GATES else DEFAULT))


@get("/{institution:str}/what-if/progress", opt={**TRYING, UNATTENDED: True}, sync_to_thread=False)
def trial_progress(request: AnyRequest) -> Response[Any]:
    """Say how far the trial is, for the page that shows it."""
    visit, trials = visit_of(request), _trials(request)
    if not trials.running:
        return told({})
    percent_done = round(trials.share_done * PERCENT)
    return told({"progress": visit.part("desks/trial_progress.html", percent_done=percent_done)})


@post("/{institution:str}/what-if", opt=TRYING)
async def try_gate(request: AnyRequest) -> Response[Any]:
    """Begin a trial of the policy in force with other figures at one gate.

    It changes nothing, so that no passkey is asked for.
    """
    form, desks = visit_of(request).form, desks_at(request)
    gate = form["gate"] if form["gate"] in GATES else DEFAULT
    figures = form.only(*BUDGETS, DENY_FROM)
    typed = _as_in_force(desks, gate)._replace(days=form["days"], figures=figures)
    try:
        policy = changed_policy(desks.policies.policies, gate, _settings(figures))
        return _begin(request, policy, typed.days)
    except PolicyUnusable as refusal:
        return await _page(request, typed, faults=refusal.faults)


@post("/{institution:str}/what-if/policy", opt=TRYING)
async def try_policy(request: AnyRequest) -> Response[Any]:
    """Begin a trial of a whole policy as it was typed."""
    form, desks = visit_of(request).form, desks_at(request)
    typed = _as_in_force(desks, DEFAULT)._replace(days=form["days"], policy=form["policy"])
    try:
        policy = await asyncio.to_thread(read_policy, typed.policy, desks.policies.policies[0])
        return _begin(request, policy, typed.days)
    except PolicyUnusable as refusal:
        return await _page(request, typed, faults=refusal.faults, whole=True)


@post("/{institution:str}/what-if/cancel", opt=TRYING)
async def cancel_trial(request: AnyRequest) -> Response[Any]:
    """End the trial that runs."""
    await _trials(request).cancel(by=staff_of(request).id)
    return visit_of(request).go(_path(desks_at(request)))


@get("/{institution:str}/what-if/policy.toml", opt=TRYING)
async def take_tried_policy(request: AnyRequest) -> Response[Any]:
    """Hand out the policy that was tried last, to be run in the shadow next."""
    tried = await _trials(request).take(by=staff_of(request).id)
    if tried is None:
        raise NothingTried
    # The id holds nothing but letters, digits, dots, underscores and hyphens.
    named = f'attachment; filename="{tried.id}-{tried.revision}.toml"'
    return Response(policy_text(tried), media_type=TOML, headers={**NO_STORE, "Content-Disposition": named})


def _begin(request: AnyRequest, policy: Policy, days: str) -> Response[Any]:
    desks, typed = desks_at(request), days.strip()
    if not (_DAYS.fullmatch(typed) and typed.isascii()):
        raise PolicyUnusable(Fault("days are a whole number"))
    by = staff_of(request).id
    _trials(request).start(policy, desks.policies.policies[0], days=int(typed), by=by)
    return visit_of(request).go(_path(desks))


def _as_in_force(desks: InstitutionDesks, gate: str) -> Typed:
    """Return the forms filled with what is in force; the whole policy under a revision that none has."""
    policies = desks.policies.policies
    part = policies[0].gate(gate)
    figures = {name: percent(getattr(part, name)).removesuffix("%") for name in BUDGETS}
    figures[DENY_FROM] = "" if part.deny_from == NEVER else percent(part.deny_from).removesuffix("%")
    return Typed(gate, DAYS, figures, policy_text(changed_policy(policies, DEFAULT, {})))


def _settings(figures: Mapping[str, str]) -> dict[str, float]:
    settings = {name: _share(name, figures[name]) for name in BUDGETS}
    denied = figures[DENY_FROM]
    return {**settings, DENY_FROM: _share(DENY_FROM, denied) if denied.strip() else NEVER}


def _share(name: str, text: str) -> float:
    plain = text.strip().removesuffix("%").strip()
    if not (_PERCENT.fullmatch(plain) and plain.isascii()):
        raise PolicyUnusable(Fault(f"{name} is a share in per cent, from 0 to 100"))
    return float(plain) / PERCENT


def _trials(request: AnyRequest) -> PolicyTrials:
    return require_desk(desks_at(request).trials)


def _path(desks: InstitutionDesks) -> str:
    return f"/{desks.institution.key}/what-if"


async def _page(
    request: AnyRequest, typed: Typed, *, faults: tuple[Fault, ...] = (), whole: bool = False
) -> Response[Any]:
    visit, desks, staff, trials = visit_of(request), desks_at(request), staff_of(request), _trials(request)
    last = None if trials.running else await asyncio.to_thread(trials.last)
    key, lines = desks.institution.key, typed.policy.split("\n")
    return visit.page(
        "desks/what_if.html",
        status=UNPROCESSABLE if faults else 200,
        desks=desks,
        in_force=desks.policies.policies[0],
        typed=typed,
        gates=GATES,
        budgets=BUDGETS,
        text_max=TEXT_MAX,
        faults=[(fault, lines[fault.line - 1] if fault.line and whole else "") for fault in faults],
        whole=whole,
        chosen="gate" in request.query_params,
        trials=trials,
        percent_done=round(trials.share_done * PERCENT),
        last=last,
        parts=parts_in_words((last.now, last.tried), visit.words) if last else [],
        names=await cast("StaffDesk", request.app.state[STAFF]).names(),
        actions=list(Action),
        ends=SHOWN_ENDS,
        member=End.MEMBER,
        entered=End.ENTERED,
        campaign=End.CAMPAIGN,
        share=share,
        percent=percent,
        may_switch=staff.may(key, Right.SET_SWITCHES),
        path=_path(desks),
        here=f"{_path(desks)}?gate={typed.gate}",
    )


ROUTES = (what_if_page, trial_progress, try_gate, try_policy, cancel_trial, take_tried_policy)
