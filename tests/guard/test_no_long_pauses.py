import gc

import pytest
from tests.guard.small_world import START_S, new_guard, visit

from sekisho.guard.attempts import Outcome

MEMBERS = 2_000


def _seen_by_the_collector():
    gc.collect()
    return len(gc.get_objects())


@pytest.mark.parametrize("token", [True, False], ids=["with a token", "without"])
def test_attempts_that_wait_for_their_outcome_are_nothing_to_the_garbage_collector(token):
    """It stops every answer for as long as it takes to go through what it sees."""
    guard = new_guard()
    guard.assess(visit(0, START_S))
    before = _seen_by_the_collector()
    decisions = [guard.assess(visit(number, START_S, token=token)) for number in range(MEMBERS)]
    assert _seen_by_the_collector() < before + MEMBERS / 10
    assert len(decisions) == MEMBERS


def test_members_are_nothing_to_the_garbage_collector():
    guard = new_guard()
    first = visit(0, START_S, device_valid=True)
    guard.learn(first, guard.assess(first), Outcome.SUCCESS)
    before = _seen_by_the_collector()
    for number in range(MEMBERS):
        attempt = visit(number, START_S, device_valid=True)
        guard.learn(attempt, guard.assess(attempt), Outcome.SUCCESS)
    assert len(guard.recollection.members.profiles) == MEMBERS
    assert _seen_by_the_collector() < before + MEMBERS / 10
