"""A made-up log of logins for measurements: members with their devices and networks, and a list-type attack.

It is made to cost what real traffic costs, not to be hard to judge: it says nothing about detection. Run as a
module with a path, a number of rows and a seed.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sekisho.kernel.clock import DAY_US

ROWS_A_MEMBER = 8
SLICE_ROWS = 300_000
DAYS = 20
BEGIN_US = 1_767_225_600_000_000  # 2026-01-01T00:00:00Z
ATTACK_FROM = 0.6  # of the time
ATTACK_SHARE = 0.5  # of the attempts from then on
TRIES_AN_ADDRESS = 8
LISTED_MEMBERS = 0.3
HITS = 0.0004
WRONG_PASSWORDS = 0.08
NO_TOKEN = 0.1
AWAY = 0.25
CARRIER_ADDRESSES = 2_000
COMMON_SECRETS = 5_000
IPV6_EVERY = 8

_CLIENTS = [
    (f"Mozilla/5.0 (Device {kind}) Engine/{version}.0 Browser/{version}", f"t13d15{kind:02}h2_{version:012x}")
    for kind in range(12)
    for version in range(120, 125)
]

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class World:
    """What members have and the attacker uses. Texts stand in columns, one entry a member or address."""

    members: pa.Array
    homes: pa.Array
    home_asns: Numbers
    devices: pa.Array
    passwords: pa.Array
    clients: Numbers
    carrier: pa.Array
    proxies: pa.Array
    proxy_asns: Numbers


def write_traffic(path: Path, rows: int, *, seed: int) -> None:
    """Write a log of so many attempts as Parquet, in time order; the same seed gives the same log."""
    random = np.random.default_rng(seed)
    world = _world(random, rows)
    slices = -(-rows // SLICE_ROWS)
    writer: pq.ParquetWriter | None = None
    try:
        for number in range(slices):
            count = min(SLICE_ROWS, rows - number * SLICE_ROWS)
            table = _slice(random, world, count, number / slices, (number + 1) / slices)
            writer = writer or pq.ParquetWriter(path, table.schema, compression="zstd")
            writer.write_table(table)
    finally:
        if writer is not None:
            writer.close()


def _world(random: np.random.Generator, rows: int) -> World:
    members = max(rows // ROWS_A_MEMBER, 100)
    attacks = int(rows * (1 - ATTACK_FROM) * ATTACK_SHARE)
    homes = random.integers(20 << 24, 200 << 24, members)
    proxies = random.integers(20 << 24, 200 << 24, max(attacks // TRIES_AN_ADDRESS, 10))
    return World(
        members=pa.array([f"m{number:07x}" for number in range(members)]),
        homes=pa.array(list(_addresses(homes))),
        home_asns=homes % 300 + 2_000,
        devices=_tokens(random, members),
        passwords=_tokens(random, members),
        clients=np.minimum(random.zipf(1.5, members), len(_CLIENTS)) - 1,
        carrier=pa.array(list(_addresses(random.integers(20 << 24, 200 << 24, CARRIER_ADDRESSES)))),
        proxies=pa.array(list(_addresses(proxies, ipv6_every=0))),
        proxy_asns=proxies % 900 + 5_000,
    )


def _addresses(numbers: Numbers, ipv6_every: int = IPV6_EVERY) -> Iterator[str]:
    for at, number in enumerate(numbers.tolist()):
        if ipv6_every and at % ipv6_every == 0:
            yield f"2001:db8:{number >> 16:x}:{number & 65_535:x}::{at + 1 & 65_535:x}"
        else:
            yield f"{number >> 24}.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


def _tokens(random: np.random.Generator, count: int) -> pa.Array:
    """Return so many different texts of 16 hexadecimal digits."""
    digits = random.bytes(8 * count).hex()
    return pa.array([digits[at : at + 16] for at in range(0, len(digits), 16)], pa.string())


def _slice(random: np.random.Generator, world: World, count: int, begin: float, end: float) -> pa.Table:
    """Return the attempts between two points of the time (0 to 1), in time order."""
    when = np.sort(random.uniform(begin, end, count))
    hostile = (when >= ATTACK_FROM) & (random.random(count) < ATTACK_SHARE)
    honest = _honest(random, world, int(count - hostile.sum()))
    attack = _attack(random, world, int(hostile.sum()))
    order = np.empty(count, np.int64)
    order[~hostile] = np.arange(count - hostile.sum())
    order[hostile] = np.arange(count - hostile.sum(), count)
    both = pa.concat_tables([honest, attack]).take(pa.array(order))
    times = pa.array(BEGIN_US + (when * DAYS * DAY_US).astype(np.int64), pa.timestamp("us", "UTC"))
    return both.add_column(0, "time", times)


def _honest(random: np.random.Generator, world: World, count: int) -> pa.Table:
    who = random.integers(0, len(world.members), count)
    away = random.random(count) < AWAY
    wrong = random.random(count) < WRONG_PASSWORDS
    carrier = random.integers(0, len(world.carrier), count)
    return _table(
        world.clients[who],
        member=world.members.take(pa.array(who)),
        known=pa.array(np.ones(count, np.int8)),
        ip=_either(away, world.carrier.take(pa.array(carrier)), world.homes.take(pa.array(who))),
        asn=pa.array(np.where(away, 2_500 + carrier % 4, world.home_asns[who])),
        device=_either(random.random(count) < NO_TOKEN, "", world.devices.take(pa.array(who))),
        secret=_either(wrong, _tokens(random, count), world.passwords.take(pa.array(who))),
        outcome=_either(wrong, "wrong_secret", pa.array(["success"] * count, pa.string())),
    )


def _attack(random: np.random.Generator, world: World, count: int) -> pa.Table:
    who = random.integers(0, len(world.members), count)
    listed = random.random(count) < LISTED_MEMBERS
    hit = listed & (random.random(count) < HITS / LISTED_MEMBERS)
    source = random.integers(0, len(world.proxies), count)
    common = pa.array([f"{number:016x}" for number in range(COMMON_SECRETS)])
    tried = _either(
        random.random(count) < LISTED_MEMBERS,
        common.take(pa.array(random.integers(0, COMMON_SECRETS, count))),
        _tokens(random, count),
    )
    missed = _either(listed, "wrong_secret", pa.array(["no_such_member"] * count, pa.string()))
    return _table(
        np.minimum(random.zipf(1.5, count), len(_CLIENTS)) - 1,
        member=_either(listed, world.members.take(pa.array(who)), _tokens(random, count)),
        known=pa.array(listed.astype(np.int8)),
        ip=world.proxies.take(pa.array(source)),
        asn=pa.array(world.proxy_asns[source]),
        device=pa.array([""] * count, pa.string()),
        secret=_either(hit, world.passwords.take(pa.array(who)), tried),
        outcome=_either(hit, "success", missed),
    )


def _either(mask: npt.NDArray[np.bool_], yes: pa.Array | str, no: pa.Array) -> pa.Array:
    return pc.if_else(pa.array(mask), yes, no)


def _table(clients: Numbers, **columns: Any) -> pa.Table:  # noqa: ANN401 - Arrow publishes no types
    chosen = pa.array(clients)
    agents, fingerprints = (pa.array(texts) for texts in zip(*_CLIENTS, strict=True))
    return pa.table({**columns, "user_agent": agents.take(chosen), "tls": fingerprints.take(chosen)})


if __name__ == "__main__":
    write_traffic(Path(sys.argv[1]), int(sys.argv[2]), seed=int(sys.argv[3]))
