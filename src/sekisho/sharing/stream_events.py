"""Events about the stream itself (SSF 1.0), and the one of ours: hostile sources by keyed digest."""

from typing import Annotated, Literal

import msgspec

BASE = "https://schemas.openid.net/secevent/ssf/event-type/"
VERIFICATION = BASE + "verification"
STREAM_UPDATED = BASE + "stream-updated"
HOSTILE_SOURCES = "urn:sekisho:signal:hostile-sources"

STATE_MAX = 1_024
DIGESTS_MAX = 128
Digest = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{22}$")]


class Verification(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The stream works. `state` is what the receiver asked with; without it the transmitter began."""

    state: Annotated[str, msgspec.Meta(max_length=STATE_MAX)] | None = None


class StreamUpdated(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The transmitter changed what becomes of the stream."""

    status: Literal["enabled", "paused", "disabled"]
    reason: Annotated[str, msgspec.Meta(max_length=STATE_MAX)] | None = None


class HostileSources(msgspec.Struct, frozen=True, kw_only=True):
    """Sources of attacks under the key of a day that both sides know; `day` counts from 1970-01-01, UTC."""

    kind: Literal["address", "device"]
    day: Annotated[int, msgspec.Meta(ge=0, lt=1 << 20)]
    digests: Annotated[list[Digest], msgspec.Meta(min_length=1, max_length=DIGESTS_MAX)]


STREAM: dict[str, type[Verification] | type[StreamUpdated] | type[HostileSources]] = {
    VERIFICATION: Verification,
    STREAM_UPDATED: StreamUpdated,
    HOSTILE_SOURCES: HostileSources,
}
