"""The bank's own watch over debits of new mandates: what a partner that was taken over looks like from here.

Each debit is within its ceilings and each mandate was authenticated, one as ordinary as the other. Two things
are not: far more mandates of one partner are debited for the first time than this partner ever had, and one
mandate is charged up to its ceiling within minutes. Nobody else can see the first, for only the bank sees all
depositors of a partner. A sign holds back debits of new mandates alone; older ones go on.
"""

from enum import StrEnum
from typing import NamedTuple

from sekisho.kernel.clock import DAY_US, HOUR_US, MINUTE_US
from sekisho.kernel.yen import Yen

BURST_US = HOUR_US
USUAL_US = 28 * DAY_US
RUN_US = 10 * MINUTE_US


class DebitWatchSettings(NamedTuple):
    """From where debits of new mandates are held for review; docs/reference/bank-debits.md says why there."""

    new_for_us: int = DAY_US
    first_debits_min: int = 30
    first_debits_factor: int = 5
    run_debits_min: int = 2
    run_share_percent: int = 50


class Sign(StrEnum):
    """Why a debit is held."""

    FIRST_DEBITS_BURST = "first_debits_burst"
    """Many mandates of this partner are debited for the first time, far more than it is used to."""

    RUN_TO_CEILING = "run_to_ceiling"
    """A new mandate is charged towards its month's ceiling within minutes."""


class Seen(NamedTuple):
    """What the bank sees when a debit is asked for, this one not counted.

    `age_us` is the mandate's since it became active. `first_in_hour` and `first_before` are first debits of
    the partner in the last hour, and in the 28 days before that. `run` and `run_amount` are this mandate's
    debits in the last ten minutes.
    """

    age_us: int
    is_first: bool
    amount: Yen
    month_ceiling: Yen
    first_in_hour: int
    first_before: int
    run: int
    run_amount: Yen


def sign_in(seen: Seen, settings: DebitWatchSettings) -> Sign | None:
    """Return what speaks for holding a debit back; None where it looks as others do."""
    if seen.age_us >= settings.new_for_us:
        return None
    if seen.is_first and seen.first_in_hour + 1 > burst_threshold(seen.first_before, settings):
        return Sign.FIRST_DEBITS_BURST
    runs = seen.run + 1 >= settings.run_debits_min
    amount = (seen.run_amount + seen.amount).amount
    if runs and amount * 100 > seen.month_ceiling.amount * settings.run_share_percent:
        return Sign.RUN_TO_CEILING
    return None


def burst_threshold(first_before: int, settings: DebitWatchSettings) -> int:
    """Return how many first debits of a partner in an hour are ordinary, from its 28 days before.

    People sleep: a day's usual number comes in some twelve hours, so an ordinary hour has a twelfth of it.
    """
    usual_an_hour = -(-first_before // (USUAL_US // DAY_US * 12))
    return max(settings.first_debits_min, settings.first_debits_factor * usual_an_hour)
