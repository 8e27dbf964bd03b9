"""The keys of transmitters, as they show them now: fetched when needed, kept for minutes."""

import json
from http import HTTPStatus
from typing import Any, NamedTuple

import structlog
from joserfc.jwk import KeySet

from sekisho.identity.http_line import HttpLine
from sekisho.identity.openid.jose import ALGORITHMS, UnusableKey, public_keys
from sekisho.kernel.clock import HOUR_US, MINUTE_US, SECOND_US, Clock
from sekisho.kernel.posture import OperationalError
from sekisho.sharing.feeds import Feed
from sekisho.sharing.sets import Err, SetRefused

log = structlog.get_logger(__name__)

KEPT_US = 5 * MINUTE_US
"""A key that its issuer no longer shows is believed for so long at most."""

STALE_US = HOUR_US
"""For so long, while the issuer's keys cannot be fetched."""

ASKED_EVERY_US = 10 * SECOND_US
KEYS_MAX = 32
MODULUS_CHARACTERS_MIN = 342
"""2,048 bits in base64url: a shorter RSA key is none."""


class _Kept(NamedTuple):
    keys: dict[str, KeySet]
    fetched_us: int


class PartnerKeys:
    """Finds the one key of a transmitter that a token names."""

    def __init__(self, line: HttpLine, clock: Clock) -> None:
        self._line = line
        self._clock = clock
        self._kept: dict[str, _Kept] = {}
        self._asked_us: dict[str, int] = {}

    async def find(self, feed: Feed, key_id: str) -> KeySet:
        """Return the key of this id.

        Raises SetRefused where its issuer shows none, and OperationalError where the issuer is not to be had.
        """
        now_us = self._clock.now_us()
        kept = self._kept.get(feed.issuer)
        age_us = STALE_US if kept is None else now_us - kept.fetched_us
        if kept is None or key_id not in kept.keys or not 0 <= age_us < KEPT_US:
            kept = await self._fetched(feed, kept, now_us)
        if kept is None:
            raise OperationalError("partner", f"the keys of {feed.issuer} are not to be had")
        if key_id not in kept.keys:
            raise SetRefused(Err.INVALID_KEY, "The issuer shows no such key.")
        return kept.keys[key_id]

    async def _fetched(self, feed: Feed, kept: _Kept | None, now_us: int) -> _Kept | None:
        """Ask for the keys anew, but not for every token that names one that is not there."""
        if kept is not None and now_us - kept.fetched_us >= STALE_US:
            kept = None
        since_us = now_us - self._asked_us.get(feed.issuer, -ASKED_EVERY_US)
        if 0 <= since_us < ASKED_EVERY_US:
            return kept
        self._asked_us[feed.issuer] = now_us
        try:
            answer = await self._line.call("GET", feed.transmitter.jwks_uri)
            keys = None if answer.status != HTTPStatus.OK else usable_keys(answer.json())
        except OperationalError as outage:
            log.warning("signals:keys:unreachable", issuer=feed.issuer, failure=str(outage))
            return kept
        if keys is None:
            log.warning("signals:keys:unreachable", issuer=feed.issuer, status=answer.status)
            return kept
        self._kept[feed.issuer] = _Kept(keys, now_us)
        return self._kept[feed.issuer]


def usable_keys(key_set: object) -> dict[str, KeySet]:
    """Return by their ids the keys of a set that can sign tokens; others may stand beside them."""
    listed = key_set.get("keys") if isinstance(key_set, dict) else None
    keys: dict[str, KeySet] = {}
    for key in (listed if isinstance(listed, list) else [])[:KEYS_MAX]:
        if _may_sign(key):
            try:
                keys[key["kid"]] = public_keys(json.dumps({"keys": [key]}), ALGORITHMS)
            except UnusableKey:
                continue
    return keys


def _may_sign(key: Any) -> bool:  # noqa: ANN401 - whatever stands in a set of keys
    if not isinstance(key, dict) or not isinstance(key.get("kid"), str) or key.get("use", "sig") != "sig":
        return False
    if key.get("kty") == "EC":
        return key.get("crv") == "P-256"
    modulus = key.get("n")
    return key.get("kty") == "RSA" and isinstance(modulus, str) and len(modulus) >= MODULUS_CHARACTERS_MIN
