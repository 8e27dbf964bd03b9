"""How an institution shares signals."""

import msgspec

from sekisho.identity.openid.jose import ALGORITHMS, Algorithm


class SignalSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How an institution shares signals. Times end in their unit.

    `signed_with` is the algorithm of our tokens. A received token counts for `age_days` after it was issued,
    and not if it comes from more than `ahead_s` in the future. One that we send is tried for `tried_days`.
    A partner may send `events_per_minute`, and ask for a verification every `verification_s`. A poll waits
    for at most `poll_wait_s`; `poll_events` is how many tokens it brings at most. `sources_kept` is how many
    digests of hostile sources we keep of a partner and a day; `source_hours` is for how long they count.
    """

    signed_with: Algorithm = "RS256"
    age_days: int = 7
    ahead_s: int = 60
    tried_days: int = 3
    events_per_minute: int = 600
    verification_s: int = 60
    poll_wait_s: float = 20.0
    poll_events: int = 50
    sources_kept: int = 50_000
    source_hours: int = 24

    def __post_init__(self) -> None:
        if self.signed_with not in ALGORITHMS:
            raise ValueError(f"signed_with is one of {', '.join(ALGORITHMS)}")
        if not 0 < self.tried_days < self.age_days:
            raise ValueError("a token counts for longer than it is tried, or the last tries are for nothing")
        if not 0.0 <= self.poll_wait_s <= 60.0:  # noqa: PLR2004 - a minute is as long as proxies wait
            raise ValueError("a poll waits for 0 to 60 seconds")
