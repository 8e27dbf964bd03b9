"""What an operator may choose about the guard's service."""

import msgspec

from sekisho.web.proxies import ProxyTrust

BODY_OCTETS_MAX = 65_536
TIME_AHEAD_S_MAX = 300


class ForwardAuthSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How a reverse proxy's questions are read.

    `trusted_proxies` are the peers that may ask, and whose X-Forwarded-For is believed. `secret_key` (at
    least 16 octets) lets the proxy pass on the secret that was typed: it is hashed with that key on arrival,
    and the header is ignored where there is no key. `tls_header` names the header in which a trusted proxy
    puts the client's TLS fingerprint, `device_cookie` the cookie that holds the device token.
    """

    trusted_proxies: ProxyTrust = ProxyTrust()
    secret_key: bytes = b""
    tls_header: str = ""
    device_cookie: str = "sekisho_device"


class GuardServiceSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The service's limits and switches.

    `body_octets_max` bounds a request's body. `time_ahead_s_max` is how far an attempt's time may lie ahead
    of the service's clock, in seconds; None accepts any. `echo` opens `POST /v1/echo`, which only parses and
    returns an attempt: what the bench compares a decision with.
    """

    body_octets_max: int = BODY_OCTETS_MAX
    time_ahead_s_max: int | None = TIME_AHEAD_S_MAX
    echo: bool = False
    forward_auth: ForwardAuthSettings = ForwardAuthSettings()
