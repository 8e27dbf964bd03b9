"""Whom a campaign may have entered, looked at again and again: read once, counted, bound by one digest.

A list of 200,000 takes a second to read. So what was read is kept until a new hunt, or another session, says
something else.
"""

import asyncio
import hashlib
from bisect import bisect_right
from collections import OrderedDict
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection

from sekisho.console.hunts import Hunts
from sekisho.identity.institution import Parts
from sekisho.response import containment_rows
from sekisho.response.cohorts import Suspect, of_sessions, together
from sekisho.response.containment_rows import Policy

KEPT_MAX = 2


class Lines(NamedTuple):
    """How many of a cohort a policy would shut by itself, propose to a person, and leave alone."""

    automatic: int
    proposed: int
    below: int


class Cohort(NamedTuple):
    """Whom a campaign may have entered, the likeliest first, and when the first and the last of them were.

    The digest is of exactly who, since when and how likely. Of nobody the times are 0.
    """

    suspects: list[Suspect]
    digest: str
    first_us: int
    last_us: int

    def lines(self, policy: Policy) -> Lines:
        """Count the cohort between the lines of a policy."""
        automatic, likely = self._from(policy.automatic_from), self._from(policy.proposed_from)
        return Lines(automatic, likely - automatic, len(self.suspects) - likely)

    def _from(self, probability: float) -> int:
        return bisect_right(self.suspects, -probability, key=lambda one: -one.probability)


class _Look(NamedTuple):
    """What a cohort was put together from, and what came of it."""

    hunted_at: int
    sessions: list[Suspect]
    cohort: Cohort


class CohortLooks:
    """The cohorts of the campaigns that were looked at last, at one institution."""

    def __init__(self, parts: Parts, hunts: Hunts) -> None:
        self._parts = parts
        self._hunts = hunts
        self._looks: OrderedDict[str, _Look] = OrderedDict()
        self._new: dict[str, tuple[str, int, int]] = {}

    async def cohort(self, campaign: str) -> Cohort:
        """Return who is in the last hunt's list, and in whose sessions the guard knew the campaign.

        Raises CohortUnreadable, OSError and OperationalError.
        """
        sessions = await self._parts.read(lambda at: of_sessions(at, campaign))
        hunted_at, kept = self._hunts.stamp, self._looks.get(campaign)
        if kept is None or (kept.hunted_at, kept.sessions) != (hunted_at, sessions):
            kept = _Look(hunted_at, sessions, await asyncio.to_thread(self._read, campaign, sessions))
            self._looks[campaign] = kept
        self._looks.move_to_end(campaign)
        while len(self._looks) > KEPT_MAX:
            forgotten, _ = self._looks.popitem(last=False)
            self._new.pop(forgotten, None)
        return kept.cohort

    async def new_in(self, campaign: str, cohort: Cohort, containment_id: str, size: int) -> int:
        """Return how many of a cohort are not among the `size` who are in a containment."""
        known = self._new.get(campaign)
        # Nobody ever leaves a containment: one of the same size has the same people in it.
        if known is None or known[:2] != (cohort.digest, size):
            count = await self._parts.read(lambda at: _new(at, cohort, containment_id))
            self._new[campaign] = known = (cohort.digest, size, count)
        return known[2]

    def _read(self, campaign: str, sessions: list[Suspect]) -> Cohort:
        suspects = together(self._hunts.entered(campaign), sessions)
        digest = hashlib.sha256(msgspec.json.encode(suspects)).hexdigest()
        times = [one.entered_at_us for one in suspects]
        return Cohort(suspects, digest, min(times, default=0), max(times, default=0))


def _new(connection: Connection, cohort: Cohort, containment_id: str) -> int:
    inside = containment_rows.names_in(connection, containment_id)
    return sum(one.named not in inside for one in cohort.suspects)
