"""What a login house sees of somebody who comes to its door, and the keys under which it keeps it."""

import hmac
from hashlib import sha256

import msgspec

from sekisho.guard.attempts import Attempt
from sekisho.guard.devices import DeviceTokens
from sekisho.range import networks

NONCE_CHARS = 16
OWN = "house."
"""How the house's cookies begin: the house signs them, and the guard's service must not claim them."""


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """A filled-in login form, with what came along on the wire. It holds the password: not to be kept."""

    at_us: int
    name: str
    password: str
    ip: str
    user_agent: str
    tls: str
    cookie: str


class HouseKeys:
    """The house's keys, from its seed: a world that is lived again must leave the same traces."""

    def __init__(self, seed: int) -> None:
        self._secret_key = sha256(f"secrets:{seed}".encode()).digest()
        self._devices = DeviceTokens(sha256(f"devices:{seed}".encode()).digest())

    def attempt(self, arrival: Arrival, *, known: bool) -> Attempt:
        """Return the attempt that the guard is asked about: no password, a token equal for equal ones."""
        provider = networks.locate(arrival.ip)
        name, cookie = arrival.name, arrival.cookie
        return Attempt(
            time_us=arrival.at_us,
            member=name,
            ip=arrival.ip,
            known=known,
            asn=provider.asn,
            country=provider.country,
            user_agent=arrival.user_agent,
            tls=arrival.tls,
            device=cookie,
            device_valid=self._devices.verify(cookie.removeprefix(OWN), name, arrival.at_us)
            if cookie
            else None,
            secret=hmac.new(self._secret_key, arrival.password.encode(), sha256).hexdigest()[:24],
        )

    def cookie(self, arrival: Arrival) -> str:
        """Return the cookie that a proven login leaves on the device."""
        nonce = sha256(f"{arrival.name}{arrival.at_us}{arrival.ip}".encode()).hexdigest()[:NONCE_CHARS]
        return OWN + self._devices.issue(arrival.name, nonce, arrival.at_us)
