"""The desk: what is answered is on record, what is settled is learned once, and listeners see both."""

import asyncio

import msgspec
import pytest
from tests.web.guard_service import ListRecorder, ThreeStrikes

from sekisho.guard.attempts import Attempt, ChallengeResult, Outcome
from sekisho.guard.decisions import Action
from sekisho.kernel.chance import SeededChance
from sekisho.kernel.clock import MINUTE_US, SetClock
from sekisho.kernel.posture import Posture
from sekisho.web.guard_api.desk import Assessed, Event, GuardDesk, Settled
from sekisho.web.guard_api.refusals import OutcomeConflict, RecordUnavailable, UnknownAttempt
from sekisho.web.problems import Overloaded

NOW_US = 1_700_000_000_000_000


class Setting:
    """A desk with a clock that stands still and a recorder that can be put out of order."""

    def __init__(
        self, posture: Posture = Posture.CLOSED, *, open_attempts_max: int = 100, in_flight_max: int = 100
    ) -> None:
        self.clock = SetClock(NOW_US)
        self.recorder = ListRecorder()
        self.guard = ThreeStrikes()
        self.desk = GuardDesk(
            self.guard,
            clock=self.clock,
            chance=SeededChance(1),
            recorder=self.recorder,
            on_outage=posture,
            open_attempts_max=open_attempts_max,
            in_flight_max=in_flight_max,
        )
        self.events: list[Event] = []
        self.desk.listeners.append(self.events.append)


def attempt(member: str = "m1") -> Attempt:
    return Attempt(time_us=NOW_US, member=member, ip="192.0.2.1")


def test_an_answer_waits_for_its_record() -> None:
    """Nothing is answered while the record is not durable, and then the answer is what was recorded."""

    async def play() -> None:
        at = Setting()
        at.recorder.durable.clear()
        answer = asyncio.ensure_future(at.desk.assess(attempt()))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert at.recorder.attempts
        assert not answer.done()
        assert at.events == []
        at.recorder.durable.set()
        attempt_id, decision = await answer
        assert at.recorder.attempts[attempt_id] == (attempt(), decision)
        assert decision.action is Action.ALLOW

    asyncio.run(play())


def test_listeners_see_assessed_and_settled() -> None:
    async def play() -> None:
        at = Setting()
        attempt_id, decision = await at.desk.assess(attempt())
        at.clock.advance(5)
        await at.desk.settle(attempt_id, Outcome.SUCCESS, ChallengeResult.PASSED)
        assert at.events == [
            Assessed(attempt_id=attempt_id, attempt=attempt(), decision=decision, at_us=NOW_US),
            Settled(
                attempt_id=attempt_id,
                attempt=attempt(),
                decision=decision,
                outcome=Outcome.SUCCESS,
                challenge=ChallengeResult.PASSED,
                at_us=NOW_US + 5,
            ),
        ]

    asyncio.run(play())


def test_a_failing_listener_changes_no_answer(capsys: pytest.CaptureFixture[str]) -> None:
    def fail(event: Event) -> None:
        raise ZeroDivisionError(event)

    async def play() -> None:
        at = Setting()
        at.desk.listeners.insert(0, fail)
        _, decision = await at.desk.assess(attempt())
        assert decision.action is Action.ALLOW
        assert len(at.events) == 1

    asyncio.run(play())
    assert "desk:listener:failed" in capsys.readouterr().out


def test_the_same_outcome_twice_is_learned_once() -> None:
    async def play() -> None:
        at = Setting()
        attempt_id, _ = await at.desk.assess(attempt())
        for _ in range(5):
            await at.desk.settle(attempt_id, Outcome.WRONG_SECRET)
        _, decision = await at.desk.assess(attempt("m2"))
        _, same = await at.desk.assess(attempt("m3"))
        assert decision.action is Action.ALLOW
        assert same.action is Action.ALLOW
        assert at.recorder.outcomes == {attempt_id: (Outcome.WRONG_SECRET, ChallengeResult.NONE)}
        assert sum(isinstance(event, Settled) for event in at.events) == 1

    asyncio.run(play())


def test_another_outcome_is_a_conflict_and_changes_nothing() -> None:
    async def play() -> None:
        at = Setting()
        attempt_id, _ = await at.desk.assess(attempt())
        await at.desk.settle(attempt_id, Outcome.WRONG_SECRET)
        with pytest.raises(OutcomeConflict):
            await at.desk.settle(attempt_id, Outcome.SUCCESS)
        with pytest.raises(OutcomeConflict):
            await at.desk.settle(attempt_id, Outcome.WRONG_SECRET, ChallengeResult.PASSED)
        assert at.recorder.outcomes == {attempt_id: (Outcome.WRONG_SECRET, ChallengeResult.NONE)}

    asyncio.run(play())


