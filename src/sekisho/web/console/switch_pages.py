"""Switches at the desks: what is off now, what a switch would do, setting, approving and lifting one."""

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from litestar import Response, get, post

from sekisho.console.rights import Right
from sekisho.kernel.clock import DAY_US
from sekisho.kernel.japan import in_japan
from sekisho.response import switch_rows
from sekisho.response.functions import EVERY, functions
from sekisho.response.staff import SecondPersonNeeded
from sekisho.response.switch_desk import SwitchUnknown, SwitchUnusable, Wish
from sekisho.response.switch_preview import DAYS, Preview, preview
from sekisho.response.switches import AppliesTo, Switch, told_of
from sekisho.storage.unit_of_work import Connection
from sekisho.web.console.staff_admission import RIGHT, staff_of
from sekisho.web.console.staff_deeds import deed, require_approved
from sekisho.web.console.staff_desks import InstitutionDesks, desks_at
from sekisho.web.console.switch_forms import FIELDS, default_end_us, read_wish
from sekisho.web.members.roles import ROLE, Role
from sekisho.web.members.visits import AnyRequest, Visit, visit_of

SEEING = {ROLE: Role.MEMBER, RIGHT: Right.SEE_SWITCHES}
SETTING = {ROLE: Role.MEMBER, RIGHT: Right.SET_SWITCHES}
APPROVING = {ROLE: Role.MEMBER, RIGHT: Right.APPROVE}
UNPROCESSABLE = 422
FORBIDDEN = 403
NEWEST = 50
Result = TypeVar("Result")


class Shown(NamedTuple):
    """A wish with what came of looking at it: whom it would have met, and what members would read."""

    wish: Wish
    met: Preview
    told: dict[str, str]


@get("/{institution:str}/switches", opt=SEEING)
async def switches_page(request: AnyRequest) -> Response[Any]:
    """Show what is off or waits, and what was done before."""
    visit, desks, staff = visit_of(request), desks_at(request), staff_of(request)
    now_us = visit.now_us()

    def reading(connection: Connection) -> list[Switch]:
        return switch_rows.newest(connection, NEWEST)

    newest = await _read(desks, reading)
    open_ = {one.id for one in await _read(desks, lambda at: switch_rows.open_ones(at, now_us))}
    return visit.page(
        "desks/switches.html",
        desks=desks,
        staff=staff,
        may_set=staff.may(desks.institution.key, Right.SET_SWITCHES),
        open_ones=[one for one in newest if one.id in open_],
        past_ones=[one for one in newest if one.id not in open_],
        functions=functions(),
    )


@get("/{institution:str}/switches/new", opt=SETTING, sync_to_thread=False)
def new_switch_page(request: AnyRequest) -> Response[Any]:
    """Ask what is to be switched off, for whom and how long."""
    visit, desks = visit_of(request), desks_at(request)
    until = in_japan(default_end_us(visit.now_us()))
    proposed = {"applies_to": AppliesTo.ALL.value, "until": f"{until:%Y-%m-%dT%H:%M}"}
    return _form(visit, desks, dict.fromkeys(FIELDS, "") | proposed)


@post("/{institution:str}/switches/preview", opt=SETTING)
async def preview_switch(request: AnyRequest) -> Response[Any]:
    """Show whom a switch would have met in the last days, before anything is set."""
    visit, desks = visit_of(request), desks_at(request)
    typed = visit.form.only(*FIELDS)
    try:
        shown = await _read(desks, lambda at: _look(at, visit, desks))
    except SwitchUnusable as refusal:
        return _form(visit, desks, typed, fault=refusal.told)
    return visit.page(
        "desks/switch_preview.html",
        desks=desks,
        typed=typed,
        shown=shown,
        days=DAYS,
        functions=functions(),
        deed=_setting(desks, typed),
        may_try=desks.trials is not None and staff_of(request).may(desks.institution.key, Right.TRY_POLICIES),
        here=f"/{desks.institution.key}/switches/new",
    )


@post("/{institution:str}/switches", opt=SETTING)
async def set_switch(request: AnyRequest) -> Response[Any]:
    """Set a switch, as the page before showed it."""
    visit, desks, staff = visit_of(request), desks_at(request), staff_of(request)
    typed = visit.form.only(*FIELDS)
    await require_approved(visit, _setting(desks, typed))
    try:
        wish = await _read(desks, lambda at: read_wish(at, visit.form))
        made = await desks.switches.set(wish, by=staff.id)
    except SwitchUnusable as refusal:
        return _form(visit, desks, typed, fault=refusal.told)
    return visit.go(f"/{desks.institution.key}/switches/{made.id}")


@get("/{institution:str}/switches/{switch_id:str}", opt=SEEING)
async def switch_page(request: AnyRequest) -> Response[Any]:
    """Show one switch, what was decided about it, and what can be decided."""
    return await _one(visit_of(request), desks_at(request), request)


