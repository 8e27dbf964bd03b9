"""The last days played again under two policies side by side: what each answers, and what is known by now."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import msgspec
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from sekisho.campaigns.known_ends import ENDS, End, known_ends, marks, reduced
from sekisho.campaigns.logs.ordered import TimeOrderedAttempts
from sekisho.campaigns.replay import Judge, past_attempts
from sekisho.campaigns.verdict_counts import Counted, VerdictCounts
from sekisho.guard.attempts import ChallengeResult, Gate
from sekisho.guard.decisions import Action
from sekisho.kernel.japan import AHEAD_US

TOLD_EVERY = 5_000
"""After how many attempts one says how far it is."""

_ACTIONS = tuple(Action)
_ANSWERED = ("now", "tried")
_ALLOWED = _ACTIONS.index(Action.ALLOW)


class Side(NamedTuple):
    """A policy by its name, and a guard without a past that decides by it."""

    policy: str
    judge: Judge


class Members(msgspec.Struct, frozen=True, kw_only=True):
    """Members at one gate whose attempts came to one end, and how many of them each policy stops.

    A member whom a campaign entered is stopped where every entry is: one that is let through is enough for
    the thief. Any other member is stopped where one attempt is: that one is the friction.
    """

    gate: str
    end: End
    members: int
    now: int
    tried: int


class WhatIf(VerdictCounts, frozen=True, kw_only=True):
    """What a replay of two policies found, the one of now first. Times are microseconds since the epoch.

    `lived_through` are attempts before the span: they taught both, and are not counted. `hunted` says that a
    hunt's findings were at hand; without them no attempt is known to be a campaign's.
    """

    members: tuple[Members, ...] = ()
    lived_through: int = 0
    hunted: bool = False
    from_us: int = 0
    until_us: int = 0

    def members_of(self, gate: str, end: End) -> Members:
        """Return the members at a gate whose attempts came to an end."""
        none = Members(gate=gate, end=end, members=0, now=0, tried=0)
        return next((one for one in self.members if (one.gate, one.end) == (gate, end)), none)


def since(batches: Iterable[pa.RecordBatch], from_us: int) -> Iterable[pa.RecordBatch]:
    """Leave out what came before a time."""
    for batch in batches:
        kept = batch.filter(pc.greater_equal(batch["time_us"].cast(pa.int64()), from_us))
        if len(kept):
            yield kept


def compare(
    attempts: TimeOrderedAttempts,
    sides: tuple[Side, Side],
    *,
    from_us: int,
    hostile: pl.DataFrame | None,
    tell: Callable[[int], None],
) -> WhatIf:
    """Let two guards, the one of now first, decide every attempt, each before its outcome is known to either.

    What came before `from_us` teaches them and is not counted. `hostile` is what a hunt gave to campaigns
    (`known_ends.hunted`), None where nobody hunted. `tell` hears now and then how many are decided.
    """
    names = tuple(side.policy for side in sides)
    if not len(attempts):
        return WhatIf(names=names, counted=(), hunted=hostile is not None)
    known = _known(attempts, hostile)
    answered = known.with_columns(_answers(attempts, sides, tell))
    counted = answered.filter(pl.col("time_us") >= from_us)
    if counted.is_empty():
        return WhatIf(names=names, counted=(), lived_through=len(known), hunted=hostile is not None)
    times = counted["time_us"]
    return WhatIf(
        names=names,
        counted=_counted(counted),
        members=_members(counted),
        lived_through=len(known) - len(counted),
        hunted=hostile is not None,
        from_us=int(times[0]),
        until_us=int(times[-1]),
    )


def _known(attempts: TimeOrderedAttempts, hostile: pl.DataFrame | None) -> pl.DataFrame:
    """Return time, gate, member and known end of each attempt, in order."""
    gates = pl.Enum([gate.value for gate in Gate])
    parts = [
        pl.DataFrame(batch.select(["time_us", "gate"]))
        .select("time_us", pl.col("gate").cast(pl.String).cast(gates))
        .hstack([*reduced(batch), *marks(batch)])
        for batch in attempts
    ]
    frame = pl.concat(parts)
    nobody = pl.DataFrame(schema={"time_us": pl.Int64, "member": pl.UInt64})
    ends = known_ends(frame, nobody if hostile is None else hostile)
    return frame.select("time_us", "gate", "member", ends.alias("end"))


def _answers(
    attempts: TimeOrderedAttempts, sides: tuple[Side, Side], tell: Callable[[int], None]
) -> list[pl.Series]:
    """Return the place of each side's answer among the actions, attempt by attempt."""
    places = {action: place for place, action in enumerate(_ACTIONS)}
    answers = (bytearray(), bytearray())
    done = 0
    for batch in attempts:
        for attempt, outcome, challenge in past_attempts(batch):
            for side, answered in zip(sides, answers, strict=True):
                decision = side.judge.assess(attempt)
                side.judge.learn(attempt, decision, outcome, ChallengeResult(challenge))
                answered.append(places[decision.action])
            done += 1
            if not done % TOLD_EVERY:
                tell(done)
    return [
        pl.Series(name, memoryview(answered), dtype=pl.UInt8)
        for name, answered in zip(_ANSWERED, answers, strict=True)
    ]


def _counted(answered: pl.DataFrame) -> tuple[Counted, ...]:
    day = pl.from_epoch(pl.col("time_us") + AHEAD_US, "us").dt.date().dt.to_string()
    grouped = answered.group_by("gate", "end", *_ANSWERED, day=day).len()
    return tuple(
        Counted(gate=gate, end=ENDS[end], actions=(_ACTIONS[now], _ACTIONS[tried]), attempts=attempts, day=on)
        for gate, end, now, tried, on, attempts in grouped.sort(pl.all()).iter_rows()
    )


def _members(answered: pl.DataFrame) -> tuple[Members, ...]:
    """Count the members of each end, and those whom each policy stops."""
    stopped = {name: pl.col(name) != _ALLOWED for name in _ANSWERED}
    is_entered = pl.col("end") == ENDS.index(End.ENTERED)
    each = answered.group_by("gate", "end", "member").agg(
        **{f"{name}_any": one.any() for name, one in stopped.items()},
        **{f"{name}_all": one.all() for name, one in stopped.items()},
    )
    met = {name: pl.when(is_entered).then(f"{name}_all").otherwise(f"{name}_any").sum() for name in _ANSWERED}
    found = each.group_by("gate", "end").agg(members=pl.len(), **met).sort("gate", "end")
    return tuple(
        Members(gate=gate, end=ENDS[end], members=members, now=now, tried=tried)
        for gate, end, members, now, tried in found.iter_rows()
    )
