"""The way from a first word to a signed contract, and everything that comes twice, late or out of turn."""

import asyncio
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select
from tests.lender.applicants import ARRIVAL, MONTH_US, NAME, manual, open_way_in, said

from sekisho.identity import sessions
from sekisho.identity.assurance import InsufficientAuthentication, Standing, Way
from sekisho.identity.purposes import in_words
from sekisho.identity.session_desk import Present
from sekisho.identity.sessions import Ended
from sekisho.kernel.ids import MemberId
from sekisho.ledger.journal import first_fault
from sekisho.lender import application_rows
from sekisho.lender.applications import (
    ENDS,
    NEXT,
    ApplicationDetailsMissing,
    ApplicationKeyReused,
    ApplicationNotFound,
    ApplicationUnderWay,
    ApplicationUnusable,
    Fault,
    LineOpen,
    NotAtThisStep,
    State,
    faults_of,
)
from sekisho.lender.contracts import contract_of
from sekisho.lender.documents.archive import Kind
from sekisho.lender.refusal_reasons import reasons_in_words
from sekisho.lender.terms import published_terms
from sekisho.storage.keyring import Unsealable
from sekisho.storage.tables.applications import loan_application
from sekisho.storage.tables.lender import credit_contract


@pytest.fixture
def way(tmp_path):
    opened = open_way_in(tmp_path)
    yield opened
    with opened.house.store.read() as connection:
        assert first_fault(connection) is None
    opened.close()


def contracts(way):
    with way.house.store.read() as connection:
        return connection.execute(select(func.count()).select_from(credit_contract)).scalar_one()


def test_from_a_first_word_to_a_signed_contract(way):
    member_id = way.add_applicant()
    granted = way.screened(member_id)
    assert (granted.state, granted.limit_yen, granted.rate) == (State.GRANTED, 500_000, 18_000)
    entered = way.enter(member_id)
    asyncio.run(way.documents.show_before_contract(member_id, granted.id))
    present = way.approve(entered, granted)
    signed = asyncio.run(way.signing.sign(present, granted.id, ARRIVAL))
    assert (signed.contract.limit_yen, signed.contract.due_day, signed.contract.free_days) == (500_000, 5, 30)
    assert signed.document.kind is Kind.CONTRACT
    with way.house.store.read() as connection:
        assert contract_of(connection, member_id) == signed.contract
    assert way.states(granted) == [
        "drafted",
        "submitted",
        "identity_checked",
        "granted",
        "documents_shown",
        "signed",
    ]
    assert way.at_hand.notices() == ["application_decided"] * 2 + ["contract_signed"] * 2


def test_a_signature_whose_answer_was_lost_is_told_again(way):
    member_id = way.add_applicant()
    granted = way.screened(member_id)
    entered = way.enter(member_id)
    asyncio.run(way.documents.show_before_contract(member_id, granted.id))
    present = way.approve(entered, granted)
    first = asyncio.run(way.signing.sign(present, granted.id, ARRIVAL))
    again = asyncio.run(way.signing.sign(present, granted.id, ARRIVAL))
    assert (again.contract.id, again.document.sha256) == (first.contract.id, first.document.sha256)
    assert contracts(way) == 1


def test_two_signatures_at_once_make_one_contract(way):
    member_id = way.add_applicant()
    granted = way.screened(member_id)
    entered = way.enter(member_id)
    asyncio.run(way.documents.show_before_contract(member_id, granted.id))
    present = way.approve(entered, granted)

    async def both():
        return await asyncio.gather(*(way.signing.sign(present, granted.id, ARRIVAL) for _ in range(2)))

    one, other = asyncio.run(both())
    assert one.contract.id == other.contract.id
    assert contracts(way) == 1


