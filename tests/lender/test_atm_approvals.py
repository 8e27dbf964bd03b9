"""An approval is for one machine, one amount and one session, and a stolen one opens nothing elsewhere."""

import asyncio

import msgspec
import pytest
from sqlalchemy import update
from tests.identity.member_at_hand import Entered
from tests.lender.atm_at_hand import HERE, OTHER, PLACE

from sekisho.guard.decisions import Action
from sekisho.identity.assurance import InsufficientAuthentication, Level, Standing, Way
from sekisho.identity.holds import HoldKind, HoldScope, OnHold, place
from sekisho.identity.purposes import in_words
from sekisho.identity.session_desk import Present
from sekisho.kernel.clock import MINUTE_US
from sekisho.kernel.yen import Yen
from sekisho.lender.atm_approvals import AtmAmountNotAllowed
from sekisho.lender.atm_order_states import AtmNotLent
from sekisho.lender.atm_sessions import AtmSessionOver, Direction
from sekisho.lender.smartphone_atm import AtmPinMissing
from sekisho.lender.switches import Function
from sekisho.response.money_gates import FunctionSwitchedOff, MoneyOutStopped
from sekisho.storage.tables.sessions import session as session_table


def approve(atm, present, session_id):
    return asyncio.run(atm.app.approve(present, HERE, session_id))


def born(atm, member_id, **how):
    """Log in with a session that carries something from its birth."""
    present = atm.entered(member_id)
    atm.house.store.write(
        lambda c: c.execute(
            update(session_table).where(session_table.c.id == present.session.id).values(**how)
        )
    ).result()
    return Present(*atm.at.now(Entered(*present)))


@pytest.fixture
def present(atm):
    """Give a member who is logged in on a trusted device."""
    return atm.entered(atm.member())


def test_the_message_says_amount_and_place(atm, present):
    purpose = atm.chosen(present, 30_000).purpose
    assert in_words(purpose, "ja") == f"スマホATMでの出金(30,000円、場所\uff1a{PLACE})"
    assert "30,000 yen" in in_words(purpose, "en")


def test_every_part_of_it_is_in_the_challenge(atm, present):
    in_app = atm.chosen(present, 30_000)
    keys = {
        in_app.purpose.key,
        atm.chosen(present, 30_000).purpose.key,
        atm.chosen(present, 30_000, machine_id=OTHER).purpose.key,
        asyncio.run(
            atm.app.choose(present, in_app.session.id, Direction.WITHDRAWAL, Yen(31_000))
        ).purpose.key,
        msgspec.structs.replace(in_app.purpose, place="elsewhere").key,
    }
    assert len(keys) == 5


def test_without_an_approval_nothing_is_reserved(atm, present):
    in_app = atm.chosen(present, 30_000)
    with pytest.raises(InsufficientAuthentication) as refused:
        approve(atm, present, in_app.session.id)
    assert refused.value.answer.ways == (Way.PASSKEY, Way.CODE)
    assert atm.principal(present.session.member_id) == (0, 0)
    assert approve(atm, atm.proven(present, in_app.purpose), in_app.session.id).company_number == "8470"


@pytest.mark.parametrize("way", [Way.PASSKEY, Way.CODE])
def test_what_was_approved_for_one_machine_does_not_open_another(atm, present, way):
    """The victim approves at the machine that the page shows; the thief stands before another one."""
    victims = atm.chosen(present, 30_000)
    thiefs = atm.chosen(present, 30_000, machine_id=OTHER)
    proven = atm.proven(present, victims.purpose, way)
    with pytest.raises(InsufficientAuthentication):
        approve(atm, proven, thiefs.session.id)
    assert atm.principal(present.session.member_id) == (0, 0)
    assert approve(atm, proven, victims.session.id).order.amount_yen == 30_000


@pytest.mark.parametrize("way", [Way.PASSKEY, Way.CODE])
def test_another_amount_needs_another_approval(atm, present, way):
    in_app = atm.chosen(present, 10_000)
    proven = atm.proven(present, in_app.purpose, way)
    raised = asyncio.run(atm.app.choose(present, in_app.session.id, Direction.WITHDRAWAL, Yen(200_000)))
    with pytest.raises(InsufficientAuthentication):
        approve(atm, proven, raised.session.id)
    asyncio.run(atm.app.choose(present, in_app.session.id, Direction.WITHDRAWAL, Yen(10_000)))
    assert approve(atm, proven, in_app.session.id).order.amount_yen == 10_000


def test_an_approval_is_used_up(atm, present):
    in_app = atm.chosen(present, 10_000)
    proven = atm.proven(present, in_app.purpose)
    approve(atm, proven, in_app.session.id)
    with pytest.raises(AtmSessionOver):
        approve(atm, proven, in_app.session.id)
    with pytest.raises(AtmSessionOver):
        asyncio.run(atm.app.choose(present, in_app.session.id, Direction.WITHDRAWAL, Yen(20_000)))
    assert atm.principal(present.session.member_id) == (0, 10_110)


