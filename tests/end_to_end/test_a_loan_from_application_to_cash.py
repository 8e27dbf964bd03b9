"""A loan over HTTP alone, from the application to cash in hand, through a power cut."""

from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import select
from tests.end_to_end.borrower import PIN, Borrower, until
from tests.end_to_end.http_browser import HttpBrowser
from tests.end_to_end.running_sekisho import Running, column, running
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

LENT, DRAWN, FEE, REPAID = 30_000, 20_000, 220, 10_000


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


def test_from_the_application_to_cash_with_a_power_cut_in_between(tmp_path):
    """Screened, signed, paid by the bank; the cut leaves cash reserved; it is drawn once, and repaid."""
    data = tmp_path / "up"
    with ExitStack() as closing, running(data) as program:
        person = Borrower(program)
        closing.callback(person.close)
        person.open_account()
        person.apply()
        person.sign()
        person.register_account(person.open_deposit())
        person.borrow(LENT)

        def is_paid():
            """Say whether the bank has paid the transfer."""
            return program.read(column(select(transfer_order.c.state))) == ["paid"]

        until(is_paid)
        assert program.read(house_balances)["transfer_clearing"] == 0
        person.set_pin()
        with machine_at(program) as machine:
            person.begin_at(machine)
            person.approve_withdrawal(DRAWN)
        assert program.read(column(select(atm_order.c.state))) == ["reserved"]
        before = vault_yen(data)
        program.kill()

    with ExitStack() as closing, running(data) as program:
        person.go_on_at(program)
        closing.callback(person.close)
        assert program.read(column(select(atm_order.c.state))) == ["reserved"]
        page = program.read(column(select(atm_order.c.atm_session_id)))[0]
        person.see(f"/atm/sessions/{page}")
        # The machine has lost its screen in the cut, so that the member gives up and begins again.
        person.browser.submit("/atm/cancel")
        with machine_at(program) as machine:
            person.begin_at(machine)
            number = person.approve_withdrawal(DRAWN)
            machine.get("/")
            machine.submit("/entry", company_number=number, pin=PIN)
            assert f"{DRAWN:,}円をお受け取りください" in machine.page.text
        assert sorted(program.read(column(select(atm_order.c.state)))) == ["dispensed", "failed"]
        assert vault_yen(data) == before - DRAWN
        assert -program.read(house_balances)["atm_cash"] == DRAWN + FEE
        person.repay(REPAID)

        def has_receipt():
            """Say whether the repayment was collected, and its receipt issued."""
            return "receipt" in program.read(column(select(loan_document.c.kind)))

        until(has_receipt)
        balances = program.read(house_balances)
        assert (balances["web_debit_clearing"], balances["bank"]) == (0, REPAID - LENT)
        for institution in ("lender", "bank"):
            assert program.read(first_fault, institution=institution) is None
        stands = select(ledger_account.c.credits_posted - ledger_account.c.debits_posted).where(
            ledger_account.c.kind == "deposit"
        )
        assert program.read(column(stands), institution="bank") == [CASH.amount + LENT - REPAID]
        answered = program.read(column(select(bank_file.c.result_at_us)))
        assert len(answered) == 2
        assert None not in answered
