"""Policies at the desks: what is in force, what runs in its shadow, and what each said of the attempts."""

import asyncio
from typing import Any

from litestar import Response, get

from sekisho.campaigns.known_ends import End
from sekisho.console.policy_desk import Span
from sekisho.console.rights import Right
from sekisho.guard.decisions import Action
from sekisho.web.console.policy_words import parts_in_words, percent, share
from sekisho.web.console.staff_admission import RIGHT, staff_of
from sekisho.web.console.staff_desks import desks_at
from sekisho.web.members.roles import ROLE, Role
from sekisho.web.members.visits import AnyRequest, visit_of

SEEING = {ROLE: Role.MEMBER, RIGHT: Right.SEE_POLICIES}
SHOWN_ENDS = (End.MEMBER, End.ENTERED, End.CAMPAIGN, End.UNPROVEN, End.FAILED, End.OPEN)
"""What is known afterwards, in the order of the page: what a policy costs, then what it stops."""


@get("/{institution:str}/policies", opt=SEEING)
async def policies_page(request: AnyRequest) -> Response[Any]:
    """Show the policies that run, and what each said of the last hour, day or week."""
    visit, desks, staff = visit_of(request), desks_at(request), staff_of(request)
    asked = request.query_params.get("span", "")
    span = Span(asked) if asked in set(Span) else Span.DAY
    seen = await desks.policies.compare(span)
    last = await asyncio.to_thread(desks.hunts.last)
    policies = desks.policies.policies
    path = f"/{desks.institution.key}/policies"
    return visit.page(
        "desks/policies.html",
        desks=desks,
        policies=policies,
        parts=parts_in_words(policies, visit.words),
        seen=seen,
        asks_from={gate: desks.policies.asks_from(gate) for gate in seen.gates},
        hunted_us=None if last is None else last.at_us,
        actions=list(Action),
        ends=SHOWN_ENDS,
        member=End.MEMBER,
        entered=End.ENTERED,
        spans=list(Span),
        looked_over=span,
        share=share,
        percent=percent,
        may_try=desks.trials is not None and staff.may(desks.institution.key, Right.TRY_POLICIES),
        path=path,
        here=f"{path}?span={span}",
    )


ROUTES = (policies_page,)
