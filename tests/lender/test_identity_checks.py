"""Lawful ways of establishing who applies: by their days, by whom, once, and with every try on record."""

import asyncio
import datetime as dt
from datetime import UTC, date

import pytest
from tests.identity.authority import Authority, person
from tests.lender.applicants import ADDRESS, NAME, manual, noon_us, open_way_in

from sekisho.identity.identity_methods import Method, MethodNotAllowed, allowed_on, lawful_methods
from sekisho.identity.person_checks import TRIES_MAX, ChallengeOver, IdentityCheckAway, TooManyTries
from sekisho.kernel.clock import MINUTE_US, SECOND_US
from sekisho.kernel.posture import OperationalError, Posture
from sekisho.lender.applications import ApplicationNotFound, NotAtThisStep, State

LAST_DAY, FIRST_DAY = date(2027, 3, 31), date(2027, 4, 1)


class SettableTrust:
    """One authority with its list, which can be away."""

    def __init__(self):
        self.authority: Authority = Authority(dt.datetime(2026, 9, 21, tzinfo=UTC))
        self.down = False
        self.lists = None

    async def authorities(self):
        return [self.authority.certificate]

    async def revocation_lists(self):
        if self.down:
            raise OperationalError("revocation lists", "HTTP 503")
        return [self.authority.revocation_list()] if self.lists is None else self.lists


@pytest.fixture
def trust():
    return SettableTrust()


