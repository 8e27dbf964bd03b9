"""Streams that we receive: at which transmitter, how its tokens come, and where it answers."""

import hmac
from typing import Annotated, Any

import msgspec
from sqlalchemy import Connection, Row, delete, select, update

from sekisho.identity.http_line import require_fit
from sekisho.identity.institution import Parts
from sekisho.identity.tokens import digest_of
from sekisho.kernel.refusals import Refusal
from sekisho.messages.queue import insert_once
from sekisho.sharing.streams import Status
from sekisho.storage.sealed_columns import context_of
from sekisho.storage.tables.signals import signal_feed

_Url = Annotated[str, msgspec.Meta(min_length=1, max_length=2_048)]


class TransmitterUnfit(Refusal):
    """What a transmitter says of itself cannot be used."""

    code = "transmitter_unfit"
    status = 502
    told = "The other institution's configuration can't be used."


class Transmitter(msgspec.Struct, frozen=True, kw_only=True):
    """What a transmitter publishes at `/.well-known/ssf-configuration` (SSF 1.0 section 7.1)."""

    issuer: _Url
    jwks_uri: _Url
    delivery_methods_supported: list[str] = []
    configuration_endpoint: _Url
    verification_endpoint: _Url
    status_endpoint: str = ""
    add_subject_endpoint: str = ""
    remove_subject_endpoint: str = ""
    poll_endpoint: str = ""

    def require_own(self, issuer: str) -> "Transmitter":
        """Hold it to its issuer: nothing lies elsewhere. Raises TransmitterUnfit and AddressUnfit."""
        if self.issuer != issuer:
            raise TransmitterUnfit(known="it names another issuer")
        for url in (
            self.jwks_uri,
            self.configuration_endpoint,
            self.verification_endpoint,
            self.status_endpoint,
            self.poll_endpoint,
        ):
            if url:
                require_fit(url, origin_of(issuer))
        return self


class Feed(msgspec.Struct, frozen=True, kw_only=True):
    """A stream at a transmitter. `state` is what our last request for a verification carried."""

    issuer: str
    stream_id: str
    audience: str
    method: str
    transmitter: Transmitter
    state: str
    status: Status
    verified_at_us: int | None
    made_at_us: int


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    """How a feed begins: the header that the transmitter brings, and the token that we bring."""

    stream_id: str
    audience: str
    method: str
    transmitter: Transmitter
    header: str
    token: str


def subscribe(connection: Connection, parts: Parts, issuer: str, begun: Subscription) -> Feed:
    """Keep a new feed in the place of what there was of this issuer."""
    connection.execute(delete(signal_feed).where(signal_feed.c.issuer == issuer))
    row = {
        "issuer": issuer,
        "stream_id": begun.stream_id,
        "audience": begun.audience,
        "method": begun.method,
        "header_digest": digest_of(begun.header) if begun.header else None,
        "token": parts.keyring.seal(begun.token.encode(), context=_context(issuer)),
        "metadata": msgspec.json.encode(begun.transmitter),
        "state": "",
        "status": Status.ENABLED.value,
        "verified_at_us": None,
        "made_at_us": parts.clock.now_us(),
    }
    insert_once(connection, signal_feed, row)
    found = find(connection, issuer)
    if found is None:
        raise LookupError(issuer)
    return found


def find(connection: Connection, issuer: str) -> Feed | None:
    """Return the feed of an issuer."""
    row = connection.execute(select(signal_feed).where(signal_feed.c.issuer == issuer)).one_or_none()
    return None if row is None else _of(row)


def by_header(connection: Connection, authorization: str) -> Feed | None:
    """Return the feed whose transmitter brings this Authorization header."""
    digest = digest_of(authorization)
    row = connection.execute(select(signal_feed).where(signal_feed.c.header_digest == digest)).one_or_none()
    if row is None or not hmac.compare_digest(row.header_digest, digest):
        return None
    return _of(row)


def token_of(connection: Connection, parts: Parts, issuer: str) -> str:
    """Return the token that we bring to a transmitter. Raises Unsealable."""
    sealed = connection.execute(
        select(signal_feed.c.token).where(signal_feed.c.issuer == issuer)
    ).scalar_one()
    return parts.keyring.open(sealed, context=_context(issuer)).decode()


def all_feeds(connection: Connection) -> list[Feed]:
    """Return the feeds in the order of their issuers."""
    return [_of(row) for row in connection.execute(select(signal_feed).order_by(signal_feed.c.issuer))]


def expect_verification(connection: Connection, issuer: str, state: str) -> None:
    """Note in which words a verification was asked for."""
    connection.execute(update(signal_feed).where(signal_feed.c.issuer == issuer).values(state=state))


def verified(connection: Connection, issuer: str, now_us: int) -> None:
    """Note that the feed was seen to work."""
    its = update(signal_feed).where(signal_feed.c.issuer == issuer)
    connection.execute(its.values(state="", verified_at_us=now_us))


def set_status(connection: Connection, issuer: str, status: Status) -> None:
    """Note what the transmitter made of the stream."""
    its = update(signal_feed).where(signal_feed.c.issuer == issuer)
    connection.execute(its.values(status=status.value))


def origin_of(issuer: str) -> str:
    """Return the origin of an issuer: scheme, host and port."""
    scheme, _, rest = issuer.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}"


def _context(issuer: str) -> str:
    return context_of(signal_feed.c.token, issuer=issuer)


def _of(row: Row[Any]) -> Feed:
    return Feed(
        issuer=row.issuer,
        stream_id=row.stream_id,
        audience=row.audience,
        method=row.method,
        transmitter=msgspec.json.decode(row.metadata, type=Transmitter),
        state=row.state,
        status=Status(row.status),
        verified_at_us=row.verified_at_us,
        made_at_us=row.made_at_us,
    )
