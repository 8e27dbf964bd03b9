"""Names that exist and names that do not cost the same: the clock of the answer is no oracle.

Two tests. The first counts what is looked up and called: exact, and the same on every machine. The second
takes CPU time. Its bound is wide, and its rule for trying again stated, for other programs share the machine:
samples are taken in turns, so that a slow second slows both kinds; medians are compared, so that single
interruptions do not count; and a difference must show in each of five rounds to be one.
"""

import sys
from collections import Counter
from statistics import median
from time import thread_time_ns

import pytest
from tests.guard.small_world import DAY_S, ROBOTS, START_S, honest_traffic, new_guard, play, visit

from sekisho.guard.memory import CountTable

NOW_S = START_S + 21 * DAY_S
ROBOT = {"ip": "150.1.1.1", "asn": 60_005, "user_agent": ROBOTS[0], "tls": "robot"}
BOUND = 0.25
ROUNDS = 5
PAIRS = 1_500


@pytest.fixture(scope="module")
def guard():
    """Return a guard after three honest weeks."""
    guard = new_guard()
    play(guard, honest_traffic(days=21))
    guard.assess(_attempt("anybody", known=True))  # the clock moves on here, and not at the first of a pair
    return guard


def _attempt(name, *, known):
    return visit(0, NOW_S, token=False, member=name, known=known, **ROBOT)


def _made_up(guard, *, past):
    """Return an attempt at a name that does not exist, whose decoy has a past or none."""
    decoys, tables = guard.recollection.decoys, guard.lane("login").tables
    for number in range(400):
        attempt = _attempt(f"nobody{number}", known=False)
        seen = guard.recollection.observe(attempt, tables, NOW_S)
        if (decoys[seen.member % len(decoys)] is not None) is past:
            return attempt
    raise AssertionError("all decoys are alike")


def _calls(guard, attempt):
    """Return how often each function of ours runs while an attempt is decided."""
    called: Counter[str] = Counter()

    def note(frame, event, _):
        if event == "call" and "sekisho" in frame.f_code.co_filename:
            called[frame.f_code.co_qualname] += 1

    sys.setprofile(note)
    try:
        guard.assess(attempt)
    finally:
        sys.setprofile(None)
    return called


def test_the_same_functions_run_for_names_that_do_not_exist(guard):
    """As many look-ups in as many tables; a past is compared for half of the names, as for members."""
    newcomer = _calls(guard, _attempt("newcomer", known=True))
    member = _calls(guard, _attempt("m5", known=True))
    assert newcomer[CountTable.find.__qualname__] == 3
    assert _calls(guard, _made_up(guard, past=False)) == newcomer
    assert _calls(guard, _made_up(guard, past=True)) == member


def test_an_answer_takes_as_long_for_names_that_do_not_exist(guard):
    """CPU time of the thread, members without a past against made-up names, half of which have a decoy's."""
    differences = []
    for round_ in range(ROUNDS):
        spent: dict[bool, list[int]] = {True: [], False: []}
        for number in range(PAIRS):
            for known in (True, False) if number % 2 else (False, True):
                attempt = _attempt(f"name{round_}_{number}", known=known)
                begun = thread_time_ns()
                guard.assess(attempt)
                spent[known].append(thread_time_ns() - begun)
        differences.append(median(spent[False]) / median(spent[True]) - 1.0)
        if abs(differences[-1]) <= BOUND:
            return
    pytest.fail(f"names that do not exist took so much longer, in each round: {differences}")
