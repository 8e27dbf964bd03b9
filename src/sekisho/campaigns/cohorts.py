"""Group hostile attempts into campaigns: when they ran and of what kind they are."""

import hashlib
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from sekisho.campaigns.coded import ABSENT, HOUR_US, CodedAttempts, Weights, Whole, pair_codes
from sekisho.kernel.ids import CAMPAIGN, CampaignId

LIKELY = 0.5
PAUSE_HOURS_MAX = 48
HOSTILE_IN_HOUR_MIN = 2.0
HOSTILE_IN_HOUR_SHARE = 0.005
HOSTILE_MIN = 20.0
SOURCE_TRIES_MIN = 20
TRIES_PER_MEMBER_MIN = 5.0
SPRAY_SECRETS = 10
SPRAY_SHARE_MIN = 0.5
SPRAY_MEMBERS_MIN = 10


class CampaignKind(StrEnum):
    """How a campaign works."""

    LIST = "list"  # names with their passwords from elsewhere, about one try a member
    SPRAY = "spray"  # a few secrets on very many members
    BRUTE_FORCE = "brute_force"  # many tries on each member


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """Attempts that belong together. `rows` are positions among the gate's coded attempts."""

    campaign: CampaignId
    gate: str
    kind: CampaignKind
    rows: Whole
    first_seen_us: int
    last_seen_us: int


def find_campaigns(attempts: CodedAttempts, gate: str, hostile: Weights) -> list[Campaign]:
    """Group the likely hostile attempts by time and by the way they work; the largest first."""
    found: list[Campaign] = []
    for rows in _episodes(attempts, hostile):
        left = np.ones(len(rows), bool)
        for source in _hammering_networks(attempts, rows):
            left &= ~np.isin(rows, source)
            found.append(_campaign(attempts, gate, CampaignKind.BRUTE_FORCE, source))
        rest = rows[left]
        if len(rest) >= HOSTILE_MIN:
            found.append(_campaign(attempts, gate, _kind(attempts, rest), rest))
    return sorted(found, key=lambda campaign: (-len(campaign.rows), campaign.first_seen_us))


def within(attempts: CodedAttempts, hostile: Weights, campaigns: list[Campaign]) -> Weights:
    """Leave belief only where a campaign ran: outside of one, a stray suspicion means nothing."""
    inside = np.zeros(len(attempts), bool)
    for campaign in campaigns:
        inside[_between(attempts, campaign.first_seen_us, campaign.last_seen_us)] = True
    return np.where(inside, hostile, 0.0)


def _episodes(attempts: CodedAttempts, hostile: Weights) -> list[Whole]:
    """Return the likely hostile attempts of each stretch of hours without a long pause.

    An hour counts with more than a stray suspicion, measured against the campaign's own busy hours.
    """
    likely = np.flatnonzero(hostile >= LIKELY)
    if not len(likely):
        return []
    hours, place = np.unique(attempts.time_us[likely] // HOUR_US, return_inverse=True)
    weight = np.bincount(place, hostile[likely])
    limit = max(HOSTILE_IN_HOUR_MIN, HOSTILE_IN_HOUR_SHARE * float(np.quantile(weight, 0.95)))
    active = hours[weight >= limit]
    if not len(active):
        return []
    cuts = np.flatnonzero(np.diff(active) > PAUSE_HOURS_MAX) + 1
    stretches = []
    for part in np.split(active, cuts):
        rows = _between(attempts, int(part[0]) * HOUR_US, (int(part[-1]) + 1) * HOUR_US - 1)
        rows = rows[hostile[rows] >= LIKELY]
        if hostile[rows].sum() >= HOSTILE_MIN:
            stretches.append(rows)
    return stretches


def _between(attempts: CodedAttempts, first_us: int, last_us: int) -> Whole:
    low, high = np.searchsorted(attempts.time_us, (first_us, last_us + 1))
    return np.arange(low, high)


def _hammering_networks(attempts: CodedAttempts, rows: Whole) -> list[Whole]:
    """Return the attempts of each network that tried the same members over and over."""
    prefix = attempts.prefix[rows]
    tries = np.bincount(prefix)
    pair = pair_codes(prefix, attempts.member[rows])
    prefix_of_pair = np.empty(int(pair.max()) + 1, np.int64)
    prefix_of_pair[pair] = prefix
    members = np.bincount(prefix_of_pair, minlength=len(tries))
    heavy = np.flatnonzero((tries >= SOURCE_TRIES_MIN) & (tries >= TRIES_PER_MEMBER_MIN * members))
    return [rows[prefix == code] for code in heavy]


def _kind(attempts: CodedAttempts, rows: Whole) -> CampaignKind:
    secrets = attempts.secret[rows]
    secrets = secrets[secrets != ABSENT]
    if len(secrets) >= HOSTILE_MIN:
        often = np.sort(np.bincount(secrets))[::-1][:SPRAY_SECRETS]
        if often.sum() >= SPRAY_SHARE_MIN * len(secrets) and often[0] >= SPRAY_MEMBERS_MIN:
            return CampaignKind.SPRAY
    members = int((np.bincount(attempts.member[rows]) > 0).sum())
    return CampaignKind.BRUTE_FORCE if len(rows) >= TRIES_PER_MEMBER_MIN * members else CampaignKind.LIST


def _campaign(attempts: CodedAttempts, gate: str, kind: CampaignKind, rows: Whole) -> Campaign:
    """Name a campaign after what it is, so that the same log gives the same ids."""
    first, last = int(attempts.time_us[rows[0]]), int(attempts.time_us[rows[-1]])
    named = f"{gate}|{kind}|{int(attempts.place[rows[0]])}|{last}|{len(rows)}"
    body = hashlib.sha256(named.encode()).hexdigest()[:18]
    return Campaign(
        campaign=CAMPAIGN.typed(f"{CAMPAIGN.prefix}_{max(first, 0):014x}{body}"),
        gate=gate,
        kind=kind,
        rows=rows,
        first_seen_us=first,
        last_seen_us=last,
    )
