"""What the policies that run together said of the same attempts, out of the record: the one in force and its
shadows.
"""

from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from sekisho.campaigns.known_ends import ENDS, MARKS, hunted, known_ends, marks, reduced
from sekisho.campaigns.verdict_counts import Counted, VerdictCounts
from sekisho.guard.decisions import Action
from sekisho.guard.policy import Policy
from sekisho.storage.history.parquet import HistoryFolder

ATTEMPTS_MAX = 1_000_000
"""How many attempts one look takes in, the newest ones: what is shown is bounded, and says so."""

NOT_SAID = -1
VOUCHED = "known_device"
ACTIONS = tuple(Action)
_NAMES = pa.array([action.value for action in ACTIONS])
_NEVER_US = (1 << 63) - 1
_READ = (
    *("attempt_id", "time_us", "gate", "member", "user_agent", "tls", "device_valid"),
    *("action", "policy", "policy_revision", "reasons", "shadow"),
)


class SideBySide(VerdictCounts, frozen=True, kw_only=True):
    """The attempts of which every one of the policies spoke.

    Attempts that a known device vouched for are among them, for every policy lets those through; `vouched`
    counts them. Left out are those that another policy decided (`by_others`) and those of which not every
    shadow spoke, as before it ran (`silent`). `cut` says that there were more than are looked at. Times are
    microseconds since the epoch, 0 where nothing was compared.
    """

    vouched: int = 0
    by_others: int = 0
    silent: int = 0
    cut: bool = False
    from_us: int = 0
    until_us: int = 0


def compare_in_record(
    history: Path, hunt: Path, policies: Sequence[Policy], from_us: int, *, attempts_max: int = ATTEMPTS_MAX
) -> SideBySide:
    """Count what the policies, the one in force first, said of the attempts since a time.

    `history` is the folder of the sealed record, which lags behind by a minute or so; `hunt` is the
    `attempts.parquet` of the last hunt. Raises OSError, and ArrowException where a file is damaged.
    """
    names = tuple(policy.name for policy in policies)
    record = HistoryFolder(history)
    seen, cut = _attempts(record, policies, from_us, attempts_max)
    if seen.is_empty():
        return SideBySide(names=names, counted=())
    told = seen.join(_outcomes(record, from_us), on="attempt", how="left")
    told = told.with_columns(pl.col(*MARKS).fill_null(value=False))
    told = told.with_columns(end=known_ends(told, hunted(hunt)))
    said = [_said(number) for number in range(len(policies))]
    spoke = pl.all_horizontal([pl.col(name) != NOT_SAID for name in said])
    compared = told.filter(
        spoke & (pl.col("time_us") >= _begun_us(told, spoke, from_us, shadows=len(said) > 1))
    )
    counted = tuple(
        Counted(gate=gate, end=ENDS[end], actions=tuple(ACTIONS[code] for code in codes), attempts=attempts)
        for gate, end, *codes, attempts in compared.group_by("gate", "end", *said)
        .len()
        .sort(pl.all())
        .iter_rows()
    )
    by_others = int((told[_said(0)] == NOT_SAID).sum())
    return SideBySide(
        names=names,
        counted=counted,
        vouched=int(compared["vouched"].sum()),
        by_others=by_others,
        silent=len(told) - len(compared) - by_others,
        cut=cut,
        from_us=_whole(compared["time_us"].min()),
        until_us=_whole(compared["time_us"].max()),
    )


def _begun_us(told: pl.DataFrame, spoke: pl.Expr, from_us: int, *, shadows: bool) -> int:
    """Return from when on attempts are compared.

    A known device is let through under every policy, whoever runs: such attempts count from when the last of
    the shadows had begun to speak of others.
    """
    if not shadows:
        return from_us
    first = told.filter(spoke & ~pl.col("vouched"))["time_us"].min()
    return _NEVER_US if first is None else _whole(first)


def _whole(number: object) -> int:
    return number if isinstance(number, int) else 0


def _said(number: int) -> str:
    return f"said_{number}"


def _attempts(
    record: HistoryFolder, policies: Sequence[Policy], from_us: int, attempts_max: int
) -> tuple[pl.DataFrame, bool]:
    """Return the newest attempts with what each policy said of them, and whether there were more."""
    parts: list[pl.DataFrame] = []
    count = 0
    for table in record.newest_first("attempts", from_us, _READ):
        if count + len(table) > attempts_max:
            newest = table.sort_by([("time_us", "descending")]).slice(0, attempts_max - count)
            return pl.concat([*parts, _reduced(newest, policies)]), True
        parts.append(_reduced(table, policies))
        count += len(table)
    return (pl.concat(parts) if parts else pl.DataFrame()), False


def _reduced(table: pa.Table, policies: Sequence[Policy]) -> pl.DataFrame:
    """Return a table's attempts as numbers, with the place of each policy's answer among the actions."""
    in_force, *shadows = policies
    own = pc.and_(
        pc.equal(table["policy"], in_force.id), pc.equal(table["policy_revision"], in_force.revision)
    )
    verdicts = [pc.if_else(own, table["action"], None)]
    verdicts += [pc.map_lookup(table["shadow"], shadow.name, "first") for shadow in shadows]
    places = {
        _said(number): pc.index_in(verdict, value_set=_NAMES).to_numpy()
        for number, verdict in enumerate(verdicts)
    }
    frame = pl.DataFrame(table.select(["attempt_id", "time_us", "gate", "reasons"])).select(
        "time_us",
        "gate",
        attempt=pl.col("attempt_id").hash(),
        vouched=pl.col("reasons").list.contains(VOUCHED).fill_null(value=False),
    )
    frame = frame.hstack(reduced(table)).hstack(pl.DataFrame(places, nan_to_null=True))
    allowed = pl.when("vouched").then(ACTIONS.index(Action.ALLOW)).otherwise(NOT_SAID)
    return frame.with_columns(
        pl.col(_said(0)).fill_null(NOT_SAID).cast(pl.Int8),
        *(pl.col(_said(number)).fill_null(allowed).cast(pl.Int8) for number in range(1, len(policies))),
    )


def _outcomes(record: HistoryFolder, from_us: int) -> pl.DataFrame:
    """Return `MARKS` of each attempt of which it became known since a time what came of it."""
    schema = {"attempt": pl.UInt64, **dict.fromkeys(MARKS, pl.Boolean)}
    parts = [
        pl.DataFrame(table.select(["attempt_id"]))
        .select(attempt=pl.col("attempt_id").hash())
        .hstack(marks(table))
        for table in record.newest_first("outcomes", from_us, ("attempt_id", "outcome", "challenge"))
    ]
    return pl.concat([pl.DataFrame(schema=schema), *parts]).unique(subset="attempt")
