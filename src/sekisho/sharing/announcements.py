"""Announce what happened to somebody, in the deed's own unit of work, to each partner that knows them.

Whoever announces names a member, mandate or link of ours. Each partner hears of it under the name that was
agreed with it; who was never named to a partner is nothing that this partner hears of.
"""

import msgspec
from sqlalchemy import Connection, insert

from sekisho.identity.institution import Parts
from sekisho.kernel.chain import canonical
from sekisho.kernel.clock import SECOND_US
from sekisho.kernel.ids import SIGNAL, SignalId
from sekisho.sharing import streams
from sekisho.sharing.agreed_subjects import About, names_of
from sekisho.sharing.events import ABOUT_STREAM, Event, short_name, type_of, write_event
from sekisho.sharing.sets import OutgoingClaims
from sekisho.sharing.streams import Status, Stream
from sekisho.sharing.subjects import Opaque, Subject
from sekisho.storage import outbox
from sekisho.storage.tables.signals import signal_outgoing

WAITING = "waiting"


class Announcement(msgspec.Struct, frozen=True, kw_only=True):
    """One event about somebody. `txn` ties together what comes of one occasion; `but` is a partner who knows.

    A partner that told us of the occasion is not told it again, or two institutions would never stop.
    """

    event: Event
    about: About
    txn: str = ""
    but: str = ""


def announce_within(connection: Connection, parts: Parts, announcement: Announcement) -> int:
    """Queue an event for every partner that is to hear of it, and return for how many."""
    queued = 0
    for issuer, subject in names_of(connection, announcement.about):
        stream = None if issuer == announcement.but else streams.of_partner(connection, issuer)
        if stream is None or not _carries(connection, stream, subject, announcement.event):
            continue
        queue_within(connection, parts, stream, announcement.event, subject=subject, txn=announcement.txn)
        queued += 1
    return queued


def queue_within(  # noqa: PLR0913 - what goes into a token
    connection: Connection,
    parts: Parts,
    stream: Stream,
    event: Event,
    *,
    subject: Subject | None = None,
    txn: str = "",
) -> SignalId:
    """Queue an event on one stream and return its token's id; without a subject it is about the stream."""
    now_us, jti = parts.clock.now_us(), SIGNAL.new(parts.clock, parts.chance)
    event_type = type_of(event)
    claims = OutgoingClaims(
        iss=parts.institution.origin,
        jti=jti,
        iat=now_us // SECOND_US,
        aud=stream.issuer,
        sub_id=subject or Opaque(stream.id),
        events={event_type: write_event(event)},
        txn=txn,
    )
    row = {
        "jti": jti,
        "stream_id": stream.id,
        "event_type": event_type,
        "claims": canonical(claims),
        "made_at_us": now_us,
        "state": WAITING,
        "tries": 0,
        "next_try_us": now_us,
        "leased_by": "",
        "leased_until_us": 0,
        "ended_at_us": None,
        "failure": "",
    }
    connection.execute(insert(signal_outgoing), row)
    body = canonical({"event": short_name(event_type), "to": stream.issuer, "txn": txn})
    outbox.append(connection, [outbox.Entry("signal:event:queued", jti, now_us, body)])
    return jti


def _carries(connection: Connection, stream: Stream, subject: Subject, event: Event) -> bool:
    event_type = type_of(event)
    return (
        stream.status is not Status.DISABLED
        and event_type not in ABOUT_STREAM
        and event_type in stream.events_delivered
        and streams.hears_of(connection, stream, subject)
    )
