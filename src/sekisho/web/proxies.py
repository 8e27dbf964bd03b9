"""Who the client is behind proxies: only what a trusted proxy says about an address is believed."""

import ipaddress
from collections.abc import Iterable

import msgspec

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

FORWARDED_ENTRIES_MAX = 50


class ProxyTrust(msgspec.Struct, frozen=True, kw_only=True):
    """Which peers are proxies of ours, and how many of them stand between the client and this program.

    With `hops` None every trusted address at the end of the chain is skipped, and the first one that is not
    trusted is the client. With a number, the client is the address that so many proxies ago was seen,
    whoever they were; the last of them must still be trusted.
    """

    networks: tuple[Network, ...] = ()
    hops: int | None = None

    @classmethod
    def parse(cls, networks: Iterable[str], hops: int | None = None) -> "ProxyTrust":
        """Read networks as `10.0.0.0/8` or single addresses; raises ValueError where one is neither."""
        return cls(networks=tuple(ipaddress.ip_network(text, strict=False) for text in networks), hops=hops)

    def trusts(self, address: str) -> bool:
        """Say whether an address is a proxy of ours; a peer without one (a Unix socket) is."""
        if not address:
            return True
        parsed = parse_address(address)
        return parsed is not None and any(parsed in network for network in self.networks)

    def client_address(self, peer: str, forwarded_for: str) -> str:
        """Return the client's address, given the socket's peer and the joined X-Forwarded-For header.

        Entries that are no address end the walk: what stands left of them was written by somebody unknown.
        The peer's own address comes back where nothing better is known.
        """
        if not self.trusts(peer):
            return peer
        entries = [entry.strip() for entry in forwarded_for.split(",")[-FORWARDED_ENTRIES_MAX:]]
        believed = peer
        for distance, entry in enumerate(reversed(entries), start=1):
            parsed = parse_address(entry)
            if parsed is None:
                break
            believed = str(parsed)
            if distance == self.hops or (self.hops is None and not self.trusts(believed)):
                break
        return believed


def parse_address(text: str) -> Address | None:
    """Read an address as proxies write it (a port or brackets may be around it); None where it is none.

    An IPv4 address mapped into IPv6 comes back as IPv4.
    """
    bare = text.strip().strip('"')
    if bare.startswith("["):
        bare = bare[1:].partition("]")[0]
    elif bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        address = ipaddress.ip_address(bare.partition("%")[0])
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped or address
