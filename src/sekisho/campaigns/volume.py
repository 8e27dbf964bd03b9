"""How many failures are too many, hour by hour: a first estimate of when an attack ran, and its size."""

import math

import numpy as np

from sekisho.campaigns.coded import HOUR_US, CodedAttempts, Marks, Weights, Whole, pair_codes

CALM_SHARE = 0.3
CALM_TO_USUAL = 1.5
USUAL_LEVEL_MAX = 0.03
EXCESS_RATIO_MIN = 2.5
EXCESS_DEVIATIONS_MIN = 4.0
EXCESS_COUNT_MIN = 5.0
SPANS_HOURS = (1, 24, 168)
HOURS_MAX = 24 * 366 * 100
BLOCK_HOURS_MIN = 6
BLOCK_COUNT_MIN = 25.0
BLOCKS_MIN = 8
RETRIES_MAX = 12
CONTROL_SPAN_HOURS = 3
CONTROL_PRIOR = 10.0


def hours_of(attempts: CodedAttempts) -> Whole:
    """Return each attempt's hour, counted from the first attempt's.

    A few records with an impossible clock do not stretch the count: the outermost in a thousand are drawn in.
    """
    hour = attempts.time_us // HOUR_US
    few = len(hour) // 1_000
    low = int(hour[few])
    high = min(int(hour[len(hour) - 1 - few]), low + HOURS_MAX)
    drawn: Whole = np.clip(hour, low, high) - low
    return drawn


def by_hour(hour: Whole, mark: Marks, size: int) -> Weights:
    """Return how many marked attempts each hour has."""
    counts: Weights = np.bincount(hour[mark], minlength=size).astype(float)
    return counts


def usual_level(counted: Weights, base: Weights) -> float:
    """Return the honest level of `counted` for each one of `base`, from the calm part of the log.

    Both are counts by hour. The log is cut into blocks that are long enough to count in; the blocks are put
    in order of their level, and the calm ones that carry `CALM_SHARE` of the base are pooled. Without any
    base there is no honest level: infinite.
    """
    hours = len(base)
    blocks_max = max(BLOCKS_MIN, int(min(counted.sum(), base.sum()) / BLOCK_COUNT_MIN))
    length = max(BLOCK_HOURS_MIN, -(-hours // blocks_max))
    blocks = np.arange(hours) // length
    odd, even = np.bincount(blocks, counted), np.bincount(blocks, base)
    filled = np.flatnonzero(even > 0)
    if not len(filled):
        return math.inf
    calm = filled[np.argsort(odd[filled] / even[filled], kind="stable")]
    carried = np.cumsum(even[calm])
    calm = calm[: int(np.searchsorted(carried, CALM_SHARE * carried[-1])) + 1]
    return float(CALM_TO_USUAL * (odd[calm].sum() + 1.0) / even[calm].sum())


def busyness(failures: Weights, attempts: Weights) -> Weights:
    """Return by how much honest people fail more than usual in each hour, 1 or more.

    Measured on attempts that are known to be honest: a mass mail or a broken release of an app makes those
    fail too, an attack does not.
    """
    usual = failures.sum() / max(attempts.sum(), 1.0)
    near_failures = _around(failures, CONTROL_SPAN_HOURS) + CONTROL_PRIOR * usual
    near_attempts = _around(attempts, CONTROL_SPAN_HOURS) + CONTROL_PRIOR
    busy: Weights = np.maximum(near_failures / near_attempts / max(usual, 1e-9), 1.0)
    return busy


def first_estimate(
    attempts: CodedAttempts, stratum: Whole, strata: int, unexplained: int, control: Marks
) -> tuple[Weights, Weights]:
    """Return each failure's first probability of being hostile: the excess share of its hour and stratum.

    `stratum` says for each attempt how well it is explained, -1 for those that are out of the question; the
    first `unexplained` strata are those without an explanation. `control` marks honest attempts. Hours whose
    excess could be chance or a busy day get none. A log that was attacked throughout has no calm part: the
    level of unexplained failures never exceeds `USUAL_LEVEL_MAX`, and where it would, the log as a whole is
    judged too. Nothing in such a log shows what honest failures look like, so there the estimate is also the
    least that may be believed: the second result, elsewhere 0.
    """
    hour = hours_of(attempts)
    size = int(hour[-1]) + 1
    base = by_hour(hour, attempts.success, size)
    busy = busyness(by_hour(hour, control & attempts.failure, size), by_hour(hour, control, size))
    found, least = np.zeros(len(attempts)), np.zeros(len(attempts))
    visit = _visit_share(attempts, hour)
    for number in range(strata):
        rows = np.flatnonzero(stratum == number)
        if not len(rows):
            continue
        odd = np.bincount(hour[rows], visit[rows], size).astype(float)
        level = usual_level(odd, base)
        highest = USUAL_LEVEL_MAX if number < unexplained else math.inf
        expected = min(level, highest) * base * busy
        spans = SPANS_HOURS if level <= highest else (*SPANS_HOURS, 2 * size)
        share = np.max([_excess_share(odd, expected, span) for span in spans], axis=0)
        found[rows] = share[hour[rows]]
        if level > highest:
            least[rows] = found[rows]
    return found, least


def _excess_share(odd: Weights, expected: Weights, span_hours: int) -> Weights:
    """Return the share of each hour's count that is too much, seen over a span of hours around it."""
    seen, usual = _around(odd, span_hours), _around(expected, span_hours)
    limit = EXCESS_RATIO_MIN * usual + EXCESS_DEVIATIONS_MIN * np.sqrt(usual) + EXCESS_COUNT_MIN
    return np.where(seen > limit, 1.0 - usual / np.maximum(seen, 1.0), 0.0)


def _around(counts: Weights, span_hours: int) -> Weights:
    """Return the sum over a span of hours around each hour."""
    running = np.concatenate([[0.0], np.cumsum(counts)])
    hour = np.arange(len(counts))
    low = np.maximum(hour - span_hours // 2, 0)
    high = np.minimum(hour + (span_hours + 1) // 2, len(counts))
    total: Weights = running[high] - running[low]
    return total


def _visit_share(attempts: CodedAttempts, hour: Whole) -> Weights:
    """Return each failure's share of its visit: a few tries on a member from one address in an hour are one.

    People and broken apps repeat themselves. Somebody who repeats more than they do is counted try by try.
    """
    tries = np.zeros(len(attempts))
    failed = np.flatnonzero(attempts.failure)
    visit = pair_codes(attempts.spot[failed], hour[failed].astype(np.int32))
    tries[failed] = np.bincount(visit)[visit]
    return np.where(tries > RETRIES_MAX, 1.0, 1.0 / np.maximum(tries, 1.0))