@pytest.mark.parametrize("purpose", ["", "contract:somethingelse", "reveal:x"])
def test_a_proof_of_anything_else_signs_nothing(way, purpose):
    """Success and refusal stand on the same set-up: only what was approved differs."""
    member_id = way.add_applicant()
    granted = way.screened(member_id)
    entered = way.enter(member_id)
    asyncio.run(way.documents.show_before_contract(member_id, granted.id))
    present = Present(*way.at_hand.prove(entered, Way.PASSKEY, purpose))
    with pytest.raises(InsufficientAuthentication):
        asyncio.run(way.signing.sign(present, granted.id, ARRIVAL))
    assert contracts(way) == 0


def test_a_code_signs_on_a_trusted_device_alone(way):
    member_id = way.add_applicant()
    granted = way.screened(member_id)
    way.enter(member_id)
    asyncio.run(way.documents.show_before_contract(member_id, granted.id))
    stranger = way.at_hand.log_in(member_id, standing=Standing.UNCONFIRMED)
    with pytest.raises(InsufficientAuthentication):
        asyncio.run(way.signing.sign(way.approve(stranger, granted, Way.CODE), granted.id, ARRIVAL))
    trusted = way.at_hand.log_in(member_id)
    asyncio.run(way.signing.sign(way.approve(trusted, granted, Way.CODE), granted.id, ARRIVAL))
    assert contracts(way) == 1


def test_a_proof_that_grew_old_signs_nothing(way):
    member_id = way.add_applicant()
    granted = way.screened(member_id)
    entered = way.enter(member_id)
    asyncio.run(way.documents.show_before_contract(member_id, granted.id))
    present = way.approve(entered, granted)
    way.at_hand.clock.advance(5 * 60 * 1_000_000)
    with pytest.raises(InsufficientAuthentication):
        asyncio.run(way.signing.sign(present, granted.id, ARRIVAL))


def test_what_is_approved_says_limit_rate_and_due_day(way):
    member_id = way.add_applicant()
    granted = way.screened(member_id, due_day=31)
    way.enter(member_id)
    asyncio.run(way.documents.show_before_contract(member_id, granted.id))
    purpose = asyncio.run(way.signing.purpose(member_id, granted.id))
    colon = "\uff1a"
    assert in_words(purpose, "ja") == f"ご契約(500,000円、年率{colon}18.0%、返済日{colon}毎月末日)"


def test_an_offer_that_waited_too_long_cannot_be_signed(way):
    member_id = way.add_applicant()
    granted = way.screened(member_id)
    entered = way.enter(member_id)
    asyncio.run(way.documents.show_before_contract(member_id, granted.id))
    way.approve(entered, granted)
    way.at_hand.clock.advance(MONTH_US)
    with pytest.raises(NotAtThisStep):
        asyncio.run(way.signing.purpose(member_id, granted.id))
    assert asyncio.run(way.applications.expire_due()) == 1
    assert asyncio.run(way.applications.current(member_id)).state is State.EXPIRED


def test_the_same_request_twice_begins_one_application(way):
    member_id = way.add_applicant()

    async def both():
        return await asyncio.gather(*(way.applications.begin(member_id, "k", said()) for _ in range(2)))

    one, other = asyncio.run(both())
    assert one == other
    assert way.states(one) == ["drafted"]


def test_a_key_that_comes_with_other_words_is_refused(way):
    member_id = way.add_applicant()
    asyncio.run(way.applications.begin(member_id, "k", said()))
    with pytest.raises(ApplicationKeyReused):
        asyncio.run(way.applications.begin(member_id, "k", said(wanted_yen=100_000)))


def test_one_members_key_says_nothing_to_another(way):
    one, other = way.add_applicant(), way.add_applicant()
    first = asyncio.run(way.applications.begin(one, "k", said()))
    second = asyncio.run(way.applications.begin(other, "k", said()))
    assert first.id != second.id
    with pytest.raises(ApplicationNotFound):
        asyncio.run(way.applications.submit(other, first.id))


def test_nobody_has_two_applications_under_way(way):
    member_id = way.add_applicant()
    first = asyncio.run(way.applications.begin(member_id, "k1", said()))
    with pytest.raises(ApplicationUnderWay):
        asyncio.run(way.applications.begin(member_id, "k2", said()))
    asyncio.run(way.applications.withdraw(member_id, first.id))
    assert asyncio.run(way.applications.begin(member_id, "k2", said())).state is State.DRAFTED


