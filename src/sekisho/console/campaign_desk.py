"""What a desk knows of a campaign: what the last hunt found, its cohort, and how far its containment is."""

import asyncio
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from sqlalchemy import Connection

from sekisho.campaigns.traces import Trace
from sekisho.console.campaign_story import Done, Seen, Story, story_of
from sekisho.console.cohort_looks import Cohort, CohortLooks, Lines
from sekisho.console.hunts import Found, Hunts
from sekisho.console.live_campaigns import CampaignView
from sekisho.console.live_tally import LiveTally
from sekisho.identity.institution import Parts
from sekisho.kernel.refusals import Refusal
from sekisho.response import audit, containment_rows
from sekisho.response.audit import Act
from sekisho.response.containment import has_added
from sekisho.response.containment_rows import Contained, Containment, Crowd, Policy, Rank, Standing

SHOWN = 100
"""So many of a cohort stand on one page."""


class CampaignUnknown(Refusal):
    """Nothing is known of a campaign of this id."""

    code = "campaign_unknown"
    status = 404
    told = "Nothing is known of this campaign."


class Known(NamedTuple):
    """What is known of a campaign: by the guard now, by the last hunt, and of its containment.

    `beside` are those of the hunt that ran at the time of one that the guard alone has named: as a rule it is
    the same attack. `hunted_at_us` is when the hunt ended that found it. `standing` counts those who are in
    the containment, by where they stand; `new` those of the cohort who are not in it; `crowd` those who are
    shut when a second person approves. `added` says that whoever asks began it, or put people into it.
    """

    campaign: str
    live: CampaignView | None
    found: Found | None
    beside: list[Found]
    hunted_at_us: int | None
    cohort: Cohort
    begun: Containment | None = None
    standing: Mapping[Standing, int] = MappingProxyType({})
    new: int = 0
    crowd: int = 0
    added: bool = False

    @property
    def size(self) -> int:
        """How many are in the containment."""
        return sum(self.standing.values())

    @property
    def seen(self) -> Seen | None:
        """When the campaign was seen: by the hunt, or else by the guard or in the accounts it entered."""
        if self.found is not None:
            return Seen(self.found.first_seen_us, self.found.last_seen_us)
        if self.live is not None:
            return Seen(self.live.noticed_us, self.live.last_us)
        if self.cohort.suspects:
            return Seen(self.cohort.first_us, self.cohort.last_us)
        return None if self.begun is None else Seen(self.begun.begun_at_us, self.begun.begun_at_us)


class Listed(NamedTuple):
    """Some of a containment who stand somewhere, and the rank from which the list goes on, if it does."""

    standing: Standing
    ones: list[Contained]
    after: Rank | None


