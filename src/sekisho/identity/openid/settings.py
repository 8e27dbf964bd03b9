"""What an operator may choose about the OpenID Connect provider."""

import msgspec

from sekisho.kernel.clock import DAY_US, HOUR_US, SECOND_US

CODE_S_MAX = 60


class OpenIdSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Lifetimes, in seconds or days.

    `code_s` is how long a code may be exchanged, `access_token_s` how long an access token opens userinfo,
    `id_token_s` how long an ID token may be believed. A new signing key is shown `key_ahead_s` before it
    signs, so that whoever keeps a copy of the key set for `key_set_age_s` has read it by then; a key signs
    for `key_days`. A member has `ticket_s` to log in and to consent. A logout that a client does not take is
    tried again for `logout_s`.
    """

    code_s: int = 60
    access_token_s: int = 600
    id_token_s: int = 300
    key_ahead_s: int = 7_200
    key_set_age_s: int = 3_600
    key_days: int = 90
    ticket_s: int = 1_800
    logout_s: int = 86_400

    def __post_init__(self) -> None:
        if not 0 < self.code_s <= CODE_S_MAX:
            raise ValueError(f"a code lives for 1 to {CODE_S_MAX} seconds, not {self.code_s}")
        if self.key_ahead_s <= self.key_set_age_s:
            raise ValueError("a key must be shown for longer than copies of the key set are kept")
        if (
            self.key_days * DAY_US <= self.key_ahead_s * SECOND_US
            or self.key_ahead_s * SECOND_US > 48 * HOUR_US
        ):
            raise ValueError("a key is shown at most 48 hours ahead, and signs for longer than that")
