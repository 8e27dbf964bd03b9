"""A wallet in a real browser, across the ID, the wallet and the bank, from nothing to an ended link."""

import pytest
from sqlalchemy import func, select
from tests.end_to_end.people import devices
from tests.end_to_end.running_sekisho import column
from tests.end_to_end.wallet_pages import WalletUser

from sekisho.ledger.journal import first_fault
from sekisho.storage.tables.mandates import mandate
from sekisho.storage.tables.wallets import wallet

pytestmark = pytest.mark.server

CHARGED, PAID_OUT = 5_000, 1_200


@pytest.fixture(name="user")
def _user(chromium, running, handset, member):
    with devices(chromium, running, "id") as device:
        user = WalletUser(running, device(), handset, member)
        user.join_id()
        yield user


def past(pages):
    """Go a part of the way, and return the pages that it came past."""
    return list(pages)


def test_open_prove_link_charge_pay_out_pay_and_send(running, user, handset, other):
    """Each institution keeps its own books, and each tells the person by its own channel."""
    past(user.opening())
    assert user.balance() == "0円"
    past(user.phone())
    past(user.identity())
    assert handset.arrive(user.member.sms, "本人確認が完了", sender="wallet")
    past(user.passkey())
    user.open_bank_account()
    past(user.link())
    assert handset.arrive(user.member.sms, "銀行口座", sender="wallet")
    assert handset.arrive(user.member.sms, "かもめウォレット", sender="bank")
    past(user.charge(CHARGED))
    assert user.balance() == f"{CHARGED:,}円"
    past(user.pay_out(PAID_OUT))
    assert user.balance() == f"{CHARGED - PAID_OUT:,}円"
    past(user.pay(by_scan=500, by_showing=300))
    assert user.balance() == f"{CHARGED - PAID_OUT - 800:,}円"
    with devices(user.page.context.browser, running, "id") as device:
        friend = WalletUser(running, device(), handset, other)
        friend.join_id()
        past(friend.opening())
        past(friend.phone())
        past(user.send(other.mobile, 400))
        friend.accept()
        assert friend.balance() == "400円"
    assert user.balance() == f"{CHARGED - PAID_OUT - 1_200:,}円"
    past(user.afterwards())
    for institution in ("wallet", "bank"):
        assert running.read(first_fault, institution=institution) is None
    assert running.read(column(select(func.count()).select_from(wallet)), institution="wallet")[0] >= 1
    assert running.read(column(select(func.count()).select_from(mandate)), institution="bank")[0] >= 1
    user.page.goto(running.origin("id"))
    user.page.click("header form button")
    user.page.wait_for_url("**/logout")
    # The ID tells the wallet, from server to server: nothing was pressed here.
    for _ in range(40):
        user.open("/")
        if user.page.locator("#balance").count() == 0:
            return
        user.page.wait_for_timeout(500)
    raise AssertionError("the session at the wallet outlived the one at the ID")
