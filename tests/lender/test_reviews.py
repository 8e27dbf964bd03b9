"""A person decides where screening asks for one: once, with a reason, and with other eyes."""

import asyncio

import pytest
from tests.lender.applicants import manual, open_way_in

from sekisho.kernel.yen import Yen
from sekisho.lender.applications import ApplicationNotFound, NotAtThisStep, State
from sekisho.lender.income_checks import IncomeDocument
from sekisho.lender.refusal_reasons import reasons_in_words
from sekisho.lender.reviews import AlreadyDecided, Decision, LimitNotOffered, review_of
from sekisho.lender.staff import SamePersonTwice
from sekisho.response.staff import StaffIdUnusable


@pytest.fixture
def way(tmp_path):
    opened = open_way_in(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def borderline(way):
    """Bring an application to where a person has to decide: two months in this employment."""
    application = way.screened(way.add_applicant(), employed_months=2)
    assert application.state is State.A_PERSON_DECIDES
    return application


def decide(way, application, **changes):
    named = {"staff_id": "tanaka", "granted": True, "reason": "契約書を確認"}
    return asyncio.run(way.reviews.decide(application.id, Decision(**{**named, **changes})))


def test_a_person_grants_what_screening_found(way, borderline):
    assert [each.id for each in asyncio.run(way.reviews.waiting())] == [borderline.id]
    assert way.at_hand.notices() == []
    granted = decide(way, borderline)
    assert (granted.state, granted.limit_yen, granted.rate) == (State.GRANTED, 500_000, 18_000)
    with way.house.store.read() as connection:
        review = review_of(connection, way.house, borderline.id)
    assert review is not None
    assert (review.staff_id, review.reason) == ("tanaka", "契約書を確認")
    assert way.at_hand.notices() == ["application_decided"] * 2
    assert asyncio.run(way.reviews.waiting()) == []


def test_a_person_grants_less_and_never_more(way, borderline):
    for limit in (510_000, 5_000, 105_000):
        with pytest.raises(LimitNotOffered):
            decide(way, borderline, limit=Yen(limit))
    assert decide(way, borderline, limit=Yen(100_000)).limit_yen == 100_000


def test_a_person_refuses_and_the_applicant_is_told_why_without_figures(way, borderline):
    refused = decide(way, borderline, granted=False)
    assert (refused.state, refused.limit_yen, refused.rate) == (State.REFUSED, 0, 0)
    (told,) = reasons_in_words(refused, "ja")
    assert "担当者" in told
    assert "契約書を確認" not in told


def test_who_checked_the_identity_does_not_decide(way, borderline):
    with pytest.raises(SamePersonTwice):
        decide(way, borderline, staff_id="sato")
    assert way.states(borderline)[-1] == "a_person_decides"
    assert decide(way, borderline).state is State.GRANTED


def test_who_only_failed_to_establish_somebody_has_looked_as_well(way):
    application = way.submitted(way.add_applicant(), employed_months=2)
    today = way.house.today()
    asyncio.run(way.identity.record(application.id, "c1", manual(today, staff_id="suzuki", passed=False)))
    asyncio.run(way.identity.record(application.id, "c2", manual(today)))
    asyncio.run(way.screening.screen(application.id))
    with pytest.raises(SamePersonTwice):
        decide(way, application, staff_id="suzuki")


def test_who_proved_the_income_does_not_decide(way):
    application = way.checked(way.add_applicant(), employed_months=2)
    document = IncomeDocument(staff_id="kato", reference="scan/7", income=Yen(4_000_000))
    asyncio.run(way.incomes.record(application.id, document))
    asyncio.run(way.screening.screen(application.id))
    with pytest.raises(SamePersonTwice):
        decide(way, application, staff_id="kato")


def test_the_same_decision_twice_is_one(way, borderline):
    assert decide(way, borderline) == decide(way, borderline)
    assert way.states(borderline).count("granted") == 1


@pytest.mark.parametrize(
    "changes",
    [{"staff_id": "kato"}, {"granted": False}, {"reason": "別の理由"}, {"limit": Yen(10_000)}],
)
def test_another_decision_after_the_first_is_refused(way, borderline, changes):
    decide(way, borderline)
    with pytest.raises(AlreadyDecided):
        decide(way, borderline, **changes)
    assert asyncio.run(way.applications.current(borderline.member_id)).limit_yen == 500_000


def test_two_people_at_once_decide_once(way, borderline):
    async def both():
        return await asyncio.gather(
            *(
                way.reviews.decide(borderline.id, Decision(staff_id=who, granted=fine, reason="x"))
                for who, fine in (("kato", True), ("tanaka", False))
            ),
            return_exceptions=True,
        )

    answers = asyncio.run(both())
    assert sorted(type(answer).__name__ for answer in answers) == ["AlreadyDecided", "Application"]


def test_nobody_decides_what_no_person_was_asked(way):
    granted = way.screened(way.add_applicant())
    with pytest.raises(NotAtThisStep):
        decide(way, granted)
    with pytest.raises(ApplicationNotFound):
        asyncio.run(way.reviews.decide("apl_x", Decision(staff_id="a", granted=True, reason="x")))


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"reason": " "}, ValueError),
        ({"reason": "x" * 2001}, ValueError),
        ({"staff_id": ""}, StaffIdUnusable),
    ],
)
def test_a_decision_has_a_reason_and_a_name(way, borderline, changes, wrong):
    with pytest.raises(wrong):
        decide(way, borderline, **changes)
