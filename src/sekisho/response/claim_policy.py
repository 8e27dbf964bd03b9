"""What share of a loss is made good: dated rules, pure, with a reason for everything that they leave open."""

import tomllib
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import NamedTuple

import msgspec

from sekisho.kernel.clock import DAY_US
from sekisho.kernel.japan import day_in_japan

POLICIES = Path(__file__).with_name("claims.toml")
PERCENT = 100


class Fault(StrEnum):
    """What the member has to do with the loss."""

    NO_FAULT = "no_fault"
    """Nothing: a password was guessed, leaked elsewhere, or phished by a page that looks like ours."""

    SLIGHT_NEGLIGENCE = "slight_negligence"
    """Less care than is usual."""

    GROSS_NEGLIGENCE = "gross_negligence"
    """As good as handing it out."""

    OWN_USE = "own_use"
    """It was the member, or somebody of the household."""


class Policy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"since": "from"}):
    """The rules as published from a day (`since`, YYYY-MM-DD) on."""

    id: str
    since: str
    reported_days: int
    lapses_days: int
    shares: dict[Fault, tuple[int, int]]


class Assessment(NamedTuple):
    """What whoever assesses found. `share` is per cent of the loss; `late_for` excuses a late report."""

    fault: Fault
    share: int
    reason: str
    late_for: str = ""


@cache
def policies() -> tuple[Policy, ...]:
    """Return the policies, the oldest first."""
    read = tomllib.loads(POLICIES.read_text(encoding="utf-8"))["policy"]
    return tuple(sorted(msgspec.convert(read, list[Policy]), key=lambda one: one.since))


def policy_at(at_us: int) -> Policy:
    """Return the policy that was published when a loss happened; the first one for what came before."""
    day = day_in_japan(at_us).isoformat()
    return next((one for one in reversed(policies()) if one.since <= day), policies()[0])


def awarded_yen(claimed_yen: int, loss_yen: int, share: int) -> int:
    """Return what is made good: a share of the claim, in whole yen, and never more than was lost."""
    return min(claimed_yen, loss_yen) * share // PERCENT


def why_not(policy: Policy, found: Assessment, *, lost_at_us: int, claimed_at_us: int) -> str:
    """Say what is wrong with an assessment under a policy; empty where nothing is."""
    least, most = policy.shares[found.fault]
    age_us = claimed_at_us - lost_at_us
    if not found.reason.strip():
        return "an assessment needs a reason"
    if not least <= found.share <= most:
        return f"{found.fault} is compensated by {least} to {most} per cent, not {found.share}"
    if age_us > policy.lapses_days * DAY_US and found.share:
        return f"a claim lapses {policy.lapses_days} days after the loss"
    if age_us > policy.reported_days * DAY_US and found.share and not found.late_for.strip():
        return f"it was reported later than {policy.reported_days} days after the loss: say what excuses it"
    return ""
