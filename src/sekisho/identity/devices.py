"""Devices of a member: browsers that somebody passed on, and what each is to us."""

import msgspec

from sekisho.identity.assurance import Standing
from sekisho.kernel.ids import DeviceId, MemberId


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """One browser of one member. A browser that a family shares is a device of each of them."""

    id: DeviceId
    member_id: MemberId
    standing: Standing
    user_agent: str
    first_ip: str
    first_seen_us: int
    last_seen_us: int
    trusted_at_us: int | None
    revoked_at_us: int | None
