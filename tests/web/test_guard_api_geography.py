"""Where an address is, is filled in before the guard judges, and recorded with the attempt."""

import asyncio

import msgspec
from tests.web.guard_service import NOW_US, ListRecorder, ThreeStrikes

from sekisho.guard.attempts import Attempt
from sekisho.kernel.chance import SeededChance
from sekisho.kernel.clock import SetClock
from sekisho.kernel.posture import Posture
from sekisho.web.guard_api.desk import GuardDesk


class Atlas:
    """Knows one provider."""

    def locate(self, attempt: Attempt, /) -> Attempt:
        return msgspec.structs.replace(attempt, asn=64_500)


class Witness(ThreeStrikes):
    """A judge that keeps what it was shown."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[int] = []

    def assess(self, attempt: Attempt):
        self.shown.append(attempt.asn)
        return super().assess(attempt)


def test_the_desk_locates_an_attempt_before_it_is_judged_and_recorded():
    judge, recorder = Witness(), ListRecorder()
    desk = GuardDesk(
        judge, clock=SetClock(NOW_US), chance=SeededChance(1), recorder=recorder, on_outage=Posture.CLOSED,
        geography=Atlas(),
    )  # fmt: skip
    attempt_id, _ = asyncio.run(desk.assess(Attempt(time_us=NOW_US, member="m", ip="192.0.2.1")))
    assert judge.shown == [64_500]
    assert recorder.attempts[attempt_id][0].asn == 64_500
