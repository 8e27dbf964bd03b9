"""A loan over HTTP alone, from the application to cash in hand, through a power cut."""

import subprocess
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import select
from tests.end_to_end.borrower import PIN, Borrower, until
from tests.end_to_end.http_browser import HttpBrowser
from tests.end_to_end.running_sekisho import SEKISHO, Running, column, running
from tests.ledger.books import balance_of

from sekisho.ledger.accounts import accounts_of
from sekisho.ledger.journal import first_fault
from sekisho.lender.house import OWNER
from sekisho.range.counter.opening import CASH
from sekisho.storage.tables.applications import loan_document
from sekisho.storage.tables.atm import atm_order
from sekisho.storage.tables.borrowings import bank_file, transfer_order
from sekisho.storage.tables.ledger import ledger_account

pytestmark = pytest.mark.server

LENT, DRAWN, FEE, REPAID, AGAIN = 30_000, 20_000, 220, 10_000, 5_000
WAITS_FOR_ANOTHER = 3


@contextmanager
def machine_at(program: Running):
    """Stand before the machine's screen."""
    screen = HttpBrowser(program, host="atm")
    try:
        yield screen
    finally:
        screen.close()


def house_balances(connection):
    """Return the lender's own accounts by their kind, in yen on their normal side."""
    return {
        account.kind: balance_of(connection, account.id).amount for account in accounts_of(connection, OWNER)
    }


def vault_yen(data: Path) -> int:
    """Return what the machine's sensors say is left in it."""
    lines = (data / "outside" / "atm" / "0001" / "vault.ndjson").read_text().splitlines()
    return sum(int(line.rpartition(":")[2].rstrip("}")) for line in lines)


def switch_off_cash(data: Path) -> None:
    """Stop cash at machines and nothing else, as staff do beside the running program."""
    what = ("--function", "atm_withdrawal", "--open", "transfer_loan", "--reason", "incident")
    how = ("--urgent", "--by", "sato", "--data", str(data / "lender"))
    done = subprocess.run(
        [SEKISHO, "switch", "set", *what, *how], capture_output=True, text=True, check=False
    )
    assert done.returncode in {0, WAITS_FOR_ANOTHER}, done.stderr


def become_borrower(person: Borrower) -> None:
    """Apply, prove who it is, be screened, sign, and borrow to an account at the bank of this program."""
    person.open_account()
    person.apply()
    person.sign()
    person.register_account(person.open_deposit())
    person.borrow(LENT)

    def is_paid():
        """Say whether the bank has paid the transfer."""
        return person.running.read(column(select(transfer_order.c.state))) == ["paid"]

    until(is_paid)
    assert person.running.read(house_balances)["transfer_clearing"] == 0


def begin_again_and_draw(person: Borrower) -> None:
    """Give up what the cut left behind, for the machine has lost its screen, and draw cash."""
    program = person.running
    assert program.read(column(select(atm_order.c.state))) == ["reserved"]
    person.see(f"/atm/sessions/{program.read(column(select(atm_order.c.atm_session_id)))[0]}")
    person.browser.submit("/atm/cancel")
    with machine_at(program) as machine:
        person.begin_at(machine)
        number = person.approve_withdrawal(DRAWN)
        machine.get("/")
        machine.submit("/entry", company_number=number, pin=PIN)
        assert f"{DRAWN:,}円をお受け取りください" in machine.page.text
    assert sorted(program.read(column(select(atm_order.c.state)))) == ["dispensed", "failed"]


def repay(person: Borrower) -> None:
    """Repay by debit, and get the receipt."""
    person.repay(REPAID)

    def has_receipt():
        """Say whether the repayment was collected, and its receipt issued."""
        return "receipt" in person.running.read(column(select(loan_document.c.kind)))

    until(has_receipt)
    balances = person.running.read(house_balances)
    assert (balances["web_debit_clearing"], balances["bank"]) == (0, REPAID - LENT)
    files = person.running.read(column(select(bank_file.c.result_at_us)))
    assert len(files) == 2
    assert None not in files


def deposits_yen(connection):
    """Return what stands on each account at the bank."""
    books = ledger_account.c
    its = select(books.credits_posted - books.debits_posted).where(books.kind == "deposit")
    return list(connection.execute(its).scalars())


def test_from_the_application_to_cash_with_a_power_cut_in_between(tmp_path):
    """The cut leaves cash reserved; it is drawn once; in the end the books of lender and bank agree."""
    data = tmp_path / "up"
    with ExitStack() as closing, running(data) as program:
        person = Borrower(program)
        closing.callback(person.close)
        become_borrower(person)
        person.set_pin()
        with machine_at(program) as machine:
            person.begin_at(machine)
            person.approve_withdrawal(DRAWN)
        before = vault_yen(data)
        program.kill()

    with ExitStack() as closing, running(data) as program:
        person.go_on_at(program)
        closing.callback(person.close)
        begin_again_and_draw(person)
        assert vault_yen(data) == before - DRAWN
        assert -program.read(house_balances)["atm_cash"] == DRAWN + FEE
        repay(person)
        assert program.read(deposits_yen, institution="bank") == [CASH.amount + LENT - REPAID]
        switch_off_cash(data)
        with machine_at(program) as machine:
            person.begin_at(machine)
            stopped = person.browser.submit("/atm/choose", amount=str(DRAWN))
            assert (stopped.status_code, "停止" in stopped.text) == (503, True)
        person.borrow(AGAIN)
        for institution in ("lender", "bank"):
            assert program.read(first_fault, institution=institution) is None
