"""`POST /v1/attempts` and its outcome: parse, ask the desk, answer."""

import hashlib
import socket
from time import perf_counter

import msgspec

from sekisho.guard.attempts import Attempt, ChallengeResult, Outcome
from sekisho.kernel.clock import SECOND_US
from sekisho.kernel.ids import ATTEMPT
from sekisho.web.asgi import JSON, NO_STORE, Answer
from sekisho.web.guard_api.desk import PROVEN, GuardDesk
from sekisho.web.guard_api.idempotency import AnswersByKey
from sekisho.web.guard_api.messages import (
    AnswerMessage,
    AttemptMessage,
    OutcomeMessage,
    SettledMessage,
    StrictAttemptMessage,
    StrictOutcomeMessage,
    attempt_of,
)
from sekisho.web.guard_api.metrics import GuardMetrics
from sekisho.web.guard_api.refusals import ImpossibleTime, UnknownAttempt
from sekisho.web.guard_api.settings import GuardServiceSettings
from sekisho.web.problems import Malformed, UnsupportedMediaType

HEADERS = (JSON, NO_STORE)
STRICT = b"handling=strict"
UNREADABLE = (msgspec.MsgspecError, RecursionError, UnicodeDecodeError)

_encode = msgspec.json.Encoder().encode
_decode_attempt = msgspec.json.Decoder(AttemptMessage).decode
_decode_attempt_strictly = msgspec.json.Decoder(StrictAttemptMessage).decode
_decode_outcome = msgspec.json.Decoder(OutcomeMessage).decode
_decode_outcome_strictly = msgspec.json.Decoder(StrictOutcomeMessage).decode


class AttemptsRoute:
    """Answers the two requests that an attempt lives through."""

    def __init__(self, desk: GuardDesk, metrics: GuardMetrics, settings: GuardServiceSettings) -> None:
        self._desk = desk
        self._metrics = metrics
        self._ahead_us = None if settings.time_ahead_s_max is None else settings.time_ahead_s_max * SECOND_US
        self._answers = AnswersByKey(desk.clock)

    async def assess(self, caller: str, headers: dict[bytes, bytes], body: bytes) -> Answer:
        """Decide the attempt in the body, once for each Idempotency-Key."""
        attempt = self._read_attempt(headers, body)
        key = headers.get(b"idempotency-key")
        if key is None:
            return await self._decide(attempt)
        digest = hashlib.sha256(body).digest()
        return await self._answers.answer(caller, key, digest, lambda: self._decide(attempt))

    async def _decide(self, attempt: Attempt) -> Answer:
        started = perf_counter()
        attempt_id, decision = await self._desk.assess(attempt)
        body = _encode(
            AnswerMessage(
                id=attempt_id,
                action=decision.action,
                probability=decision.probability,
                before_hash=decision.before_hash,
                reasons=decision.reasons,
                policy=decision.policy,
                policy_revision=decision.policy_revision,
                campaign=decision.campaign,
                label_wanted=decision.label_wanted,
            ),
        )
        self._metrics.assessed(attempt.gate, decision, perf_counter() - started)
        return Answer(200, HEADERS, body)

    async def settle(self, attempt_id: str, headers: dict[bytes, bytes], body: bytes) -> Answer:
        """Keep what came of an attempt."""
        try:
            known_id = ATTEMPT.parse(attempt_id)
        except ValueError as failure:
            raise UnknownAttempt(known=str(failure)) from None
        _require_json(headers)
        try:
            decode = _decode_outcome_strictly if STRICT in headers.get(b"prefer", b"") else _decode_outcome
            message = decode(body)
        except UNREADABLE as failure:
            raise Malformed(told=str(failure)) from None
        outcome = Outcome(message.outcome)
        challenge = ChallengeResult(message.challenge or "")
        attempt = await self._desk.settle(known_id, outcome, challenge)
        self._metrics.settled(outcome, challenge)
        proven = outcome is Outcome.SUCCESS and challenge in PROVEN
        settled = SettledMessage(
            id=known_id,
            outcome=outcome,
            challenge=challenge,
            device_token=self._desk.issue_device(attempt) if proven and message.issue_device else "",
        )
        return Answer(200, HEADERS, _encode(settled))

    async def echo(self, caller: str, headers: dict[bytes, bytes], body: bytes) -> Answer:
        """Parse an attempt and say it again: the least that any answer costs on this server."""
        del caller
        _require_json(headers)
        try:
            return Answer(200, HEADERS, _encode(_decode_attempt(body)))
        except UNREADABLE as failure:
            raise Malformed(told=str(failure)) from None

    def _read_attempt(self, headers: dict[bytes, bytes], body: bytes) -> Attempt:
        _require_json(headers)
        if b"\\u0000" in body:
            # No store keeps NUL in every engine, and no honest name, browser or token has one.
            body = body.replace(b"\\u0000", b"\\ufffd")
        try:
            decode = _decode_attempt_strictly if STRICT in headers.get(b"prefer", b"") else _decode_attempt
            message = decode(body)
        except UNREADABLE as failure:
            raise Malformed(told=str(failure)) from None
        require_address(message.ip)
        now_us = self._desk.clock.now_us()
        attempt = attempt_of(message, now_us)
        ahead_us = attempt.time_us - now_us
        if self._ahead_us is not None and ahead_us > self._ahead_us:
            raise ImpossibleTime(told=f"The attempt's time is {ahead_us // SECOND_US} s ahead of the clock.")
        return attempt


def require_address(text: str) -> None:
    """Refuse with `malformed` what is neither an IPv4 nor an IPv6 address."""
    try:
        socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)
    except (OSError, ValueError):
        raise Malformed(told="Expected an IPv4 or IPv6 address - at `$.ip`") from None


def _require_json(headers: dict[bytes, bytes]) -> None:
    media_type = headers.get(b"content-type", b"application/json")
    if (
        media_type != b"application/json"
        and media_type.partition(b";")[0].strip().lower() != b"application/json"
    ):
        raise UnsupportedMediaType(known=repr(media_type[:80]))
