"""Where switches are set, approved, lifted and watched: what is wide takes two people."""

import asyncio
import re
from collections.abc import Callable
from typing import TypeVar

import msgspec
from sqlalchemy import Connection

from sekisho.identity.institution import Parts
from sekisho.kernel.clock import DAY_US, MINUTE_US
from sekisho.kernel.ids import SWITCH
from sekisho.kernel.refusals import Refusal
from sekisho.response import switch_rows
from sekisho.response.functions import EVERY, Direction, functions, is_switchable
from sekisho.response.staff import require_second, require_staff
from sekisho.response.switch_rows import CLOCK, Deed
from sekisho.response.switches import OPEN_STATES, Scope, Switch, Usage, meets

TEXT_MAX = 400

Result = TypeVar("Result")

_LINK = re.compile(r"https?:|www\.", re.IGNORECASE)


class SwitchUnusable(Refusal):
    """The switch asks for something that does not exist, or says nothing to members."""

    code = "switch_unusable"
    status = 422
    told = "This switch can't be set as it is."


class SwitchUnknown(Refusal):
    """There is no switch of this id that can still be changed."""

    code = "switch_unknown"
    status = 404
    told = "There is no open switch of this id."


class SwitchSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What is wide, and what may be done in a hurry.

    A switch that is confined to fewer than `wide_members_from` named members takes one person, counted
    together with those that the person set alone within a day; every other one takes two. One person alone
    may stop a function for `urgent_us_max`. The end of a switch is announced `announced_us` before.
    """

    wide_members_from: int = 500
    urgent_us_max: int = 60 * MINUTE_US
    announced_us: int = DAY_US


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """A switch as somebody wants it. `members` are those it is confined to; none where it names none.

    Without `from_us` it begins now; without `until_us` somebody has to lift it. `is_urgent` lets it begin
    before a second person has approved it, for as long as the settings say.
    """

    scope: Scope
    reason: str
    open_ways: tuple[str, ...] = ()
    told: dict[str, str] = {}
    members: tuple[str, ...] = ()
    from_us: int | None = None
    until_us: int | None = None
    is_urgent: bool = False


class SwitchDesk:
    """Sets and lifts the switches of one institution."""

    def __init__(self, parts: Parts, settings: SwitchSettings | None = None) -> None:
        self._parts = parts
        self._settings = settings or SwitchSettings()

    async def set(self, wish: Wish, *, by: str) -> Switch:
        """Set a switch. Where it is wide it waits for a second person, unless it is urgent.

        Raises StaffIdUnusable, SwitchUnusable, and OperationalError.
        """
        return await self._written(lambda at: self.set_within(at, wish, by=by))

    async def approve(self, switch_id: str, *, by: str) -> Switch:
        """Approve a wide switch as a second person. Raises SwitchUnknown, SecondPersonNeeded and others."""
        return await self._written(lambda at: self.approve_within(at, switch_id, by=by))

    async def lift(self, switch_id: str, *, by: str, why: str = "") -> Switch:
        """End a switch, or turn down one that waits; of a wide one that is on, the first only asks for it.

        Raises SwitchUnknown, SecondPersonNeeded, StaffIdUnusable, and OperationalError.
        """
        return await self._written(lambda at: self.lift_within(at, switch_id, by=by, why=why))

    async def announce_ends(self) -> list[Switch]:
        """Write down, once each, which switches end soon or have ended. Raises OperationalError."""
        return await self._written(self.announce_ends_within)

    def set_within(self, connection: Connection, wish: Wish, *, by: str) -> Switch:
        """Set a switch within a unit of work; see `set`."""
        now_us = self._parts.clock.now_us()
        require_staff(by)
        scope = msgspec.structs.replace(wish.scope, names_members=len(set(wish.members)))
        self._require_usable(wish, now_us)
        wide = self._is_wide(connection, scope, by, now_us)
        new = Switch(
            id=SWITCH.new(self._parts.clock, self._parts.chance),
            scope=scope,
            from_us=now_us if wish.from_us is None else wish.from_us,
            until_us=wish.until_us,
            reason=wish.reason,
            told=wish.told,
            open_ways=wish.open_ways,
            is_wide=wide,
            urgent_until_us=now_us + self._settings.urgent_us_max if wide and wish.is_urgent else None,
            set_by=by,
            set_at_us=now_us,
        )
        switch_rows.add(connection, new, wish.members)
        switch_rows.write_down(connection, Deed(new.id, "set", by, now_us, new.state(now_us)))
        return new

    def approve_within(self, connection: Connection, switch_id: str, *, by: str) -> Switch:
        """Approve a switch within a unit of work; see `approve`."""
        now_us, found = self._open(connection, switch_id)
        require_second(by, found.set_by)
        if not found.is_wide or found.approved_by:
            raise SwitchUnknown(known=f"{switch_id} waits for nobody")
        switch_rows.change(
            connection, switch_id, approved_by=by, approved_at_us=now_us, expiry_told_at_us=None
        )
        switch_rows.write_down(connection, Deed(found.id, "approved", by, now_us))
        return msgspec.structs.replace(found, approved_by=by, approved_at_us=now_us)

    def lift_within(self, connection: Connection, switch_id: str, *, by: str, why: str) -> Switch:
        """Lift a switch within a unit of work; see `lift`."""
        now_us, found = self._open(connection, switch_id)
        require_staff(by)
        # To open a function for everybody is as wide as to close it; to take back what nobody
        # approved is not.
        if found.is_wide and found.approved_by:
            if not found.lift_asked_by:
                switch_rows.change(connection, switch_id, lift_asked_by=by)
                switch_rows.write_down(connection, Deed(found.id, "lift_asked", by, now_us, why[:TEXT_MAX]))
                return msgspec.structs.replace(found, lift_asked_by=by)
            require_second(by, found.lift_asked_by)
        switch_rows.change(connection, switch_id, lifted_by=by, lifted_at_us=now_us)
        switch_rows.write_down(connection, Deed(found.id, "lifted", by, now_us, why[:TEXT_MAX]))
        return msgspec.structs.replace(found, lifted_by=by, lifted_at_us=now_us)

    def announce_ends_within(self, connection: Connection) -> list[Switch]:
        """Announce ends within a unit of work; see `announce_ends`."""
        now_us = self._parts.clock.now_us()
        ending = switch_rows.ending_before(connection, now_us, now_us + self._settings.announced_us)
        for one in ending:
            switch_rows.change(connection, one.id, expiry_told_at_us=now_us)
            deed = "ending" if one.state(now_us) in OPEN_STATES else "ended"
            switch_rows.write_down(connection, Deed(one.id, deed, CLOCK, now_us, str(one.ends_us())))
        return ending

    def _is_wide(self, connection: Connection, scope: Scope, by: str, now_us: int) -> bool:
        # Many narrow switches of one person are as wide as their sum.
        alone = switch_rows.named_alone(connection, by, now_us - DAY_US)
        return not 0 < scope.names_members < self._settings.wide_members_from - alone

    def _open(self, connection: Connection, switch_id: str) -> tuple[int, Switch]:
        now_us, found = self._parts.clock.now_us(), switch_rows.find(connection, switch_id)
        if found is None or found.state(now_us) not in OPEN_STATES:
            raise SwitchUnknown(known=switch_id[:60])
        return now_us, found

    async def _written(self, work: Callable[[Connection], Result]) -> Result:
        return await asyncio.wrap_future(self._parts.store.write(work))

    def _require_usable(self, wish: Wish, now_us: int) -> None:
        faults = list(_faults(wish, now_us))
        if faults:
            raise SwitchUnusable(known=faults[0], told=f"This switch can't be set: {faults[0]}.")


def _faults(wish: Wish, now_us: int) -> list[str]:
    """Say what keeps a switch from being set, in words for whoever wanted it."""
    scope, texts = wish.scope, [text.strip() for text in wish.told.values()]
    begins_us = now_us if wish.from_us is None else max(now_us, wish.from_us)
    checks = (
        (
            not is_switchable(scope.function),
            f"there is no function {scope.function[:40]!r} (nor is it {EVERY})",
        ),
        (scope.direction not in {"", *Direction}, "a direction is out, in or none"),
        (scope.risk_from is not None and not 0 <= scope.risk_from <= 1, "a risk is from 0 to 1"),
        (scope.device_younger_us is not None and scope.device_younger_us <= 0, "an age is above zero"),
        (wish.until_us is not None and wish.until_us <= begins_us, "it would end before it begins"),
        (not wish.reason.strip() or len(wish.reason) > TEXT_MAX, f"a reason has 1 to {TEXT_MAX} characters"),
        (bool(texts) and (set(wish.told) != {"ja", "en"} or not all(texts)), "a text is given in ja and en"),
        (any(len(text) > TEXT_MAX for text in texts), f"a text has {TEXT_MAX} characters at most"),
        (any(_LINK.search(text) for text in texts), "a text for members carries no link"),
        (not wish.open_ways, "name at least one way that stays open"),
    )
    faults = [told for is_so, told in checks if is_so]
    faults += [f"there is no way {way[:40]!r}" for way in wish.open_ways if way not in functions()]
    return faults + [
        f"{way} would be off as well, and can't be named as open"
        for way in wish.open_ways
        if is_switchable(way) and meets(scope, Usage(way), now_us, is_named=True)
    ]