@post("/{institution:str}/switches/{switch_id:str}/approve", opt=APPROVING)
async def approve_switch(request: AnyRequest) -> Response[Any]:
    """Approve a switch as the second person."""
    visit, desks, staff = visit_of(request), desks_at(request), staff_of(request)
    switch_id = request.path_params["switch_id"]
    await require_approved(visit, _deciding(desks, "approve", switch_id))
    try:
        await desks.switches.approve(switch_id, by=staff.id)
    except SecondPersonNeeded:
        return await _one(visit, desks, request, trouble="second_person", status=FORBIDDEN)
    return visit.go(f"/{desks.institution.key}/switches/{switch_id}")


@post("/{institution:str}/switches/{switch_id:str}/lift", opt=SEEING)
async def lift_switch(request: AnyRequest) -> Response[Any]:
    """Lift a switch, ask for it, or approve that somebody asked for it."""
    visit, desks, staff = visit_of(request), desks_at(request), staff_of(request)
    switch_id, key = request.path_params["switch_id"], desks.institution.key
    found = await _found(desks, switch_id)
    # The first of two is one who sets switches, the second one who approves.
    right = Right.APPROVE if found.lift_asked_by else Right.SET_SWITCHES
    if not staff.may(key, right):
        return await _one(visit, desks, request, trouble="not_your_part", status=FORBIDDEN)
    await require_approved(visit, _deciding(desks, "lift", switch_id))
    try:
        await desks.switches.lift(switch_id, by=staff.id, why=visit.form.trimmed("why"))
    except SecondPersonNeeded:
        return await _one(visit, desks, request, trouble="second_person", status=FORBIDDEN)
    return visit.go(f"/{key}/switches/{switch_id}")


def _look(connection: Connection, visit: Visit, desks: InstitutionDesks) -> Shown:
    wish, now_us = read_wish(connection, visit.form), visit.now_us()
    if wish.scope.function not in {*desks.functions, EVERY}:
        raise SwitchUnusable(told="This switch can't be set: choose a function.")
    met = preview(
        connection,
        desks.past_uses,
        wish.scope,
        members=wish.members,
        cohort=(),
        from_us=now_us - DAYS * DAY_US,
        until_us=now_us,
    )
    return Shown(wish, met, _told(wish, desks))


def _told(wish: Wish, desks: InstitutionDesks) -> dict[str, str]:
    """Return what members would read; of a switch for everything, what they read at the first function."""
    function = wish.scope.function
    return told_of(wish.told, desks.functions[0] if function == EVERY else function, wish.open_ways)


def _form(visit: Visit, desks: InstitutionDesks, typed: dict[str, str], *, fault: str = "") -> Response[Any]:
    return visit.page(
        "desks/switch_new.html",
        status=UNPROCESSABLE if fault else 200,
        desks=desks,
        typed=typed,
        fault=fault,
        functions=functions(),
        every=EVERY,
        here=f"/{desks.institution.key}/switches/new",
    )


async def _one(
    visit: Visit, desks: InstitutionDesks, request: AnyRequest, *, trouble: str = "", status: int = 200
) -> Response[Any]:
    key, staff = desks.institution.key, staff_of(request)
    found = await _found(desks, request.path_params["switch_id"])
    deeds = await _read(desks, lambda at: switch_rows.deeds(at, found.id))
    lifts = Right.APPROVE if found.lift_asked_by else Right.SET_SWITCHES
    return visit.page(
        "desks/switch.html",
        status=status,
        desks=desks,
        switch=found,
        deeds=deeds,
        state=found.state(visit.now_us()),
        told=_told(_as_wish(found), desks),
        functions=functions(),
        approval=_deciding(desks, "approve", found.id),
        lifting=_deciding(desks, "lift", found.id),
        may_approve=staff.may(key, Right.APPROVE) and staff.id != found.set_by,
        may_lift=staff.may(key, lifts) and staff.id != found.lift_asked_by,
        trouble_words=trouble,
        here=f"/{key}/switches/{found.id}",
    )


def _as_wish(switch: Switch) -> Wish:
    return Wish(scope=switch.scope, reason=switch.reason, open_ways=switch.open_ways, told=dict(switch.told))


def _setting(desks: InstitutionDesks, typed: dict[str, str]) -> str:
    return deed("switch_set", institution=desks.institution.key, **typed)


def _deciding(desks: InstitutionDesks, what: str, switch_id: str) -> str:
    return deed(f"switch_{what}", institution=desks.institution.key, switch=switch_id)


async def _found(desks: InstitutionDesks, switch_id: str) -> Switch:
    found = await _read(desks, lambda at: switch_rows.find(at, switch_id))
    if found is None:
        raise SwitchUnknown(known=switch_id[:60])
    return found


async def _read(desks: InstitutionDesks, look: Callable[[Connection], Result]) -> Result:
    def reading() -> Result:
        with desks.parts.store.read() as connection:
            return look(connection)

    return await asyncio.to_thread(reading)


ROUTES = (
    switches_page,
    new_switch_page,
    preview_switch,
    set_switch,
    switch_page,
    approve_switch,
    lift_switch,
)
