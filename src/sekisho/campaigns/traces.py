"""What a campaign left in the log: its attempts over time beside the honest ones, and where they came from.

A trace is as large for a million attempts as for a thousand, so that a page can be drawn from it.
"""

import ipaddress
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sekisho.campaigns.coded import ABSENT, DAY_US, HOUR_US, CodedAttempts, Codes, Marks, Whole
from sekisho.campaigns.cohorts import Campaign
from sekisho.kernel.japan import AHEAD_US

TRACED_MAX = 100
"""So many campaigns of a gate have a trace: those with the most attempts."""

PARTS_MAX = 96
SOURCES_SHOWN = 8
LABEL_MAX = 160
AROUND = 8
"""What went before and came after is shown for this part of the campaign's own length."""

MINUTE_US = HOUR_US // 60
STEPS_US = (
    *(count * MINUTE_US for count in (1, 2, 5, 10, 15, 30)),
    *(count * HOUR_US for count in (1, 2, 3, 6, 12)),
    *(count * DAY_US for count in (1, 2, 7, 14, 28)),
)
LONGEST_US = STEPS_US[-1]
WIDE_BITS = {4: 16, 6: 48}
"""How much of an address is the network where the log has no providers."""

Namer = Callable[[int], str]


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """Where attempts of a campaign came from: how many, the members first entered, and the honest ones.

    `honest` are all attempts of the log at this gate that belong to no campaign and were not stopped. The
    label is empty where the log does not say.
    """

    label: str
    attempts: int
    entered: int
    honest: int


class Sources(msgspec.Struct, frozen=True, kw_only=True):
    """The sources of one kind with the most attempts, and how many others there are, with their counts."""

    largest: tuple[Source, ...]
    others: int
    others_attempts: int
    others_entered: int


class Trace(msgspec.Struct, frozen=True, kw_only=True):
    """One campaign over time and by source. Times are microseconds since the epoch, UTC.

    The columns have one count for each part of `step_us` from `first_us` on. Each of the gate's attempts was
    `stopped` (refused or asked for more, whoever's it was: what is stopped early is hard to attribute),
    `reached` the secret and belongs to the campaign (of these so many `failed` there), or is `honest`, which
    belongs to no campaign. `entered` are members, when they first were. `sources` are by kind: network,
    country, agent, tls, device (`valid`, `not_valid`, `unproven`, or empty where no token was sent). What the
    log never says is no kind.
    """

    first_us: int
    step_us: int
    stopped: tuple[int, ...]
    reached: tuple[int, ...]
    failed: tuple[int, ...]
    entered: tuple[int, ...]
    honest: tuple[int, ...]
    sources: dict[str, Sources]


class _Kind(NamedTuple):
    """One way to tell sources apart: each attempt's code, and the label of the source of an attempt."""

    codes: Codes
    label: Namer


def trace_campaigns(
    attempts: CodedAttempts,
    kept: pa.Table,
    campaigns: Sequence[Campaign],
    entered: Mapping[str, Sequence[int]],
) -> dict[str, Trace]:
    """Return the traces of a gate's campaigns by their ids, of the largest where they are many.

    `kept` has the columns `ip`, `asn` and `country` of the table that was read, `entered` for each campaign
    the positions in it of the attempts that first entered a member.
    """
    honest = ~attempts.stopped
    for campaign in campaigns:
        honest[campaign.rows] = False
    kinds = _kinds(attempts, kept)
    usual = {name: _counted(kind.codes[honest]) for name, kind in kinds.items()}
    largest = sorted(campaigns, key=lambda campaign: -len(campaign.rows))[:TRACED_MAX]
    traces = {}
    for campaign in largest:
        opened = campaign.rows[np.isin(attempts.place[campaign.rows], entered.get(campaign.campaign, ()))]
        sources = {name: _sources(kind, campaign.rows, opened, usual[name]) for name, kind in kinds.items()}
        traces[str(campaign.campaign)] = _trace(attempts, campaign, opened, honest, sources)
    return traces