def test_an_attempt_can_be_settled_for_half_an_hour() -> None:
    async def play() -> None:
        at = Setting()
        first, _ = await at.desk.assess(attempt())
        second, _ = await at.desk.assess(attempt())
        at.clock.advance(30 * MINUTE_US)
        await at.desk.settle(first, Outcome.SUCCESS)
        at.clock.advance(1)
        with pytest.raises(UnknownAttempt):
            await at.desk.settle(second, Outcome.SUCCESS)
        await at.desk.assess(attempt())
        assert at.desk.open_count == 1

    asyncio.run(play())


def test_the_oldest_open_attempts_go_first() -> None:
    async def play() -> None:
        at = Setting(open_attempts_max=2)
        ids = [(await at.desk.assess(attempt(f"m{n}")))[0] for n in range(3)]
        with pytest.raises(UnknownAttempt):
            await at.desk.settle(ids[0], Outcome.SUCCESS)
        await at.desk.settle(ids[1], Outcome.SUCCESS)
        await at.desk.settle(ids[2], Outcome.SUCCESS)

    asyncio.run(play())


def test_a_closed_desk_answers_nothing_without_a_record() -> None:
    async def play() -> None:
        at = Setting(Posture.CLOSED)
        at.recorder.out = True
        with pytest.raises(RecordUnavailable):
            await at.desk.assess(attempt())
        assert at.desk.open_count == 0
        assert at.events == []
        assert at.desk.in_flight == 0

    asyncio.run(play())


def test_an_open_desk_answers_without_a_record_and_counts_it() -> None:
    async def play() -> None:
        at = Setting(Posture.OPEN)
        at.recorder.out = True
        attempt_id, decision = await at.desk.assess(attempt())
        assert decision.action is Action.ALLOW
        assert at.desk.unrecorded_count == 1
        await at.desk.settle(attempt_id, Outcome.SUCCESS)
        assert at.desk.unrecorded_count == 2

    asyncio.run(play())


def test_an_outcome_refused_for_want_of_a_record_can_be_told_again() -> None:
    """It is learned once, and recorded when the store is back."""

    async def play() -> None:
        at = Setting(Posture.CLOSED)
        attempt_id, _ = await at.desk.assess(attempt())
        at.recorder.out = True
        with pytest.raises(RecordUnavailable):
            await at.desk.settle(attempt_id, Outcome.WRONG_SECRET)
        at.recorder.outcomes.clear()
        at.recorder.out = False
        await at.desk.settle(attempt_id, Outcome.WRONG_SECRET)
        assert attempt_id in at.recorder.outcomes
        assert sum(isinstance(event, Settled) for event in at.events) == 1

    asyncio.run(play())


def test_too_many_answers_in_flight_are_refused_before_the_guard_judges() -> None:
    async def play() -> None:
        at = Setting(in_flight_max=2)
        at.recorder.durable.clear()
        waiting = [asyncio.ensure_future(at.desk.assess(attempt())) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(Overloaded):
            await at.desk.assess(attempt())
        assert len(at.recorder.attempts) == 2
        at.recorder.durable.set()
        await asyncio.gather(*waiting)
        await at.desk.assess(attempt())

    asyncio.run(play())


def test_an_attempt_of_an_earlier_process_can_still_be_settled_once() -> None:
    async def play() -> None:
        at = Setting()
        open_still = Assessed(
            attempt_id="att_open",
            attempt=attempt(),
            decision=at.guard.assess(attempt()),
            at_us=NOW_US - 30 * MINUTE_US,
        )
        replace = msgspec.structs.replace
        at.desk.reopen(replace(open_still, attempt_id="att_old", at_us=open_still.at_us - 1))
        at.desk.reopen(open_still)
        at.desk.reopen(replace(open_still, attempt_id="att_told", at_us=NOW_US), Outcome.SUCCESS)
        await at.desk.settle("att_open", Outcome.WRONG_SECRET)
        await at.desk.settle("att_told", Outcome.SUCCESS)
        with pytest.raises(OutcomeConflict):
            await at.desk.settle("att_told", Outcome.WRONG_SECRET)
        with pytest.raises(UnknownAttempt):
            await at.desk.settle("att_old", Outcome.SUCCESS)
        assert list(at.recorder.outcomes) == ["att_open"]

    asyncio.run(play())
