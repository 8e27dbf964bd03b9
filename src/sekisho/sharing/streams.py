"""Streams that we transmit: one for each partner, made and changed by the partner within its agreement.

What the receiver says of a stream is checked here; what the transmitter says (id, issuer, audience, what is
supported and delivered) is derived, and a receiver that sends it back must send it unchanged.
"""

from enum import StrEnum
from typing import Annotated, Any

import msgspec
from sqlalchemy import Connection, Row, delete, insert, select, update

from sekisho.identity.http_line import require_fit
from sekisho.identity.institution import Parts
from sekisho.kernel.clock import SECOND_US
from sekisho.kernel.ids import SIGNAL_STREAM
from sekisho.kernel.refusals import Refusal
from sekisho.messages.queue import insert_once
from sekisho.sharing.events import SHAREABLE, TYPE_MAX
from sekisho.sharing.settings import SignalSettings
from sekisho.sharing.subjects import AnySubject, Foreign, Subject, digest_of
from sekisho.storage.sealed_columns import context_of
from sekisho.storage.tables.signals import signal_stream, signal_subject

PUSH = "urn:ietf:rfc:8935"
POLL = "urn:ietf:rfc:8936"
HEADER_MAX = 512
SUBJECTS_MAX = 100_000


class Status(StrEnum):
    """What becomes of a stream's events."""

    ENABLED = "enabled"
    """They are sent."""

    PAUSED = "paused"
    """They are kept, and sent when it is enabled again."""

    DISABLED = "disabled"
    """They are neither sent nor kept."""


class StreamUnfit(Refusal):
    """The configuration of a stream cannot be had: a wrong type, address, method, or a foreign value."""

    code = "stream_unfit"
    status = 400
    told = "The stream can't be configured like this."


class NoSuchStream(Refusal):
    """There is no such stream, or not for this receiver."""

    code = "no_such_stream"
    status = 404
    told = "There is no such stream."


class StreamExists(Refusal):
    """The receiver has a stream already, and one is all there is."""

    code = "stream_exists"
    status = 409
    told = "There is a stream already."


class AskedTooOften(Refusal):
    """A verification was asked for shortly before, or there are too many subjects."""

    code = "asked_too_often"
    status = 429
    told = "Ask less often."