def _trace(
    attempts: CodedAttempts, campaign: Campaign, opened: Whole, honest: Marks, sources: dict[str, Sources]
) -> Trace:
    around = (campaign.last_seen_us - campaign.first_seen_us) // AROUND
    first_us, step_us, parts = _parts(campaign.first_seen_us - around, campaign.last_seen_us + around)
    low, high = np.searchsorted(attempts.time_us, (first_us, first_us + parts * step_us))
    everything, reached = np.arange(low, high), campaign.rows[~attempts.stopped[campaign.rows]]

    def over_time(rows: Whole) -> tuple[int, ...]:
        places = (attempts.time_us[rows] - first_us) // step_us
        return tuple(np.bincount(places, minlength=parts).tolist())

    return Trace(
        first_us=first_us,
        step_us=step_us,
        stopped=over_time(everything[attempts.stopped[low:high]]),
        reached=over_time(reached),
        failed=over_time(reached[attempts.failure[reached]]),
        entered=over_time(opened),
        honest=over_time(everything[honest[low:high]]),
        sources=sources,
    )


def _parts(start_us: int, end_us: int) -> tuple[int, int, int]:
    """Return when the first part begins, how long each is, and how many there are.

    They begin with the hours and days of Japan.
    """
    length = end_us - start_us
    fits = (step for step in STEPS_US if length // step < PARTS_MAX - 1)
    step_us = next(fits, LONGEST_US * (length // (LONGEST_US * (PARTS_MAX - 1)) + 1))
    grid_us = min(step_us, DAY_US)
    first_us = (start_us + AHEAD_US) // grid_us * grid_us - AHEAD_US
    return first_us, step_us, (end_us - first_us) // step_us + 1


def _kinds(attempts: CodedAttempts, kept: pa.Table) -> dict[str, _Kind]:
    """Return the ways to tell sources apart of which the log says something."""
    by_provider = bool((attempts.asn != ABSENT).any())

    def of_table(column: str) -> Callable[[int], object]:
        return lambda row: kept[column][int(attempts.place[row])].as_py()

    provider, country, address = of_table("asn"), of_table("country"), of_table("ip")
    kinds = {
        "network": _Kind(attempts.asn, lambda row: f"AS{provider(row)}")
        if by_provider
        else _Kind(attempts.block, lambda row: _network(str(address(row)))),
        "country": _Kind(attempts.country, lambda row: str(country(row))),
        "agent": _Kind(attempts.agent, lambda row: attempts.agents[int(attempts.agent[row])].as_py()),
        "tls": _Kind(attempts.tls, lambda row: attempts.fingerprints[int(attempts.tls[row])].as_py()),
        "device": _devices(attempts),
    }
    return {name: kind for name, kind in kinds.items() if (kind.codes != ABSENT).any()}


def _devices(attempts: CodedAttempts) -> _Kind:
    """Tell apart what came with a token of the member's own device, with another one, and without any."""
    named = {-1: "unproven", 0: "not_valid", 1: "valid"}
    codes = np.where(attempts.device == ABSENT, ABSENT, attempts.device_valid.astype(np.int32) + 1)
    return _Kind(codes.astype(np.int32), lambda row: named[int(attempts.device_valid[row])])


def _network(address: str) -> str:
    """Return the network of an address as the log's own blocks have it."""
    bits = WIDE_BITS[ipaddress.ip_address(address).version]
    return str(ipaddress.ip_network(f"{address}/{bits}", strict=False))


def _sources(kind: _Kind, rows: Whole, opened: Whole, usual: dict[int, int]) -> Sources:
    codes = kind.codes[rows]
    counts, entered = _counted(codes), _counted(kind.codes[opened])
    ordered = sorted(counts, key=lambda code: -counts[code])
    shown, others = ordered[:SOURCES_SHOWN], ordered[SOURCES_SHOWN:]
    example = {code: int(rows[np.argmax(codes == code)]) for code in shown}
    return Sources(
        largest=tuple(
            Source(
                label="" if code == ABSENT else kind.label(row)[:LABEL_MAX],
                attempts=counts[code],
                entered=entered.get(code, 0),
                honest=usual.get(code, 0),
            )
            for code, row in example.items()
        ),
        others=len(others),
        others_attempts=sum(counts[code] for code in others),
        others_entered=sum(entered.get(code, 0) for code in others),
    )


def _counted(codes: Codes) -> dict[int, int]:
    """Count each code that occurs, in the order in which they come first."""
    found = pc.value_counts(pa.array(codes))
    return dict(zip(found.field("values").to_pylist(), found.field("counts").to_pylist(), strict=True))
