"""A small world of members and, if asked for, an attacker: enough to see the hunt work in a second."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pytest

from sekisho.campaigns.logs.record import SCHEMA

HOUR_US = 3_600_000_000
START_US = 1_780_000_000_000_000
TEXTS = ("actor", "client", "challenge", "session", "target", "country", "secret")


@dataclass
class MadeLog:
    """Rows under construction; `hostile` and `hit` are the truth that the hunt is not told."""

    rows: list[dict[str, object]] = field(default_factory=list)
    hostile: list[bool] = field(default_factory=list)
    hit: list[bool] = field(default_factory=list)

    def add(self, *, hostile: bool = False, **row: object) -> None:
        self.rows.append(row)
        self.hostile.append(hostile)
        self.hit.append(hostile and row["outcome"] == "success")

    def table(self) -> pa.Table:
        whole = []
        for place, row in enumerate(self.rows):
            empty: dict[str, object] = dict.fromkeys(TEXTS, "")
            empty |= {"gate": "login", "known": 1, "device_valid": -1, "leaked": -1, "amount_yen": None}
            empty |= {"user_agent": "", "tls": "", "device": "", "asn": 0, "row": place}
            whole.append(empty | row)
        columns = {name: [row[name] for row in whole] for name in SCHEMA.names}
        plain = pa.table({name: pa.array(values) for name, values in columns.items()})
        return plain.cast(SCHEMA)

    def members_hit(self) -> set[object]:
        return {row["member"] for row, hit in zip(self.rows, self.hit, strict=True) if hit}


def honest_traffic(log: MadeLog, chance: np.random.Generator, *, days: int, members: int = 1500) -> None:
    """Everybody has a home address and a phone; one visit in ten lacks the token, one in fifteen slips."""
    visits = days * 400
    who = chance.integers(0, members, visits)
    when = START_US + np.sort(chance.integers(0, days * 24 * HOUR_US, visits))
    for member, time_us in zip(who.tolist(), when.tolist(), strict=True):
        visit = {
            "member": f"m{member}",
            "ip": f"10.{member % 40}.{member // 40}.7",
            "asn": 100 + member % 5,
            "user_agent": f"phone {member % 7}",
            "tls": f"t{member % 7}",
        }
        token = f"d{member}" if chance.random() < 0.9 else ""
        if chance.random() < 1 / 15:
            log.add(**visit, device=token, time_us=time_us - 9_000_000, outcome="wrong_secret")
        log.add(**visit, device=token, time_us=time_us, outcome="success")


def list_attack(
    log: MadeLog, chance: np.random.Generator, *, first_hour: int, hours: int, tries: int
) -> None:
    """One try a name, four an address; one name in ten exists, one of those in twenty fits."""
    when = START_US + first_hour * HOUR_US + np.sort(chance.integers(0, hours * HOUR_US, tries))
    for number, time_us in enumerate(when.tolist()):
        source = int(chance.integers(0, tries // 4))
        known = chance.random() < 0.1
        fits = known and chance.random() < 0.05
        log.add(
            hostile=True,
            member=f"m{int(chance.integers(0, 1500))}" if known else f"n{number}",
            known=int(known),
            ip=f"203.{source % 200}.{source // 200}.9",
            asn=900 + source % 9,
            user_agent="phone 3",
            tls="tool",
            time_us=time_us,
            outcome="success" if fits else "wrong_secret" if known else "no_such_member",
        )


@pytest.fixture
def made_log() -> Callable[..., MadeLog]:
    """Return a maker of logs: honest days, and an attack of so many tries (0: none)."""

    def make(*, days: int = 12, tries: int = 0, seed: int = 3) -> MadeLog:
        chance = np.random.default_rng(seed)
        log = MadeLog()
        honest_traffic(log, chance, days=days)
        if tries:
            list_attack(log, chance, first_hour=(days - 4) * 24, hours=48, tries=tries)
        return log

    return make
