"""Containments that run behind the pages: in turn, with their progress, whatever comes in between."""

import asyncio

import msgspec
import pytest
from tests.response.cohort_at_hand import CAMPAIGN, POLICY, CohortAtHand

from sekisho.console.containment_runs import ContainmentRuns, Progress
from sekisho.kernel.posture import OperationalError


@pytest.fixture(name="hand")
def _hand(tmp_path):
    opened = CohortAtHand(tmp_path, count=4)
    yield opened
    opened.at_hand.store.close()


def test_a_cohort_is_written_down_and_then_shut(hand):
    """The progress says which of the two it is, and is gone when nothing runs."""

    async def scene():
        desk = hand.desk(msgspec.structs.replace(POLICY, automatic_members_max=50))
        runs, seen = ContainmentRuns(desk), []
        begun = await desk.open(CAMPAIGN, 4, by="sato")
        runs.begin(begun, hand.cohort())
        while runs.is_running(begun.id):
            seen.append(runs.progress(begun.id))
            await asyncio.sleep(0)
        assert runs.progress(begun.id) is None
        return begun, seen

    begun, seen = asyncio.run(scene())
    assert set(hand.standings(begun).values()) == {"done"}
    phases = [one.adding for one in seen if one is not None]
    assert phases == sorted(phases, reverse=True)
    assert Progress(adding=True, done=0, of=4) in seen
    assert Progress(adding=False, done=0, of=4) in seen


def test_who_is_decided_while_it_ends_is_shut_as_well(hand):
    """What is asked for while a step runs is done behind it, and not forgotten."""

    async def scene():
        desk = hand.desk()
        begun = await desk.begin(CAMPAIGN, hand.cohort(0.95, 0.6, 0.6, 0.6), by="sato")
        runs = ContainmentRuns(desk)
        ended = asyncio.Event()
        really = desk.run

        async def held(*args, **named):
            dealt_with = await really(*args, **named)
            await ended.wait()
            return dealt_with

        desk.run = held
        runs.run(begun.id)
        await asyncio.sleep(0.2)
        await desk.decide(begun.id, hand.members[1], contain=True, by="sato")
        runs.run(begun.id)
        ended.set()
        await runs.quiet()
        return begun

    assert list(hand.standings(asyncio.run(scene())).values()) == ["done", "done", "proposed", "proposed"]


def test_an_outage_ends_a_step_and_the_next_one_goes_on(hand):
    async def scene():
        desk = hand.desk()
        begun = await desk.begin(CAMPAIGN, hand.cohort(), by="sato")
        runs, really = ContainmentRuns(desk), desk.run

        async def down(*_, **__):
            raise OperationalError("store", "down")

        desk.run = down
        runs.run(begun.id)
        await runs.quiet()
        assert set(hand.standings(begun).values()) == {"waiting"}
        desk.run = really
        runs.run(begun.id)
        await runs.quiet()
        return begun

    assert set(hand.standings(asyncio.run(scene())).values()) == {"done"}
