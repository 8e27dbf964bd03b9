"""Two people at the desks of the running program: from a campaign to contained, stopped, paid and reported.

One person sees the campaign, contains its cohort, stops one function, takes a victim's case up, assesses what
is made good, and asks the bank that the money went to; the other approves. Everything with passkeys, in a
real browser.
"""

import re
import sqlite3
import subprocess
from contextlib import closing

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select
from tests.end_to_end.borrower import Borrower, until
from tests.end_to_end.running_sekisho import SEKISHO, Running, column, run
from tests.web.served_members import with_authenticator

from sekisho.storage.tables.borrowings import transfer_order
from sekisho.storage.tables.cases import claim, contained_member
from sekisho.storage.tables.ledger import ledger_transfer
from sekisho.storage.tables.lender import loan_event
from sekisho.storage.tables.members import member
from sekisho.storage.tables.switches import switch

pytestmark = pytest.mark.server

CAMPAIGN = "cmp_0123456789abcdef0123456789abcdef"
LENT = 30_000
WHY = ("--by", "operator", "--reason", "the first people at the desks")
CODE = re.compile(r"[A-Za-z0-9_-]{43}")
FIRST = ("lender:analyst", "lender:responder", "lender:desk")
SECOND = ("lender:approver", "lender:auditor")


class AtWork:
    """Somebody at the desks, in a browser with a passkey."""

    def __init__(self, running: Running, chromium: Browser, name: str, roles: tuple[str, ...]) -> None:
        self.origin = running.origin("console")
        folder = str(running.data / "desks")
        given = [each for role in roles for each in ("--role", role)]
        code = CODE.search(run("staff", "--data", folder, "add", name, *given, *WHY))
        assert code
        self.page: Page = chromium.new_context(locale="ja").new_page()
        with_authenticator(self.page)
        self.open("/enrol")
        self.page.fill("#code", code[0])
        self.page.click("main button")
        self.page.wait_for_url("**/passkey/new")
        self.page.click("form[data-passkey] button")
        self.page.wait_for_url("**/login")
        self.page.click("form[data-passkey] button")
        # Whoever gets in sees first whether we are under attack.
        self.page.wait_for_url(f"{self.origin}/")
        self.open("/desks")
        expect(self.page.locator("h1")).to_have_text("業務一覧")

    def open(self, path: str) -> None:
        """Open a page."""
        self.page.goto(f"{self.origin}{path}")

    def approve(self, where: str = "main") -> None:
        """Approve with the passkey what the page shows."""
        with self.page.expect_navigation():
            self.page.click(f"{where} form[data-passkey] button")

    def send(self, form: str) -> None:
        """Send a form of the page, and approve what the next page shows."""
        with self.page.expect_navigation():
            self.page.click(f"form[action$='{form}'] button")
        self.approve()

    def path(self) -> str:
        """Return where the browser is."""
        return self.page.url.removeprefix(self.origin)


def entered(running: Running) -> str:
    """Let somebody else have been in the borrower's session, as the guard would know."""
    path = running.data / "lender" / "sekisho.db"
    with closing(sqlite3.connect(path, timeout=10)) as connection:
        connection.execute("UPDATE session SET campaign = ?, risk = 0.97", (CAMPAIGN,))
        connection.commit()
    (member_id,) = running.read(column(select(member.c.id)))
    return str(member_id)


@pytest.fixture(name="victim", scope="module")
def _victim(running):
    person = Borrower(running)
    person.open_account()
    person.apply()
    person.sign()
    person.register_account(person.open_deposit())
    person.borrow(LENT)

    def is_paid():
        """Say whether the bank has paid the transfer."""
        return running.read(column(select(transfer_order.c.state))) == ["paid"]

    until(is_paid)
    person.close()
    return entered(running)


def contain(running: Running, first: AtWork, victim: str) -> None:
    """See the campaign, and shut its cohort in one step."""
    first.open(f"/lender/campaigns/{CAMPAIGN}")
    first.approve("section:has(#contain-title)")

    def is_shut():
        """Say whether the cohort is shut."""
        return running.read(column(select(contained_member.c.standing))) == ["done"]

    until(is_shut)
    assert running.read(column(select(member.c.state).where(member.c.id == victim))) == ["invalidated"]


