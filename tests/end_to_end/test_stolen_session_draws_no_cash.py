"""A stolen session cannot draw cash: each thing that stands in its way is shown by itself.

The thief stands before a machine that really pays, speaks HTTP from another address, and has in each test
more than in the one before: the password and a relayed code, the session, the whole browser, a session on
the member's own device, an approval, the PIN. The member has a line, a PIN and a passkey.
"""

import sqlite3
from contextlib import closing, contextmanager

import pytest
from playwright.sync_api import expect
from sqlalchemy import func, select
from tests.end_to_end.http_browser import HttpBrowser
from tests.end_to_end.lender_pages import PIN, AtTheMachine, Borrower
from tests.end_to_end.people import PASSWORD, Member, devices
from tests.end_to_end.running_sekisho import column
from tests.web.member_site import Forms, found

from sekisho.identity import sessions
from sekisho.storage.tables.atm import atm_order, atm_session
from sekisho.storage.tables.lender import loan_event

pytestmark = pytest.mark.server

HOME, ELSEWHERE = "192.0.2.10", "198.51.100.7"
YEN = 50_000
PLACE = "ほしぞらATM みなと通り1号機"


class Victim:
    """A member with a line, a PIN and a passkey, and the browser that all of it was done in."""

    def __init__(self, borrower, member):
        self.borrower = borrower
        self.home = borrower.device
        self.member = member

    def cookies(self):
        """Return what a thief copies who has the whole browser."""
        return {cookie["name"]: cookie["value"] for cookie in self.home.context.cookies()}

    def is_at_home(self):
        """Be logged in, by passkey where a thief's proof has ended the session."""
        # The manager offers its passkey by itself on the page of the login.
        expect(self.home.open("/atm")).to_have_url(self.home.origin + "/atm")

    @contextmanager
    def logged_in_by_password(self):
        """Be logged in without a passkey, on the device that is known; afterwards by passkey again."""
        self.is_at_home()
        passkeys = self.home.passkeys()
        self.home.log_out()
        self.home.lose_passkey_manager()
        self.member.give_password(self.home)
        yield
        self.home.add_passkey_manager(*passkeys)
        self.is_at_home()


@pytest.fixture(name="victim", scope="module")
def _victim(chromium, running, handset):
    """Make somebody a borrower, once."""
    member = Member(900)
    with devices(chromium, running) as device:
        home = device(HOME)
        home.add_passkey_manager()
        member.open_account(home, handset)
        home.make_passkey()
        borrower = Borrower(home)
        borrower.diagnose()
        borrower.apply()
        borrower.prove_identity()
        borrower.sign()
        borrower.set_pin()
        yield Victim(borrower, member)


@pytest.fixture(name="machine")
def _machine(chromium, running):
    """Stand before the machine; whatever happens in a test, no cash comes out, and nothing is borrowed."""
    before = cash_of(running)
    context = chromium.new_context(locale="ja")
    yield AtTheMachine(context.new_page(), running.origin("atm"))
    context.close()
    assert cash_of(running) == before
    assert running.read(column(select(func.count()).select_from(loan_event))) == [0]
    assert "dispensed" not in running.read(column(select(atm_order.c.state)))


@pytest.fixture(name="thief")
def _thief(running):
    browser = HttpBrowser(running, ip=ELSEWHERE)
    yield browser
    browser.close()


def cash_of(running):
    """Return what the sensors of the machine's vault say is in it."""
    lines = (running.data / "outside" / "atm" / "0001" / "vault.ndjson").read_text().splitlines()
    return sum(int(line.rpartition(":")[2].rstrip("}")) for line in lines)


def doubt_sessions(running, risk):
    """Let all open sessions have been born with a risk."""
    with closing(sqlite3.connect(running.data / "lender" / "sekisho.db", timeout=10)) as connection:
        connection.execute("UPDATE session SET risk = ? WHERE ended_at_us IS NULL", (risk,))
        connection.commit()


def claim(thief, machine):
    """Claim the thief's machine in the session that the thief has, and choose; return the page of it."""
    thief.get("/atm")
    thief.submit("/atm/claim", code=machine.begin())
    assert PLACE in thief.page.text, thief.page.text
    choosing = Forms(thief.page.text).fields["/atm/choose"]
    withdrawal = next(form for form in choosing if form["direction"] == "withdrawal")
    thief.post("/atm/choose", withdrawal | {"amount": str(YEN)})
    assert thief.path.startswith("/atm/sessions/")
    return thief.path


def ways(thief, page):
    """Open the page that asks for the approval, and return which forms it has."""
    thief.get(page)
    thief.get(found(r'href="(/step-up\?wish=atm:[^"]+)"', thief.page.text))
    return Forms(thief.page.text).fields


