"""A switch: one function off, for everybody or exactly for some, while the other ways stay open.

Its scope is function x direction x channel x partner x segment (members by name, risk, age of the device) x
new or existing. What it does not name, it does not ask for. A fact that is not told meets whatever a switch
asks for: leaving something unsaid opens nothing.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

import msgspec

from sekisho.kernel.ids import SwitchId
from sekisho.response.functions import EVERY, direction_of, in_words


class AppliesTo(StrEnum):
    """Whether a switch stops what begins, what goes on, or both."""

    NEW = "new"
    """What is set up anew: a first link, a first charge, a payee never paid before."""

    EXISTING = "existing"
    """What was set up before."""

    ALL = "all"
    """Both."""


class State(StrEnum):
    """Where a switch stands at a time."""

    PROPOSED = "proposed"
    """It is wide, and waits for a second person."""

    SCHEDULED = "scheduled"
    """It begins later."""

    ON = "on"
    """It stops its function now."""

    EXPIRED = "expired"
    """Its time is over."""

    LAPSED = "lapsed"
    """It was set in a hurry by one person, and no second one approved it in time."""

    LIFTED = "lifted"
    """Somebody ended it, or turned it down."""


OPEN_STATES = (State.PROPOSED, State.SCHEDULED, State.ON)
"""The states from which a switch can still stop something."""


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """What is stopped, for whom. Empty, None and zero ask for nothing.

    `function` is a name of functions.toml or `*`; `partner` a bank's code, a client's id or a network;
    `names_members` how many members it names, who are kept beside it; `risk_from` (0 to 1) stops sessions
    that were born with at least that risk; `device_younger_us` those on a device known for less than that.
    """

    function: str
    direction: str = ""
    channel: str = ""
    partner: str = ""
    applies_to: AppliesTo = AppliesTo.ALL
    names_members: int = 0
    risk_from: float | None = None
    device_younger_us: int | None = None

    @property
    def is_for_some_members(self) -> bool:
        """Whether it asks who the member is, or how the session was born."""
        return bool(self.names_members) or self.risk_from is not None or self.device_younger_us is not None


class Switch(msgspec.Struct, frozen=True, kw_only=True):
    """One switch, and what people decided about it.

    `told` holds a sentence for members by language (`ja`, `en`), empty where the usual one does; `open_ways`
    are the names of the ways that are told as open. `is_wide` means that two people have to decide.
    """

    id: SwitchId
    scope: Scope
    from_us: int
    until_us: int | None
    reason: str
    told: Mapping[str, str]
    open_ways: tuple[str, ...]
    is_wide: bool
    urgent_until_us: int | None
    set_by: str
    set_at_us: int
    approved_by: str = ""
    approved_at_us: int | None = None
    lift_asked_by: str = ""
    lifted_by: str = ""
    lifted_at_us: int | None = None

    def state(self, now_us: int) -> State:
        """Return where it stands at a time."""
        if self.lifted_at_us is not None:
            return State.LIFTED
        if self.until_us is not None and now_us >= self.until_us:
            return State.EXPIRED
        if self.is_wide and self.approved_at_us is None:
            if self.urgent_until_us is None:
                return State.PROPOSED
            if now_us >= self.urgent_until_us:
                return State.LAPSED
        return State.SCHEDULED if now_us < self.from_us else State.ON

    def ends_us(self) -> int | None:
        """Return when it ends by itself, as things stand; None where somebody has to lift it."""
        waits = self.is_wide and self.approved_at_us is None
        ends = [end for end in (self.until_us, self.urgent_until_us if waits else None) if end is not None]
        return min(ends, default=None)


class Usage(NamedTuple):
    """Who wants to use what, as far as it is known. Whatever is not told meets any switch that asks for it.

    `is_new` says whether it is set up anew or goes on. `session_id` is enough for risk and device: they are
    read from the session. `device_since_us` is when the device was first seen.
    """

    function: str
    member_id: str = ""
    partner: str = ""
    channel: str = ""
    is_new: bool | None = None
    session_id: str = ""
    risk: float | None = None
    device_since_us: int | None = None


class SwitchedOff(NamedTuple):
    """A function is off. `told` says why and names the ways that stay open, by language (`ja`, `en`)."""

    reason: str
    told: Mapping[str, str]
    until_us: int | None
    open_ways: tuple[str, ...]
    switch_id: SwitchId


def meets(scope: Scope, usage: Usage, now_us: int, *, is_named: bool) -> bool:
    """Say whether a scope takes in a usage. `is_named` says whether the switch names this member."""
    return (
        scope.function in (EVERY, usage.function)
        and _asks_or_is(scope.direction, direction_of(usage.function) or "")
        and _asks_or_is(scope.channel, usage.channel)
        and _asks_or_is(scope.partner, usage.partner)
        and _meets_newness(scope.applies_to, usage.is_new)
        and (not scope.names_members or is_named or not usage.member_id)
        and _meets_session(scope, usage, now_us)
    )


def told_of(told: Mapping[str, str], function: str, open_ways: tuple[str, ...]) -> dict[str, str]:
    """Return what a member reads who meets a switch: what is off, and which ways are open."""
    ja = told.get("ja") or f"{in_words((function,), 'ja')}は、ただいま停止しております。"
    named = in_words((function,), "en")
    en = told.get("en") or f"{named[:1].upper()}{named[1:]} is stopped at the moment."
    if open_ways:
        ja += f"{in_words(open_ways, 'ja')}は、引き続きご利用いただけます。"
        en += f" Still open: {in_words(open_ways, 'en')}."
    return {"ja": ja, "en": en}


def _asks_or_is(asked: str, told: str) -> bool:
    return not asked or not told or asked == told


def _meets_newness(applies_to: AppliesTo, is_new: bool | None) -> bool:  # noqa: FBT001 - a fact that may be unknown
    if applies_to is AppliesTo.ALL or is_new is None:
        return True
    return is_new is (applies_to is AppliesTo.NEW)


def _meets_session(scope: Scope, usage: Usage, now_us: int) -> bool:
    if scope.risk_from is not None and usage.risk is not None and usage.risk < scope.risk_from:
        return False
    if scope.device_younger_us is None or usage.device_since_us is None:
        return True
    return now_us - usage.device_since_us < scope.device_younger_us
