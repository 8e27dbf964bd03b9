"""Who may apply, and what an application gets."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.kernel.yen import Yen
from sekisho.lender.diagnosis import Answers, Diagnosis, Reason, age_on, diagnose
from sekisho.lender.rates import Rate
from sekisho.lender.screening import (
    Applicant,
    BureauRecord,
    Finding,
    Verdict,
    above_a_third,
    needs_income_proof,
    screen,
)
from sekisho.lender.terms import published_terms

BOOK = published_terms()
THEN, NOW = date(2020, 12, 28), date(2026, 11, 22)
BORN = date(1990, 5, 5)


def diagnosed(income, owed=0, born_on=BORN, today=NOW):
    return diagnose(Answers(born_on, Yen(income), Yen(owed)), BOOK.on(today), today=today)


@pytest.mark.parametrize(
    ("income", "owed", "found"),
    [
        (3_000_000, 0, Diagnosis(may_apply=True, room=Yen(1_000_000), reason=None)),
        (3_000_000, 995_000, Diagnosis(may_apply=False, room=Yen(0), reason=Reason.TOO_LITTLE_ROOM)),
        (3_000_000, 990_000, Diagnosis(may_apply=True, room=Yen(10_000), reason=None)),
        (3_000_000, 1_000_000, Diagnosis(may_apply=False, room=Yen(0), reason=Reason.ABOVE_A_THIRD)),
        (0, 0, Diagnosis(may_apply=False, room=Yen(0), reason=Reason.NO_INCOME)),
        (90_000_000, 0, Diagnosis(may_apply=True, room=Yen(8_000_000), reason=None)),
    ],
)
def test_a_third_of_the_income_less_what_is_owed(income, owed, found):
    assert diagnosed(income, owed) == found


@pytest.mark.parametrize(
    ("today", "born_on", "may_apply"),
    [
        (THEN, date(2000, 12, 28), True),
        (THEN, date(2000, 12, 29), False),
        (NOW, date(2008, 11, 22), True),
        (NOW, date(2008, 11, 23), False),
        (NOW, date(1951, 11, 23), True),
        (NOW, date(1951, 11, 22), False),
    ],
)
def test_the_age_goes_by_the_terms_of_the_day(today, born_on, may_apply):
    """20 to 69 then, 18 to 74 now; the birthday counts."""
    assert diagnosed(3_000_000, born_on=born_on, today=today).may_apply is may_apply


def test_born_on_the_29th_of_february_one_is_older_on_the_1st_of_march():
    born = date(2004, 2, 29)
    assert [age_on(born, day) for day in (date(2022, 2, 28), date(2022, 3, 1), date(2024, 2, 29))] == [
        17,
        18,
        20,
    ]


def applicant(**changes):
    fields = {
        "born_on": BORN,
        "income": Yen(4_500_000),
        "income_proven": True,
        "employed_months": 40,
        "wanted": Yen(800_000),
        "identity_checked": True,
    }
    return Applicant(**{**fields, **changes})


def bureau(**changes):
    fields = {
        "asked_on": NOW,
        "owed_to_lenders": Yen(0),
        "lenders": 0,
        "delayed": False,
        "written_off": False,
        "applications_last_month": 1,
    }
    return BureauRecord(**{**fields, **changes})


def screened(applicant_, bureau_=None):
    return screen(applicant_, bureau_ or bureau(), BOOK.on(NOW), BOOK, today=NOW)


def test_a_plain_case_is_granted_what_it_wants():
    found = screened(applicant())
    assert found == (Verdict.GRANTED, Yen(800_000), Rate.parse("18.0"), ())


def test_a_million_and_more_is_capped_by_the_law():
    assert screened(applicant(wanted=Yen(1_000_000))).rate == Rate.parse("15.0")


def test_the_line_is_cut_to_a_third_of_the_income():
    found = screened(applicant(wanted=Yen(2_000_000)), bureau(owed_to_lenders=Yen(700_000)))
    assert (found.verdict, found.limit) == (Verdict.GRANTED, Yen(800_000))


@pytest.mark.parametrize(
    ("changes", "record", "finding"),
    [
        ({"born_on": date(2010, 1, 1)}, {}, Finding.AGE_OUTSIDE),
        ({"identity_checked": False}, {}, Finding.IDENTITY_NOT_CHECKED),
        ({"income": Yen(0)}, {}, Finding.NO_INCOME),
        ({}, {"owed_to_lenders": Yen(1_495_000)}, Finding.ABOVE_A_THIRD),
        ({"income_proven": False}, {}, Finding.INCOME_PROOF_MISSING),
        ({}, {"written_off": True}, Finding.WRITTEN_OFF),
    ],
    ids=lambda value: value.value if isinstance(value, Finding) else "",
)
def test_what_speaks_against_refuses_and_is_named(changes, record, finding):
    found = screened(applicant(**changes), bureau(**record))
    assert (found.verdict, found.limit, found.rate) == (Verdict.REFUSED, Yen(0), None)
    assert finding in found.findings


@pytest.mark.parametrize(
    ("changes", "record", "finding"),
    [
        ({}, {"delayed": True}, Finding.DELAYED),
        ({}, {"lenders": 4}, Finding.MANY_LENDERS),
        ({}, {"applications_last_month": 3}, Finding.MANY_APPLICATIONS),
        ({"employed_months": 5}, {}, Finding.EMPLOYED_BRIEFLY),
    ],
    ids=lambda value: value.value if isinstance(value, Finding) else "",
)
def test_what_is_borderline_goes_to_a_person(changes, record, finding):
    found = screened(applicant(**changes), bureau(**record))
    assert (found.verdict, found.findings) == (Verdict.A_PERSON_DECIDES, (finding,))
    assert found.limit == Yen(800_000)


@pytest.mark.parametrize(
    ("own", "total", "age", "needed"),
    [
        (500_000, 500_000, 30, False),
        (500_001, 500_001, 30, True),
        (10_000, 1_000_000, 30, False),
        (10_000, 1_000_001, 30, True),
        (10_000, 10_000, 19, True),
    ],
)
def test_when_the_law_asks_for_an_income_document(own, total, age, needed):
    assert needs_income_proof(Yen(own), Yen(total), age) is needed


AMOUNTS = st.integers(0, 20_000_000).map(Yen)


@given(income=AMOUNTS, owed=AMOUNTS, wanted=AMOUNTS)
def test_nobody_is_ever_lent_beyond_a_third_of_the_income(income, owed, wanted):
    found = screened(applicant(income=income, wanted=wanted), bureau(owed_to_lenders=owed))
    if found.verdict is not Verdict.REFUSED:
        assert not above_a_third(income, owed + found.limit)
        assert Yen(10_000) <= found.limit <= wanted
        assert found.rate is not None
        assert found.rate <= BOOK.legal_cap(found.limit)
