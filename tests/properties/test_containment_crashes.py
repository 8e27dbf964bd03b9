"""Wherever a containment is cut off, running it again ends as one run would have: nobody is told twice."""

import asyncio
import os
import signal
import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.response.cohort_at_hand import CAMPAIGN, POLICY, CohortAtHand

from sekisho.kernel.posture import OperationalError
from sekisho.response.containment import ContainmentDesk

MEMBERS = 5


class DyingStore:
    """A store whose process ends at one of its units of work: before it, within it, or after it."""

    def __init__(self, store, at_work, when):
        self.store = store
        self.left = at_work
        self.when = when

    def read(self):
        return self.store.read()

    def write(self, work):
        self.left -= 1
        if self.left:
            return self.store.write(work)
        if self.when == "after":
            self.store.write(work).result()
        if self.when == "within":
            with pytest.raises(PowerCutError):
                self.store.write(lambda at: cut(work(at))).result()
        raise OperationalError("store", "the power is gone")


class PowerCutError(Exception):
    """Everything is dark."""


def cut(_):
    raise PowerCutError


def run_until_it_ends(hand, deaths, at_once):
    """Begin and run, and do it again after each death, as a new process does."""
    for at_work, when in [*deaths, (0, "")]:
        store = DyingStore(hand.at_hand.store, at_work, when)
        desk = ContainmentDesk(hand.parts._replace(store=store), POLICY)
        try:
            begun = asyncio.run(desk.begin(CAMPAIGN, hand.cohort(), by="sato"))
            asyncio.run(desk.run(begun.id, at_once=at_once))
        except OperationalError:
            continue
        return [(hand.state_of(each), hand.standings(begun)[each]) for each in hand.members]
    raise AssertionError


@cache
def of_one_run():
    with TemporaryDirectory() as folder:
        hand = CohortAtHand(Path(folder), MEMBERS)
        ended = run_until_it_ends(hand, [], 2)
        hand.at_hand.store.close()
    return ended


deaths_at = st.lists(
    st.tuples(st.integers(1, MEMBERS + 2), st.sampled_from(["before", "within", "after"])), max_size=4
)


@settings(max_examples=25)
@given(deaths_at, st.integers(1, MEMBERS))
def test_any_crash_point_resumes_to_the_same_end(deaths, at_once):
    """Each member is shut once, told once and has one case, however often the power goes."""
    with TemporaryDirectory() as folder:
        hand = CohortAtHand(Path(folder), MEMBERS)
        assert run_until_it_ends(hand, deaths, at_once) == of_one_run()
        hand.at_hand.store.close()


@pytest.mark.parametrize("after", [1, 3])
def test_killed_and_started_again_it_ends_the_same(tmp_path, after):
    """A real kill -9 in the middle; a new process goes on with who waits."""
    program = Path(__file__).parents[1] / "response" / "dying_containment.py"
    ran = subprocess.run(
        [sys.executable, program, tmp_path, str(after)],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        check=False,
    )
    assert ran.returncode == -signal.SIGKILL
    again = CohortAtHand(tmp_path, 0)
    assert asyncio.run(again.desk().run_unfinished()) >= MEMBERS - after - 1
    begun = asyncio.run(again.desk().begin(CAMPAIGN, [], by="sato"))
    states = again.standings(begun)
    assert len(states) == MEMBERS
    assert [(again.state_of(each), states[each]) for each in states] == of_one_run()
    again.at_hand.store.close()
