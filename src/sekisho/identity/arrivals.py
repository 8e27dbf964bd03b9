"""Where a request comes from: what is known of the browser before anybody is logged in."""

import msgspec

TEXT_MAX = 1_000


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """One request as it arrived, after the trusted proxies were taken into account.

    `device_token` is the device cookie as it was sent, `tls` any fingerprint of the client's TLS. Every text
    is hostile until something says otherwise.
    """

    ip: str
    user_agent: str = ""
    tls: str = ""
    device_token: str = ""
    referrer: str = ""
    asn: int = 0
    country: str = ""
    language: str = "ja"

    def __post_init__(self) -> None:
        for name in ("user_agent", "tls", "device_token", "referrer"):
            msgspec.structs.force_setattr(self, name, getattr(self, name)[:TEXT_MAX])
