"""What is known of a member: the places and clients of past successes, packed into one small array each.

A profile is written by proven successes alone, so an attacker can neither create one nor change one by
failing.
"""

from collections.abc import MutableSequence, Sequence
from struct import Struct
from typing import TypeAlias

import msgspec

PLACES = 6
CLIENTS = 4
_LAST_S, _LOGINS, _WITH_TOKEN, _PLACES = 0, 1, 2, 3
_CLIENTS = _PLACES + PLACES
_LENGTH = _CLIENTS + CLIENTS
_SAME_ADDRESS = 0xFFFF_FFFF_FFFF  # every part of a place but the provider
_NUMBERS = Struct(f"={_LENGTH}Q")
# Unsigned 64-bit numbers, laid out as above. Plain bytes, because there are as many as members: whatever can
# hold other objects, the garbage collector goes through again and again.
Profile: TypeAlias = bytearray


class Familiarity(msgspec.Struct, frozen=True, gc=False):
    """How near an attempt is to what the member did before: ordered classes, 0 where there is no history.

    `network`: 1 nothing shared, 2 provider, 3 region, 4 prefix, 5 address. `client`: 1 nothing shared, 2
    system, 3 program, 4 exact text. `tls`: 1 new, 2 known. `logins`: past successes. `silent_s`: seconds
    since the last one. `token_share`: part of the successes that carried a device token, 0 to 1.
    """

    network: int
    client: int
    tls: int
    logins: int
    silent_s: int
    token_share: float


STRANGER = Familiarity(0, 0, 0, 0, 0, 0.0)


def pack_client(exact: int, family: int, system: int, tls: int) -> int:
    """Pack a client's 16-bit codes into one number, the exact text most significant."""
    return exact << 48 | family << 32 | tls << 16 | system


def familiarity(profile: Profile | None, place: int, client: int, now_s: int) -> Familiarity:
    """Compare an attempt's packed place and client with a member's past ones."""
    if profile is None:
        return STRANGER
    numbers = _NUMBERS.unpack(profile)
    program, tls = _client_classes(numbers[_CLIENTS:], client)
    logins = numbers[_LOGINS]
    share = numbers[_WITH_TOKEN] / logins
    network = _network_class(numbers[_PLACES:_CLIENTS], place)
    return Familiarity(network, program, tls, logins, now_s - numbers[_LAST_S], share)


def _network_class(places: Sequence[int], place: int) -> int:
    best = 1
    for known in places:
        if not known:  # an empty slot; some IPv6 addresses pack to 0 as well, and must not match it
            continue
        apart = known ^ place
        if not apart & _SAME_ADDRESS:
            return 5
        if best == 4:  # noqa: PLR2004 - classes as documented
            continue
        if not apart & 0xFFFF_FFFF_0000:
            best = 4
        elif not apart & 0xFFFF_0000_0000:
            best = 3
        elif best == 1 and not apart >> 48 and place >> 48:
            best = 2
    return best


def _client_classes(clients: Sequence[int], client: int) -> tuple[int, int]:
    program, tls = 1, 1
    for known in clients:
        if not known:
            break
        apart = known ^ client
        if not apart & 0xFFFF_0000:
            tls = 2
        if not apart >> 48:
            program = 4
        elif not apart & 0xFFFF_0000_0000:
            program = max(program, 3)
        elif not apart & 0xFFFF:
            program = max(program, 2)
    return program, tls


class Members:
    """Profiles by member key; members without a success take no space."""

    def __init__(self) -> None:
        self.profiles: dict[int, Profile] = {}

    def remember(self, member: int, place: int, client: int, now_s: int, *, with_token: bool) -> Profile:
        """Write a proven success into the member's profile and return it."""
        profile = self.profiles.get(member)
        if profile is None:
            profile = self.profiles[member] = bytearray(_NUMBERS.size)
        numbers = list(_NUMBERS.unpack(profile))
        numbers[_LAST_S] = max(0, now_s)
        numbers[_LOGINS] += 1
        numbers[_WITH_TOKEN] += with_token
        _to_front(numbers, _PLACES, _CLIENTS, place)
        _to_front(numbers, _CLIENTS, _LENGTH, client)
        _NUMBERS.pack_into(profile, 0, *numbers)
        return profile


def _to_front(numbers: MutableSequence[int], start: int, stop: int, value: int) -> None:
    """Put a value first among those between start and stop; the one seen longest ago falls out."""
    if numbers[start] == value:
        return
    for at in range(start + 1, stop):
        if numbers[at] == value:
            break
    else:
        at = stop - 1
    for back in range(at, start, -1):
        numbers[back] = numbers[back - 1]
    numbers[start] = value
