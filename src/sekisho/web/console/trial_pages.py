"""What if: the last days again under a changed policy, beside the one of now. Nothing is changed by it."""

import asyncio
import math
import re
from typing import Any

from litestar import Response, get, post

from sekisho.console.policy_trials import BUDGETS, PolicyUnusable, Wish
from sekisho.console.rights import Right
from sekisho.guard.attempts import Outcome
from sekisho.guard.decisions import Action
from sekisho.guard.policy import default_policy
from sekisho.web.console.staff_admission import RIGHT, staff_of
from sekisho.web.console.staff_desks import desks_at, require_desk
from sekisho.web.members.roles import ROLE, Role
from sekisho.web.members.visits import AnyRequest, visit_of

TRYING = {ROLE: Role.MEMBER, RIGHT: Right.TRY_POLICIES}
UNPROCESSABLE = 422

FIELDS = ("days", *BUDGETS, "deny_from")
DAYS = "14"
OUTCOMES = (Outcome.SUCCESS, Outcome.WRONG_SECRET, Outcome.NO_SUCH_MEMBER)
_DAYS = re.compile(r"[0-9]{1,3}")
_PERCENT = re.compile(r"[0-9]{1,3}(\.[0-9]{1,4})?")
PERCENT = 100


@get("/{institution:str}/what-if", opt=TRYING)
async def what_if_page(request: AnyRequest) -> Response[Any]:
    """Show what was tried last, or how far the trial is that runs."""
    gate = default_policy().default
    typed = {name: f"{getattr(gate, name) * PERCENT:.2f}" for name in BUDGETS}
    return await _page(request, {"days": DAYS, **typed, "deny_from": ""})


@post("/{institution:str}/what-if", opt=TRYING)
async def try_policy(request: AnyRequest) -> Response[Any]:
    """Begin a trial; it changes nothing, so that no passkey is asked for."""
    visit, desks = visit_of(request), desks_at(request)
    trials, typed = require_desk(desks.trials), visit.form.only(*FIELDS)
    try:
        trials.start(_wish(typed, staff_of(request).id))
    except PolicyUnusable:
        return await _page(request, typed, trouble="trial_unusable", status=UNPROCESSABLE)
    return visit.go(f"/{desks.institution.key}/what-if")


def _wish(typed: dict[str, str], by: str) -> Wish:
    days = typed["days"].strip()
    if not (_DAYS.fullmatch(days) and days.isascii()):
        raise PolicyUnusable(known="days")
    shares = {name: _share(typed[name]) for name in BUDGETS}
    deny_from = _share(typed["deny_from"]) if typed["deny_from"].strip() else None
    return Wish(days=int(days), **shares, deny_from=deny_from, by=by)


def _share(text: str) -> float:
    plain = text.strip()
    if not (_PERCENT.fullmatch(plain) and plain.isascii()):
        raise PolicyUnusable(known="a share")
    share = float(plain) / PERCENT
    if not (math.isfinite(share) and 0 <= share <= 1):
        raise PolicyUnusable(known="a share")
    return share


async def _page(
    request: AnyRequest, typed: dict[str, str], *, trouble: str = "", status: int = 200
) -> Response[Any]:
    visit, desks = visit_of(request), desks_at(request)
    trials = require_desk(desks.trials)
    return visit.page(
        "desks/what_if.html",
        status=status,
        desks=desks,
        typed=typed,
        budgets=BUDGETS,
        last=None if trials.is_running else await asyncio.to_thread(trials.last),
        running=trials.is_running,
        percent=round(trials.share_done * PERCENT),
        trouble_words=trouble,
        said=trials.trouble,
        outcomes=OUTCOMES,
        actions=list(Action),
        path=f"/{desks.institution.key}/what-if",
        here=f"/{desks.institution.key}/what-if",
    )


ROUTES = (what_if_page, try_policy)
