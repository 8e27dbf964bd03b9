"""A list-type attack: pairs that leaked elsewhere, one try an account, through other people's lines.

The shape follows published reports, collected with their sources in docs/guides/range.md: about 98 % of the
names are nobody's here; of those that are somebody's a few percent still open; a line carries a handful of
tries (5.3 in a campaign of 2.2 million residential addresses, 1.18 in one of 91 million); most lines are in
the victim's own country.
"""

from math import log

import msgspec

from sekisho.kernel.chance import Chance
from sekisho.range import browsers, names, networks
from sekisho.range.browsers import Browser
from sekisho.range.networks import Kind
from sekisho.range.world import World

NAMES_THAT_EXIST = 0.02
PASSWORD_STILL_RIGHT = 0.07
TRIES_A_LINE = 3.0
LINES_AT_HOME = 0.72
LINES_ABROAD = 0.24
COPIED_HANDSHAKE = 0.6
"""Share of tries by a tool that copies a browser's TLS handshake; the others show the tool's own."""
PRETENDS_A_DESK = 0.7
OWN_HANDSHAKE = browsers.handshake("go-http")


class Try(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One try of the attacker. `opens` is the truth that the auditor keeps: this pair opens an account."""

    at_us: int
    name: str
    password: str
    ip: str
    user_agent: str
    tls: str
    opens: bool


class ListAttack(msgspec.Struct, frozen=True, kw_only=True):
    """How many pairs are tried between two moments; the first tenth of the time goes in slowly."""

    tries: int
    start_us: int
    end_us: int

    def plan(self, world: World, chance: Chance) -> list[Try]:
        """Return every try, in order of time."""
        lines = [_line(chance) for _ in range(max(1, int(self.tries / TRIES_A_LINE)))]
        members = list(world.members)
        return [self._try(at_us, world, members, lines, chance) for at_us in self._moments(chance)]

    def _moments(self, chance: Chance) -> list[int]:
        """Return moments whose density rises through the first tenth and stays, unevenly as chance is."""
        length = self.end_us - self.start_us
        gaps = [-log(1 - chance.fraction()) for _ in range(self.tries + 1)]
        total, passed, moments = sum(gaps), 0.0, []
        for gap in gaps[:-1]:
            passed += gap
            moments.append(self.start_us + int(length * _ramped(passed / total)))
        return moments

    def _try(self, at_us: int, world: World, members: list[str], lines: list[str], chance: Chance) -> Try:
        browser = _pretended(chance)
        name, password = names.login_name(chance), names.password(chance)
        if chance.fraction() < NAMES_THAT_EXIST:
            name = chance.choose(members)
            if chance.fraction() < PASSWORD_STILL_RIGHT:
                password = world.members[name].password
        member = world.members.get(name)
        return Try(
            at_us=at_us,
            name=name,
            password=password,
            # The power leaves some lines with many tries and most with one or two.
            ip=lines[int(len(lines) * chance.fraction() ** 1.5)],
            user_agent=browser.user_agent,
            tls=browser.tls if chance.fraction() < COPIED_HANDSHAKE else OWN_HANDSHAKE,
            opens=member is not None and member.password == password,
        )


def _ramped(share: float) -> float:
    """Bend evenly spread shares so that the first tenth of the time carries a twentieth of the tries."""
    quick = 0.1 / 1.9
    return 0.1 * (share / quick) ** 0.5 if share < quick else 0.1 + 0.9 * (share - quick) / (1 - quick)


def _line(chance: Chance) -> str:
    """Return the address of a rented residential line, or of a server among them."""
    where = chance.fraction()
    if where < LINES_AT_HOME:
        return networks.drawn(networks.providers(Kind.HOME), chance).home_v4(chance)
    if where < LINES_AT_HOME + LINES_ABROAD:
        return networks.drawn(networks.providers(Kind.HOME, abroad=True), chance).home_v4(chance)
    return networks.drawn(networks.providers(Kind.HOSTING, abroad=True), chance).home_v4(chance)


def _pretended(chance: Chance) -> Browser:
    """Return the browser that the tool pretends to be: a desk's more often than a phone's."""
    among = browsers.DESKS if chance.fraction() < PRETENDS_A_DESK else browsers.PHONES
    return browsers.drawn(among, chance)
