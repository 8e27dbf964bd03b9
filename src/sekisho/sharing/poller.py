"""Fetch tokens from transmitters that do not push (RFC 8936), and say what became of each."""

from http import HTTPStatus
from typing import Any

import msgspec
import structlog

from sekisho.identity.http_line import HttpLine
from sekisho.identity.institution import Parts
from sekisho.kernel.posture import OperationalError
from sekisho.kernel.refusals import Refusal
from sekisho.sharing import feeds
from sekisho.sharing.feeds import Feed
from sekisho.sharing.intake import Intake
from sekisho.sharing.polls import Polled
from sekisho.sharing.sets import SetRefused

log = structlog.get_logger(__name__)

EVENTS_AT_ONCE = 50
ROUNDS_MAX = 200
"""A transmitter that never comes to an end must not keep us from the others."""


class Poller:
    """Fetches the tokens of one institution's feeds. The line must be as patient as a poll may wait."""

    def __init__(self, parts: Parts, line: HttpLine, intake: Intake) -> None:
        self._parts = parts
        self._line = line
        self._intake = intake

    async def fetch(self, feed: Feed, *, wait: bool) -> int:
        """Fetch and take in what waits, until nothing does, and return how many tokens there were.

        What was taken is acknowledged in the next request: who dies in between is brought it again. Raises
        OperationalError.
        """
        fetched, settled = 0, _Settled()
        for _ in range(ROUNDS_MAX):
            polled = await self._ask(feed, settled, wait=wait and not fetched)
            settled = await self._take(feed, polled)
            fetched += len(polled.sets)
            if not polled.sets:
                break
        return fetched

    async def _take(self, feed: Feed, polled: Polled) -> "_Settled":
        settled = _Settled()
        for jti, token in polled.sets.items():
            try:
                await self._intake.take_polled(feed, token)
                settled.ack.append(jti)
            except SetRefused as refused:
                settled.set_errs[jti] = {"err": refused.err.value, "description": refused.description}
        return settled

    async def _ask(self, feed: Feed, settled: "_Settled", *, wait: bool) -> Polled:
        token = await self._parts.read(lambda at: feeds.token_of(at, self._parts, feed.issuer))
        asked = {
            "maxEvents": EVENTS_AT_ONCE,
            "returnImmediately": not wait,
            "ack": settled.ack,
            "setErrs": settled.set_errs,
        }
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        url = feed.transmitter.poll_endpoint
        try:
            answer = await self._line.call("POST", url, headers=headers, content=msgspec.json.encode(asked))
        except Refusal as refusal:
            raise OperationalError("partner", refusal.code) from refusal
        if answer.status != HTTPStatus.OK:
            raise OperationalError("partner", f"poll: status {answer.status}")
        try:
            return msgspec.convert(answer.json(), Polled)
        except msgspec.ValidationError as error:
            raise OperationalError("partner", "the answer is no poll's") from error


class _Settled(msgspec.Struct):
    ack: list[str] = []
    set_errs: dict[str, Any] = {}