def test_an_old_application_does_not_stand_in_a_new_ones_way(way):
    member_id = way.add_applicant()
    first = asyncio.run(way.applications.begin(member_id, "k1", said()))
    way.at_hand.clock.advance(MONTH_US)
    asyncio.run(way.applications.begin(member_id, "k2", said()))
    assert way.states(first) == ["drafted", "expired"]


def test_a_draft_is_taken_up_again_and_changed(way):
    member_id = way.add_applicant()
    begun = asyncio.run(way.applications.begin(member_id, "k", said()))
    asyncio.run(way.applications.change(member_id, begun.id, said(wanted_yen=100_000)))
    found = asyncio.run(way.applications.current(member_id))
    assert (found.id, found.said.wanted_yen) == (begun.id, 100_000)
    asyncio.run(way.applications.submit(member_id, begun.id))
    with pytest.raises(NotAtThisStep):
        asyncio.run(way.applications.change(member_id, begun.id, said()))


def test_sending_off_twice_tells_of_it_once(way):
    application = way.submitted(way.add_applicant())
    again = asyncio.run(way.applications.submit(application.member_id, application.id))
    assert again == application
    assert way.states(application) == ["drafted", "submitted"]


def test_an_application_without_an_address_waits_for_it(way):
    member_id = way.at_hand.add_reachable_member()
    begun = asyncio.run(way.applications.begin(member_id, "k", said()))
    with pytest.raises(ApplicationDetailsMissing):
        asyncio.run(way.applications.submit(member_id, begun.id))
    assert way.states(begun) == ["drafted"]


def test_who_applies_is_kept_as_it_was_when_the_application_was_made(way):
    member_id = way.add_applicant()
    application = way.submitted(member_id)
    assert application.who is not None
    assert application.who.name == NAME
    assert NAME.encode() not in way.at_hand.file.read_bytes()


def test_a_member_with_a_line_cannot_apply_for_another(way):
    member_id = way.add_applicant()
    granted = way.screened(member_id)
    entered = way.enter(member_id)
    asyncio.run(way.documents.show_before_contract(member_id, granted.id))
    asyncio.run(way.signing.sign(way.approve(entered, granted), granted.id, ARRIVAL))
    with pytest.raises(LineOpen):
        asyncio.run(way.applications.begin(member_id, "k2", said()))


def test_nothing_follows_an_end(way):
    member_id = way.add_applicant()
    application = way.submitted(member_id)
    asyncio.run(way.applications.withdraw(member_id, application.id))
    asyncio.run(way.applications.withdraw(member_id, application.id))
    with pytest.raises(NotAtThisStep):
        asyncio.run(way.identity.record(application.id, "c1", manual(way.house.today())))
    with pytest.raises(NotAtThisStep):
        asyncio.run(way.screening.screen(application.id))
    assert way.states(application) == ["drafted", "submitted", "withdrawn"]


def test_no_step_can_be_left_out(way):
    """Each desk wants the state before its own, whatever the application is in."""
    member_id = way.add_applicant()
    begun = asyncio.run(way.applications.begin(member_id, "k", said()))
    with pytest.raises(NotAtThisStep):
        asyncio.run(way.identity.record(begun.id, "c1", manual(way.house.today())))
    asyncio.run(way.applications.submit(member_id, begun.id))
    with pytest.raises(NotAtThisStep):
        asyncio.run(way.screening.screen(begun.id))
    with pytest.raises(NotAtThisStep):
        asyncio.run(way.documents.show_before_contract(member_id, begun.id))
    with pytest.raises(NotAtThisStep):
        asyncio.run(way.signing.purpose(member_id, begun.id))