def stop_one_function(first: AtWork) -> str:
    """Switch borrowing by transfer off for everybody; it waits for the second person."""
    first.open("/lender/switches/new")
    first.page.select_option("#function", "transfer_loan")
    first.page.check("input[name=open_atm_withdrawal]")
    first.page.fill("#reason", "borrowed by somebody else")
    with first.page.expect_navigation():
        first.page.click("main .main")
    first.approve()
    assert first.path().startswith("/lender/switches/swt_")
    return first.path()


def claim_a_loss(running: Running, first: AtWork, victim: str) -> str:
    """Open a case of the victim, claim what was borrowed in it, assess it; return the claim's page."""
    first.open(f"/lender/cases/new?member={victim}&campaign={CAMPAIGN}")
    first.page.select_option("#kind", "loan_drawn")
    first.page.fill("#text", "身に覚えのない借入れがあると電話がありました。")
    first.page.fill("#loss", f"{LENT:,}")
    first.send("/cases")
    assert first.path().startswith("/lender/cases/case_")
    first.page.click("details:has(form[action$='/claims']) summary")
    first.page.fill("#claimed", str(LENT))
    first.send("/claims")
    assert first.path().startswith("/lender/claims/clm_")
    first.page.select_option("#fault", "no_fault")
    first.page.fill("#share", "100")
    first.page.fill("#why", "攻撃の期間中に、攻撃に使われたログインから借り入れられたため")
    first.send("/assess")
    expect(first.page.locator(".badge.doubt")).to_have_text("査定済み・決定待ち")
    assert running.read(column(select(claim.c.state))) == ["assessed"]
    return first.path()


def recover(running: Running, first: AtWork, second: AtWork) -> None:
    """Ask the bank that the loan went to for half of it; one person enters what it pays, the other books."""
    first.open("/lender/recoveries")
    first.page.click(".things a")
    first.page.click("details:has(form[action$='/ask']) summary")
    first.page.fill("input[name=share]", "50")
    first.page.fill("input[name=ground]", "提携契約第12条")
    first.send("/ask")
    first.page.click("details:has(form[action$='/came']) summary")
    first.page.fill("#number", "20261122-0045")
    first.page.fill("#yen", f"{LENT // 2:,}")
    first.send("/came")
    receipt = first.path()
    assert receipt.startswith("/lender/recoveries/prc_")
    assert first.page.locator("form[action$='/book']").count() == 0
    second.open(receipt)
    second.send("/book")
    expect(second.page.locator(".badge")).to_have_text("記帳済み")
    booked = select(ledger_transfer.c.amount_yen).where(ledger_transfer.c.kind == "loan:recovery")
    assert running.read(column(booked)) == [LENT // 2]


def report(first: AtWork) -> bytes:
    """Draw the police report up, and return the PDF that the browser saves."""
    first.open(f"/lender/reports/{CAMPAIGN}")
    first.page.select_option("#paper", "police")
    first.send(f"/reports/{CAMPAIGN}")
    with first.page.expect_download() as saved:
        first.page.click("a[download]")
    return saved.value.path().read_bytes()


def test_from_a_campaign_to_contained_stopped_paid_and_reported(running, chromium, victim):
    first = AtWork(running, chromium, "佐藤", FIRST)
    second = AtWork(running, chromium, "鈴木", SECOND)

    # The borrower's own logins are counted at the lender's desk, and nobody is at work there yet.
    first.open("/lender")
    expect(first.page.locator("h1")).to_have_text("攻撃は見つかっていません")
    contain(running, first, victim)

    switched = stop_one_function(first)
    assert first.page.locator("form[action$='/approve']").count() == 0
    assert running.read(column(select(switch.c.approved_by))) == [""]
    second.open(switched)
    second.approve("section:has(#approve-title)")
    assert running.read(column(select(switch.c.approved_by))) != [""]

    claimed = claim_a_loss(running, first, victim)
    assert first.page.locator("form[action$='/decide']").count() == 0
    second.open(claimed)
    second.page.check("input[value=pay]")
    second.send("/decide")
    expect(second.page.locator(".badge").first).to_have_text("支払済み")
    assert running.read(column(select(claim.c.state))) == ["paid"]
    assert running.read(column(select(loan_event.c.kind))) == ["borrowed", "reversed"]

    recover(running, first, second)

    assert report(first).startswith(b"%PDF-")

    second.open("/lender/audit")
    with second.page.expect_navigation():
        second.page.click("form[action$='/verify'] button")
    expect(second.page.locator(".done")).to_be_visible()
    checked = subprocess.run(
        [SEKISHO, "audit", "verify", "--data", str(running.data / "lender")], capture_output=True, check=False
    )
    assert checked.returncode == 0, checked.stdout
