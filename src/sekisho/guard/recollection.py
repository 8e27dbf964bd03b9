"""The guard's memory as a whole: it says what is known about an attempt, and takes in what came of it."""

import msgspec
import xxhash

from sekisho.guard.address_lists import AddressLists
from sekisho.guard.attempts import Attempt
from sekisho.guard.clients import code16, read_client
from sekisho.guard.devices import Devices, Sighting, TokenClass
from sekisho.guard.evidence import (
    Codes,
    SourceFacts,
    Surroundings,
    Tables,
    excess_failures,
    member_codes,
    source_codes,
)
from sekisho.guard.memory import CountTable
from sekisho.guard.networks import Source, read_source
from sekisho.guard.profiles import STRANGER, Familiarity, Members, Profile, familiarity, pack_client
from sekisho.guard.spray import SecretUse

HOUR_S = 3_600
DAY_S = 86_400
_DECOYS = 1_024
_DECOY_EVERY = 16
_NEAR = 4  # the network class "same prefix"
_PARTNER = Sighting(TokenClass.PARTNER, 0, 0)
_MARK = 0xFFFF_FFFF
_UNKNOWN = Surroundings()


class Observation(msgspec.Struct, frozen=True, gc=False):
    """An attempt as the guard sees it: keys, and for an unvouched one the facts and codes of its evidence.

    `around` is what is known of its address; `guesses` the failures on the account within about an hour;
    `sprayed` the other accounts its secret failed on; `leaked` 0 no, 1 yes, 2 not recorded; `listed` how many
    of the operator's lists carry the address; `signs` those of a relayed code. `facts` is None where a device
    token vouches for the attempt.
    """

    member: int
    source: Source
    client: int
    sighting: Sighting
    known: Familiarity = STRANGER
    facts: SourceFacts | None = None
    codes: Codes = ()
    around: Surroundings = _UNKNOWN
    guesses: float = 0.0
    sprayed: float = 0.0
    leaked: int = 2
    secret: int = 0
    listed: int = 0
    signs: tuple[str, ...] = ()


