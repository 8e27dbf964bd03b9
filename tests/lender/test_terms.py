"""The dated terms, legal caps and fees."""

from datetime import date

import msgspec
import pytest

from sekisho.kernel.yen import Yen
from sekisho.lender.rates import Rate
from sekisho.lender.terms import published_terms, read_terms

BOOK = published_terms()


@pytest.mark.parametrize(
    ("day", "limit", "lowest", "highest"),
    [
        (date(2020, 12, 28), 5_000_000, "4.5", "17.8"),
        (date(2025, 8, 25), 5_000_000, "4.5", "17.8"),
        (date(2025, 8, 26), 8_000_000, "2.5", "18.0"),
    ],
)
def test_terms_of_a_day(day, limit, lowest, highest):
    terms = BOOK.on(day)
    assert (terms.limit_min_yen, terms.limit_max_yen) == (10_000, limit)
    assert (terms.rate_min.percent, terms.rate_max.percent) == (lowest, highest)
    assert (terms.delay_rate, terms.interest_free_days) == (Rate.parse("20.0"), 30)


def test_before_the_first_terms_there_are_none():
    with pytest.raises(LookupError):
        BOOK.on(date(2010, 6, 17))


@pytest.mark.parametrize(
    ("principal", "cap"),
    [(0, "20.0"), (99_999, "20.0"), (100_000, "18.0"), (999_999, "18.0"), (1_000_000, "15.0")],
)
def test_the_law_caps_the_rate_by_the_principal(principal, cap):
    assert BOOK.legal_cap(Yen(principal)) == Rate.parse(cap)


@pytest.mark.parametrize(("amount", "fee"), [(1_000, 110), (10_000, 110), (10_001, 220), (300_000, 220)])
def test_what_an_atm_charges(amount, fee):
    assert BOOK.atm_fee(Yen(amount)) == Yen(fee)


@pytest.mark.parametrize(
    ("text", "thousandths"),
    [("0", 0), ("4.5", 4_500), ("17.8", 17_800), ("18.0", 18_000), ("14.975", 14_975)],
)
def test_rates_are_exact(text, thousandths):
    assert Rate.parse(text) == Rate(thousandths)
    assert Rate.parse(Rate(thousandths).percent) == Rate(thousandths)


@pytest.mark.parametrize("text", ["", "-1", "1e1", "17,8", "17.8%", ".5", "100.0", "1.0000", "nan"])
def test_what_is_no_rate_is_refused(text):
    with pytest.raises(ValueError, match="not a rate"):
        Rate.parse(text)


def test_a_book_out_of_order_is_refused():
    """A band that stands behind a wider one would never be found."""
    row = '[[payment_bands]]\nup_to_yen = {}\nshare = 1\npayments_max = 1\nsource = ""\n'
    with pytest.raises((ValueError, msgspec.ValidationError)):
        read_terms("terms = []\nlegal_caps = []\natm_fees = []\n" + row.format(2) + row.format(1))
