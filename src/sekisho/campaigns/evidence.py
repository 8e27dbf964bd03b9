"""What speaks for and against an attempt: small cells from its surroundings, its member and itself.

Surroundings are weighed with what is believed of the other attempts so far, in both directions of time;
an attempt is never evidence about itself, nor are its member's other tries from the same address.
"""

from collections.abc import Sequence

import numpy as np

from sekisho.campaigns.coded import (
    ABSENT,
    DAY_US,
    HOUR_US,
    Cells,
    CodedAttempts,
    Codes,
    Marks,
    Weights,
    Whole,
    pair_codes,
)
from sekisho.campaigns.learning import Feature
from sekisho.campaigns.neighbours import Neighbours, group_sums
from sekisho.campaigns.recurrence import BIRTHS, GAPS, STATES, recurrence
from sekisho.campaigns.trust import EXPLANATIONS

SEQUENCE_US = 20 * 60 * 1_000_000
PLACES = ("address", "prefix")
SPANS = (("hour", HOUR_US), ("day", DAY_US), ("ever", None))
SHARES = ("block", "asn", "country", "client", "agent", "tls")
HOSTILE_EDGES = (0.05, 0.4, 1.5, 3.5, 10.0, 30.0)
HONEST_EDGES = (0.5, 1.5, 5.0, 20.0, 100.0)
HONEST_LEVELS = len(HONEST_EDGES) + 1
CROSSED_SIZE = (len(HOSTILE_EDGES) + 1) * HONEST_LEVELS + 1
SHARE_EDGES = tuple(float(edge) for edge in np.linspace(-4.5, 4.5, 19))
SHARE_PRIOR = 2.0
COUNT_EDGES = (0.5, 1.5, 2.5, 5.5, 20.5)
SPREAD_EDGES = (1.5, 2.5, 5.5, 20.5, 100.5, 1000.5)
LOGIN_EDGES = (0.5, 1.5, 2.5, 4.5, 8.5)
NO_DEVICE, ONCE, OF_OTHERS, OFTEN, FORGED = range(5)
DEVICE_STATES = 5


class Evidence:
    """The features of the asked attempts (those that have proven nothing)."""

    def __init__(self, attempts: CodedAttempts, asked: Whole, explained: Cells) -> None:
        self._attempts = attempts
        self._asked = asked
        spans = tuple(span for _, span in SPANS)
        self._places = [
            (place, Neighbours(getattr(attempts, place), attempts.time_us, asked, spans)) for place in PLACES
        ]
        self._tries_of_secret = pair_codes(attempts.secret, attempts.member)
        self.lasting = [
            *_member_features(attempts, asked),
            *_own_features(attempts, asked, self._tries_of_secret),
            _explained(attempts, asked, explained),
        ]

    def of_surroundings(self, hostile: Weights) -> list[Feature]:
        """Return the features that depend on what is believed of the other attempts."""
        attempts, asked = self._attempts, self._asked
        honest = 1.0 - hostile
        welcome = np.where(attempts.success, honest, 0.0)
        own_bad = group_sums(attempts.spot, hostile, asked)
        own_good = group_sums(attempts.spot, welcome, asked)
        found = []
        for place, near in self._places:
            sums = zip(SPANS, near.sums(hostile), near.sums(welcome), strict=True)
            found += [
                _crossed(f"{place}_{span}", bad - own_bad, good - own_good) for (span, _), bad, good in sums
            ]
        found += [_share(group, getattr(attempts, group), hostile, honest, asked) for group in SHARES]
        secret, pair = attempts.secret, self._tries_of_secret
        bad = group_sums(secret, hostile, asked) - group_sums(pair, hostile, asked)
        good = group_sums(secret, honest, asked) - group_sums(pair, honest, asked)
        return [*found, _crossed("secret", bad, good)]


def levels(values: Weights, edges: Sequence[float]) -> Cells:
    """Return how many of the ascending edges each value has reached."""
    found = np.zeros(len(values), np.int16)
    for edge in edges:
        found += values >= edge
    return found


def _crossed(name: str, bad: Weights, good: Weights) -> Feature:
    cells = levels(bad, HOSTILE_EDGES) * np.int16(HONEST_LEVELS) + levels(good, HONEST_EDGES)
    return Feature(name, cells, CROSSED_SIZE)


