"""Push tokens to their receivers (RFC 8935) until they are taken, each stream by itself."""

import asyncio
import re
from functools import partial
from http import HTTPStatus

import msgspec
import structlog
from sqlalchemy import Connection

from sekisho.identity.http_line import Answered, HttpLine
from sekisho.identity.institution import Parts
from sekisho.identity.openid.signing_keys import SigningKeys
from sekisho.kernel.clock import DAY_US, HOUR_US, SECOND_US
from sekisho.kernel.posture import OperationalError
from sekisho.kernel.refusals import Refusal
from sekisho.sharing import outgoing, streams
from sekisho.sharing.events import short_name
from sekisho.sharing.outgoing import Due, End, Outcome
from sekisho.sharing.sets import TYPE, Err, write_set
from sekisho.sharing.settings import SignalSettings
from sekisho.sharing.streams import Stream

log = structlog.get_logger(__name__)

CONTENT_TYPE = f"application/{TYPE}"
AT_ONCE = 20
WAIT_US_MAX = HOUR_US
_SECONDS = re.compile(r"[0-9]{1,6}")
FOR_GOOD = frozenset({Err.INVALID_REQUEST, Err.INVALID_ISSUER, Err.INVALID_AUDIENCE, Err.INVALID_STATE})
"""What no second try changes. A key, an agreement or a token of ours may be known there later."""


class _Refusal(msgspec.Struct, frozen=True):
    err: str
    description: str = ""


class Deliverer:
    """Pushes what is due at one institution."""

    def __init__(self, parts: Parts, keys: SigningKeys, line: HttpLine, settings: SignalSettings) -> None:
        self._parts = parts
        self._keys = keys
        self._line = line
        self._settings = settings
        self._going: dict[str, asyncio.Task[int]] = {}

    async def deliver_due(self) -> int:
        """Push what is due now, wait for it, and return how many tokens were taken.

        Raises OperationalError where the store is down.
        """
        await self.start_due()
        return sum(await asyncio.gather(*self._going.values()))

    async def start_due(self) -> None:
        """Begin with each stream that has something due and is not under way. Raises OperationalError."""
        now_us = self._parts.clock.now_us()
        due = await self._parts.read(lambda at: outgoing.streams_due(at, now_us))
        for stream_id in due:
            if stream_id not in self._going:
                task = asyncio.get_running_loop().create_task(self._stream(stream_id))
                self._going[stream_id] = task
                task.add_done_callback(partial(self._ended, stream_id))

    async def close(self) -> None:
        """Carry to its end what is in hand."""
        await asyncio.gather(*self._going.values())

    def _ended(self, stream_id: str, _: asyncio.Task[int]) -> None:
        del self._going[stream_id]

    async def _stream(self, stream_id: str) -> int:
        taken = 0
        try:
            while (batch := await self._lease(stream_id)) and (stream := await self._find(stream_id)):
                for place, due in enumerate(batch):
                    outcome = await self._push(stream, due)
                    await self._parts.written(partial(self._record, stream_id, due, outcome))
                    if outcome.away:
                        await self._parts.written(
                            partial(self._hold, stream_id, due, batch[place + 1 :], outcome)
                        )
                        return taken
                    taken += outcome.end is End.DELIVERED
        except OperationalError as outage:
            # The leases run out by themselves.
            log.warning("signals:deliverer:outage", part=outage.part)
        return taken

    async def _find(self, stream_id: str) -> Stream | None:
        every = await self._parts.read(streams.all_streams)
        return next((one for one in every if one.id == stream_id), None)

    async def _lease(self, stream_id: str) -> list[Due]:
        now_us, chance = self._parts.clock.now_us(), self._parts.chance
        return await self._parts.written(lambda at: outgoing.lease(at, stream_id, AT_ONCE, now_us, chance))

    async def _push(self, stream: Stream, due: Due) -> Outcome:
        headers = {"content-type": CONTENT_TYPE, "accept": "application/json"}
        try:
            if authorization := streams.header_of(self._parts, stream):
                headers["authorization"] = authorization
            token = write_set(due.claims, self._keys.signer(self._settings.signed_with))
            url = stream.endpoint_url
            answer = await self._line.call("POST", url, headers=headers, content=token.encode())
        except (OperationalError, Refusal) as failure:
            return Outcome(None, f"no answer: {failure}", away=True)
        return _outcome(answer)

    def _record(self, stream_id: str, due: Due, outcome: Outcome, connection: Connection) -> None:
        now_us = self._parts.clock.now_us()
        if outcome.end is not None:
            outgoing.has_ended(connection, stream_id, due.jti, outcome, now_us)
            if outcome.end is End.REFUSED:
                event = short_name(due.event_type)
                log.warning("signals:event:refused", jti=due.jti, event_type=event, why=outcome.why)
            return
        log.info("signals:event:not_taken", jti=due.jti, tries=due.tries, why=outcome.why)
        last_us = due.made_at_us + self._settings.tried_days * DAY_US
        next_us = self._next_us(due, outcome)
        outgoing.postpone(connection, due, outcome, next_us=next_us, last_us=last_us)

    def _hold(
        self, stream_id: str, due: Due, rest: list[Due], outcome: Outcome, connection: Connection
    ) -> None:
        # The oldest is tried first: its growing pauses are the whole stream's.
        for other in rest:
            outgoing.give_back(connection, other)
        outgoing.hold_back(connection, stream_id, self._next_us(due, outcome))

    def _next_us(self, due: Due, outcome: Outcome) -> int:
        pause_us = outgoing.pause_us(due.tries, self._parts.chance)
        return self._parts.clock.now_us() + max(pause_us, outcome.wait_us)


def _outcome(answer: Answered) -> Outcome:
    if answer.status in {HTTPStatus.ACCEPTED, HTTPStatus.OK, HTTPStatus.NO_CONTENT}:
        return Outcome(End.DELIVERED)
    if answer.status == HTTPStatus.BAD_REQUEST:
        try:
            refusal = msgspec.json.decode(answer.body, type=_Refusal)
        except (msgspec.DecodeError, RecursionError):
            return Outcome(None, "400 without a code")
        code = refusal.err if refusal.err.isidentifier() else "unreadable"
        return Outcome(End.REFUSED if refusal.err in FOR_GOOD else None, code[:64])
    after = answer.headers.get("retry-after", "")
    wait_us = int(after) * SECOND_US if _SECONDS.fullmatch(after) else 0
    return Outcome(None, f"status {answer.status}", min(wait_us, WAIT_US_MAX), away=True)