def test_an_approval_survives_an_amount_that_the_line_refuses(atm):
    member_id = atm.member(limit=Yen(100_000))
    present = atm.entered(member_id)
    in_app = atm.chosen(present, 100_000)
    proven = atm.proven(present, in_app.purpose)
    for _ in range(2):
        with pytest.raises(AtmNotLent):
            approve(atm, proven, in_app.session.id)
    assert atm.principal(member_id) == (0, 0)


def test_a_passkey_of_another_deed_a_minute_ago_is_not_this_approval(atm, present):
    in_app = atm.chosen(present, 10_000)
    proven = Present(*atm.at.prove(Entered(*present), Way.PASSKEY))
    with pytest.raises(InsufficientAuthentication):
        approve(atm, proven, in_app.session.id)


def test_an_approval_that_has_grown_old_opens_nothing(atm, present):
    in_app = atm.chosen(present, 10_000)
    proven = atm.proven(present, in_app.purpose)
    atm.at.clock.advance(5 * MINUTE_US)
    with pytest.raises(AtmSessionOver):
        approve(atm, proven, in_app.session.id)


def test_a_code_does_not_suffice_on_a_device_that_is_not_trusted(atm):
    member_id = atm.member()
    atm.entered(member_id)
    stranger = atm.entered(member_id, standing=Standing.UNCONFIRMED)
    in_app = atm.chosen(stranger, 10_000)
    with pytest.raises(InsufficientAuthentication) as refused:
        approve(atm, atm.proven(stranger, in_app.purpose, Way.CODE), in_app.session.id)
    assert Way.CODE not in refused.value.answer.ways


@pytest.mark.parametrize("birth", [{"risk": 0.4}, {"campaign": "cmp_1"}])
def test_a_session_that_was_born_suspicious_draws_no_cash_by_code_however_long_it_waits(atm, birth):
    stolen = born(atm, atm.member(), **birth)
    for _ in range(2):
        in_app = atm.chosen(stolen, 10_000)
        with pytest.raises(InsufficientAuthentication) as refused:
            approve(atm, atm.proven(stolen, in_app.purpose, Way.CODE), in_app.session.id)
        assert refused.value.answer.ways == (Way.PASSKEY,)
        atm.at.clock.advance(4 * MINUTE_US)
    assert atm.cash_given() == 0
    assert atm.principal(stolen.session.member_id) == (0, 0)


def test_the_same_session_draws_cash_once_a_passkey_has_proven_it(atm):
    present = born(atm, atm.member(), risk=0.4)
    in_app = atm.chosen(present, 10_000)
    approve(atm, atm.proven(present, in_app.purpose), in_app.session.id)
    assert atm.type(in_app.session.id).result == "paying"


def test_what_the_guard_denies_is_not_reserved(atm, present):
    in_app = atm.chosen(present, 10_000)
    atm.guard.elsewhere = Action.DENY
    with pytest.raises(MoneyOutStopped):
        approve(atm, atm.proven(present, in_app.purpose), in_app.session.id)
    assert atm.principal(present.session.member_id) == (0, 0)


def test_withdrawals_are_switched_off_and_repayments_stay_on(atm, present):
    atm.switches.off = Function.ATM_WITHDRAWAL
    with pytest.raises(FunctionSwitchedOff):
        atm.chosen(present, 10_000)
    assert atm.chosen(present, 0, direction=Direction.REPAYMENT).company_number == "8470"


def test_a_switch_that_falls_between_choice_and_approval_counts(atm, present):
    in_app = atm.chosen(present, 10_000)
    atm.switches.off = Function.ATM_WITHDRAWAL
    with pytest.raises(FunctionSwitchedOff):
        approve(atm, atm.proven(present, in_app.purpose), in_app.session.id)


def test_a_hold_after_the_approval_keeps_the_cash_in(atm, present):
    session_id = atm.approved(present, 10_000)
    atm.house.store.write(
        lambda c: place(
            c,
            atm.at.parts,
            present.session.member_id,
            HoldKind.SELF_FREEZE,
            HoldScope.ALL,
            reason="member",
            until_us=None,
        )
    ).result()
    with pytest.raises(OnHold):
        atm.type(session_id)
    assert atm.cash_given() == 0
    assert atm.order(session_id)["state"] == "reserved"


@pytest.mark.parametrize("yen", [0, -1_000, 500, 1_500, 999, 201_000])
def test_amounts_are_whole_thousands_up_to_what_a_machine_pays(atm, present, yen):
    with pytest.raises(AtmAmountNotAllowed):
        atm.chosen(present, yen)


def test_without_a_pin_nothing_is_chosen(atm):
    present = Present(*atm.at.log_in(atm.member(), level=Level.CODE))
    with pytest.raises(AtmPinMissing):
        atm.chosen(present, 10_000)