class Recollection:
    """Bounded tables by address, prefix, account, actor, device and secret, and the members' profiles."""

    def __init__(
        self, *, key: bytes, addresses: int, devices: int, lists: AddressLists | None = None
    ) -> None:
        """Make an empty memory for so many addresses and devices (powers of two); `key` is 32 bytes."""
        self.lists = lists
        seed = self._seed = int.from_bytes(key[:8], "big")
        self.addresses = CountTable(slots=addresses, half_life_s=DAY_S, key=seed)
        self.prefixes = CountTable(slots=max(1 << 12, addresses >> 4), half_life_s=DAY_S, key=seed + 1)
        self.accounts = CountTable(slots=max(1 << 12, addresses >> 4), half_life_s=HOUR_S, key=seed + 2)
        self.actors = CountTable(slots=1 << 16, half_life_s=DAY_S, key=seed + 3)
        self.devices = Devices(slots=devices, key=seed + 4)
        self.members = Members()
        self.secrets = SecretUse(slots=1 << 18, key=key)
        self.decoys: list[Profile | None] = [None] * _DECOYS
        self._logins = 0

    def observe(self, attempt: Attempt, tables: Tables, now_s: int) -> Observation:
        """Say what is known about an attempt before its outcome; an id that does not exist gets a
        decoy's past.
        """
        source = read_source(attempt.ip, attempt.asn)
        exact, family, system = read_client(attempt.user_agent)
        member = xxhash.xxh3_64_intdigest(
            f"{attempt.gate}|{attempt.member}".encode("utf-8", "surrogatepass"), self._seed
        )
        tls = code16(attempt.tls)
        client = pack_client(exact, family, system, tls)
        if attempt.client:
            sighting = _PARTNER
        else:
            sighting = self.devices.look(attempt.device, member, family, attempt.device_valid)
            if sighting.kind == TokenClass.OWN:
                return Observation(member, source, client, sighting)
        facts = SourceFacts(
            provider=source.place >> 48, region=source.region & 0xFFFF, tls=tls, exact=exact, family=family,
            country=code16(attempt.country) & 0xFFF, v6=source.v6,
        )  # fmt: skip
        around = self.look_around(source, now_s)
        actor = self._actor_class(attempt.actor) if attempt.actor else 0
        source_codes(facts, tables, sighting.kind, around, now_s, actor)
        guesses, from_here = self._guesses(member, source, now_s)
        leaked = 2 if attempt.leaked is None else int(attempt.leaked)
        secret = self.secrets.key_of(attempt.gate, attempt.secret, now_s)
        sprayed = self.secrets.failures(secret, member, now_s)
        profile = (
            self.members.profiles.get(member) if attempt.known is not False else self.decoys[member % _DECOYS]
        )
        known = familiarity(profile, source.place, client, now_s)
        failing = 0 if guesses < 0.4 else 2 if from_here else 1  # noqa: PLR2004 - rounds to no failure
        codes = member_codes(known, facts, sighting.kind, failing=failing, leaked=leaked, sprayed=sprayed)
        listed = 0 if self.lists is None else self.lists.count(source)
        return Observation(
            member, source, client, sighting, known, facts, codes, around, guesses, sprayed, leaked, secret,
            listed, attempt.signs,
        )  # fmt: skip

    def look_around(self, source: Source, now_s: int) -> Surroundings:
        """Say what is known of an address and its prefix now."""
        addresses, prefixes = self.addresses, self.prefixes
        slot, around = addresses.find(source.address), prefixes.find(source.prefix)
        if slot < 0 and around < 0:
            return _UNKNOWN
        ever, excess, successes = 0, 0.0, 0.0
        if slot >= 0:
            ever = addresses.ever[slot]
            excess, successes = excess_failures(addresses, slot, now_s)
        if around < 0:
            return Surroundings(ever, excess, successes)
        return Surroundings(ever, excess, successes, *excess_failures(prefixes, around, now_s))

    def as_somebody_else(self, seen: Observation, now_s: int) -> Codes:
        """Return the member codes had the same source come for another member, drawn at random."""
        assert seen.facts is not None  # noqa: S101 - vouched attempts have no codes
        other = self.decoys[(self._logins * 7 + seen.member) % _DECOYS]
        known = familiarity(other, seen.source.place, seen.client, now_s)
        return member_codes(known, seen.facts, seen.sighting.kind, failing=0, leaked=seen.leaked, sprayed=0.0)

    def remember_success(self, seen: Observation, attempt: Attempt, now_s: int) -> None:
        """Take in a success that was the member's own as far as can be told."""
        table = self.addresses
        slot = table.take(seen.source.address, now_s)
        table.successes[slot] += 1.0
        table.ever[slot] = min(table.ever[slot] + 1, _MARK)
        self.prefixes.successes[self.prefixes.take(seen.source.prefix, now_s)] += 1.0
        self._count_actor(attempt.actor, now_s)
        with_token = seen.sighting.kind in (TokenClass.UNSEEN, TokenClass.MOVED, TokenClass.OWN)
        profile = self.members.remember(
            seen.member, seen.source.place, seen.client, now_s, with_token=with_token
        )
        self.devices.earn(seen.sighting, seen.client >> 32 & 0xFFFF, now_s)
        self._logins += 1
        if (
            self._logins % _DECOY_EVERY == 0
        ):  # every second decoy stays without a past, like a member who never came
            self.decoys[self._logins // _DECOY_EVERY * 2 % _DECOYS] = profile

    def remember_failure(self, seen: Observation, attempt: Attempt, now_s: int, *, exists: bool) -> bool:
        """Take in a failure; return whether it is suspicious: the first of its kind, from where nobody
        ever succeeded.
        """
        accounts = self.accounts
        at = accounts.take(seen.member, now_s)
        repeated = accounts.failures[at] > 0.5  # noqa: PLR2004 - one failure within the hour
        accounts.failures[at] += 1.0
        accounts.tag[at] = seen.source.address & _MARK
        if seen.facts is None:
            return False
        addresses, mark = self.addresses, seen.member & _MARK
        slot = addresses.take(seen.source.address, now_s)
        again = addresses.tag[slot] == mark
        if not again:
            addresses.tag[slot] = mark
            addresses.failures[slot] += 1.0
            self.prefixes.failures[self.prefixes.take(seen.source.prefix, now_s)] += 1.0
        self.secrets.count(seen.secret, seen.member, now_s)
        self._count_actor(attempt.actor, now_s)
        return not (again or repeated or addresses.ever[slot] or (exists and seen.known.network >= _NEAR))

    def _guesses(self, member: int, source: Source, now_s: int) -> tuple[float, bool]:
        accounts = self.accounts
        slot = accounts.find(member)
        if slot < 0:
            return 0.0, False
        from_here = accounts.tag[slot] == source.address & _MARK
        return accounts.failures[slot] * accounts.kept(slot, now_s), from_here

    def _actor_class(self, actor: str) -> int:
        slot = self.actors.find(xxhash.xxh3_64_intdigest(actor.encode("utf-8", "surrogatepass")))
        return 1 + (int(self.actors.failures[slot]) if slot >= 0 else 0)

    def _count_actor(self, actor: str, now_s: int) -> None:
        if actor:
            self.actors.failures[
                self.actors.take(xxhash.xxh3_64_intdigest(actor.encode("utf-8", "surrogatepass")), now_s)
            ] += 1.0