def _opened(tmp_path, trust, on_outage=Posture.CLOSED):
    opened = open_way_in(tmp_path, trust, on_outage=on_outage)
    now = dt.datetime.fromtimestamp(opened.house.clock.now_us() // SECOND_US, UTC)
    trust.authority = Authority(now)
    return opened


@pytest.fixture
def way(tmp_path, trust):
    opened = _opened(tmp_path, trust)
    yield opened
    opened.close()


@pytest.fixture
def card(way, trust):
    assert way
    return trust.authority.give(person(NAME, "319900402", ADDRESS))


def test_a_photo_and_a_face_are_no_way_any_more_from_april_2027():
    assert lawful_methods()[Method.PHOTO_ID_SELFIE].is_allowed_on(LAST_DAY)
    assert not lawful_methods()[Method.PHOTO_ID_SELFIE].is_allowed_on(FIRST_DAY)
    assert Method.PHOTO_ID_SELFIE not in {each.code for each in allowed_on(FIRST_DAY)}


@pytest.mark.parametrize(
    ("code", "day", "letter"),
    [
        (Method.PHOTO_ID_SELFIE, LAST_DAY, "ホ"),
        (Method.IC_SELFIE, LAST_DAY, "ヘ"),
        (Method.ID_PLUS_BANK_API, LAST_DAY, "ト(1)"),
        (Method.ID_PLUS_MICRO_TRANSFER, LAST_DAY, "ト(2)"),
        (Method.ID_PLUS_MAIL, LAST_DAY, "チ"),
        (Method.JPKI, LAST_DAY, "ワ"),
        (Method.JPKI, FIRST_DAY, "ル"),
        (Method.IC_SELFIE, FIRST_DAY, ""),
        (Method.CARD_SUBSTITUTE_RECORD, LAST_DAY, ""),
    ],
)
def test_letters_move_and_codes_do_not(code, day, letter):
    """Where the new letter is not known, none is invented."""
    assert lawful_methods()[code].letter_on(day) == letter


def test_the_record_on_a_telephone_is_a_way_since_june_2025():
    method = lawful_methods()[Method.CARD_SUBSTITUTE_RECORD]
    assert not method.is_allowed_on(date(2025, 6, 23))
    assert method.is_allowed_on(date(2025, 6, 24))


def test_every_way_has_a_source_and_a_name():
    for method in lawful_methods().values():
        assert method.source.startswith("https://")
        assert set(method.name) == {"ja", "en"}


@pytest.mark.parametrize(("day", "fine"), [(LAST_DAY, True), (FIRST_DAY, False)])
def test_a_new_check_is_recorded_by_a_way_of_its_day(way, day, fine):
    """An abolished way does not come back by an old day either."""
    way.at_hand.clock.set(noon_us(day))
    application = way.submitted(way.add_applicant())
    for checked_on in (day, LAST_DAY):
        check = manual(checked_on, method=Method.PHOTO_ID_SELFIE)
        if fine:
            found = asyncio.run(way.identity.record(application.id, "c", check))
            assert (found.passed, found.letter) == (True, "ホ")
        else:
            with pytest.raises(MethodNotAllowed):
                asyncio.run(way.identity.record(application.id, "c", check))


def test_what_the_program_verifies_cannot_be_written_by_hand(way):
    application = way.submitted(way.add_applicant())
    check = manual(way.house.today(), method=Method.JPKI)
    with pytest.raises(MethodNotAllowed):
        asyncio.run(way.identity.record(application.id, "c", check))


@pytest.mark.parametrize(
    "changes",
    [
        {"evidence": ()},
        {"evidence": (" ",)},
        {"staff_id": ""},
        {"staff_id": "Sato; drop"},
        {"checked_on": date(2100, 1, 1)},
    ],
)
def test_a_check_without_evidence_staff_or_day_is_none(way, changes):
    application = way.submitted(way.add_applicant())
    with pytest.raises(ValueError, match=r"check|staff|come"):
        asyncio.run(way.identity.record(application.id, "c", manual(way.house.today(), **changes)))
    assert asyncio.run(way.identity.checks_of(application.id)) == []


def test_a_check_that_failed_stands_beside_the_one_that_passed(way):
    application = way.submitted(way.add_applicant())
    today = way.house.today()
    asyncio.run(way.identity.record(application.id, "c1", manual(today, passed=False)))
    asyncio.run(way.identity.record(application.id, "c2", manual(today)))
    checks = asyncio.run(way.identity.checks_of(application.id))
    assert sorted(check.passed for check in checks) == [False, True]
    assert way.states(application)[-1] == "identity_checked"


def test_a_check_that_is_recorded_twice_is_one(way):
    application = way.submitted(way.add_applicant())
    today = way.house.today()
    first = asyncio.run(way.identity.record(application.id, "c1", manual(today)))
    assert asyncio.run(way.identity.record(application.id, "c1", manual(today))) == first
    with pytest.raises(NotAtThisStep):
        asyncio.run(way.identity.record(application.id, "c2", manual(today)))
    assert len(asyncio.run(way.identity.checks_of(application.id))) == 1


def test_a_card_establishes_its_holder(way, card):
    application = way.submitted(way.add_applicant())
    challenge = asyncio.run(way.identity.challenge(application.member_id, application.id))
    presented = card.sign(challenge.octets)
    check = asyncio.run(
        way.identity.by_certificate(application.member_id, application.id, challenge.octets, presented)
    )
    assert (check.passed, check.method, check.letter, check.staff_id) == (True, Method.JPKI, "ワ", "")
    again = asyncio.run(
        way.identity.by_certificate(application.member_id, application.id, challenge.octets, presented)
    )
    assert again == check
    assert asyncio.run(way.applications.current(application.member_id)).state is State.IDENTITY_CHECKED


def test_somebody_elses_card_establishes_nobody(way, trust):
    application = way.submitted(way.add_applicant())
    other = trust.authority.give(person("別人 太郎", "319900402", ADDRESS))
    challenge = asyncio.run(way.identity.challenge(application.member_id, application.id))
    check = asyncio.run(
        way.identity.by_certificate(
            application.member_id, application.id, challenge.octets, other.sign(challenge.octets)
        )
    )
    assert (check.passed, check.faults) == (False, ("name_differs",))
    assert way.states(application)[-1] == "submitted"


def test_a_challenge_is_answered_once_in_time_and_for_its_own_application(way, card):
    one, other = way.submitted(way.add_applicant()), way.submitted(way.add_applicant())

    def answer(application, octets):
        return asyncio.run(
            way.identity.by_certificate(application.member_id, application.id, octets, card.sign(octets))
        )

    with pytest.raises(ChallengeOver):
        answer(one, b"sekisho:identity-check:1:" + bytes(32))
    challenge = asyncio.run(way.identity.challenge(one.member_id, one.id))
    with pytest.raises(ChallengeOver):
        answer(other, challenge.octets)
    way.at_hand.clock.advance(10 * MINUTE_US)
    with pytest.raises(ChallengeOver):
        answer(one, challenge.octets)


def test_somebody_elses_application_has_no_challenge(way):
    application = way.submitted(way.add_applicant())
    stranger = way.add_applicant()
    with pytest.raises(ApplicationNotFound):
        asyncio.run(way.identity.challenge(stranger, application.id))


@pytest.mark.parametrize("fault", ["down", "no list"])
@pytest.mark.parametrize("posture", [Posture.CLOSED, Posture.OPEN])
def test_without_a_revocation_list_a_card_waits_or_goes_to_staff(tmp_path, trust, fault, posture):
    """Never is it believed."""
    way = _opened(tmp_path, trust, posture)
    card = trust.authority.give(person(NAME, "319900402", ADDRESS))
    trust.down, trust.lists = fault == "down", []
    application = way.submitted(way.add_applicant())
    challenge = asyncio.run(way.identity.challenge(application.member_id, application.id))
    answer = way.identity.by_certificate(
        application.member_id, application.id, challenge.octets, card.sign(challenge.octets)
    )
    if posture is Posture.CLOSED:
        with pytest.raises(IdentityCheckAway):
            asyncio.run(answer)
        trust.down, trust.lists = False, None
        again = way.identity.by_certificate(
            application.member_id, application.id, challenge.octets, card.sign(challenge.octets)
        )
        assert asyncio.run(again).passed
    else:
        assert asyncio.run(answer).faults == ("revocation_unknown",)
    way.close()


def test_after_ten_failures_a_person_has_to_look(way, trust):
    application = way.submitted(way.add_applicant())
    other = trust.authority.give(person("別人 太郎", "319900402", ADDRESS))
    for _ in range(TRIES_MAX):
        challenge = asyncio.run(way.identity.challenge(application.member_id, application.id))
        asyncio.run(
            way.identity.by_certificate(
                application.member_id, application.id, challenge.octets, other.sign(challenge.octets)
            )
        )
    with pytest.raises(TooManyTries):
        asyncio.run(way.identity.challenge(application.member_id, application.id))
    assert asyncio.run(way.identity.record(application.id, "c", manual(way.house.today()))).passed
