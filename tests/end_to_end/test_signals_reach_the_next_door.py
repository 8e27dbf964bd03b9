"""What happens at the ID or the bank, seconds later at the wallet: by HTTP alone, in a running program."""

from time import monotonic

import pytest
from sqlalchemy import select
from tests.end_to_end.borrower import until
from tests.end_to_end.people import devices
from tests.end_to_end.running_sekisho import column
from tests.end_to_end.wallet_pages import WalletUser

from sekisho.bank.mandate_states import Actor, Deed, Who
from sekisho.bank.mandates import Doing, found, move
from sekisho.cli.bank_options import BankPlace
from sekisho.storage.tables.bank_links import bank_link
from sekisho.storage.tables.protections import hold
from sekisho.storage.tables.sessions import session
from sekisho.storage.tables.signals import agreed_subject, signal_evidence, signal_feed, signal_outgoing
from sekisho.storage.tables.wallets import federated_login

pytestmark = pytest.mark.server

SECONDS_MAX = 15.0


@pytest.fixture(name="user")
def _user(chromium, running, handset, member):
    with devices(chromium, running, "id") as device:
        user = WalletUser(running, device(), handset, member)
        user.join_id()
        yield user


def _met(running):
    """Say whether ID and wallet hear each other, and know this person by the same name."""

    def met():
        """Return the wallet's own name of whoever it knows from the ID, once both sides have agreed."""
        feeds = running.read(column(select(signal_feed.c.issuer)), institution="wallet")
        theirs = running.read(column(select(agreed_subject.c.digest)), institution="id")
        ours = running.read(column(select(agreed_subject.c.digest)), institution="wallet")
        return running.origin("id") in feeds and bool(theirs) and set(theirs) <= set(ours)

    until(met)


def test_an_account_stopped_at_the_id_is_guarded_at_the_wallet(running, user):
    for _ in user.opening():
        pass
    assert user.balance() == "0円"
    _met(running)
    (member_id,) = running.read(column(select(federated_login.c.member_id)), institution="wallet")
    user.page.goto(running.origin("id") + "/security/freeze")
    began_s = monotonic()
    user.page.click("button.main")
    user.page.wait_for_url("**/frozen")

    def acted():
        """Return the signs that stand against the member at the wallet."""
        its = select(signal_evidence.c.sign).where(signal_evidence.c.about == member_id)
        return running.read(column(its), institution="wallet")

    assert set(until(acted)) == {"partner_account_disabled"}
    assert monotonic() - began_s < SECONDS_MAX
    held = running.read(
        column(select(hold.c.reason).where(hold.c.member_id == member_id)), institution="wallet"
    )
    assert held == [f"signal:{running.origin('id')}"]
    live = select(session.c.id).where(session.c.member_id == member_id, session.c.ended_at_us.is_(None))

    def ended():
        """Say whether no session of the member is left at the wallet."""
        return running.read(column(live), institution="wallet") == []

    until(ended)
    user.open("/")
    assert user.page.locator("#balance").count() == 0

    def delivered():
        """Say whether nothing waits any more."""
        states = running.read(column(select(signal_outgoing.c.state)), institution="id")
        return states and set(states) == {"delivered"}

    until(delivered)


def test_a_mandate_that_ended_at_the_bank_is_no_link_at_the_wallet(running, user):
    """The account can be linked anew; nobody had to try a debit to find out."""
    for part in (user.opening, user.phone, user.identity, user.passkey):
        assert list(part())
    user.open_bank_account()
    assert list(user.link())
    (mandate_id,) = running.read(column(select(bank_link.c.mandate_id)), institution="wallet")

    def agreed():
        """Say whether both sides know what a mandate of the bank's is to the wallet."""
        kinds = running.read(column(select(agreed_subject.c.kind)), institution="bank")
        return "mandate" in kinds

    until(agreed)
    with BankPlace(running.data / "bank", "", None).bank() as bank:
        deed = Doing(Deed.REVOKE, Actor(Who.BANK, "aoki"), "on_the_phone")
        ended = bank.store.write(lambda at: move(at, bank, found(at, mandate_id), deed)).result()
    assert ended is not None

    def over():
        """Say whether the link is over, and why."""
        return running.read(column(select(bank_link.c.ended_for)), institution="wallet") == ["bank_revoked"]

    until(over)
    user.open("/banks")
    assert user.page.locator("[data-link]").count() == 0
