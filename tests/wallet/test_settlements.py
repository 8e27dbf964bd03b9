"""Paying merchants out: once a day, less the fee, and what the bank returns is owed again."""

import asyncio
from datetime import date

import pytest
from sqlalchemy import update
from tests.wallet.money_at_hand import ARRIVAL, SHOP, open_money

from sekisho.kernel.clock import DAY_US
from sekisho.kernel.yen import Yen
from sekisho.ledger.accounts import find_account
from sekisho.linking.exchange import FolderTray, InTray
from sekisho.linking.zengin import BankAccount, Party, TransferResult, ZenginFile, read_file, write_file
from sekisho.storage.tables.wallet_money import merchant
from sekisho.wallet.merchants import register_merchant
from sekisho.wallet.payments import Order, purpose_of
from sekisho.wallet.refunds import Refund, refund_within
from sekisho.wallet.settlements import Settlements, fee_of

US = Party("1234567890", "ｶﾓﾒｳｵﾚﾂﾄ", BankAccount("9901", "001", "1", "0000001"))


@pytest.fixture
def money(tmp_path):
    at_hand = open_money(tmp_path)
    yield at_hand
    at_hand.wallet.audit()
    at_hand.wallet.house.store.close()


@pytest.fixture
def settlements(money, tmp_path):
    return Settlements(money.wallet.house, US, FolderTray(tmp_path / "out"), InTray(tmp_path / "in"))


def buy(money, yen, key="k1"):
    member_id = money.rich(100_000) if not money.guard.asked else money.buyer
    money.buyer = member_id
    order = Order(key, money.shop.id, Yen(yen))
    present = money.prove(money.enter(member_id), purpose_of(order, money.shop))
    asyncio.run(money.payments.pay(present, ARRIVAL, order))


def sent(tmp_path):
    """Return the newest file that went out."""
    newest = max((tmp_path / "out").glob("*.txt"), key=lambda path: path.stat().st_mtime_ns)
    return newest.name, read_file(newest.read_bytes(), near=date(2026, 9, 22))


def answer(tmp_path, name, file, result):
    rows = tuple(row._replace(result=result) for row in file.rows)
    octets = write_file(ZenginFile(file.kind, file.party, file.on, rows))
    (tmp_path / "in" / name).write_bytes(octets)


def balance(money, account):
    found = money.wallet.look(lambda at: find_account(at, getattr(money.wallet.house.accounts, account)))
    return found.balance.amount


@pytest.mark.parametrize(("gross", "fee"), [(0, 0), (49, 0), (50, 1), (99, 1), (10_000, 200)])
def test_the_fee_is_rounded_in_the_merchant_s_favour(gross, fee):
    assert fee_of(Yen(gross), 200) == Yen(fee)


def test_a_merchant_gets_what_was_paid_less_the_fee_once(money, settlements, tmp_path):
    buy(money, 10_000)
    asyncio.run(settlements.go_round())
    name, file = sent(tmp_path)
    (row,) = file.rows
    assert (row.amount, row.holder_kana, row.account.number) == (Yen(9_800), "ｷﾂｻﾄｳﾀﾞｲ", "7654321")
    assert (money.owed(), balance(money, "merchants_payable"), balance(money, "fee_income")) == (
        0,
        9_800,
        200,
    )
    asyncio.run(settlements.go_round())
    assert len(list((tmp_path / "out").glob("*.txt"))) == 1
    answer(tmp_path, name, file, TransferResult.PAID)
    asyncio.run(settlements.go_round())
    assert balance(money, "merchants_payable") == 0
    # What is left at the bank is what came in for the wallet, less what went out.
    assert balance(money, "bank_receivable") == 100_000 - 9_800


