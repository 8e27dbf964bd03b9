"""Calls: the code that a caller of ours must say, and a report of any other."""

from datetime import datetime
from typing import Any

from litestar import Response, get, post

from sekisho.identity.calls import CallReport, Genuine
from sekisho.kernel.clock import SECOND_US
from sekisho.kernel.japan import JAPAN, in_japan
from sekisho.web.members.roles import ROLE, Role
from sekisho.web.members.visits import AnyRequest, Visit, visit_of

OF_MEMBERS = {ROLE: Role.MEMBER}
UNPROCESSABLE = 422
TYPED = ("called_at", "number_shown", "asked_for", "words")


@get("/security/calls", opt=OF_MEMBERS)
async def calls_page(request: AnyRequest) -> Response[Any]:
    """Show who of us is calling now, and take reports of whoever else called."""
    return await _page(visit_of(request), reported="reported" in request.query_params)


@post("/security/calls/check", opt=OF_MEMBERS)
async def check_call(request: AnyRequest) -> Response[Any]:
    """Compare what a caller said."""
    visit = visit_of(request)
    answer = await visit.site.desks.calls.confirm(visit.who().member.id, visit.form["said"])
    return await _page(visit, checked="genuine" if isinstance(answer, Genuine) else "not_ours")


@post("/security/calls/report", opt=OF_MEMBERS)
async def report_call(request: AnyRequest) -> Response[Any]:
    """Take a report of a call."""
    visit = visit_of(request)
    form = visit.form
    called_at_us = _read_time(form["called_at"], visit.now_us())
    if called_at_us is None:
        return await _page(visit, error="call_time_wrong", status=UNPROCESSABLE)
    report = CallReport(
        called_at_us=called_at_us,
        number_shown=form.trimmed("number_shown"),
        asked_for=form.trimmed("asked_for"),
        told_code=form["told_code"] == "yes",
        words=form.trimmed("words"),
    )
    await visit.site.desks.calls.report(visit.who().member.id, report)
    return visit.go("/security/calls?reported")


def _read_time(typed: str, now_us: int) -> int | None:
    """Read a moment in Japan as a browser's field writes it; None for what is none, or lies ahead."""
    try:
        moment = datetime.strptime(typed, "%Y-%m-%dT%H:%M").replace(tzinfo=JAPAN)
    except ValueError:
        return None
    at_us = int(moment.timestamp()) * SECOND_US
    return at_us if 0 < at_us <= now_us else None


async def _page(
    visit: Visit, *, checked: str = "", reported: bool = False, error: str = "", status: int = 200
) -> Response[Any]:
    calls = await visit.site.desks.calls.shown_to(visit.who().member.id)
    now = in_japan(visit.now_us())
    return visit.page(
        "members/calls.html",
        status=status,
        calls=calls,
        checked=checked,
        reported=reported,
        error=error,
        filled=visit.form.only(*TYPED),
        now=f"{now:%Y-%m-%dT%H:%M}",
        told_code=visit.form["told_code"] == "yes",
        here="/security/calls",
    )


ROUTES = (calls_page, check_call, report_call)
