"""The account for payouts: whose it must be, how it is changed, and how long it waits."""

import asyncio

import pytest
from tests.lender.lender_at_hand import ACCOUNT, ARRIVAL, KANA, OTHER_ACCOUNT, open_lender

from sekisho.guard.decisions import Action
from sekisho.identity.assurance import Level, Standing, StepUp, Way
from sekisho.identity.names import NameUnusable
from sekisho.identity.personal_data import Item, read_for_use
from sekisho.kernel.clock import HOUR_US
from sekisho.kernel.yen import Yen
from sekisho.lender.money_out_signs import facts_of
from sekisho.lender.payout_accounts import (
    HolderNotMember,
    PayoutAccount,
    PayoutAccountPending,
    PayoutAccountUnusable,
    Typed,
    change_of,
    is_holder,
    payee_of,
    read_payee,
    standing_of,
)
from sekisho.response.money_gates import Stopped


@pytest.fixture
def lender(tmp_path):
    opened = open_lender(tmp_path, opened_days_ago=0)
    yield opened
    opened.house.store.close()


def standing(lender):
    with lender.house.store.read() as connection:
        return standing_of(connection, lender.member_id, lender.clock.now_us())


def register(lender, present, typed=ACCOUNT, key="k"):
    return asyncio.run(lender.payouts().register(present, ARRIVAL, typed, key))


def item(lender):
    with lender.house.store.read() as connection:
        parts = lender.house.parts
        found = read_for_use(connection, parts.keyring, lender.member_id, (Item.PAYOUT_ACCOUNT,))
    return found[Item.PAYOUT_ACCOUNT]


@pytest.mark.parametrize(
    "typed",
    [
        Typed("125", "100", "1", "1", KANA),
        Typed("0125", "1000", "1", "1", KANA),
        Typed("0125", "100", "3", "1", KANA),
        Typed("0125", "100", "1", "12345678", KANA),
        Typed("0125", "100", "1", "-1", KANA),
        Typed("٠١٢٥", "100", "1", "1", KANA),
    ],
)
def test_what_is_no_account_is_refused(typed):
    with pytest.raises(PayoutAccountUnusable):
        read_payee(typed)


def test_full_width_digits_and_any_kana_are_taken():
    payee = read_payee(Typed("0125", "100", "1", "12345", "やまだ はなこ"))
    assert (payee.bank, payee.number, payee.holder_kana) == ("0125", "0012345", "ﾔﾏﾀﾞ ﾊﾅｺ")


def test_a_holder_that_is_no_name_is_refused():
    with pytest.raises(NameUnusable):
        read_payee(ACCOUNT._replace(holder="山田"))


@pytest.mark.parametrize(
    ("holder", "same"),
    [("ヤマダハナコ", True), ("ヤマダ ハナコ", True), ("ヤマダ ハナオ", False), ("ヤマタ ハナコ", False)],
)
def test_the_holder_must_be_the_member_in_the_banks_writing(holder, same):
    assert is_holder(read_payee(ACCOUNT._replace(holder=holder)), KANA) is same


def test_somebody_elses_account_is_refused_whatever_was_proven(lender):
    mule = ACCOUNT._replace(holder="サトウ タロウ")
    present = lender.prove(lender.enter(), change_of(read_payee(mule)))
    with pytest.raises(HolderNotMember):
        register(lender, present, mule)
    assert standing(lender) == (None, None)


def test_a_new_members_first_account_is_used_at_once(lender):
    account = lender.register()
    assert standing(lender).in_use == account
    assert item(lender) == "0125-100 普通 0012345 ﾔﾏﾀﾞ ﾊﾅｺ"


def test_a_change_waits_72_hours_and_loans_go_to_the_old_account(lender):
    first = lender.register()
    second = lender.register(OTHER_ACCOUNT, "k2")
    assert second.usable_from_us - lender.clock.now_us() == 72 * HOUR_US
    assert standing(lender) == (first, second)
    lender.clock.advance(72 * HOUR_US - 1)
    assert standing(lender).in_use == first
    lender.clock.advance(1)
    assert standing(lender) == (second, None)


def test_a_first_account_waits_where_the_member_is_not_new(lender):
    lender.clock.advance(73 * HOUR_US)
    lender.register()
    assert standing(lender).in_use is None


def test_the_change_is_told_on_every_channel(lender):
    lender.register()
    assert lender.at_hand.notices() == ["payout_changed", "payout_changed"]


def test_the_same_key_again_changes_nothing_and_another_account_under_it_is_refused(lender):
    first = lender.register()
    assert lender.register() == first
    with pytest.raises(PayoutAccountPending):
        lender.register(OTHER_ACCOUNT)


def test_one_change_at_a_time(lender):
    lender.register()
    lender.register(OTHER_ACCOUNT, "k2")
    with pytest.raises(PayoutAccountPending):
        lender.register(ACCOUNT, "k3")


def test_a_waiting_account_can_be_cancelled_from_any_session(lender):
    first = lender.register()
    lender.register(OTHER_ACCOUNT, "k2")
    weak = lender.enter(Level.PASSWORD, Standing.UNCONFIRMED)
    assert asyncio.run(lender.payouts().cancel_waiting(weak, ARRIVAL)) is True
    assert asyncio.run(lender.payouts().cancel_waiting(weak, ARRIVAL)) is False
    lender.clock.advance(100 * HOUR_US)
    assert standing(lender) == (first, None)
    assert item(lender).startswith("0125-100")
    assert lender.at_hand.notices()[:2] == ["payout_cancelled", "payout_cancelled"]


def test_without_an_approval_of_this_account_nothing_changes(lender):
    present = lender.prove(lender.enter(), change_of(read_payee(OTHER_ACCOUNT)))
    assert isinstance(register(lender, present), StepUp)
    assert standing(lender) == (None, None)


def test_a_session_born_suspiciously_cannot_change_it_by_code(lender):
    purpose = change_of(read_payee(ACCOUNT))
    thief = lender.enter(risk=0.4)
    assert register(lender, lender.prove(thief, purpose, Way.CODE)) == StepUp((Way.PASSKEY,))
    honest = lender.prove(lender.enter(), purpose, Way.CODE)
    assert isinstance(register(lender, honest), PayoutAccount)


def test_a_change_is_evidence_afterwards(lender):
    lender.clock.advance(80 * HOUR_US)
    lender.register()
    present = lender.enter()
    with lender.house.store.read() as connection:
        facts = facts_of(connection, present, Yen(1), lender.clock.now_us())
    assert facts.payout_changed_us == lender.clock.now_us()


def test_the_guard_may_stop_a_change(lender):
    lender.guard.action = Action.DENY
    present = lender.prove(lender.enter(), change_of(read_payee(ACCOUNT)))
    assert isinstance(register(lender, present), Stopped)


def test_the_number_is_sealed_and_bound_to_its_member(lender):
    account = lender.register()
    with lender.house.store.read() as connection:
        assert payee_of(connection, lender.house, account.id).number == "0012345"
        with pytest.raises(LookupError):
            payee_of(connection, lender.house, "poa_none")
    for file in lender.at_hand.file.parent.glob("lender.db*"):
        assert b"0012345" not in file.read_bytes()
