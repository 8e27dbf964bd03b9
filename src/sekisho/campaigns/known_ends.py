"""What is known of an attempt afterwards: that it was the member, that it was a campaign, or nothing.

It is what policies are judged by: what one would have cost members, and what it would have stopped. Nothing
here was known to the guard when it decided.
"""

from enum import StrEnum
from pathlib import Path

import polars as pl
import pyarrow as pa

from sekisho.campaigns.cohorts import LIKELY
from sekisho.guard.attempts import ChallengeResult, Outcome


class End(StrEnum):
    """What is known of an attempt, the first that holds."""

    ENTERED = "entered"
    """The secret was right, and the last hunt gives the attempt to a campaign."""

    CAMPAIGN = "campaign"
    """The last hunt gives it to a campaign, and it did not get in."""

    MEMBER = "member"
    """The secret was right, and it was the member: by a further proof, by a known device, or because the
    member came back later with a known device from the same client.
    """

    UNPROVEN = "unproven"
    """The secret was right, and nothing else is known."""

    FAILED = "failed"
    """The secret was wrong, or there is no such member: slips, and what no hunt gave to a campaign."""

    OPEN = "open"
    """Nobody was told what came of it."""


ENDS = tuple(End)
MARKS = ("right", "wrong", "passed")
"""What is made of outcome and challenge: the secret was right, or wrong; a further proof was passed."""

_WRONG = (Outcome.WRONG_SECRET.value, Outcome.NO_SUCH_MEMBER.value)


def reduced(attempts: pa.Table | pa.RecordBatch) -> pl.DataFrame:
    """Return what is needed of attempts (`member`, `user_agent`, `tls`, `device_valid`), row by row.

    Texts become numbers that are equal for equal texts, so that many attempts fit into memory. `client` is
    null where the log says nothing of it.
    """
    frame = pl.DataFrame(attempts.select(["member", "user_agent", "tls", "device_valid"]))
    agent, tls = (pl.col(name).cast(pl.String).fill_null("") for name in ("user_agent", "tls"))
    described = (agent != "") | (tls != "")
    return frame.select(
        member=pl.col("member").cast(pl.String).hash(),
        client=pl.when(described).then(pl.concat_str(agent, tls, separator="\n").hash()),
        device=pl.col("device_valid").cast(pl.Int8).fill_null(-1) == 1,
    )


def marks(outcomes: pa.Table | pa.RecordBatch) -> pl.DataFrame:
    """Return `MARKS` of the columns `outcome` and `challenge`, row by row."""
    frame = pl.DataFrame(outcomes.select(["outcome", "challenge"]))
    outcome, challenge = (pl.col(name).cast(pl.String).fill_null("") for name in ("outcome", "challenge"))
    return frame.select(
        right=outcome == Outcome.SUCCESS.value,
        wrong=outcome.is_in(_WRONG),
        passed=challenge == ChallengeResult.PASSED.value,
    )


def hunted(file: Path) -> pl.DataFrame:
    """Return the attempts that the last hunt gave to a campaign, by `time_us` and `member`.

    `file` is its `attempts.parquet`; where nobody has hunted yet, there are none. Raises OSError.
    """
    if not file.exists():
        return pl.DataFrame(schema={"time_us": pl.Int64, "member": pl.UInt64})
    likely = pl.col("campaign").is_not_null() & (pl.col("probability") >= LIKELY)
    return (
        pl.scan_parquet(file)
        .filter(likely)
        .select(
            time_us=pl.col("time_us").cast(pl.Int64),
            member=pl.col("member").cast(pl.String).hash(),
        )
        .collect()
        .unique()
    )


def known_ends(attempts: pl.DataFrame, hostile: pl.DataFrame) -> pl.Series:
    """Return the place in `ENDS` of each attempt.

    `attempts` has `time_us`, the columns of `reduced` and `MARKS`; `hostile` is what `hunted` returned. Later
    visits count as far as they are among the attempts.
    """
    back = (
        attempts.filter(pl.col("right") & pl.col("device"))
        .group_by("member", "client")
        .agg(back_us=pl.col("time_us").max())
    )
    keyed = attempts.with_row_index("place").select("place", "time_us", "member", "client", "device", *MARKS)
    told = (
        keyed.join(back, on=["member", "client"], how="left")
        .join(hostile.with_columns(hostile=pl.lit(value=True)), on=["time_us", "member"], how="left")
        .sort("place")
    )
    right, hostile_one = pl.col("right"), pl.col("hostile").fill_null(value=False)
    came_back = (pl.col("back_us") > pl.col("time_us")).fill_null(value=False)
    own = pl.col("passed") | pl.col("device") | came_back
    end = (
        pl.when(hostile_one & right)
        .then(_place(End.ENTERED))
        .when(hostile_one)
        .then(_place(End.CAMPAIGN))
        .when(right & own)
        .then(_place(End.MEMBER))
        .when(right)
        .then(_place(End.UNPROVEN))
        .when("wrong")
        .then(_place(End.FAILED))
        .otherwise(_place(End.OPEN))
    )
    return told.select(end=end)["end"]


def _place(end: End) -> pl.Expr:
    return pl.lit(ENDS.index(end), pl.Int8)
