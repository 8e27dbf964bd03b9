"""The members of the small world: where they live, what they carry, how often they come, what goes wrong.

The figures are assumptions of ours, chosen to be ordinary; none was fitted to a defence.
"""

import hmac
from collections.abc import Iterator
from hashlib import sha256
from math import log

import msgspec

from sekisho.kernel.chance import Chance, SeededChance
from sekisho.kernel.clock import DAY_US, HOUR_US
from sekisho.kernel.japan import AHEAD_US
from sekisho.range import browsers, names, networks
from sekisho.range.networks import Kind, Provider

VISITS_A_DAY = ((0.16, 0.9), (0.34, 0.25), (0.30, 0.06), (0.20, 0.004))
"""Share of the members and how often they come: daily, weekly, monthly, nearly never."""
HOUR_WEIGHTS = (9, 5, 3, 2, 2, 3, 8, 18, 26, 30, 32, 32, 36, 31, 30, 30, 31, 34, 36, 38, 40, 42, 34, 20)
TWO_DEVICES = 0.35
AT_HOME = 0.66
ON_THE_ROAD = 0.05
ABROAD = 0.004
WITHOUT_COOKIE = 0.05
NEW_PHONE = 0.004
TYPO = 0.055
FORGOTTEN = 0.012
WRONG_NAME = 0.015
FORGOTTEN_TRIES = 3


class Device:
    """A phone or a computer with its browser, and the cookie that the login service left on it."""

    __slots__ = ("browser", "cookie")

    def __init__(self, browser: browsers.Browser) -> None:
        self.browser = browser
        self.cookie = ""


class Visit(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A member comes to log in: from where, with what, and what is typed, the right pair last if at all."""

    at_us: int
    member: "Member"
    device: Device
    keeps_cookies: bool
    ip: str
    typed: tuple[tuple[str, str], ...]


class Member:
    """One member. What happens to a member depends on the world's seed and the member's number alone."""

    __slots__ = ("_chance", "_home", "_phone_net", "devices", "name", "password", "per_day", "proof_key")

    def __init__(self, seed: int, number: int) -> None:
        chance = SeededChance(seed << 32 | number)
        self._chance = chance
        self.name = names.login_name(chance)
        self.password = names.password(chance)
        self.proof_key = sha256(f"{seed}:{number}".encode()).digest()
        self.per_day = _habit(chance)
        self._home = _Line(networks.drawn(networks.providers(Kind.HOME), chance), chance)
        self._phone_net = networks.drawn(networks.providers(Kind.CARRIER), chance)
        self.devices = [Device(browsers.drawn(browsers.PHONES, chance))]
        if chance.fraction() < TWO_DEVICES:
            self.devices.append(Device(browsers.drawn(browsers.DESKS, chance)))

    def prove(self, confirmation: str) -> str:
        """Answer a request for an additional proof, as a passkey signs: nobody else has the key."""
        return proof(self.proof_key, confirmation)

    def visits(self, start_us: int, end_us: int) -> Iterator[Visit]:
        """Yield this member's visits between two moments, in order of time. To be asked once."""
        days = _waking_days(start_us)
        while True:
            days += -log(1 - self._chance.fraction()) / self.per_day
            at_us = _moment(days)
            if at_us >= end_us:
                return
            yield self._visit(at_us)

    def _visit(self, at_us: int) -> Visit:
        chance = self._chance
        device = chance.choose(self.devices)
        if device.browser.phone and chance.fraction() < NEW_PHONE:
            self.devices.remove(device)
            device = Device(browsers.drawn(browsers.PHONES, chance))
            self.devices.append(device)
        return Visit(
            at_us=at_us,
            member=self,
            device=device,
            keeps_cookies=chance.fraction() >= WITHOUT_COOKIE,
            ip=self._address(device, chance),
            typed=self._typed(chance),
        )

    def _address(self, device: Device, chance: Chance) -> str:
        where = chance.fraction()
        if where < ABROAD:
            return networks.drawn(networks.providers(Kind.HOME, abroad=True), chance).home_v4(chance)
        if where < ON_THE_ROAD:
            return networks.drawn(networks.providers(Kind.HOME), chance).home_v4(chance)
        if device.browser.phone and where > AT_HOME:
            return self._phone_net.shared_v4(chance)
        return self._home.address(chance)

    def _typed(self, chance: Chance) -> tuple[tuple[str, str], ...]:
        right = (self.name, self.password)
        slip = chance.fraction()
        if slip < FORGOTTEN:
            return tuple((self.name, names.password(chance)) for _ in range(FORGOTTEN_TRIES))
        if slip < FORGOTTEN + TYPO:
            return (self.name, names.mistyped(self.password, chance)), right
        if slip < FORGOTTEN + TYPO + WRONG_NAME:
            return (names.mistyped(self.name, chance), self.password), right
        return (right,)


class _Line:
    """A home's line: one IPv4 address, or an IPv6 network in which each visit makes up its own address."""

    __slots__ = ("_address", "_site")

    def __init__(self, provider: Provider, chance: Chance) -> None:
        on_v6 = chance.fraction() < networks.V6_HOMES
        self._site = provider.site_v6(chance) if on_v6 else ""
        self._address = "" if on_v6 else provider.home_v4(chance)

    def address(self, chance: Chance) -> str:
        if self._address:
            return self._address
        return f"{self._site}::{1 + chance.below(0xFFFE):x}"


def proof(key: bytes, confirmation: str) -> str:
    """Return the proof that belongs to a confirmation under a member's key."""
    return hmac.new(key, confirmation.encode(), sha256).hexdigest()


def _habit(chance: Chance) -> float:
    at = chance.fraction()
    for share, per_day in VISITS_A_DAY:
        at -= share
        if at < 0:
            return per_day
    return VISITS_A_DAY[-1][1]


_SHARE_BEFORE = tuple(sum(HOUR_WEIGHTS[:hour]) / sum(HOUR_WEIGHTS) for hour in range(25))


def _waking_days(at_us: int) -> float:
    """Return a moment in days of activity, which run slowly at night: the inverse of `_moment`."""
    days, rest_us = divmod(at_us + AHEAD_US, DAY_US)
    hour, part_us = divmod(rest_us, HOUR_US)
    before, after = _SHARE_BEFORE[hour], _SHARE_BEFORE[hour + 1]
    return days + before + (after - before) * part_us / HOUR_US


def _moment(days: float) -> int:
    day, share = int(days), days % 1
    hour = next(hour for hour in range(23, -1, -1) if _SHARE_BEFORE[hour] <= share)
    width = _SHARE_BEFORE[hour + 1] - _SHARE_BEFORE[hour]
    return day * DAY_US + int((hour + (share - _SHARE_BEFORE[hour]) / width) * HOUR_US) - AHEAD_US
