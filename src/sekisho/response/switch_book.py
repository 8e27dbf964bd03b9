"""The one place that says whether something is switched off, for every room and every gate.

It reads the switches anew at each question, in the same state of the store as the members that they name:
what was thrown is off at the next question, in every process, and nothing has to be told to forget.
"""

import asyncio

from sqlalchemy import Connection

from sekisho.identity import devices, sessions
from sekisho.identity.institution import Parts
from sekisho.response import switch_rows
from sekisho.response.functions import is_switchable
from sekisho.response.switches import State, Switch, SwitchedOff, Usage, meets, told_of

_FOR_EVER = 1 << 62


class SwitchBook:
    """Knows what is switched off at one institution."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def off_for(self, usage: Usage) -> SwitchedOff | None:
        """Return what stands in the way of a usage now; None where nothing does. Raises OperationalError."""

        def reading() -> SwitchedOff | None:
            with self._parts.store.read() as connection:
                return self.off_within(connection, usage)

        return await asyncio.to_thread(reading)

    async def off_for_partner(self, partner: str) -> dict[str, SwitchedOff]:
        """Return what is off for a partner whoever the member is, by function (`*`: all of them).

        A switch for some members alone is not told to partners. Raises OperationalError.
        """

        def reading() -> dict[str, SwitchedOff]:
            now_us = self._parts.clock.now_us()
            with self._parts.store.read() as connection:
                on = _that_are_on(connection, now_us)
            return {
                one.scope.function: _told(one, one.scope.function, one.open_ways)
                for one in sorted(on, key=_lasting)
                if not one.scope.is_for_some_members and one.scope.partner in ("", partner)
            }

        return await asyncio.to_thread(reading)

    def off_within(self, connection: Connection, usage: Usage) -> SwitchedOff | None:
        """Return what stands in the way of a usage, as the unit of work sees it that is about to do it."""
        now_us = self._parts.clock.now_us()
        on = _that_are_on(connection, now_us)
        if not on:
            return None
        known = _with_session(connection, usage)
        asked = [one.id for one in on if one.scope.names_members]
        named = switch_rows.naming(connection, asked, known.member_id) if asked else set()
        met = _met(on, known, now_us, named)
        if not met:
            return None
        lasting = max(met, key=_lasting)
        # A way that another switch stops for this member is not told as open.
        still_open = tuple(
            way
            for way in lasting.open_ways
            if not (is_switchable(way) and _met(on, known._replace(function=way, partner=""), now_us, named))
        )
        return _told(lasting, usage.function, still_open)


def _that_are_on(connection: Connection, now_us: int) -> list[Switch]:
    return [one for one in switch_rows.open_ones(connection, now_us) if one.state(now_us) is State.ON]


def _met(on: list[Switch], usage: Usage, now_us: int, named: set[str]) -> list[Switch]:
    return [one for one in on if meets(one.scope, usage, now_us, is_named=one.id in named)]


def _lasting(one: Switch) -> tuple[int, str]:
    """Order switches by how long they last, so that a member is told the time that counts."""
    end_us = one.ends_us()
    return (_FOR_EVER if end_us is None else end_us), one.id


def _with_session(connection: Connection, usage: Usage) -> Usage:
    """Fill in the risk and the device of the session that asks, where they were not told."""
    session = sessions.find(connection, usage.session_id) if usage.session_id else None
    if session is None:
        return usage
    device = devices.find(connection, session.device_id)
    since_us = None if device is None else device.first_seen_us
    return usage._replace(
        risk=session.risk if usage.risk is None else usage.risk,
        device_since_us=since_us if usage.device_since_us is None else usage.device_since_us,
    )


def _told(switch: Switch, function: str, open_ways: tuple[str, ...]) -> SwitchedOff:
    told = told_of(switch.told, function, open_ways)
    return SwitchedOff(switch.reason, told, switch.ends_us(), open_ways, switch.id)
