"""Let receivers fetch their tokens (RFC 8936): what they acknowledge is gone, the rest is brought again."""

import asyncio
from functools import partial
from typing import Annotated

import msgspec
import structlog
from sqlalchemy import Connection

from sekisho.identity.institution import Parts
from sekisho.identity.openid.signing_keys import SigningKeys
from sekisho.kernel.refusals import Refusal
from sekisho.sharing import outgoing
from sekisho.sharing.outgoing import Due, End, Outcome
from sekisho.sharing.sets import JTI_MAX, write_set
from sekisho.sharing.settings import SignalSettings
from sekisho.sharing.streams import POLL, Stream

log = structlog.get_logger(__name__)

LOOK_EVERY_S = 0.25
ACKS_MAX = 1_000

_Jti = Annotated[str, msgspec.Meta(min_length=1, max_length=JTI_MAX)]


class NotPolled(Refusal):
    """The stream's tokens are pushed, and not there to be fetched."""

    code = "stream_not_polled"
    status = 400
    told = "This stream's events are pushed."


class SetError(msgspec.Struct, frozen=True):
    """Why a receiver does not take a token."""

    err: Annotated[str, msgspec.Meta(max_length=64)]
    description: str = ""


class Poll(msgspec.Struct, frozen=True, rename="camel"):
    """What a receiver asks: how much, whether it waits, and what became of what it had."""

    max_events: Annotated[int, msgspec.Meta(ge=0)] | None = None
    return_immediately: bool = False
    ack: Annotated[list[_Jti], msgspec.Meta(max_length=ACKS_MAX)] = []
    set_errs: Annotated[dict[_Jti, SetError], msgspec.Meta(max_length=ACKS_MAX)] = {}


class Polled(msgspec.Struct, frozen=True, rename="camel"):
    """What it gets: tokens by their ids, and whether there are more."""

    sets: dict[str, str]
    more_available: bool


class PollDesk:
    """Answers polls at one institution. Of each stream, one poll at a time may wait."""

    def __init__(self, parts: Parts, keys: SigningKeys, settings: SignalSettings) -> None:
        self._parts = parts
        self._keys = keys
        self._settings = settings
        self._waiting: set[str] = set()

    async def answer(self, stream: Stream, poll: Poll) -> Polled:
        """Take note of what the receiver says, and return what waits for it.

        Raises NotPolled and OperationalError.
        """
        if stream.method != POLL:
            raise NotPolled(known=stream.id)
        if poll.ack or poll.set_errs:
            await self._parts.written(partial(self._note, stream, poll))
        at_most = self._settings.poll_events
        most = at_most if poll.max_events is None else min(poll.max_events, at_most)
        due = await self._due(stream, most, wait=bool(most) and not poll.return_immediately)
        key = self._keys.signer(self._settings.signed_with)
        sets = await asyncio.to_thread(lambda: {one.jti: write_set(one.claims, key) for one in due[:most]})
        return Polled(sets, len(due) > most)

    def waits(self, stream_id: str) -> bool:
        """Say whether a poll of this stream waits."""
        return stream_id in self._waiting

    async def _due(self, stream: Stream, most: int, *, wait: bool) -> list[Due]:
        look = partial(outgoing.waiting_for, stream_id=stream.id, limit=most + 1)
        due = await self._parts.read(look)
        if due or not wait or stream.id in self._waiting:
            return due
        self._waiting.add(stream.id)
        try:
            async with asyncio.timeout(self._settings.poll_wait_s):
                while not due:
                    await asyncio.sleep(LOOK_EVERY_S)
                    due = await self._parts.read(look)
        except TimeoutError:
            return []
        finally:
            self._waiting.discard(stream.id)
        return due

    def _note(self, stream: Stream, poll: Poll, connection: Connection) -> None:
        now_us = self._parts.clock.now_us()
        for jti in poll.ack:
            outgoing.has_ended(connection, stream.id, jti, Outcome(End.DELIVERED), now_us)
        for jti, error in poll.set_errs.items():
            code = error.err if error.err.isidentifier() else "unreadable"
            if outgoing.has_ended(connection, stream.id, jti, Outcome(End.REFUSED, code), now_us):
                log.warning("signals:event:refused", jti=jti, why=code)