class Delivery(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a stream's events reach the receiver. `authorization_header` is for pushing, and is not shown."""

    method: str
    endpoint_url: Annotated[str, msgspec.Meta(max_length=2_048)] = ""
    authorization_header: (
        Annotated[str, msgspec.Meta(max_length=HEADER_MAX, pattern=r"^[\x20-\x7e]*$")] | None
    ) = None


_Types = Annotated[list[Annotated[str, msgspec.Meta(max_length=TYPE_MAX)]], msgspec.Meta(max_length=64)]


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What a receiver says of its stream. Unset is what it does not say."""

    delivery: Delivery | msgspec.UnsetType = msgspec.UNSET
    events_requested: _Types | msgspec.UnsetType = msgspec.UNSET
    description: Annotated[str, msgspec.Meta(max_length=200)] | msgspec.UnsetType | None = msgspec.UNSET
    stream_id: str | msgspec.UnsetType = msgspec.UNSET
    iss: str | msgspec.UnsetType = msgspec.UNSET
    aud: str | list[str] | msgspec.UnsetType = msgspec.UNSET
    events_supported: _Types | msgspec.UnsetType = msgspec.UNSET
    events_delivered: _Types | msgspec.UnsetType = msgspec.UNSET
    min_verification_interval: int | msgspec.UnsetType = msgspec.UNSET


class Stream(msgspec.Struct, frozen=True, kw_only=True):
    """A stream as it is kept. `issuer` is the receiver's own, by which the agreement knows it."""

    id: str
    issuer: str
    method: str
    endpoint_url: str
    header: bytes | None
    events_requested: tuple[str, ...]
    description: str
    status: Status
    reason: str
    made_at_us: int
    verification_asked_us: int

    @property
    def events_delivered(self) -> tuple[str, ...]:
        """Return the types that it carries."""
        return tuple(kind for kind in SHAREABLE if kind in self.events_requested)


def create(connection: Connection, parts: Parts, issuer: str, wanted: Wanted) -> Stream:
    """Make a partner's stream. Raises StreamExists, StreamUnfit and AddressUnfit."""
    if of_partner(connection, issuer) is not None:
        raise StreamExists(known=issuer)
    if any(getattr(wanted, name) is not msgspec.UNSET for name in _DERIVED):
        raise StreamUnfit(told="The transmitter says that, not the receiver.")
    stream_id = SIGNAL_STREAM.new(parts.clock, parts.chance)
    row = {
        "id": stream_id,
        "issuer": issuer,
        "status": Status.ENABLED.value,
        "reason": "",
        "made_at_us": parts.clock.now_us(),
        "verification_asked_us": 0,
        **_values(parts, stream_id, issuer, wanted),
    }
    connection.execute(insert(signal_stream), row)
    return require(connection, issuer, stream_id)


def replace(  # noqa: PLR0913 - whose, which, what of it
    connection: Connection,
    parts: Parts,
    settings: SignalSettings,
    stream: Stream,
    wanted: Wanted,
    *,
    whole: bool,
) -> Stream:
    """Change a stream; `whole` sets back what the receiver does not say. Raises what `create` does."""
    shown = configuration(stream, parts, settings)
    said = {name: getattr(wanted, name) for name in _DERIVED}
    if any(value is not msgspec.UNSET and value != shown[name] for name, value in said.items()):
        raise StreamUnfit(told="What the transmitter says can't be changed.")
    told = {name for name in _COLUMNS if whole or getattr(wanted, name) is not msgspec.UNSET}
    columns = {column for name in told for column in _COLUMNS[name]}
    values = _values(parts, stream.id, stream.issuer, wanted)
    if columns:
        its = update(signal_stream).where(signal_stream.c.id == stream.id)
        connection.execute(its.values({name: values[name] for name in columns}))
    return require(connection, stream.issuer, stream.id)


def remove(connection: Connection, stream: Stream) -> None:
    """Take a stream away, with what waits for it."""
    connection.execute(delete(signal_stream).where(signal_stream.c.id == stream.id))


def set_status(connection: Connection, stream: Stream, status: Status, reason: str) -> Stream:
    """Change what becomes of a stream's events."""
    values = {"status": status.value, "reason": reason[:200]}
    connection.execute(update(signal_stream).where(signal_stream.c.id == stream.id).values(values))
    return require(connection, stream.issuer, stream.id)


def want_subject(
    connection: Connection, stream: Stream, subject: AnySubject, *, wanted: bool, now_us: int
) -> None:
    """Note that the receiver wants to hear of somebody, or no longer. Raises AskedTooOften.

    Who is no agreed subject is passed over in silence, so that nobody can ask whom we know.
    """
    if isinstance(subject, Foreign):
        return
    row = {
        "stream_id": stream.id,
        "digest": digest_of(subject),
        "wanted": wanted,
        "changed_at_us": now_us,
    }
    if insert_once(connection, signal_subject, row):
        its = select(signal_subject.c.digest).where(signal_subject.c.stream_id == stream.id)
        if len(connection.execute(its.limit(SUBJECTS_MAX + 1)).all()) > SUBJECTS_MAX:
            raise AskedTooOften(known="too many subjects")
        return
    same = (signal_subject.c.stream_id == stream.id, signal_subject.c.digest == row["digest"])
    connection.execute(update(signal_subject).where(*same).values(wanted=wanted, changed_at_us=now_us))


def hears_of(connection: Connection, stream: Stream, subject: Subject) -> bool:
    """Say whether a stream carries what happens to somebody: all do, but for whom the receiver took away."""
    found = select(signal_subject.c.wanted).where(
        signal_subject.c.stream_id == stream.id, signal_subject.c.digest == digest_of(subject)
    )
    return connection.execute(found).scalar_one_or_none() is not False


def ask_verification(
    connection: Connection, stream: Stream, settings: SignalSettings, *, now_us: int
) -> None:
    """Note that a verification is asked for. Raises AskedTooOften."""
    since_us = now_us - stream.verification_asked_us
    if 0 <= since_us < settings.verification_s * SECOND_US:
        raise AskedTooOften(known="a verification")
    asked = update(signal_stream).where(signal_stream.c.id == stream.id)
    connection.execute(asked.values(verification_asked_us=now_us))


def of_partner(connection: Connection, issuer: str) -> Stream | None:
    """Return a partner's stream."""
    row = connection.execute(select(signal_stream).where(signal_stream.c.issuer == issuer)).one_or_none()
    return None if row is None else _of(row)


def require(connection: Connection, issuer: str, stream_id: str) -> Stream:
    """Return a partner's stream by its id. Raises NoSuchStream."""
    stream = of_partner(connection, issuer)
    if stream is None or stream.id != stream_id:
        raise NoSuchStream(known=issuer)
    return stream


def all_streams(connection: Connection) -> list[Stream]:
    """Return the streams in the order of their making."""
    return [_of(row) for row in connection.execute(select(signal_stream).order_by(signal_stream.c.id))]


def configuration(stream: Stream, parts: Parts, settings: SignalSettings) -> dict[str, Any]:
    """Return a stream as its receiver sees it (SSF 1.0 section 8.1.1)."""
    origin = parts.institution.origin
    endpoint_url = f"{origin}/ssf/poll/{stream.id}" if stream.method == POLL else stream.endpoint_url
    said: dict[str, Any] = {
        "stream_id": stream.id,
        "iss": origin,
        "aud": stream.issuer,
        "events_supported": list(SHAREABLE),
        "events_requested": list(stream.events_requested),
        "events_delivered": list(stream.events_delivered),
        "delivery": {"method": stream.method, "endpoint_url": endpoint_url},
        "min_verification_interval": settings.verification_s,
    }
    return said | ({"description": stream.description} if stream.description else {})


def header_of(parts: Parts, stream: Stream) -> str:
    """Return the Authorization header that the receiver wants pushes to bear. Raises Unsealable."""
    return (
        ""
        if stream.header is None
        else parts.keyring.open(stream.header, context=_context(stream.id)).decode()
    )


_DERIVED = ("stream_id", "iss", "aud", "events_supported", "events_delivered", "min_verification_interval")
_COLUMNS = {
    "delivery": ("method", "endpoint_url", "header"),
    "events_requested": ("events_requested",),
    "description": ("description",),
}


def _values(parts: Parts, stream_id: str, issuer: str, wanted: Wanted) -> dict[str, Any]:
    # Without a word on delivery, the receiver polls (SSF 1.0 section 8.1.1.1).
    delivery = Delivery(method=POLL) if wanted.delivery is msgspec.UNSET else wanted.delivery
    header = delivery.authorization_header
    if delivery.method not in {PUSH, POLL}:
        raise StreamUnfit(told=f"The method is {PUSH} or {POLL}.")
    return {
        "method": delivery.method,
        # On the partner's own origin and nowhere else: nobody can have us call a third place.
        "endpoint_url": require_fit(delivery.endpoint_url, issuer) if delivery.method == PUSH else "",
        "header": parts.keyring.seal(header.encode(), context=_context(stream_id)) if header else None,
        "events_requested": msgspec.json.encode(
            SHAREABLE if wanted.events_requested is msgspec.UNSET else wanted.events_requested
        ),
        "description": "" if wanted.description is msgspec.UNSET else wanted.description or "",
    }


def _context(stream_id: str) -> str:
    return context_of(signal_stream.c.header, id=stream_id)


def _of(row: Row[Any]) -> Stream:
    said = row._asdict()
    said["events_requested"] = tuple(msgspec.json.decode(row.events_requested))
    said["status"] = Status(row.status)
    return Stream(**said)