def force(running, thief, page):
    """Send the last form without an approval, with a right token; return where that leads."""
    transaction = page.rpartition("/")[2]
    its = select(atm_session.c.session_id).where(atm_session.c.id == transaction)
    (own,) = running.read(column(its))
    session = running.read(lambda connection: sessions.find(connection, own))
    fields = {"session": transaction, "form": sessions.form_token(session, "/atm/approve")}
    thief.post("/atm/approve", fields)
    return thief.path


def code_of(thief, handset, victim):
    """Let a code be sent, and the member read it aloud; return the text of the message."""
    thief.submit("/step-up/code/send")
    return handset.arrive(victim.member.sms, r"#\d{6}")


def test_a_relayed_code_opens_a_session_that_approves_nothing(running, victim, handset, machine, thief):
    """Password and code were phished: nobody knows this device, so that no second code is sent to it."""
    thief.get("/login")
    thief.submit("/login", name=victim.member.number, password=PASSWORD)
    thief.submit("/login/code", code=handset.code_to(victim.member.sms))
    page = claim(thief, machine)
    assert "●●●●" in thief.page.text
    assert "500,000" not in thief.page.text
    assert "/step-up/code/send" not in ways(thief, page)
    assert force(running, thief, page) == "/atm/approve"
    assert thief.page.status_code == 403
    assert "いまここではできません" in thief.page.text


def test_the_cookie_of_the_session_alone_is_no_device(running, victim, machine, thief):
    """In another browser it lacks what makes the member's browser known: no code is offered there."""
    victim.is_at_home()
    thief.cookies |= {"__Host-session": victim.cookies()["__Host-session"]}
    page = claim(thief, machine)
    assert "/step-up/code/send" not in ways(thief, page)
    assert force(running, thief, page).startswith("/step-up")


def test_the_whole_browser_lacks_the_handset(running, victim, handset, machine, thief):
    """With every cookie a code is sent; it tells its reader amount and place, and cannot be guessed."""
    victim.is_at_home()
    thief.cookies |= victim.cookies()
    page = claim(thief, machine)
    # A passkey proved the member a minute ago, for something else.
    assert force(running, thief, page).startswith("/step-up")
    assert "/step-up/code/send" in ways(thief, page)
    text = code_of(thief, handset, victim)
    assert f"{YEN:,}円" in text
    assert PLACE in text
    for code in (f"{number:06d}" for number in range(1, 12)):
        if code not in text and "/step-up/code" in Forms(thief.page.text).fields:
            thief.submit("/step-up/code", code=code)
    assert "/step-up/code" not in Forms(thief.page.text).fields
    assert force(running, thief, page).startswith("/step-up")


def test_in_a_session_that_began_suspiciously_a_code_is_not_enough(running, victim, handset, machine, thief):
    """On the member's own device, with the code read aloud: a doubted login is mended by a passkey alone."""
    with victim.logged_in_by_password():
        doubt_sessions(running, 0.9)
        thief.cookies |= victim.cookies()
        page = claim(thief, machine)
        ways(thief, page)
        text = code_of(thief, handset, victim)
        thief.submit("/step-up/code", code=text[-6:])
        assert thief.path == page
        thief.submit("/atm/approve")
        assert thief.path.endswith(":passkey")
        assert "/step-up/code/send" not in Forms(thief.page.text).fields
        assert force(running, thief, page).endswith(":passkey")


def test_an_approved_withdrawal_still_wants_the_pin(running, victim, handset, machine, thief):
    """The member was talked out of the code of a session that nobody doubts: the machine asks for the PIN."""
    with victim.logged_in_by_password():
        thief.cookies |= victim.cookies()
        number = approved(thief, handset, victim, claim(thief, machine))
    for pin, said in (("0001", "あと2回"), ("0002", "あと1回"), ("0003", "成立しませんでした")):
        assert said in machine.draw(number, pin)
    assert running.read(column(select(atm_order.c.state))) == ["failed"]
    assert handset.arrive(victim.member.sms, "暗証番号")
    victim.borrower.set_pin()


def test_whoever_notices_stops_it_up_to_the_last_moment(victim, handset, machine, thief):
    """The thief has the PIN as well; the member stops the account before it is typed."""
    with victim.logged_in_by_password():
        thief.cookies |= victim.cookies()
        number = approved(thief, handset, victim, claim(thief, machine))
    page = victim.borrower.open("/security/freeze")
    page.click("button.main")
    page.wait_for_url("**/frozen")
    assert "成立しませんでした" in machine.draw(number, PIN)
    assert "/login" in thief.get("/atm").url.path or thief.path.startswith("/login")
    victim.home.open("/login")
    page.click("form[action='/unfreeze'] button")
    expect(page.locator("form[action='/logout'] button")).to_be_visible()


def approved(thief, handset, victim, page):
    """Approve the thief's withdrawal with a code that the member read aloud; return the company number."""
    ways(thief, page)
    thief.submit("/step-up/code", code=code_of(thief, handset, victim)[-6:])
    thief.submit("/atm/approve")
    return found(r"data-company-number>(\d+)<", thief.page.text)