class CampaignDesk:
    """Looks at the campaigns of one institution, and hunts for them."""

    def __init__(self, parts: Parts, hunts: Hunts, watch: LiveTally) -> None:
        self._parts = parts
        self._hunts = hunts
        self._watch = watch
        self._looks = CohortLooks(parts, hunts)
        self._starting = asyncio.Lock()

    async def known(self, campaign: str, *, by: str) -> Known:
        """Return what is known of a campaign to somebody. Raises CampaignUnknown, OperationalError, OSError.

        It takes as long for a cohort of 200,000 as for one of ten, but for the first look after a hunt.
        """
        known = await self._looked_up(campaign)

        def reading(connection: Connection) -> Known:
            begun = containment_rows.of_campaign(connection, campaign)
            if begun is None:
                return known._replace(new=len(known.cohort.suspects))
            return known._replace(
                begun=begun,
                standing=containment_rows.counts(connection, [begun.id])[begun.id],
                crowd=containment_rows.crowd_size(connection, begun.id, begun.policy.automatic_from),
                added=begun.begun_by == by or has_added(connection, begun.id, by),
            )

        known = await self._parts.read(reading)
        if known.begun is not None:
            new = await self._looks.new_in(campaign, known.cohort, known.begun.id, known.size)
            known = known._replace(new=new)
        if known.seen is None:
            raise CampaignUnknown(known=campaign[:60])
        return known

    async def hunt(self, *, by: str) -> bool:
        """Begin a hunt through the record and tell whether it began: while one runs there is no second.

        Who began it goes on record first. Raises OperationalError.
        """
        async with self._starting:
            if self._hunts.is_running:
                return False
            act, now_us = Act(actor=by, act="hunt:begun", subject=""), self._parts.clock.now_us()
            await self._parts.written(lambda at: audit.record(at, act, at_us=now_us))
            return self._hunts.start()

    async def _looked_up(self, campaign: str) -> Known:
        """Return what the guard and the last hunt say of a campaign."""
        views = self._watch.picture(self._parts.clock.now_us()).campaigns
        last = await asyncio.to_thread(self._hunts.last)
        hunted = [] if last is None else last.campaigns
        found = next((one for one in hunted if one.id == campaign), None)
        known = Known(
            campaign=campaign,
            live=next((one for one in views if one.campaign == campaign), None),
            found=found,
            beside=[],
            hunted_at_us=None if last is None or found is None else last.at_us,
            cohort=await self._looks.cohort(campaign),
        )
        seen = known.seen
        if found is not None or seen is None:
            return known
        return known._replace(beside=[one for one in hunted if _overlaps(one, seen)])

    async def hunted_at_us(self) -> int:
        """Return when the last hunt ended; 0 before the first. Raises OSError."""
        return await asyncio.to_thread(lambda: self._hunts.stamp // 1_000)

    async def trace(self, campaign: str) -> Trace | None:
        """Return what the last hunt kept of a campaign over time and by source. Raises OSError."""
        return await asyncio.to_thread(self._hunts.trace, campaign)

    async def story(self, known: Known) -> Story:
        """Return what was done about a campaign, between what it did itself. Raises OperationalError."""
        story = await self._parts.read(
            lambda at: story_of(at, known.campaign, begun=known.begun, seen=known.seen)
        )
        # What happened at the same moment comes before what was done about it.
        return story._replace(done=sorted([*_landmarks(known), *story.done], key=lambda one: one.at_us))

    async def crowd(self, begun: Containment) -> Crowd:
        """Return exactly who is shut when a second person approves. Raises OperationalError."""
        line = begun.policy.automatic_from
        return await self._parts.read(lambda at: containment_rows.crowd(at, begun.id, line))

    async def listed(self, begun: Containment, standing: Standing, after: Rank | None) -> Listed:
        """Return the likeliest who stand somewhere, from behind a rank on. Raises OperationalError."""
        found = await self._parts.read(
            lambda at: containment_rows.listed(at, begun.id, standing, after=after, limit=SHOWN + 1)
        )
        shown = found[:SHOWN]
        goes_on = len(found) > SHOWN
        return Listed(standing, shown, Rank(shown[-1].probability, shown[-1].named) if goes_on else None)


def _overlaps(one: Found, seen: Seen) -> bool:
    return one.first_seen_us <= seen.last_us and one.last_seen_us >= seen.first_us


def _landmarks(known: Known) -> list[Done]:
    found, cohort = known.found, known.cohort
    marks = [] if found is None else [Done(found.first_seen_us, "seen_first")]
    if known.live is not None:
        marks.append(Done(known.live.noticed_us, "noticed"))
    if cohort.suspects:
        marks.append(Done(cohort.first_us, "entered_first"))
    if found is not None:
        marks.append(Done(found.last_seen_us, "seen_last"))
    if known.hunted_at_us is not None:
        marks.append(Done(known.hunted_at_us, "hunted"))
    return marks


def lines_of(known: Known, policy: Policy) -> Lines:
    """Return how a cohort lies between the lines: those of its containment, or of the policy of now."""
    return known.cohort.lines(policy if known.begun is None else known.begun.policy)
