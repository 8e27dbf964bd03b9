"""What the guard has learnt, as bytes that outlive the process: all that decides but the secrets' counts.

Copying the memory and packing the copy are two steps. The copy must be taken where the guard decides, between
two attempts, and is quick; packing may take its time in another thread. Of a table only the slots that are
taken are kept, of a list of counts only those that are not zero.

Which attributes make up the memory is written down once, in `KEPT`. A snapshot carries a fingerprint of that
list and of what the codes mean, so that one of another layout is refused and never read wrongly.
"""

import zlib
from array import array
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from sekisho.guard.alarm import Alarm, _Sum
from sekisho.guard.devices import Devices
from sekisho.guard.evidence import MEMBER_WIDTHS, SOURCE_WIDTHS, Example, SourceFacts, Tables
from sekisho.guard.friction import Friction
from sekisho.guard.lane import Lane, _Window
from sekisho.guard.memory import CountTable, Decay, Odds
from sekisho.guard.networks import Source
from sekisho.guard.recollection import Recollection
from sekisho.guard.rehearsal import Lesson, Rehearsal
from sekisho.guard.risk import FailureOdds, Prior, Weights

VERSION = 1
_MASK64 = (1 << 64) - 1
_V6 = 1 << 64
_LEVEL = 1
_AT_ONCE = 1 << 30

KEPT: dict[type, tuple[str, ...]] = {
    Recollection: ("addresses", "prefixes", "accounts", "actors", "devices", "_logins"),
    Devices: ("table",),
    Lane: (
        *("tables", "odds", "prior", "alarm", "friction", "now_s", "_next_s", "labels", "in_campaign"),
        *(
            "_rehearsal",
            "failures",
            "_long",
            "_calm",
            "_windows",
            "hit_rate",
            "log_intensity",
            "hostile_part",
            "_usual_before",
        ),
    ),
    Tables: (
        *("quick", "slow", "long", "provider_quick", "provider", "region", "fingerprint", "exact", "family"),
        *("country", "pairing", "exact_long", "all_quick", "all_slow", "all_long"),
    ),
    Odds: ("failures", "successes"),
    Decay: ("landmark_s", "weight"),
    FailureOdds: ("source", "member", "calm_source", "calm_member"),
    Weights: ("values", "_squares"),
    Prior: ("contrast", "_tokens", "_states", "_leaked", "_total"),
    Alarm: (
        *("raised_s", "until_s", "number", "_sums", "_long", "_suspicious", "_successes"),
        "_begun_s",
    ),
    _Sum: ("value", "peak", "passed", "calm_max"),
    Friction: (
        *("budgets", "thresholds", "_factors", "_examples", "_scores", "_proven", "_only_proven"),
        *("_next", "_cursor", "_since", "_stale"),
    ),
    Rehearsal: ("_lessons", "_next", "_at"),
    _Window: ("decay", "bare", "vouched", "doubted", "hostile"),
}
"""The attributes that are kept, by the class of the part. The rest is settings, or made anew."""

NOT_KEPT: dict[type, tuple[str, ...]] = {
    # The members' profiles and the decoys, which point to some of them, are kept together, apart from this.
    Recollection: ("_seed", "lists", "secrets", "members", "decoys"),
    Lane: ("_look_around",),
    Odds: ("decay",),
    Decay: ("half_life_s", "_tables"),
    Weights: ("_rate",),
    Alarm: ("hold_s",),
    _Sum: ("slack", "floor"),
    Friction: ("_rescore",),
    _Window: (),
}
"""The attributes that are not."""


class BadSnapshot(ValueError):  # noqa: N818 - named like a refusal, for it is one to the operator
    """The bytes are no snapshot that this guard can go on from; the text says why."""


class MemoryCopy(NamedTuple):
    """A copy of a guard's memory at one moment: nothing that the guard does later changes it."""

    key_check: bytes
    parts: dict[str, Any]

    def pack(self) -> bytes:
        """Return the copy as bytes. Takes its time; may be called from any thread."""
        body = zlib.compress(msgspec.msgpack.encode(_packed(self.parts)), _LEVEL)
        return msgspec.msgpack.encode(_Snapshot(VERSION, _layout(), self.key_check, body))


class _Snapshot(msgspec.Struct, array_like=True):
    version: int
    layout: bytes
    key_check: bytes
    body: bytes


class _TakenSlots(NamedTuple):
    """The slots of a table that are taken: the table's size, their numbers, and their fields."""

    size: int
    numbers: NDArray[Any]
    fields: dict[str, NDArray[Any]]