def test_a_refusal_is_told_in_words_without_a_figure(way):
    member_id = way.add_applicant()
    way.bureau.known = way.bureau.known._replace(owed_yen=2_000_000, lenders=3, written_off=True)
    refused = way.screened(member_id)
    assert (refused.state, refused.limit_yen) == (State.REFUSED, 0)
    for language in ("ja", "en"):
        told = " ".join(reasons_in_words(refused, language))
        assert told
        assert not any(character.isdigit() for character in told)
        assert "written" not in told
    assert contracts(way) == 0


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"income_yen": -1}, Fault.INCOME),
        ({"employer": "  "}, Fault.EMPLOYER),
        ({"employer": "A\u202eB"}, Fault.EMPLOYER),
        ({"employed_months": 961}, Fault.EMPLOYED_MONTHS),
        ({"wanted_yen": 15_000}, Fault.WANTED),
        ({"wanted_yen": 8_010_000}, Fault.WANTED),
        ({"owed_to_lenders_yen": -1}, Fault.OWED),
        ({"due_day": 6}, Fault.DUE_DAY),
    ],
)
def test_what_cannot_be_taken_is_named(way, changes, fault):
    with pytest.raises(ApplicationUnusable) as refused:
        asyncio.run(way.applications.begin(MemberId("mem_x"), "k", said(**changes)))
    assert refused.value.faults == (fault,)


@given(
    st.integers(-(10**12), 10**12),
    st.integers(-(10**4), 10**4),
    st.integers(-(10**9), 10**9),
    st.text(max_size=120),
)
def test_whatever_is_said_is_taken_or_named(income, months, wanted, employer):
    words = said(income_yen=income, employed_months=months, wanted_yen=wanted, employer=employer)
    faults = faults_of(words, published_terms().on(date(2026, 11, 22)))
    assert (Fault.INCOME in faults) == (not 0 <= income <= 10**10)
    assert (Fault.WANTED in faults) == (not (10_000 <= wanted <= 8_000_000 and wanted % 10_000 == 0))


def test_every_state_leads_to_an_end():
    for state in State:
        assert state in ENDS or State.WITHDRAWN in NEXT[state]
        assert state in ENDS or State.EXPIRED in NEXT[state]


def test_a_row_that_was_moved_to_another_application_does_not_open(way):
    one, other = way.submitted(way.add_applicant()), way.submitted(way.add_applicant())
    table = loan_application

    def swap(connection):
        sealed = connection.execute(select(table.c.said).where(table.c.id == one.id)).scalar_one()
        connection.execute(table.update().where(table.c.id == other.id).values(said=sealed))

    way.house.store.write(swap).result()
    with pytest.raises(Unsealable):
        asyncio.run(way.applications.current(other.member_id))


@pytest.mark.parametrize("lost", ["proof", "session"])
def test_an_approval_that_is_gone_by_then_signs_nothing(way, lost):
    """The page was open while the proof was used elsewhere, or the session ended."""
    member_id = way.add_applicant()
    granted = way.screened(member_id)
    entered = way.enter(member_id)
    asyncio.run(way.documents.show_before_contract(member_id, granted.id))
    present = way.approve(entered, granted)
    purpose, now_us = present.session.proofs[0].purpose, way.house.clock.now_us()

    def lose(connection):
        if lost == "proof":
            assert sessions.spend_proof(connection, present.session, Way.PASSKEY, purpose, now_us)
        else:
            assert sessions.end(connection, way.house.parts, present.session.id, Ended.LOGOUT)

    way.house.store.write(lose).result()
    with pytest.raises(InsufficientAuthentication):
        asyncio.run(way.signing.sign(present, granted.id, ARRIVAL))
    assert contracts(way) == 0
    assert way.states(granted)[-1] == "documents_shown"


def test_what_waited_too_long_takes_no_step_but_to_its_end(way):
    application = way.submitted(way.add_applicant())
    way.at_hand.clock.advance(MONTH_US)

    def step(to):
        return way.house.store.write(
            lambda at: application_rows.move(at, way.house.parts, application, to)
        ).result()

    with pytest.raises(NotAtThisStep):
        step(State.IDENTITY_CHECKED)
    assert step(State.EXPIRED).state is State.EXPIRED
