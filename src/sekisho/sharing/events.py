"""All events that are understood, by their type; the short name is the last part of it."""

from collections.abc import Mapping

import msgspec

from sekisho.kernel.refusals import Refusal
from sekisho.sharing.caep_events import CAEP, CaepEvent
from sekisho.sharing.risc_events import RISC, RiscEvent
from sekisho.sharing.stream_events import HOSTILE_SOURCES, STREAM, HostileSources, StreamUpdated, Verification

Event = CaepEvent | RiscEvent | Verification | StreamUpdated | HostileSources

KINDS: dict[str, type[Event]] = {**CAEP, **RISC, **STREAM}
ABOUT_STREAM = frozenset(STREAM) - {HOSTILE_SOURCES}
SHAREABLE: tuple[str, ...] = tuple(kind for kind in KINDS if kind not in ABOUT_STREAM)
"""What a receiver may ask for; what is about the stream itself comes without asking."""

TYPE_MAX = 256


class EventUnreadable(Refusal):
    """An event's payload is not what its definition says."""

    code = "event_unreadable"
    status = 400
    told = "The event does not conform to its definition."


def read_event(event_type: str, payload: object) -> Event | None:
    """Read an event; None where its type is not known here. Raises EventUnreadable."""
    kind = KINDS.get(event_type)
    if kind is None:
        if not isinstance(payload, dict):
            raise EventUnreadable(known="the payload is no object")
        return None
    try:
        return msgspec.convert(payload, kind)
    except msgspec.ValidationError as error:
        raise EventUnreadable(known=f"{short_name(event_type)}: {error}") from error


def write_event(event: Event) -> Mapping[str, object]:
    """Return an event as it stands in a token."""
    written: Mapping[str, object] = msgspec.to_builtins(event)
    return written


def type_of(event: Event) -> str:
    """Return the type under which an event is sent."""
    return _TYPES[type(event)]


def short_name(event_type: str) -> str:
    """Return how policies and logs call an event type."""
    return event_type.rpartition("/")[2].rpartition(":")[2]


BY_SHORT_NAME: dict[str, str] = {short_name(kind): kind for kind in KINDS}
# Of two types of one meaning the first counts: what is deprecated comes last.
_TYPES: dict[type[Event], str] = {KINDS[kind]: kind for kind in reversed(KINDS)}
