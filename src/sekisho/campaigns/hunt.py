"""The campaign hunt: from a log to campaigns and to the members they entered, each with a probability."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from sekisho.campaigns.coded import CodedAttempts, Weights, Whole, code_attempts
from sekisho.campaigns.cohorts import LIKELY, Campaign, find_campaigns, within
from sekisho.campaigns.inference import Estimate, estimate
from sekisho.campaigns.limits import Limit, limits_of
from sekisho.campaigns.reasons import reasons
from sekisho.campaigns.traces import Trace, trace_campaigns

NO_CAMPAIGN = -1
KEPT = ["row", "time_us", "gate", "member", "ip", "asn", "country", "outcome"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EnteredMember:
    """A member whose account was more likely than not entered.

    `place` is the position of the first entering attempt in the table, `campaign` the position among the
    campaigns (-1: in none), `attempts` the number of hostile attempts on the member.
    """

    member: str
    gate: str
    place: int
    first_entered_us: int
    probability: float
    campaign: int
    attempts: int
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What the hunt found, aligned with the table that was read.

    `probability` and `campaign` (position in `campaigns`, -1 for none) have one value for each attempt; of
    the attempts themselves, `attempts` keeps the columns `KEPT`. `limits` says what the log does not
    record. `traces` are by campaign id, of the largest campaigns.
    """

    attempts: pa.Table
    limits: list[Limit]
    probability: Weights
    campaign: Whole
    campaigns: list[Campaign]
    entered: list[EnteredMember]
    traces: dict[str, Trace]


def hunt(table: pa.Table, progress: Callable[[str], None]) -> Findings:
    """Hunt through the attempts of a table of `logs.record.SCHEMA`; tell `progress` what is being done."""
    progress("ordering the attempts")
    parts, kept, limits = code_attempts(table), table.select(KEPT), limits_of(table)
    del table  # a caller who gave it away gets back the memory of the columns that are not kept
    probability = np.zeros(kept.num_rows)
    label = np.full(kept.num_rows, NO_CAMPAIGN, np.int64)
    campaigns: list[Campaign] = []
    entered: list[EnteredMember] = []
    traces: dict[str, Trace] = {}
    for gate, attempts in parts.items():
        progress(f"weighing {len(attempts):,} attempts at the gate {gate}")
        found = estimate(attempts)
        here = find_campaigns(attempts, gate, found.hostile)
        hostile = within(attempts, found.hostile, here)
        probability[attempts.place] = hostile
        for campaign in here:
            label[attempts.place[campaign.rows]] = len(campaigns)
            campaigns.append(campaign)
        inside = _entered(_Gate(gate, attempts, found, hostile, label), kept["member"])
        traces |= trace_campaigns(attempts, kept, here, _opened(inside, campaigns))
        entered.extend(inside)
    entered.sort(key=lambda one: (-one.probability, one.first_entered_us, one.member))
    return Findings(
        attempts=kept,
        limits=limits,
        probability=probability,
        campaign=label,
        campaigns=campaigns,
        entered=entered,
        traces=traces,
    )


def _opened(inside: list[EnteredMember], campaigns: list[Campaign]) -> dict[str, list[int]]:
    """Return by campaign where in the table the attempts stand that first entered a member."""
    found: dict[str, list[int]] = {}
    for one in inside:
        if one.campaign >= 0:
            found.setdefault(campaigns[one.campaign].campaign, []).append(one.place)
    return found


@dataclass(frozen=True, slots=True)
class _Gate:
    """What was found at one gate; `label` has the campaign of each attempt in the table."""

    name: str
    attempts: CodedAttempts
    found: Estimate
    hostile: Weights
    label: Whole


def _entered(gate: _Gate, members: pa.ChunkedArray) -> list[EnteredMember]:
    """List each member once, with the most probable entry and the time of the first."""
    attempts, hostile, found = gate.attempts, gate.hostile, gate.found
    rows = found.successes[hostile[found.successes] >= LIKELY]
    why = reasons(found.ratio, found.features, np.flatnonzero(hostile[found.successes] >= LIKELY))
    tries = np.bincount(attempts.member, hostile)
    names = members.take(pa.array(attempts.place[rows])).to_pylist()
    best: dict[int, int] = {}
    first: dict[int, int] = {}
    for index, row in enumerate(rows.tolist()):
        member = int(attempts.member[row])
        first.setdefault(member, index)
        if member not in best or hostile[row] > hostile[rows[best[member]]]:
            best[member] = index
    return [
        EnteredMember(
            member=names[index],
            gate=gate.name,
            place=int(attempts.place[rows[first[member]]]),
            first_entered_us=int(attempts.time_us[rows[first[member]]]),
            probability=float(hostile[rows[index]]),
            campaign=int(gate.label[attempts.place[rows[first[member]]]]),
            attempts=max(1, round(float(tries[member]))),
            why=why[index],
        )
        for member, index in best.items()
    ]
