import asyncio

import pytest
from tests.conformance.busy import hold_up
from tests.storage.attempt_samples import ALLOWED, CHALLENGED, FULL, NOON_US, PLAIN

from sekisho.guard.attempts import ChallengeResult, Outcome
from sekisho.kernel.clock import SetClock
from sekisho.kernel.posture import OperationalError
from sekisho.storage.attempts import AttemptDecided, AttemptSettled, AttemptStore
from sekisho.storage.engine import open_store


@pytest.fixture
def attempts(store):
    return AttemptStore(store, clock=SetClock(NOON_US + 5))


def run(steps):
    return asyncio.run(steps)


def test_attempts_come_back_as_they_were_with_what_came_of_them(attempts):
    async def steps():
        await attempts.record("att_1", FULL, CHALLENGED)
        await attempts.record("att_2", PLAIN, ALLOWED)
        await attempts.settle("att_1", Outcome.SUCCESS, ChallengeResult.PASSED, NOON_US + 9)

    run(steps())
    plain, full = attempts.recent(10)
    assert (full.attempt_id, full.attempt, full.decision) == ("att_1", FULL, CHALLENGED)
    assert (full.at_us, full.outcome, full.challenge) == (NOON_US + 5, "success", "passed")
    assert (plain.attempt_id, plain.attempt, plain.decision) == ("att_2", PLAIN, ALLOWED)
    assert (plain.outcome, plain.challenge) == ("", "")
    assert [each.attempt_id for each in attempts.recent(1)] == ["att_2"]


def test_events_come_in_the_order_in_which_they_happened(attempts):
    async def steps():
        await asyncio.gather(
            attempts.record("att_1", FULL, CHALLENGED),
            attempts.record("att_2", PLAIN, ALLOWED),
            attempts.settle("att_1", Outcome.WRONG_SECRET, ChallengeResult.NONE, NOON_US + 9),
        )

    run(steps())
    first, second, third = attempts.since(0)
    assert isinstance(first, AttemptDecided)
    assert isinstance(second, AttemptDecided)
    assert isinstance(third, AttemptSettled)
    assert (first.attempt_id, second.attempt_id, third.attempt_id) == ("att_1", "att_2", "att_1")
    assert (third.outcome, third.at_us) == (Outcome.WRONG_SECRET, NOON_US + 9)
    assert attempts.since(first.position) == [second, third]
    assert attempts.since(0, limit=1) == [first]
    assert attempts.since(attempts.last_position()) == []


def test_the_first_word_about_an_attempt_stands(attempts):
    async def steps():
        await attempts.record("att_1", FULL, CHALLENGED)
        await attempts.record("att_1", PLAIN, ALLOWED)
        await attempts.settle("att_1", Outcome.SUCCESS, ChallengeResult.NONE, 1)
        await attempts.settle("att_1", Outcome.WRONG_SECRET, ChallengeResult.NONE, 2)

    run(steps())
    (only,) = attempts.recent(10)
    assert (only.attempt, only.outcome) == (FULL, Outcome.SUCCESS)


def test_what_arrives_while_the_store_is_busy_is_written_together_and_in_order(store, attempts):
    go_on = hold_up(store)

    async def steps():
        written = [attempts.record(f"att_{number:03}", PLAIN, ALLOWED) for number in range(500)]
        go_on.set()
        await asyncio.gather(*written)

    run(steps())
    assert [event.attempt_id for event in attempts.since(0)] == [f"att_{number:03}" for number in range(500)]


def test_what_the_event_loop_has_at_hand_is_one_write(store, attempts, monkeypatch):
    submitted = []
    write = store.write

    def counted(work):
        submitted.append(work)
        return write(work)

    monkeypatch.setattr(store, "write", counted)

    async def one_of_many(number):
        await attempts.record(f"att_{number}", PLAIN, ALLOWED)

    async def steps():
        await asyncio.gather(*(one_of_many(number) for number in range(20)))

    run(steps())
    assert len(submitted) == 1
    assert len(attempts.since(0)) == 20


def test_a_caller_who_goes_away_takes_nobody_along(store, attempts):
    go_on = hold_up(store)

    async def steps():
        gone = asyncio.ensure_future(attempts.record("att_1", FULL, CHALLENGED))
        stays = attempts.record("att_2", PLAIN, ALLOWED)
        gone.cancel()
        go_on.set()
        await stays

    run(steps())
    assert [event.attempt_id for event in attempts.since(0)] == ["att_1", "att_2"]


def test_a_store_that_hangs_is_an_outage_after_its_time(store):
    attempts = AttemptStore(store, clock=SetClock(), commit_s_max=0.05)
    go_on = hold_up(store)

    async def steps():
        for late in [attempts.record("att_1", FULL, ALLOWED), attempts.record("att_2", FULL, ALLOWED)]:
            with pytest.raises(OperationalError, match=r"no commit within 0\.05 s"):
                await late
        go_on.set()
        await attempts.record("att_3", FULL, ALLOWED)

    run(steps())
    assert attempts.recent(1)[0].attempt_id == "att_3"


def test_a_loop_that_ended_in_the_middle_holds_nobody_up(attempts):
    async def ended():
        attempts.record("att_1", FULL, ALLOWED).cancel()

    async def steps():
        await attempts.record("att_2", FULL, ALLOWED)

    run(ended())
    run(steps())
    assert attempts.recent(1)[0].attempt_id == "att_2"


def test_too_many_who_wait_are_turned_away_at_once(store):
    attempts = AttemptStore(store, clock=SetClock(), waiting_max=2)
    go_on = hold_up(store)

    async def steps():
        kept = [attempts.record(f"att_{number}", FULL, ALLOWED) for number in range(2)]
        with pytest.raises(OperationalError, match="2 records wait"):
            await attempts.record("att_2", FULL, ALLOWED)
        go_on.set()
        await asyncio.gather(*kept)

    run(steps())
    assert [event.attempt_id for event in attempts.since(0)] == ["att_0", "att_1"]


def test_a_closed_store_is_an_outage(store_url):
    store = open_store(store_url)
    attempts = AttemptStore(store, clock=SetClock())
    store.close()

    async def steps():
        for _ in range(2):
            with pytest.raises(OperationalError, match="closed"):
                await attempts.record("att_1", FULL, ALLOWED)

    run(steps())


def test_a_lost_connection_fails_those_who_wait_and_the_next_are_kept(store, attempts):
    """The record's own work never began here: those who wait must hear of it all the same."""
    go_on = hold_up(store)
    store.write(lambda connection: connection.invalidate())

    async def steps():
        lost = attempts.record("att_1", FULL, ALLOWED)
        await asyncio.sleep(0)  # the loop comes round, and submits it
        go_on.set()
        with pytest.raises(OperationalError, match="store"):
            await lost
        await attempts.record("att_2", FULL, ALLOWED)

    run(steps())
    assert [event.attempt_id for event in attempts.since(0)] == ["att_2"]
