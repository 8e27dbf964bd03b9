"""The Python client: what it sends, what it makes of answers, and what an outage means."""

import asyncio

import httpx
import msgspec
import pytest
from tests.web.guard_service import NOW_US, GuardService

from sekisho.guard.attempts import Attempt, ChallengeResult, Outcome
from sekisho.guard.decisions import Action
from sekisho.guard.devices import DeviceTokens
from sekisho.kernel.chance import SeededChance
from sekisho.kernel.posture import Posture
from sekisho.web.guard_client.client import AsyncGuardClient, GuardClient, GuardRefused

ATTEMPT = Attempt(time_us=NOW_US, member="口座7", ip="2001:db8::1", gate="transfer", known=True, amount_yen=5)
SAID = {
    "id": "att_" + "0" * 32,
    "action": "challenge",
    "probability": 0.5,
    "before_hash": True,
    "reasons": ["three_strikes"],
    "policy": "default",
    "policy_revision": 3,
    "campaign": "cmp_1",
    "a_field_of_a_later_version": 1,
}


class Wire:
    """Answers what it is told to, and remembers what it was asked."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def client(wire: Wire, posture: Posture = Posture.OPEN) -> GuardClient:
    return GuardClient(
        "http://guard",
        "sk_test",
        on_outage=posture,
        chance=SeededChance(1),
        transport=httpx.MockTransport(wire),
    )


def test_the_client_and_the_service_understand_each_other() -> None:
    """Every field that is sent arrives, and the decision comes back as it was made."""

    async def play() -> None:
        at = GuardService()
        async with AsyncGuardClient(
            "http://guard",
            at.key,
            on_outage=Posture.CLOSED,
            chance=SeededChance(1),
            transport=httpx.ASGITransport(at.app),
        ) as guard:
            answer = await guard.assess(ATTEMPT)
            assert at.recorder.attempts[answer.attempt_id] == (ATTEMPT, answer.decision)
            told = await guard.settle(
                answer.attempt_id, Outcome.SUCCESS, ChallengeResult.PASSED, issue_device=True
            )
            assert told.heard
            assert DeviceTokens(b"d" * 32).verify(told.device_token, "口座7", NOW_US)
            assert at.recorder.outcomes == {answer.attempt_id: (Outcome.SUCCESS, ChallengeResult.PASSED)}

    asyncio.run(play())


def test_a_decision_is_read_and_later_fields_are_ignored() -> None:
    answer = client(Wire(httpx.Response(200, json=SAID))).assess(ATTEMPT)
    assert answer.attempt_id == SAID["id"]
    assert answer.decision.action is Action.CHALLENGE
    assert answer.decision.reasons == ("three_strikes",)
    assert answer.decision.campaign == "cmp_1"


@pytest.mark.parametrize(
    "failure",
    [httpx.ConnectError("refused"), httpx.ReadTimeout("slow"), httpx.Response(503), httpx.Response(502)],
)
def test_a_call_without_an_answer_is_sent_again_under_the_same_key(
    failure: httpx.Response | Exception,
) -> None:
    wire = Wire(failure, httpx.Response(200, json=SAID))
    assert client(wire).assess(ATTEMPT).attempt_id == SAID["id"]
    keys = [request.headers["idempotency-key"] for request in wire.asked]
    assert len(keys) == 2
    assert keys[0] == keys[1]


def test_another_call_has_another_key() -> None:
    wire = Wire(httpx.Response(200, json=SAID), httpx.Response(200, json=SAID))
    guard = client(wire)
    guard.assess(ATTEMPT)
    guard.assess(ATTEMPT)
    assert wire.asked[0].headers["idempotency-key"] != wire.asked[1].headers["idempotency-key"]


@pytest.mark.parametrize(
    "last",
    [
        httpx.ConnectError("refused"),
        httpx.Response(503),
        httpx.Response(500),
        httpx.Response(200, text="<html>"),
    ],
)
@pytest.mark.parametrize(
    ("posture", "action"),
    [(Posture.OPEN, Action.ALLOW), (Posture.CLOSED, Action.DENY)],
)
def test_an_outage_means_what_the_caller_said(
    last: httpx.Response | Exception, posture: Posture, action: Action
) -> None:
    answer = client(Wire(httpx.ConnectError("refused"), last), posture).assess(ATTEMPT)
    assert answer.decision.action is action
    assert answer.decision.before_hash is (action is Action.DENY)
    assert answer.decision.reasons == ("guard_unavailable",)
    assert answer.attempt_id == ""


def test_an_attempt_decided_without_the_guard_is_not_settled() -> None:
    wire = Wire()
    assert not client(wire).settle("", Outcome.SUCCESS).heard
    assert wire.asked == []


def test_an_outcome_that_is_not_heard_says_so() -> None:
    wire = Wire(httpx.ConnectError("refused"), httpx.ConnectError("refused"))
    assert not client(wire).settle(SAID["id"], Outcome.SUCCESS).heard  # type: ignore[arg-type] # it is a text


def test_a_refusal_is_the_callers_to_mend_and_is_not_sent_again() -> None:
    async def play() -> None:
        at = GuardService()
        guard = AsyncGuardClient(
            "http://guard",
            "sk_wrong",
            on_outage=Posture.OPEN,
            chance=SeededChance(1),
            transport=httpx.ASGITransport(at.app),
        )
        with pytest.raises(GuardRefused) as refused:
            await guard.assess(ATTEMPT)
        assert (refused.value.status, refused.value.code) == (401, "no_key")
        await guard.close()

    asyncio.run(play())


def test_a_whole_call_has_one_time_limit() -> None:
    """A guard that never answers holds a login up for the time that was said, not for each try anew."""

    async def play() -> float:
        async def never(request: httpx.Request) -> httpx.Response:
            await asyncio.Event().wait()
            raise AssertionError(request)

        guard = AsyncGuardClient(
            "http://guard",
            "sk_test",
            on_outage=Posture.CLOSED,
            chance=SeededChance(1),
            timeout_s=0.05,
            transport=httpx.MockTransport(never),
        )
        started = asyncio.get_running_loop().time()
        answer = await guard.assess(ATTEMPT)
        assert answer.decision.action is Action.DENY
        return asyncio.get_running_loop().time() - started

    assert asyncio.run(play()) < 1.0


def test_a_text_that_the_attacker_chose_long_is_cut_not_refused() -> None:
    async def play() -> None:
        at = GuardService()
        async with AsyncGuardClient(
            "http://guard",
            at.key,
            on_outage=Posture.OPEN,
            chance=SeededChance(1),
            transport=httpx.ASGITransport(at.app),
        ) as guard:
            long = msgspec.structs.replace(
                ATTEMPT, member="m" * 9_999, user_agent="u" * 9_999, tls="t" * 9_999
            )
            answer = await guard.assess(long)
            heard, _ = at.recorder.attempts[answer.attempt_id]
            assert (len(heard.member), len(heard.user_agent), len(heard.tls)) == (256, 2_048, 512)

    asyncio.run(play())
