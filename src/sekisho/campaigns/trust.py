"""What an attempt has proven on its own, and which failures an honest success explains."""

import numpy as np

from sekisho.campaigns.coded import ABSENT, Cells, CodedAttempts, Codes, Marks, Whole, pair_codes
from sekisho.campaigns.neighbours import Neighbours

TYPO_SPAN_US = 15 * 60 * 1_000_000
TYPOS_MAX = 3
SLIPS_PER_SUCCESS = 8
PARTNER_ADDRESSES_MAX = 4
PARTNER_SUCCESSES_MIN = 50
UNEXPLAINED, SAME_CLIENT, SAME_PLACE, MISTYPED_NAME = range(4)
EXPLANATIONS = 4


def proven(attempts: CodedAttempts) -> Marks:
    """Mark attempts that carry the member's own device or passed a second proof.

    A device token is the member's own if its signature was verified, or, where the log does not say, if the
    same member also succeeded with it at another time. A token that failed verification proves nothing.
    """
    held = np.flatnonzero((attempts.device != ABSENT) & (attempts.device_valid != 0))
    pair = pair_codes(attempts.member[held], attempts.device[held])
    success = attempts.success[held]
    others = _count_of(pair, success) - success
    found = attempts.passed.copy()
    found[held] |= (others > 0) | (attempts.device_valid[held] == 1)
    return found


def explanations(attempts: CodedAttempts) -> Cells:
    """Return for each failure which honest success explains it, if any; the strongest one counts.

    `SAME_PLACE`: the same member succeeds, now or at another time, from the same device, address or network
    prefix, with not many failures to a success; or the source succeeds more often than it fails.
    `SAME_CLIENT`: likewise with the same client in the same network, which somebody who knows the member's
    provider and phone can imitate. `MISTYPED_NAME`: an unknown name with a success of the same client at the
    same address within a quarter of an hour, a few names at most.
    """
    found = np.full(len(attempts), UNEXPLAINED, np.int16)
    found[_mistyped(attempts)] = MISTYPED_NAME
    both = np.flatnonzero(_has(attempts.member, attempts.success) & _has(attempts.member, attempts.failure))
    where = pair_codes(attempts.client[both], attempts.asn[both])
    found[both[_slipped(attempts, both, where)]] = SAME_CLIENT
    for place in (attempts.device, attempts.address, attempts.prefix):
        found[both[_slipped(attempts, both, place[both])]] = SAME_PLACE
    found[_reliable(attempts)] = SAME_PLACE
    return found


def first_seen(codes: Codes, time_us: Whole) -> Whole:
    """Return for each code the time of its first attempt; attempts are in time order."""
    first = np.full(int(codes.max(initial=ABSENT)) + 1, np.iinfo(np.int64).max)
    there = np.flatnonzero(codes != ABSENT)[::-1]
    first[codes[there]] = time_us[there]
    return first


def _slipped(attempts: CodedAttempts, rows: Whole, place: Codes) -> Marks:
    pair = pair_codes(attempts.member[rows], place)
    successes = _count_of(pair, attempts.success[rows])
    failures = _count_of(pair, attempts.failure[rows])
    few: Marks = (place != ABSENT) & (successes > 0) & (failures <= SLIPS_PER_SUCCESS * successes)
    return few


def _reliable(attempts: CodedAttempts) -> Marks:
    """Mark attempts of a source that succeeds more often than it fails: a family's device, a partner.

    The source is a device token, or a client that lives at very few addresses and is often right there.
    """
    token = (attempts.device != ABSENT) & _mostly_right(attempts, attempts.device, 1)
    pair = pair_codes(attempts.client, attempts.address)
    client_of_pair = np.full(int(pair.max(initial=ABSENT)) + 1, ABSENT, np.int32)
    client_of_pair[pair[pair != ABSENT]] = attempts.client[pair != ABSENT]
    addresses = np.bincount(client_of_pair + 1, minlength=int(attempts.client.max(initial=ABSENT)) + 2)
    few = (attempts.client != ABSENT) & (addresses[attempts.client + 1] <= PARTNER_ADDRESSES_MAX)
    partner = few & _mostly_right(attempts, attempts.client, PARTNER_SUCCESSES_MIN)
    reliable: Marks = token | partner
    return reliable


def _mostly_right(attempts: CodedAttempts, source: Codes, successes_min: int) -> Marks:
    successes = _count_of(source, attempts.success)
    right: Marks = (successes > _count_of(source, attempts.failure)) & (successes >= successes_min)
    return right


def _mistyped(attempts: CodedAttempts) -> Whole:
    """Return the unknown names that a success beside them explains."""
    address = attempts.address
    rows = np.flatnonzero(_has(address, attempts.success) & _has(address, attempts.unknown_name))
    if not len(rows):
        return rows
    group = pair_codes(attempts.address[rows], attempts.client[rows] + 1)
    near = Neighbours(group, attempts.time_us[rows], np.arange(len(rows)), (TYPO_SPAN_US,))
    successes = near.sums(attempts.success[rows].astype(float))[0]
    names = near.sums(attempts.unknown_name[rows].astype(float))[0] + 1
    return rows[attempts.unknown_name[rows] & (successes >= 1) & (names <= TYPOS_MAX * successes)]


def _has(group: Codes, mark: Marks) -> Marks:
    """Mark all attempts of the groups in which at least one attempt is marked."""
    there = np.zeros(int(group.max(initial=ABSENT)) + 1, bool)
    there[group[mark]] = True
    return there[group]


def _count_of(group: Codes, mark: Marks) -> Whole:
    """Return how many attempts of each attempt's group are marked."""
    counts = np.bincount(group[mark] + 1, minlength=int(group.max(initial=ABSENT)) + 2)
    return counts[group + 1]
