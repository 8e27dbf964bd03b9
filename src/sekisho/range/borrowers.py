"""What a bureau and a source of incomes know of invented people, for trying an application out.

Whoever is in no table owes nothing to anybody, and has an income that nobody can prove.
"""

import datetime as dt

from sekisho.lender.credit_bureau import Known, TableCreditBureau
from sekisho.lender.income_checks import TableIncomeSource

BORN_ON = dt.date(1990, 4, 1)
"""The birth date of all of them."""

OWES_MUCH = "ｶﾘｲﾚ ｵｵｲ"
PAYS_LATE = "ｼﾊﾗｲ ｵｸﾚ"
EARNS_WELL = "ｶｾｷﾞ ﾖｼｺ"
_RECORDS = {
    (OWES_MUCH, BORN_ON): Known(owed_yen=2_000_000, lenders=3),
    (PAYS_LATE, BORN_ON): Known(owed_yen=300_000, lenders=1, delayed=True),
}
_INCOMES_YEN = {(EARNS_WELL, BORN_ON): 9_000_000}


def played_bureau() -> TableCreditBureau:
    """Return a bureau that knows the invented people."""
    return TableCreditBureau(_RECORDS)


def played_incomes() -> TableIncomeSource:
    """Return a source that knows what one of them earns."""
    return TableIncomeSource(_INCOMES_YEN)
