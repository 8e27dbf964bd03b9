from datetime import date

import pytest
from tests.wallet.wallet_at_hand import TARO, open_wallet_at_hand

from sekisho.identity.people import Person
from sekisho.ledger.transfers import Booked, Refused, Why
from sekisho.wallet.identity_levels import (
    IdentityLevel,
    LevelTooLow,
    level_books,
    lowest_for,
    require_may,
    rules_on,
)
from sekisho.wallet.persons import PersonHasWallet, verified_person
from sekisho.wallet.switches import Function
from sekisho.wallet.wallets import (
    WalletNotEmpty,
    WalletNotOpen,
    WalletState,
    close_wallet,
    freeze_wallet,
    open_wallet,
    require_open,
    unfreeze_wallet,
)

DAY = date(2026, 11, 22)


@pytest.fixture
def kamome(tmp_path):
    at_hand = open_wallet_at_hand(tmp_path)
    yield at_hand
    at_hand.audit()
    at_hand.house.store.close()


def test_a_wallet_without_a_proof_takes_no_money_from_whoever_books_it(kamome):
    """The ledger itself refuses, whatever a page forgot to ask."""
    member_id = kamome.add()
    assert kamome.wallet(member_id).level is IdentityLevel.NONE
    assert kamome.give(member_id, 1) == Refused(Why.ABOVE_CREDIT_LIMIT)
    assert kamome.balance(member_id) == 0


@pytest.mark.parametrize(("add", "most"), [("add_with_phone", 100_000), ("add_verified", 1_000_000)])
def test_a_wallet_holds_what_its_level_allows_and_not_a_yen_more(kamome, add, most):
    member_id = getattr(kamome, add)()
    assert isinstance(kamome.give(member_id, most), Booked)
    assert kamome.give(member_id, 1, key="one more") == Refused(Why.ABOVE_CREDIT_LIMIT)


def test_opening_again_returns_the_same_wallet(kamome):
    member_id = kamome.add()
    again = kamome.write(lambda at: open_wallet(at, kamome.parts, member_id))
    assert again == kamome.wallet(member_id)


def test_identity_counts_for_nothing_without_a_phone(kamome):
    member_id = kamome.add_verified()
    kamome.set_wallet(member_id, phone_proven_at_us=None)
    assert kamome.wallet(member_id).level is IdentityLevel.NONE
    assert kamome.look(lambda at: verified_person(at, kamome.parts.keyring, member_id)) is None


def test_the_verified_person_is_told_with_the_proven_phone(kamome):
    member_id = kamome.add_verified(mobile="+818012345678")
    found = kamome.look(lambda at: verified_person(at, kamome.parts.keyring, member_id))
    assert (found.name, found.name_kana, found.phone_e164) == (TARO.name, TARO.kana, "+818012345678")
    assert found.birth_date == date(1980, 1, 1)
    unproven = kamome.add_with_phone()
    assert kamome.look(lambda at: verified_person(at, kamome.parts.keyring, unproven)) is None


@pytest.mark.parametrize("name", ["七十七 太郎", "七十七　太郎", "七十七太郎"])
def test_one_person_has_one_wallet_however_the_name_is_spaced(kamome, name):
    kamome.add_verified()
    with pytest.raises(PersonHasWallet):
        kamome.add_verified(Person(name=name, kana="ｱ", birth_date=TARO.birth_date, home_address="別"))


def test_a_namesake_of_another_birth_date_is_somebody_else(kamome):
    kamome.add_verified()
    other = Person(name=TARO.name, kana=TARO.kana, birth_date="1981-01-01", home_address=TARO.home_address)
    assert kamome.wallet(kamome.add_verified(other)).level is IdentityLevel.VERIFIED


def test_who_closed_a_wallet_may_open_another(kamome):
    first = kamome.add_verified()
    wallet_id = kamome.wallet(first).id
    assert kamome.write(lambda at: close_wallet(at, kamome.parts, wallet_id, reason="left", by="member"))
    assert kamome.wallet(kamome.add_verified()).level is IdentityLevel.VERIFIED
    assert kamome.look(lambda at: verified_person(at, kamome.parts.keyring, first)) is None


def test_a_wallet_with_money_in_it_is_not_closed(kamome):
    member_id = kamome.add_verified()
    kamome.give(member_id, 500)
    wallet_id = kamome.wallet(member_id).id
    with pytest.raises(WalletNotEmpty):
        kamome.write(lambda at: close_wallet(at, kamome.parts, wallet_id, reason="left", by="member"))
    assert kamome.wallet(member_id).state is WalletState.OPEN


def test_a_frozen_wallet_is_not_open_until_it_is_let_go(kamome):
    member_id = kamome.add_verified()
    wallet_id = kamome.wallet(member_id).id
    assert kamome.write(lambda at: freeze_wallet(at, kamome.parts, wallet_id, reason="signal", by="staff1"))
    assert not kamome.write(lambda at: freeze_wallet(at, kamome.parts, wallet_id, reason="x", by="staff1"))
    with pytest.raises(WalletNotOpen):
        kamome.write(lambda at: require_open(at, member_id))
    assert kamome.write(lambda at: unfreeze_wallet(at, kamome.parts, wallet_id, by="staff2"))
    assert kamome.write(lambda at: require_open(at, member_id)).stopped_for == ""


def test_without_identity_nothing_that_touches_a_bank_is_allowed():
    """The lesson of 2020: no link and no charge for whoever is known by a login alone."""
    bank_side = {
        Function.LINK_REGISTER,
        Function.LINK_CHANGE,
        Function.CHARGE,
        Function.PAYOUT,
        Function.SEND,
    }
    for book in level_books():
        assert book.rule(IdentityLevel.NONE).may == ()
        assert book.rule(IdentityLevel.NONE).hold_yen == 0
        assert not bank_side & set(book.rule(IdentityLevel.PHONE).may)


def test_a_level_that_is_too_low_is_refused_and_the_next_one_named():
    with pytest.raises(LevelTooLow):
        require_may(IdentityLevel.PHONE, Function.CHARGE, DAY)
    assert (
        require_may(IdentityLevel.VERIFIED, Function.CHARGE, DAY).ceilings[Function.CHARGE].day_yen == 100_000
    )
    assert lowest_for(Function.CHARGE, DAY) is IdentityLevel.VERIFIED
    assert lowest_for(Function.PAYMENT, DAY) is IdentityLevel.PHONE


def test_before_the_first_book_there_are_no_levels():
    with pytest.raises(LookupError):
        rules_on(date(2020, 11, 30))
    assert rules_on(date(2020, 12, 1)) is level_books()[0]
