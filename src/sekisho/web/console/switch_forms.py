"""A switch as a form: what staff typed, read into a wish, and the wish as fields again."""

import re
from datetime import datetime

from sekisho.identity import member_numbers, members
from sekisho.kernel.clock import DAY_US, HOUR_US
from sekisho.kernel.ids import MEMBER
from sekisho.kernel.japan import japanese_us
from sekisho.response.functions import functions
from sekisho.response.switch_desk import SwitchUnusable, Wish
from sekisho.response.switches import AppliesTo, Scope
from sekisho.storage.unit_of_work import Connection
from sekisho.web.members.forms import Form

FIELDS = (
    "function",
    "partner",
    "channel",
    "applies_to",
    "risk_from",
    "device_hours",
    "members",
    "from",
    "until",
    "reason",
    "told_ja",
    "told_en",
    "urgent",
    *(f"open_{name}" for name in functions()),
)
MEMBERS_MAX = 2_000
_HOURS = re.compile(r"[0-9]{1,5}")


def read_wish(connection: Connection, form: Form) -> Wish:
    """Read a wish from a form; member numbers are looked up. Raises SwitchUnusable where a field is wrong."""
    hours, risk = form.trimmed("device_hours"), form.trimmed("risk_from")
    if hours and not _HOURS.fullmatch(hours):
        raise _fault("the age of the device is a whole number of hours")
    told = {"ja": form.trimmed("told_ja"), "en": form.trimmed("told_en")}
    return Wish(
        scope=Scope(
            function=form.trimmed("function"),
            channel=form.trimmed("channel"),
            partner=form.trimmed("partner"),
            applies_to=_applies_to(form["applies_to"]),
            risk_from=_risk(risk) if risk else None,
            device_younger_us=int(hours) * HOUR_US if hours else None,
        ),
        reason=form.trimmed("reason"),
        open_ways=tuple(name for name in functions() if form[f"open_{name}"]),
        told=told if any(told.values()) else {},
        members=_members(connection, form["members"].split()),
        from_us=_moment(form.trimmed("from")),
        until_us=_moment(form.trimmed("until")),
        is_urgent=bool(form["urgent"]),
    )


def _applies_to(text: str) -> AppliesTo:
    try:
        return AppliesTo(text)
    except ValueError as error:
        raise _fault("say whether it is for what is new, what exists, or both") from error


def _risk(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise _fault("a risk is a number from 0 to 1") from error


def _moment(text: str) -> int | None:
    """Read a time as browsers send it, in Japan's time; None where none was given."""
    if not text:
        return None
    try:
        return japanese_us(datetime.fromisoformat(text))
    except ValueError as error:
        raise _fault("a time is a day and a time") from error


def _members(connection: Connection, typed: list[str]) -> tuple[str, ...]:
    """Return the ids of members that were named by number or by id. Raises SwitchUnusable."""
    if len(typed) > MEMBERS_MAX:
        raise _fault(f"name {MEMBERS_MAX} members at most; contain a cohort where there are more")
    ids, numbers = set[str](), set[str]()
    for text in typed:
        number = member_numbers.read(text)
        if number is not None:
            numbers.add(number)
        else:
            ids.add(_id(text))
    known = members.ids_by_number(connection, numbers)
    missing = numbers - set(known)
    if missing:
        raise _fault(f"nobody has the member number {min(missing)}")
    ids.update(known.values())
    return tuple(sorted(ids))


def _id(text: str) -> str:
    try:
        return MEMBER.parse(text)
    except ValueError as error:
        raise _fault(f"{text[:40]!r} is no member number and no member's id") from error


def _fault(told: str) -> SwitchUnusable:
    return SwitchUnusable(known=told, told=f"This switch can't be set: {told}.")


def default_end_us(now_us: int) -> int:
    """Return until when a switch is proposed to last: nothing stays off because somebody forgot it."""
    return now_us + 7 * DAY_US
