"""The address plan of the small world: invented providers on numbers that nobody on the internet has.

IPv4 addresses are those for private use (RFC 1918), IPv6 those for documentation (RFC 3849), provider
numbers those for private use (RFC 6996); so a record of the range can never be mistaken for real traffic.
"""

from enum import StrEnum
from ipaddress import IPv4Address, ip_address

import msgspec

from sekisho.kernel.chance import Chance

V4_BLOCKS = 8
SHARED_ADDRESSES = 48
V6_HOMES = 0.4
"""Share of a provider's homes that reach the internet by IPv6."""


class Kind(StrEnum):
    """What a provider sells."""

    HOME = "home"
    CARRIER = "carrier"
    HOSTING = "hosting"


class Provider(msgspec.Struct, frozen=True, kw_only=True):
    """A provider: `number` is its place in the plan, `weight` its share among its kind and country."""

    number: int
    asn: int
    country: str
    kind: Kind
    weight: int

    def home_v4(self, chance: Chance) -> str:
        """Return the address of a home or a rented server, as good as its own."""
        block = self.number * V4_BLOCKS + chance.below(V4_BLOCKS)
        return f"10.{block}.{chance.below(256)}.{1 + chance.below(254)}"

    def shared_v4(self, chance: Chance) -> str:
        """Return one of the few addresses behind which a carrier hides its phones."""
        return f"10.{self.number * V4_BLOCKS}.0.{1 + chance.below(SHARED_ADDRESSES)}"

    def site_v6(self, chance: Chance) -> str:
        """Return the /64 of a home or a phone, without the part that each device makes up."""
        return f"2001:db8:{self.number:x}:{1 + chance.below(65_535):x}"


JAPAN = "JP"
PROVIDERS = tuple(
    Provider(number=number, asn=64_512 + number, country=country, kind=kind, weight=weight)
    for number, (country, kind, weight) in enumerate(
        [
            (JAPAN, Kind.HOME, 34),
            (JAPAN, Kind.HOME, 22),
            (JAPAN, Kind.HOME, 18),
            (JAPAN, Kind.HOME, 14),
            (JAPAN, Kind.HOME, 12),
            (JAPAN, Kind.CARRIER, 38),
            (JAPAN, Kind.CARRIER, 29),
            (JAPAN, Kind.CARRIER, 21),
            (JAPAN, Kind.CARRIER, 12),
            ("US", Kind.HOME, 22),
            ("BR", Kind.HOME, 20),
            ("VN", Kind.HOME, 18),
            ("ID", Kind.HOME, 16),
            ("IN", Kind.HOME, 14),
            ("TH", Kind.HOME, 10),
            ("US", Kind.HOSTING, 60),
            ("SG", Kind.HOSTING, 40),
        ]
    )
)


def providers(kind: Kind, *, abroad: bool = False) -> tuple[Provider, ...]:
    """Return the providers of a kind, at home or abroad."""
    return tuple(p for p in PROVIDERS if p.kind is kind and (p.country != JAPAN) == abroad)


def drawn(among: tuple[Provider, ...], chance: Chance) -> Provider:
    """Draw a provider by its share."""
    at = chance.below(sum(provider.weight for provider in among))
    for provider in among:
        at -= provider.weight
        if at < 0:
            return provider
    return among[-1]


def locate(ip: str) -> Provider:
    """Return the provider of an address, as an address table would. Raises ValueError for others."""
    address = ip_address(ip)
    v4 = isinstance(address, IPv4Address)
    number = (int(address) >> 16 & 0xFF) // V4_BLOCKS if v4 else int(address) >> 80 & 0xFFFF
    if number >= len(PROVIDERS):
        raise ValueError(f"no provider of this world has the address {ip}")
    return PROVIDERS[number]
