"""After a start, a guard knows what it knew before, and what was recorded since."""

import asyncio

import pytest
from tests.storage.attempt_samples import CHALLENGED, FULL, NOON_US, PLAIN

from sekisho.guard.attempts import ChallengeResult, Outcome
from sekisho.kernel.clock import SetClock
from sekisho.storage import outbox
from sekisho.storage.attempts import AttemptStore
from sekisho.storage.memory.recovery import catch_up


class Diary:
    """Writes down what it is told to relive, in order, and learns of nothing that it did not take up."""

    def __init__(self):
        self.lived = []
        self.open = []

    def reopen(self, attempt, decision):
        self.lived.append(attempt.member)
        self.open.append(decision)

    def learn(self, attempt, decision, outcome, challenge):
        assert any(decision is opened for opened in self.open)
        self.lived.append((attempt.member, decision, outcome, challenge))


@pytest.fixture
def attempts(store):
    return AttemptStore(store, clock=SetClock(NOON_US))


@pytest.fixture
def position(attempts):
    """Give the position after the first attempt, when the snapshot was taken."""

    async def steps():
        await attempts.record("att_1", FULL, CHALLENGED)
        snapshot = attempts.last_position()
        await attempts.record("att_2", PLAIN, CHALLENGED)
        await attempts.settle("att_2", Outcome.WRONG_SECRET, ChallengeResult.NONE, NOON_US)
        await attempts.settle("att_1", Outcome.SUCCESS, ChallengeResult.PASSED, NOON_US)
        return snapshot

    return asyncio.run(steps())


def test_everything_is_relived_in_order_where_there_is_no_snapshot(attempts, position):
    diary = Diary()
    assert catch_up(diary, attempts, 0) == attempts.last_position() > position
    assert diary.lived == [
        FULL.member,
        PLAIN.member,
        (PLAIN.member, CHALLENGED, Outcome.WRONG_SECRET, ChallengeResult.NONE),
        (FULL.member, CHALLENGED, Outcome.SUCCESS, ChallengeResult.PASSED),
    ]


def test_what_the_snapshot_knows_is_not_relived_but_what_came_of_it_later_is(attempts, position):
    diary = Diary()
    catch_up(diary, attempts, position)
    assert diary.lived == [
        PLAIN.member,
        (PLAIN.member, CHALLENGED, Outcome.WRONG_SECRET, ChallengeResult.NONE),
        FULL.member,
        (FULL.member, CHALLENGED, Outcome.SUCCESS, ChallengeResult.PASSED),
    ]


def test_what_is_already_known_is_nothing_to_relive(attempts, position):
    diary = Diary()
    newest = attempts.last_position()
    assert newest > position
    assert catch_up(diary, attempts, newest) == newest
    assert diary.lived == []


def test_other_entries_and_unknown_attempts_are_passed_over(store, attempts, position):
    notes = [outbox.Entry("note", str(number), 0, b"{}") for number in range(50)]
    store.write(lambda connection: outbox.append(connection, notes)).result()
    asyncio.run(settle_unknown(attempts))
    diary = Diary()
    catch_up(diary, attempts, position)
    assert len(diary.lived) == 4


async def settle_unknown(attempts):
    await attempts.settle("att_9", Outcome.SUCCESS, ChallengeResult.NONE, NOON_US)
