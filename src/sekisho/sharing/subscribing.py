"""Ask a transmitter for a stream, keep it, and see that it works: the receiver's side of SSF 1.0."""

from http import HTTPStatus
from typing import Annotated, Any, NamedTuple
from urllib.parse import urlsplit

import msgspec
from sqlalchemy import Connection

from sekisho.identity.http_line import Answered, HttpLine, require_fit
from sekisho.identity.institution import Parts
from sekisho.identity.tokens import new_token
from sekisho.kernel.posture import OperationalError
from sekisho.sharing import feeds
from sekisho.sharing.events import SHAREABLE
from sekisho.sharing.feeds import Feed, Subscription, Transmitter, TransmitterUnfit
from sekisho.sharing.streams import POLL, PUSH

WELL_KNOWN = "/.well-known/ssf-configuration"
EVENTS_PATH = "/ssf/events"


class Wish(NamedTuple):
    """A stream that we want: from whom, with which token, and how its events are to come."""

    issuer: str
    token: str
    method: str = PUSH
    events: tuple[str, ...] = SHAREABLE
    description: str = ""


class _Delivery(msgspec.Struct, frozen=True):
    method: str
    endpoint_url: str = ""


class _Configuration(msgspec.Struct, frozen=True):
    stream_id: Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
    iss: str
    aud: str | list[str]
    delivery: _Delivery


class Subscriber:
    """Subscribes one institution to the streams of others."""

    def __init__(self, parts: Parts, line: HttpLine) -> None:
        self._parts = parts
        self._line = line

    async def subscribe(self, wish: Wish) -> Feed:
        """Make a stream at a transmitter, or take up the one that is there, and ask for its verification.

        Raises TransmitterUnfit, AddressUnfit, and OperationalError where the transmitter is not to be had.
        """
        transmitter = await self.discover(wish.issuer)
        header = f"Bearer {new_token(self._parts.chance)}" if wish.method == PUSH else ""
        said = await self._made(transmitter, wish, self._wanted(wish, header))
        begun = self._begun(wish, transmitter, said, header)
        feed = await self._parts.written(lambda at: feeds.subscribe(at, self._parts, wish.issuer, begun))
        await self.verify(feed)
        return feed

    async def verify(self, feed: Feed) -> None:
        """Ask for a verification; the feed counts as verified when it comes. Raises OperationalError."""
        state = new_token(self._parts.chance)

        def expect(connection: Connection) -> str:
            feeds.expect_verification(connection, feed.issuer, state)
            return feeds.token_of(connection, self._parts, feed.issuer)

        token = await self._parts.written(expect)
        asked = {"stream_id": feed.stream_id, "state": state}
        answer = await self._call("POST", feed.transmitter.verification_endpoint, token, asked)
        if answer.status != HTTPStatus.NO_CONTENT:
            raise OperationalError("partner", f"verification: status {answer.status}")

    async def unsubscribe(self, feed: Feed) -> None:
        """Take the stream away at the transmitter. Raises OperationalError."""
        token = await self._parts.read(lambda at: feeds.token_of(at, self._parts, feed.issuer))
        url = f"{feed.transmitter.configuration_endpoint}?stream_id={feed.stream_id}"
        answer = await self._call("DELETE", url, token)
        if answer.status not in {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_FOUND}:
            raise OperationalError("partner", f"deletion: status {answer.status}")

    async def discover(self, issuer: str) -> Transmitter:
        """Read what a transmitter says of itself. Raises TransmitterUnfit, AddressUnfit, OperationalError."""
        require_fit(issuer)
        parts = urlsplit(issuer)
        # The well-known path stands between the host and the issuer's own path (SSF 1.0 section 7.2).
        url = parts._replace(path=WELL_KNOWN + parts.path.rstrip("/")).geturl()
        answer = await self._line.call("GET", url, headers={"accept": "application/json"})
        if answer.status != HTTPStatus.OK:
            raise OperationalError("partner", f"discovery: status {answer.status}")
        try:
            said = msgspec.convert(answer.json(), Transmitter)
        except msgspec.ValidationError as error:
            raise TransmitterUnfit(known=str(error)) from error
        return said.require_own(issuer)

    def _wanted(self, wish: Wish, header: str) -> dict[str, Any]:
        delivery = {"method": wish.method}
        if wish.method == PUSH:
            delivery["endpoint_url"] = f"{self._parts.institution.origin}{EVENTS_PATH}"
            delivery["authorization_header"] = header
        wanted: dict[str, Any] = {"delivery": delivery, "events_requested": list(wish.events)}
        return wanted | ({"description": wish.description} if wish.description else {})

    async def _made(self, transmitter: Transmitter, wish: Wish, wanted: dict[str, Any]) -> _Configuration:
        endpoint = transmitter.configuration_endpoint
        answer = await self._call("POST", endpoint, wish.token, wanted)
        if answer.status == HTTPStatus.CONFLICT:
            # A stream of an earlier agreement: its words are said anew.
            there = await self._there(endpoint, wish.token)
            answer = await self._call("PUT", endpoint, wish.token, {**wanted, "stream_id": there})
        if answer.status not in {HTTPStatus.CREATED, HTTPStatus.OK}:
            raise OperationalError("partner", f"stream: status {answer.status}")
        try:
            return msgspec.convert(answer.json(), _Configuration)
        except msgspec.ValidationError as error:
            raise TransmitterUnfit(known=str(error)) from error

    async def _there(self, endpoint: str, token: str) -> str:
        answer = await self._call("GET", endpoint, token)
        try:
            listed = msgspec.convert(answer.json(), list[_Configuration])
        except msgspec.ValidationError as error:
            raise TransmitterUnfit(known=str(error)) from error
        if not listed:
            raise TransmitterUnfit(known="a conflict with no stream")
        return listed[0].stream_id

    def _begun(self, wish: Wish, transmitter: Transmitter, said: _Configuration, header: str) -> Subscription:
        audience = said.aud if isinstance(said.aud, str) else next(iter(said.aud), "")
        if said.iss != wish.issuer or said.delivery.method != wish.method or not audience:
            raise TransmitterUnfit(known="the stream is not what was asked for")
        if wish.method == POLL:
            transmitter = msgspec.structs.replace(transmitter, poll_endpoint=said.delivery.endpoint_url)
            if not transmitter.require_own(wish.issuer).poll_endpoint:
                raise TransmitterUnfit(known="there is nowhere to poll")
        return Subscription(
            stream_id=said.stream_id,
            audience=audience,
            method=wish.method,
            transmitter=transmitter,
            header=header,
            token=wish.token,
        )

    async def _call(self, method: str, url: str, token: str, body: object = None) -> Answered:
        headers = {"authorization": f"Bearer {token}", "accept": "application/json"}
        if body is None:
            return await self._line.call(method, url, headers=headers)
        headers["content-type"] = "application/json"
        return await self._line.call(method, url, headers=headers, content=msgspec.json.encode(body))