class _Ring(NamedTuple):
    """The examples of a friction ring, and of each what changes in place: its codes and its state."""

    examples: list[tuple[Example, tuple[int, ...], int]]


def key_check(key: bytes) -> bytes:
    """Return a value that tells whether a key is the same, and does not tell the key."""
    return blake2b(b"", key=key, person=b"guard-snapshot", digest_size=16).digest()


def copy_memory(key: bytes, recollection: Recollection, lanes: Mapping[str, Lane], now_s: int) -> MemoryCopy:
    """Copy what makes up a guard's memory. Call it where the guard decides."""
    return MemoryCopy(
        key,
        {
            "now_s": now_s,
            "recollection": _copied(recollection),
            "members": _copied_members(recollection),
            "lanes": {gate: _copied(lane) for gate, lane in lanes.items()},
        },
    )


def _copied(part: Any) -> Any:  # noqa: ANN401 - a memory is numbers, lists and parts, nested
    copied: Any
    if isinstance(part, int | float):
        copied = part
    elif isinstance(part, list) and part and isinstance(part[0], Example):
        copied = _Ring([(item, item.facts.codes, item.facts.address_state) for item in part])
    elif isinstance(part, list | array | bytearray):
        copied = part[:]
    elif isinstance(part, tuple):
        copied = [_copied(inner) for inner in part]
    elif isinstance(part, CountTable):
        copied = _copied_table(part)
    else:
        copied = {name: _copied(getattr(part, name)) for name in KEPT[type(part)]}
    return copied


def _copied_table(table: CountTable) -> _TakenSlots:
    numbers = np.flatnonzero(table.arrays["print"])
    fields = {name: column[numbers] for name, column in table.arrays.items()}
    return _TakenSlots(len(table.arrays["print"]), numbers, fields)


def _copied_members(recollection: Recollection) -> dict[str, Any]:
    """Copy the profiles and the decoys: a decoy is some member's very profile, and changes with it."""
    profiles = recollection.members.profiles
    count = len(profiles)
    objects = np.fromiter(map(id, profiles.values()), np.uint64, count)
    shown = np.array([id(decoy) for decoy in recollection.decoys if decoy is not None], np.uint64)
    places = {int(objects[place]): int(place) for place in np.flatnonzero(np.isin(objects, shown))}
    return {
        "keys": np.fromiter(profiles.keys(), np.uint64, count),
        "profiles": b"".join(profiles.values()),
        "decoys": [-1 if decoy is None else places[id(decoy)] for decoy in recollection.decoys],
    }


def _packed(part: Any) -> Any:  # noqa: ANN401 - see _copied
    packed: Any = part
    if isinstance(part, dict):
        packed = {name: _packed(inner) for name, inner in part.items()}
    elif isinstance(part, _TakenSlots):
        fields = {name: column.tobytes() for name, column in part.fields.items()}
        packed = [part.size, part.numbers.astype(np.uint32).tobytes(), fields]
    elif isinstance(part, _Ring):
        packed = [_packed_example(*item) for item in part.examples]
    elif isinstance(part, array | np.ndarray):
        packed = part.tobytes()
    elif isinstance(part, list) and part and isinstance(part[0], float):
        counts = np.array(part)
        filled = np.flatnonzero(counts)
        packed = [len(part), filled.astype(np.uint32).tobytes(), counts[filled].tobytes()]
    elif isinstance(part, list):
        packed = [_packed(inner) for inner in part]
    return packed


def _packed_example(example: Example, codes: tuple[int, ...], state: int) -> list[Any]:
    facts, source = example.facts, example.source
    seen = (facts.provider, facts.region, facts.tls, facts.exact, facts.family, facts.country, facts.v6)
    numbers = (source.address, source.prefix, source.region, source.place)
    where = [number & _MASK64 for number in numbers]  # an IPv6 network's number has one bit more than fits
    return [example.kind, example.leaked, seen, state, codes, tuple(example.member), where, example.ever]


def unpack(data: bytes, key: bytes) -> dict[str, Any]:
    """Return the parts that a snapshot holds, as `fill` takes them.

    Raises BadSnapshot where it is broken, of another version or layout, or made under another key.
    """
    try:
        snapshot = msgspec.msgpack.decode(data, type=_Snapshot)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadSnapshot("is broken") from error
    if (snapshot.version, snapshot.layout) != (VERSION, _layout()):
        raise BadSnapshot("was made by another version of Sekisho")
    if snapshot.key_check != key_check(key):
        raise BadSnapshot("was made under another key")
    try:
        return msgspec.msgpack.decode(zlib.decompress(snapshot.body), type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, zlib.error) as error:
        raise BadSnapshot("is broken") from error