def _share(name: str, codes: Codes, hostile: Weights, honest: Weights, asked: Whole) -> Feature:
    """Cell of the log ratio of hostile to honest weight among the others that share the code."""
    base = float(hostile.sum() / max(hostile.sum() + honest.sum(), 1.0))
    base = min(max(base, 1e-6), 1 - 1e-6)
    high = group_sums(codes, hostile, asked) + SHARE_PRIOR * base
    low = group_sums(codes, honest, asked) + SHARE_PRIOR * (1 - base)
    score = np.log(high / low) - np.log(base / (1 - base))
    cells = levels(score, SHARE_EDGES) + np.int16(1)
    cells[codes[asked] == ABSENT] = 0
    return Feature(f"{name}_share", cells, len(SHARE_EDGES) + 2)


def _member_features(attempts: CodedAttempts, asked: Whole) -> list[Feature]:
    """Compare with the member's other logins; an unknown name has none."""
    existing: Marks = ~attempts.unknown_name[asked]
    found = recurrence(attempts, asked[existing], attempts.success)

    def spread(name: str, cells: Cells, size: int) -> Feature:
        whole = np.zeros(len(asked), np.int16)
        whole[existing] = cells
        return Feature(name, whole, size)

    return [
        *(spread(f"member_{name}", cells, STATES) for name, cells in found.aspects.items()),
        spread("member_logins", levels(found.logins, LOGIN_EDGES), len(LOGIN_EDGES) + 1),
        spread("gap_before", found.gap_before, GAPS),
        spread("gap_after", found.gap_after, GAPS),
        spread("device_birth", found.device_birth, BIRTHS),
    ]


def _own_features(attempts: CodedAttempts, asked: Whole, tries_of_secret: Codes) -> list[Feature]:
    failed = (~attempts.success).astype(float)
    near = Neighbours(attempts.spot, attempts.time_us, asked, (SEQUENCE_US,))
    sequence = near.sums(failed)[0]
    on_member = group_sums(attempts.member, failed, asked) - group_sums(attempts.spot, failed, asked)
    spread = _members_of_secret(attempts, tries_of_secret)[asked].astype(float)
    return [
        Feature("sequence", levels(sequence, COUNT_EDGES), len(COUNT_EDGES) + 1),
        Feature("tries_on_member", levels(on_member, COUNT_EDGES), len(COUNT_EDGES) + 1),
        Feature("secret_spread", levels(spread, SPREAD_EDGES), len(SPREAD_EDGES) + 1),
        Feature("leaked", (attempts.leaked[asked] + 1).astype(np.int16), 3),
        Feature("device", _device_state(attempts)[asked], DEVICE_STATES),
    ]


def _explained(attempts: CodedAttempts, asked: Whole, explained: Cells) -> Feature:
    kind = explained[asked] * 2 + attempts.unknown_name[asked]
    return Feature("explained", kind.astype(np.int16), EXPLANATIONS * 2)


def _members_of_secret(attempts: CodedAttempts, tries: Codes) -> Whole:
    """Return how many members each attempt's secret was tried on; 0 where it is not recorded."""
    there = np.flatnonzero(tries != ABSENT)
    first = np.zeros(int(tries.max(initial=ABSENT)) + 1, np.int64)
    first[tries[there][::-1]] = there[::-1]
    members = np.bincount(attempts.secret[first] + 1, minlength=int(attempts.secret.max(initial=ABSENT)) + 2)
    members[0] = 0
    return members[attempts.secret + 1]


def _device_state(attempts: CodedAttempts) -> Cells:
    state = np.full(len(attempts), NO_DEVICE, np.int16)
    held = np.flatnonzero(attempts.device != ABSENT)
    device = attempts.device[held]
    uses = np.bincount(device)[device] if len(held) else device
    pair = pair_codes(attempts.member[held], device)
    own_uses = np.bincount(pair)[pair] if len(held) else device
    kind = np.where(uses == 1, ONCE, np.where(uses > own_uses, OF_OTHERS, OFTEN))
    state[held] = np.where(attempts.device_valid[held] == 0, FORGED, kind)
    return state
