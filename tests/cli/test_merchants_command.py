"""`sekisho merchants`: shops are registered, listed, stopped and let go on, each deed on record."""

import asyncio

import pytest
from click.testing import CliRunner
from tests.wallet.money_at_hand import ARRIVAL, open_money

from sekisho.cli.at_institution import Place
from sekisho.cli.main import main
from sekisho.kernel.yen import Yen
from sekisho.response import audit
from sekisho.wallet.emv_qr import read_code
from sekisho.wallet.house import open_house
from sekisho.wallet.merchants import MerchantUnknown, settlement_account
from sekisho.wallet.payments import Order, Payment, purpose_of
from sekisho.wallet.refunds import Refund, refund_within

WHY = ("--by", "aoki", "--reason", "asked by telephone")
ACCOUNT = ("--bank", "9901", "--branch", "001", "--number", "7654321", "--key", "form 17")
NAMES = ("--name-ja", "喫茶 灯台", "--name-en", "Cafe Todai", "--city", "Minatomachi")
SHOP = (*NAMES, "--category", "5814", "--holder-kana", "キッサトウダイ", *ACCOUNT)


@pytest.fixture(name="place")
def _place(tmp_path):
    return Place(tmp_path, "", "wallet", None)


@pytest.fixture(name="run")
def _run(tmp_path):
    def call(*words, code=0):
        done = CliRunner().invoke(main, ["merchants", "--data", str(tmp_path), *words])
        assert done.exit_code == code, done.output
        return (done.output if code else done.stdout).strip()

    return call


def acts(place):
    with place.parts() as parts, parts.store.read() as connection:
        return [(one.actor, one.act, one.subject, one.reason) for one in audit.all_acts(connection)]


def test_a_shop_is_registered_and_its_code_hung_at_the_till(run, place):
    merchant_id = run("register", *SHOP, *WHY)
    listed_id, state, name_ja, name_en, owed, _ = run("list").split("\t")
    assert (listed_id, state, name_ja, name_en, owed) == (merchant_id, "open", *NAMES[1:4:2], "0")
    code = read_code(run("code", merchant_id))
    assert (code.merchant_id, code.amount, code.category) == (merchant_id, None, "5814")
    assert acts(place) == [("aoki", "merchant:registered", merchant_id, "asked by telephone")]
    with place.parts() as parts, parts.store.read() as connection:
        account = settlement_account(connection, open_house(parts), merchant_id)
    assert (account.bank, account.branch, account.kind, account.number) == ("9901", "001", "1", "7654321")


def test_a_doubled_command_registers_one_shop(run, place):
    """The same key returns the same shop, and is no second act."""
    merchant_id = run("register", *SHOP, *WHY)
    assert run("register", *SHOP, *WHY) == merchant_id
    other = run("register", *SHOP, *WHY, "--key", "form 18")
    assert other != merchant_id
    assert [line.split("\t")[0] for line in run("list").splitlines()] == [merchant_id, other]
    assert [subject for _, _, subject, _ in acts(place)] == [merchant_id, other]


@pytest.mark.parametrize(
    "changed",
    [
        ("--name-ja", "喫茶 港"),
        ("--number", "7654322"),
        ("--holder-kana", "キッサミナト"),
        ("--fee-basis-points", "100"),
    ],
)
def test_a_key_registers_no_other_shop(run, place, changed):
    """Whoever mistyped the key hears of it; nothing is registered or changed."""
    run("register", *SHOP, *WHY)
    listed = run("list")
    assert "used to register another shop" in run("register", *SHOP, *WHY, *changed, code=2)
    assert run("list") == listed
    assert len(acts(place)) == 1


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (("--number", "12"), "the account does not fit"),
        (("--bank", "9998"), "there is no bank of this code"),
        (("--bank", "0118"), "the bank's code is 0117 now"),
        (("--category", "x"), "the category does not fit"),
        (("--fee-basis-points", "1001"), "the fee does not fit"),
        (("--holder-kana", "灯台"), "a character that banks don't write"),
        (("--by", "NOBODY!"), "staff id"),
        (("--key", ""), "the key does not fit"),
    ],
)
def test_what_can_not_be_registers_nothing(run, place, changed, told):
    assert told in run("register", *SHOP, *WHY, *changed, code=2)
    assert run("list") == ""
    assert acts(place) == []


def test_a_shop_is_stopped_once_and_resumed_once(run, place):
    merchant_id = run("register", *SHOP, *WHY)
    run("stop", merchant_id, "--by", "NOBODY!", "--reason", "x", code=2)
    run("stop", merchant_id, *WHY)
    run("stop", merchant_id, *WHY, code=3)
    assert run("list").split("\t")[1] == "stopped"
    assert "does not take payments" in run("code", merchant_id, code=2)
    run("resume", merchant_id, *WHY)
    run("resume", merchant_id, *WHY, code=3)
    run("resume", "mer_none", *WHY, code=3)
    assert run("list").split("\t")[1] == "open"
    done = ["merchant:registered", "merchant:stopped", "merchant:resumed"]
    assert [act for _, act, _, _ in acts(place)] == done


def test_a_stopped_shop_takes_nothing_and_gives_back_what_it_took(tmp_path, run, monkeypatch):
    """What it is owed stays owed; nobody pays it anything new until it is resumed."""
    money = open_money(tmp_path)
    member_id = money.rich()

    def pay(key):
        order = Order(key, money.shop.id, Yen(650))
        present = money.prove(money.enter(member_id), purpose_of(order, money.shop))
        return asyncio.run(money.payments.pay(present, ARRIVAL, order))

    class Here:
        def __enter__(self):
            return money.wallet.parts

        def __exit__(self, *_):
            return None

    monkeypatch.setattr(Place, "parts", lambda _: Here())
    paid = pay("k1")
    assert isinstance(paid, Payment)
    run("stop", money.shop.id, *WHY)
    with pytest.raises(MerchantUnknown):
        pay("k2")
    assert run("list").split("\t")[4] == "650"
    back = Refund("r1", money.shop.id, paid.id, Yen(150))
    money.wallet.write(lambda at: refund_within(at, money.wallet.house, back))
    assert run("list").split("\t")[4] == "500"
    run("resume", money.shop.id, *WHY)
    assert isinstance(pay("k3"), Payment)
    money.wallet.audit()
    money.wallet.house.store.close()
