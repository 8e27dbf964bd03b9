"""Sessions: kept on the server, named by a token that changes with every change of level."""

import msgspec

from sekisho.identity.assurance import Level, Proof
from sekisho.kernel.clock import HOUR_US, MINUTE_US
from sekisho.kernel.ids import DeviceId, MemberId, SessionId

IDLE_US_MAX = 15 * MINUTE_US
AGE_US_MAX = 12 * HOUR_US


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """One session, as it was read for one request.

    `proofs` are those given within it that may still be fresh. `risk` (0 to 1) and `campaign` are what was
    known at its birth, and stay with it. `password_leaked` says that it was opened with a password that
    stands on a list of leaked ones. `form_key` is the key of its forms.
    """

    id: SessionId
    member_id: MemberId
    device_id: DeviceId
    level: Level
    proven_at_us: int
    opened_at_us: int
    last_seen_us: int
    ended_at_us: int | None
    ended_for: str
    ip: str
    user_agent: str
    attempt_id: str
    risk: float
    campaign: str
    password_leaked: bool
    form_key: bytes
    bound_key: str
    bound_challenge: str
    bound_until_us: int
    proofs: tuple[Proof, ...] = ()

    def is_live(self, now_us: int) -> bool:
        """Say whether it has neither ended, nor idled too long, nor grown too old."""
        return (
            self.ended_at_us is None
            and now_us - self.last_seen_us < IDLE_US_MAX
            and now_us - self.opened_at_us < AGE_US_MAX
        )
