"""The device token: a signed text that a browser keeps after a proven login, bound to one member.

A token says "this member has passed here before" and nothing else. It is not a session: it opens nothing,
it only spares an honest member the doubts that fall on an unknown device. Where a log does not say whether
a token's signature was good, the token is earned: it counts from the first proven success that carried it.
"""

import hmac
from hashlib import sha256

import msgspec
import xxhash

from sekisho.guard.memory import CountTable

_VERSION = "d1"
_PARTS = 4
_DIGITS_MAX = 12
_SKEW_S = 60  # a second server's clock may be so far ahead


class DeviceTokens:
    """Issues and verifies device tokens under one key (32 bytes or more)."""

    def __init__(self, key: bytes, *, lifetime_s: int = 400 * 86_400) -> None:
        self._key = key
        self._lifetime_s = lifetime_s

    def issue(self, member: str, nonce: str, now_us: int) -> str:
        """Return a token for this member; `nonce` (from Chance) tells two devices of one member apart."""
        body = f"{_VERSION}.{nonce}.{now_us // 1_000_000}"
        return f"{body}.{self._sign(body, member)}"

    def verify(self, token: str, member: str, now_us: int) -> bool:
        """Say whether this key signed the token for this member and it has not run out."""
        parts = token.split(".")
        if len(parts) != _PARTS or parts[0] != _VERSION or not parts[2].isdecimal():
            return False
        if len(parts[2]) > _DIGITS_MAX:  # converting endless digits takes endless time
            return False
        age_s = now_us // 1_000_000 - int(parts[2])
        signature = self._sign(".".join(parts[:3]), member)
        signed = hmac.compare_digest(parts[3].encode("utf-8", "surrogatepass"), signature.encode())
        return signed and -_SKEW_S <= age_s <= self._lifetime_s

    def _sign(self, body: str, member: str) -> str:
        return hmac.new(self._key, f"{body}|{member}".encode("utf-8", "surrogatepass"), sha256).hexdigest()[
            :32
        ]


class TokenClass:
    """What an attempt's device token says, as a small number."""

    NONE = 0
    UNSEEN = 1  # never carried by a proven success: may be as good as invented
    FOREIGN = 2  # earned by other members only: a family's browser, or a stolen one
    FORGED = 3  # its signature did not verify
    MOVED = 4  # the member's own, but in another program than the one that earned it
    PARTNER = 5  # an authenticated partner stands in for the device
    OWN = 6  # the member's own, where it was earned


class Sighting(msgspec.Struct, frozen=True, gc=False):
    """A token as it came with an attempt: its class and the keys under which a success would be
    remembered.
    """

    kind: int
    token: int
    pair: int


_NO_TOKEN = Sighting(TokenClass.NONE, 0, 0)


class Devices:
    """Which tokens were earned, by whom and in which program: a bounded table of token and
    token-with-member keys.
    """

    def __init__(self, *, slots: int, key: int) -> None:
        self.table = CountTable(slots=slots, half_life_s=180 * 86_400.0, key=key)

    def look(self, device: str, member: int, family: int, valid: bool | None) -> Sighting:  # noqa: FBT001 - a recorded fact
        """Classify a token (empty: none was sent) for a member key and a client family."""
        if not device:
            return _NO_TOKEN
        token = xxhash.xxh3_64_intdigest(device.encode("utf-8", "surrogatepass"))
        pair = token ^ (member * 3 & 0xFFFF_FFFF_FFFF_FFFF) ^ 0x5DEECE66D
        if valid is False:
            return Sighting(TokenClass.FORGED, token, pair)
        slot = self.table.find(pair)
        if slot >= 0:
            at_home = self.table.tag[slot] == family
            return Sighting(TokenClass.OWN if at_home else TokenClass.MOVED, token, pair)
        if valid:
            return Sighting(TokenClass.OWN, token, pair)
        seen = self.table.find(token) >= 0
        return Sighting(TokenClass.FOREIGN if seen else TokenClass.UNSEEN, token, pair)

    def earn(self, sighting: Sighting, family: int, now_s: int) -> None:
        """Remember a token that came with a proven success."""
        if sighting.token and sighting.kind != TokenClass.FORGED:
            self.table.take(sighting.token, now_s)
            self.table.tag[self.table.take(sighting.pair, now_s)] = family
