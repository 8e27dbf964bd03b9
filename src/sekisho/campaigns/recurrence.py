"""Does the member come back like this? Each attempt compared with the member's logins before and after it."""

from dataclasses import dataclass

import numpy as np

from sekisho.campaigns.coded import ABSENT, HOUR_US, Cells, CodedAttempts, Codes, Marks, Weights, Whole
from sekisho.campaigns.trust import first_seen

LOGINS_EACH_WAY = 6
ASPECTS = ("prefix", "block", "asn", "country", "client", "agent", "tls")
NO_OTHER_LOGIN, NEVER_OF_FEW, NEVER_OF_MANY, ONLY_BEFORE, ONLY_AFTER, BEFORE_AND_AFTER, NOT_RECORDED = range(
    7
)
STATES = 7
FEW_LOGINS_MAX = 2
GAP_HOURS = (0.1, 1.0, 6.0, 24.0, 72.0, 240.0)
GAPS = len(GAP_HOURS) + 2
NO_LATER_LOGIN, LATER_WITHOUT_DEVICE, LATER_WITH_OLD_DEVICE, LATER_WITH_NEW_DEVICE, DEVICE_BORN_HERE = range(
    5
)
BIRTHS = 5


@dataclass(frozen=True, slots=True)
class Recurrence:
    """For each asked attempt: how each aspect of it recurs in the member's other logins, as small cells."""

    aspects: dict[str, Cells]
    logins: Weights
    gap_before: Cells
    gap_after: Cells
    device_birth: Cells


def recurrence(attempts: CodedAttempts, asked: Whole, trusted: Marks) -> Recurrence:
    """Compare the asked attempts with up to `LOGINS_EACH_WAY` trusted logins before and after each."""
    logins = np.flatnonzero(trusted)
    logins = logins[np.argsort(attempts.member[logins], kind="stable")]
    start = int(attempts.time_us[0])
    room = int(attempts.time_us[-1]) - start + 1
    key = attempts.member[logins].astype(np.int64) * room + (attempts.time_us[logins] - start)
    want = attempts.member[asked].astype(np.int64) * room + (attempts.time_us[asked] - start)
    before = _Side(attempts, asked, logins, np.searchsorted(key, want, side="left") - 1, -1)
    after = _Side(attempts, asked, logins, np.searchsorted(key, want, side="right"), 1)
    total = before.count + after.count
    states = {
        name: _state(getattr(attempts, name)[asked], before.same[name], after.same[name], total)
        for name in ASPECTS
    }
    return Recurrence(
        aspects=states,
        logins=total.astype(float),
        gap_before=before.gap,
        gap_after=after.gap,
        device_birth=after.birth,
    )


class _Side:
    """The nearest trusted logins on one side of each asked attempt."""

    def __init__(
        self, attempts: CodedAttempts, asked: Whole, logins: Whole, nearest: Whole, step: int
    ) -> None:
        self.count = np.zeros(len(asked), np.int64)
        self.same = {name: np.zeros(len(asked), bool) for name in ASPECTS}
        self.gap = np.full(len(asked), GAPS - 1, np.int16)
        self.birth = np.zeros(len(asked), np.int16)
        first = first_seen(attempts.device, attempts.time_us)
        for distance in range(LOGINS_EACH_WAY):
            position = nearest + step * distance
            there = (position >= 0) & (position < len(logins))
            other = logins[np.clip(position, 0, max(len(logins) - 1, 0))] if len(logins) else asked
            there &= (attempts.member[other] == attempts.member[asked]) & (other != asked)
            if not there.any():
                break
            mine, theirs = asked[there], other[there]
            self.count[there] += 1
            for name, same in self.same.items():
                codes = getattr(attempts, name)
                same[there] |= codes[mine] == codes[theirs]
            if distance == 0:
                hours = np.abs(attempts.time_us[theirs] - attempts.time_us[mine]) / HOUR_US
                self.gap[there] = np.digitize(hours, GAP_HOURS)
            self.birth[there] = np.maximum(self.birth[there], _birth(attempts, mine, theirs, first))


def _state(own: Codes, before: Marks, after: Marks, total: Whole) -> Cells:
    never = np.where(
        total == 0, NO_OTHER_LOGIN, np.where(total <= FEW_LOGINS_MAX, NEVER_OF_FEW, NEVER_OF_MANY)
    )
    recurs = np.where(before & after, BEFORE_AND_AFTER, np.where(after, ONLY_AFTER, ONLY_BEFORE))
    state = np.where(before | after, recurs, never)
    return np.where(own == ABSENT, NOT_RECORDED, state).astype(np.int16)


def _birth(attempts: CodedAttempts, mine: Whole, theirs: Whole, first: Whole) -> Cells:
    device = attempts.device[theirs]
    new = (device != ABSENT) & (first[device] > attempts.time_us[mine]) if len(first) else device != ABSENT
    alike = (attempts.tls[mine] == attempts.tls[theirs]) & (attempts.asn[mine] == attempts.asn[theirs])
    alike |= attempts.agent[mine] == attempts.agent[theirs]
    kind = np.where(device == ABSENT, LATER_WITHOUT_DEVICE, LATER_WITH_OLD_DEVICE)
    kind = np.where(new, np.where(alike, DEVICE_BORN_HERE, LATER_WITH_NEW_DEVICE), kind)
    return kind.astype(np.int16)