def sizes(parts: Mapping[str, Any]) -> tuple[int, int]:
    """Return how many addresses and devices the tables of a snapshot have room for."""
    kept = parts["recollection"]
    return kept["addresses"][0], kept["devices"]["table"][0]


def fill(recollection: Recollection, lanes: Mapping[str, Lane], parts: Mapping[str, Any]) -> None:
    """Put the parts of a snapshot into a new guard's memory, whose lanes are those of the snapshot."""
    _fill(recollection, parts["recollection"])
    _fill_members(recollection, parts["members"])
    for gate, kept in parts["lanes"].items():
        _fill(lanes[gate], kept)


def _fill(part: Any, kept: Any) -> None:  # noqa: ANN401 - see _copied
    if isinstance(part, CountTable):
        _fill_table(part, kept)
        return
    if isinstance(part, Friction):
        kept = _under_new_budgets(part, kept)
    for name in KEPT[type(part)]:
        old, new = getattr(part, name), kept[name]
        if name == "budgets":
            continue
        if isinstance(old, list):
            # In place: a Decay goes on scaling the lists that it follows.
            old[:] = _listed(name, new)
        elif isinstance(old, array | bytearray):
            old[:] = array(old.typecode, new) if isinstance(old, array) else new
        elif isinstance(old, tuple):
            for inner, its in zip(old, new, strict=True):
                _fill(inner, its)
        elif isinstance(old, int | float):
            setattr(part, name, new)
        else:
            _fill(old, new)


def _under_new_budgets(friction: Friction, kept: Mapping[str, Any]) -> dict[str, Any]:
    """Keep the thresholds where the policy has other budgets now, and have them placed anew at once.

    The old threshold of a budget is nearer to the new one than none at all.
    """
    before, now = kept["budgets"], list(friction.budgets)
    budgets = _counts(before)
    if budgets == now:
        return dict(kept)
    both = min(len(budgets), len(now))
    thresholds = [*_counts(kept["thresholds"])[:both], *friction.thresholds[both:]]
    return {
        **kept,
        "thresholds": _packed(thresholds),
        "_factors": _packed([1.0] * len(now)),
        "_since": _AT_ONCE,
    }


def _fill_table(table: CountTable, kept: Any) -> None:  # noqa: ANN401 - see _copied
    size, numbers, fields = kept
    if size != len(table.arrays["print"]):
        raise BadSnapshot("is broken")
    slots = np.frombuffer(numbers, np.uint32)
    for name, column in table.arrays.items():
        column[slots] = np.frombuffer(fields[name], column.dtype)


def _fill_members(recollection: Recollection, kept: Mapping[str, Any]) -> None:
    keys = np.frombuffer(kept["keys"], np.uint64).tolist()
    packed = memoryview(kept["profiles"])
    width = len(packed) // max(1, len(keys))
    profiles = [bytearray(packed[start : start + width]) for start in range(0, len(packed), width or 1)]
    recollection.members.profiles.update(zip(keys, profiles, strict=True))
    recollection.decoys[:] = [None if place < 0 else profiles[place] for place in kept["decoys"]]


def _listed(name: str, kept: Any) -> list[Any]:  # noqa: ANN401 - see _copied
    if name == "_examples":
        return [_example(item) for item in kept]
    return msgspec.convert(kept, list[Lesson]) if name == "_lessons" else _counts(kept)


def _counts(kept: Any) -> list[float]:  # noqa: ANN401 - see _copied
    length, filled, values = kept
    counts = np.zeros(length)
    counts[np.frombuffer(filled, np.uint32)] = np.frombuffer(values)
    return list(map(float, counts))


def _example(kept: Any) -> Example:  # noqa: ANN401 - see _copied
    kind, leaked, seen, state, codes, member, where, ever = kept
    provider, region, tls, exact, family, country, v6 = seen
    facts = SourceFacts(
        provider=provider, region=region, tls=tls, exact=exact, family=family, country=country, v6=v6
    )  # fmt: skip
    facts.address_state, facts.codes = state, tuple(codes)
    address, prefix, wide, place = where
    beyond = _V6 if v6 else 0
    source = Source(address | beyond, prefix | beyond, wide | beyond, place, v6)
    return Example(kind, leaked, facts, member, source, ever)


def _layout() -> bytes:
    """Return a fingerprint of what is kept and of what its codes mean."""
    kept = sorted((part.__name__, names) for part, names in KEPT.items())
    described = repr((kept, CountTable.FIELDS, SOURCE_WIDTHS, MEMBER_WIDTHS))
    return blake2b(described.encode(), digest_size=8).digest()
