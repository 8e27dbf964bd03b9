"""The lender in a real browser, against the program as it is started: from nothing to a statement."""

import csv
import io
import json
import sqlite3
from contextlib import closing
from datetime import date, timedelta

import pytest
from playwright.sync_api import expect
from sqlalchemy import select
from tests.end_to_end.lender_pages import PIN, AtTheMachine, Borrower
from tests.end_to_end.running_sekisho import column, run

from sekisho.ledger.journal import first_fault
from sekisho.lender.rates import Rate
from sekisho.storage.tables.lender import credit_contract

pytestmark = pytest.mark.server

LENT, DRAWN, FEE, REPAID, DEBITED = 30_000, 20_000, 220, 10_000, 5_000
OWED = LENT + DRAWN + FEE - (REPAID - 110)
FREE_DAYS, DAYS = 30, 40
PLACE = "ほしぞらATM みなと通り1号機"


def days_pass(running, days):
    """Let the contract have been used so many days earlier: time passes at once."""
    earlier = ", ".join(f"{name} = date({name}, ?)" for name in ("first_used_on", "charged_until"))
    with closing(sqlite3.connect(running.data / "lender" / "sekisho.db", timeout=10)) as connection:
        connection.execute(f"UPDATE credit_contract SET {earlier}", (f"-{days} day",) * 2)  # noqa: S608 - our own names
        connection.commit()


def rows_of(borrower, month):
    """Return the month's statement as a spreadsheet program reads it."""
    borrower.open("/loan/history")
    with borrower.page.expect_download() as saved:
        borrower.page.click(f"a[href='/loan/history/{month}/csv']")
    text = saved.value.path().read_bytes().decode("utf-8-sig")
    header, *rows = csv.reader(io.StringIO(text))
    assert len(header) == 8
    return rows


def test_from_the_first_page_to_a_statement_that_agrees(running, device, member, handset):
    """Passkey, diagnosis, application, card, contract, transfer, cash, repayment twice; then the figures."""
    home = device()
    home.add_passkey_manager()
    member.open_account(home, handset)
    home.make_passkey()
    borrower = Borrower(home)

    borrower.diagnose()
    borrower.apply()
    borrower.prove_identity()
    signed = borrower.sign()
    assert "500,000円" in signed
    borrower.register_account()
    assert handset.arrive(member.sms, "口座")

    transfer = borrower.borrow(LENT)
    assert handset.arrive(member.sms, f"{LENT:,}円")
    borrower.becomes(transfer, "[data-state=paid]")

    borrower.set_pin()
    screen = device()
    machine = AtTheMachine(screen.page, running.origin("atm"))
    borrower.claim(machine)
    assert PLACE in borrower.page.inner_text(".machine")
    borrower.page.fill("#amount", f"{DRAWN:,}")
    borrower.press()
    for figure in (f"{FEE}円", f"{DRAWN + FEE:,}円", f"{LENT + DRAWN + FEE:,}円"):
        assert figure in borrower.page.inner_text("main")
    approved = borrower.approve_here()
    assert PLACE in approved
    assert f"{DRAWN:,}円" in approved
    borrower.press()
    assert f"{DRAWN:,}円をお受け取りください" in machine.draw(borrower.company_number(), PIN)
    # Nobody presses anything here: the page finds out by itself.
    expect(borrower.page.locator("[data-state=dispensed]")).to_be_visible()
    assert handset.arrive(member.sms, f"{DRAWN:,}円")

    borrower.claim(machine)
    with borrower.page.expect_navigation():
        borrower.page.click("section.other button")
    assert f"{REPAID:,}円をお預かりしました" in machine.insert(borrower.company_number(), REPAID)
    expect(borrower.page.locator("[data-state=deposited]")).to_be_visible()

    days_pass(running, DAYS)
    borrower.becomes(borrower.repay(DEBITED), "[data-state=done]")

    rows = rows_of(borrower, running.read(column(select(credit_contract.c.signed_on)))[0][:7])
    ways = [(row[1], row[2], int(row[3])) for row in rows]
    assert ways == [
        ("お借入れ", "振込", LENT),
        ("お借入れ", "スマホATM", DRAWN + FEE),
        ("ご返済", "スマホATM", REPAID - 110),
        ("ご返済", "口座引落", DEBITED),
    ]
    day, interest_yen, balance = date.fromisoformat(rows[3][0]), int(rows[3][5]), int(rows[3][7])
    (rate,) = running.read(column(select(credit_contract.c.rate)))
    free_until = date.fromisoformat(rows[0][0]) - timedelta(days=DAYS - FREE_DAYS)
    told = run(
        *("loan", "interest", "--principal", str(OWED), "--rate", Rate(rate).percent),
        *("--from", free_until.isoformat(), "--to", day.isoformat(), "--json"),
    )
    assert interest_yen == json.loads(told)["interest_yen"] > 0
    assert balance == OWED + interest_yen - DEBITED
    assert running.read(first_fault) is None
    borrower.becomes("/loan/documents", "[data-document=receipt] >> nth=1")