def test_more_merchants_than_a_bank_takes_in_one_file_go_out_in_several(
    money, settlements, tmp_path, monkeypatch
):
    """A bank refuses a file that is too long, and then nobody would be paid."""
    monkeypatch.setattr("sekisho.wallet.settlements.ROWS_MAX", 2)
    house = money.wallet.house
    for number in range(3):
        buy(money, 1_000 + number, f"k{number}")
        key = f"shop {number}"
        money.shop = money.wallet.write(lambda at, key=key: register_merchant(at, house, key, SHOP))
    for _ in range(2):
        asyncio.run(settlements.go_round())
        files = [
            read_file(path.read_bytes(), near=house.today()) for path in (tmp_path / "out").glob("*.txt")
        ]
        assert sorted(len(file.rows) for file in files) == [1, 2]
        # Two per cent of each is our fee, rounded down.
        assert sorted(row.amount.amount for file in files for row in file.rows) == [980, 981, 982]
    assert balance(money, "merchants_payable") == 980 + 981 + 982


def test_a_shop_whose_account_does_not_open_keeps_no_other_from_being_paid(money, settlements, tmp_path):
    buy(money, 1_000)
    damaged = money.shop
    money.shop = money.wallet.write(lambda at: register_merchant(at, money.wallet.house, "other", SHOP))
    buy(money, 2_000, "k2")
    its = update(merchant).where(merchant.c.id == damaged.id)
    money.wallet.write(lambda at: at.execute(its.values(number_sealed=b"damaged")))
    asyncio.run(settlements.go_round())
    _, file = sent(tmp_path)
    assert [row.amount.amount for row in file.rows] == [1_960]
    assert money.wallet.look(lambda at: find_account(at, damaged.account)).balance == Yen(1_000)


def test_what_the_bank_returns_is_owed_again_and_goes_out_the_next_day(money, settlements, tmp_path):
    buy(money, 10_000)
    asyncio.run(settlements.go_round())
    name, file = sent(tmp_path)
    answer(tmp_path, name, file, TransferResult.NO_ACCOUNT)
    asyncio.run(settlements.go_round())
    assert (money.owed(), balance(money, "merchants_payable")) == (10_000, 0)
    money.wallet.clock.advance(DAY_US)
    asyncio.run(settlements.go_round())
    assert balance(money, "merchants_payable") == 9_800


def test_a_result_that_comes_twice_counts_once(money, settlements, tmp_path):
    buy(money, 10_000)
    asyncio.run(settlements.go_round())
    name, file = sent(tmp_path)
    for again in ("", "again-"):
        answer(tmp_path, again + name, file, TransferResult.PAID)
        asyncio.run(settlements.go_round())
    assert balance(money, "bank_receivable") == 90_200
    assert sorted(path.name for path in (tmp_path / "in" / "taken").iterdir()) == sorted(
        [name, f"again-{name}"]
    )


def test_a_foreign_result_is_put_apart_and_changes_nothing(money, settlements, tmp_path):
    buy(money, 10_000)
    asyncio.run(settlements.go_round())
    name, file = sent(tmp_path)
    (row,) = file.rows
    foreign = ZenginFile(
        file.kind, file.party, file.on, (row._replace(reference="9", result=TransferResult.PAID),)
    )
    (tmp_path / "in" / name).write_bytes(write_file(foreign))
    asyncio.run(settlements.go_round())
    assert balance(money, "merchants_payable") == 9_800
    assert [path.name for path in (tmp_path / "in" / "refused").iterdir()] == [name]


def test_a_shop_that_gave_back_more_than_it_is_owed_gets_nothing_until_it_sells_again(
    money, settlements, tmp_path
):
    buy(money, 10_000)
    asyncio.run(settlements.go_round())
    house = money.wallet.house
    paid = asyncio.run(money.payments.of_member(money.buyer))[0]
    refund = Refund("r1", money.shop.id, paid.id, Yen(10_000))
    money.wallet.write(lambda at: refund_within(at, house, refund))
    assert money.owed() == -10_000
    money.wallet.clock.advance(DAY_US)
    asyncio.run(settlements.go_round())
    assert len(list((tmp_path / "out").glob("*.txt"))) == 1
