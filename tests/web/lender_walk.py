"""A walk over every page of the lender's in a real browser, state by state; whoever walks looks at each."""

import asyncio
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from playwright.sync_api import Page
from sqlalchemy import Connection, delete, insert, select, update
from tests.lender.atm_at_hand import MACHINE, NETWORK, NUMBER, PLACE, Line
from tests.web.lender_site import open_line
from tests.web.served_members import Served, served, sign_up, with_authenticator

from sekisho.kernel.chance import SystemChance
from sekisho.kernel.yen import Yen
from sekisho.lender import application_rows as rows
from sekisho.lender import atm_sessions
from sekisho.lender.applications import State
from sekisho.lender.contracts import ContractState, set_state
from sekisho.lender.house import LenderParts
from sekisho.lender.income_checks import IncomeDocument
from sekisho.lender.income_renewal_desk import IncomeReadingDesk
from sekisho.lender.income_renewals import NotTaken, follow
from sekisho.lender.line_checks import LineCheck, keep_check, new_check_id
from sekisho.lender.outside import Outside
from sekisho.lender.screening import Finding
from sekisho.range.atm.lender_line import DeskLine
from sekisho.range.atm.machine import Machine
from sekisho.range.atm.teller import Teller, View
from sekisho.range.atm.vault import Vault
from sekisho.storage.tables.applications import bureau_query, loan_application
from sekisho.storage.tables.atm import atm_order
from sekisho.storage.tables.borrowings import transfer_order, web_debit_order
from sekisho.storage.tables.members import member
from sekisho.web.lender.app import create_lender_app
from sekisho.web.lender.desks import STATE, LenderDesks

Result = TypeVar("Result")
PIN = "5938"
OFFER = {"limit_yen": 500_000, "rate": 17_800, "terms_id": "line-2025"}
APPLICATION = {
    "wanted": "50",
    "income": "400",
    "employer": "見本商事株式会社",
    "employed_years": "5",
    "owed": "0",
}
ACCOUNT = {"bank": "0001", "branch": "123", "number": "1234567", "holder": "ヤマダ ハナコ"}


class LenderServed(NamedTuple):
    """The lender's pages for a browser, the desks behind them, and a machine with its keys."""

    site: Served
    desks: LenderDesks
    teller: Teller
    line: Line

    @property
    def house(self) -> LenderParts:
        """The lender's house."""
        return self.desks.house


@contextmanager
def lender_served(folder: Path) -> Iterator[LenderServed]:
    """Serve the lender with one machine while the block runs."""
    machines: dict[str, Machine] = {}
    line = Line(machines)
    outside = Outside(network=line, card_page="http://card.localhost/")
    with served(folder, lambda site: create_lender_app(site, outside)) as site:
        desks: LenderDesks = site.app.state[STATE]
        place = partial(atm_sessions.register_machine, house=desks.house, machine_id=MACHINE)
        desks.house.store.write(partial(place, network=NETWORK, place=PLACE)).result()
        vault = Vault(folder / "machine" / "vault.ndjson")
        vault.fill(1_000_000)
        machine = Machine(MACHINE, folder / "machine", vault, site.parts.clock)
        machines[MACHINE] = machine
        yield LenderServed(
            site, desks, Teller(machine, DeskLine(desks.machines, NETWORK), SystemChance()), line
        )
        machine.close()


def beside(doing: Coroutine[Any, Any, Result]) -> Result:
    """Do something at the machine while the browser's own loop stands still."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, doing).result()


class Walk:
    """One member's way over the pages. Each part goes on where the one before ended, and names its pages."""

    def __init__(self, lender: LenderServed, page: Page, number: int) -> None:
        self.lender = lender
        self.page = page
        self.number = number
        self.member_number = ""

    def before_the_login(self) -> Iterator[str]:
        """Look at what is open to everybody."""
        for name, path in (
            ("front", "/"),
            ("simulator", "/simulator?amount=300000&rate=18.0"),
            ("simulator-wrong", "/simulator?amount=1"),
            ("diagnosis", "/diagnosis"),
        ):
            yield self._at(path, name)
        self.page.fill("#birth_date", "1990-04-01")
        self.page.fill("#income", "400")
        self._press()
        yield "diagnosed"

    def application(self) -> Iterator[str]:
        """Go from nothing to the signature."""
        with_authenticator(self.page)
        self.member_number = sign_up(self.lender.site, self.page, self.number)
        self.page.click("form[data-passkey] button")
        self.page.wait_for_url("**/security?done=passkey_added")
        yield self._at("/", "overview")
        yield self._at("/loan", "no-loan")
        self.open("/apply")
        yield "apply"
        for name, value in APPLICATION.items():
            self.page.fill(f"#{name}", value)
        self._press()
        yield "apply-check"
        self._press()
        yield "apply-waits-for-identity"
        yield self._at("/apply/identity", "apply-identity")
        for name, state, changes in (
            ("apply-screening", State.IDENTITY_CHECKED, {}),
            ("apply-person", State.A_PERSON_DECIDES, OFFER),
            ("apply-offer", State.GRANTED, OFFER),
        ):
            self._move(state, **changes)
            yield self._at("/apply", name)
        self.page.check("[name=consent]")
        self._press()
        self.page.wait_for_selector("[data-state=documents_shown]")
        yield "apply-sign"

    def signature(self) -> Iterator[str]:
        """Sign, and look at a loan that is not used yet."""
        self._approve_here()
        yield "apply-sign-approved"
        self._press()
        self.page.wait_for_selector("[data-state=signed]")
        yield "apply-signed"
        yield self._at("/loan", "loan-unused")
        yield self._at("/borrow", "borrow-without-account")

    def loan(self) -> Iterator[str]:
        """Register the account for payouts; look at figures, history, documents and the last payment."""
        yield from self._account()
        house = self.lender.house
        line = open_line(house, self.member_number)
        today = house.today()
        # Keys are the books' own, and several members walk.
        line.borrow(f"first {self.number}", 123_000, today - timedelta(days=40))
        line.repay(f"second {self.number}", 5_000, today - timedelta(days=20))
        self.open("/loan/history")
        for name, path in (
            ("loan", "/loan"),
            ("history", "/loan/history"),
            ("documents", "/loan/documents"),
            ("settle", "/loan/settle"),
            ("settle-wrong", "/loan/settle?day=2020-01-01"),
        ):
            yield self._at(path, name)

    def income(self) -> Iterator[str]:
        """Declare a newer income, and look at each way in which that can come to its end."""
        yield self._at("/loan/income", "income")
        self.page.fill("#income", "much")
        self._press()
        yield "income-wrong"
        for ending in ("refused", "proven"):
            self.page.fill("#income", "600")
            self._press()
            if ending == "refused":
                yield "income-waits"
            self._decide(ending)
            yield self._at("/loan/income", f"income-{ending}")
        self._close_line()
        yield self._at("/loan", "loan-closed")
        yield self._at("/loan/income", "income-still-closed")
        self._close_line(ContractState.OPEN)

    def _decide(self, ending: str) -> None:
        """Do what staff do with the document."""
        reading = IncomeReadingDesk(self.lender.house)
        (waiting, *_) = beside(reading.waiting())
        if ending == "refused":
            beside(reading.refuse(waiting.renewal.id, NotTaken.OUTDATED, by="aoki"))
            return
        document = IncomeDocument(staff_id="aoki", reference="shelf 3", income=Yen(4_100_000))
        beside(reading.read(waiting.renewal.id, document))

    def _close_line(self, state: ContractState = ContractState.CLOSED_TO_BORROWING) -> None:
        """Do what a look at the line does that finds more than a third of the income."""
        house = self.lender.house
        line = open_line(house, self.member_number)
        query_id = f"bqu_{self.number}{state}"
        query = {"id": query_id, "asked_at_us": 0, "tries": 1, "trouble": ""}
        check = LineCheck(
            new_check_id(house),
            line.contract_id,
            query_id,
            house.today(),
            (Finding.ABOVE_A_THIRD,) if state is not ContractState.OPEN else (),
            state,
            house.clock.now_us(),
        )

        def work(connection: Connection) -> None:
            own = select(loan_application.c.id).where(loan_application.c.member_id == line.member_id)
            application = {"application_id": connection.execute(own).scalars().first()}
            connection.execute(insert(bureau_query), query | application)
            keep_check(connection, check)
            follow(connection, line.contract_id, check.id)
            set_state(connection, line.contract_id, state)

        house.store.write(work).result()

    def transfer(self) -> Iterator[str]:
        """Borrow by transfer, and repay by debit."""
        yield self._at("/borrow", "borrow")
        yield self._at("/borrow/transfer", "borrow-amount")
        self.page.fill("#amount", "900000")
        self._press()
        yield "borrow-too-much"
        self.page.fill("#amount", "50000")
        self._press()
        yield "borrow-confirm"
        self._approve_here()
        yield "borrow-approved"
        self._press()
        yield "borrowed"
        self.open("/repay")
        yield "repay"
        self._press()
        yield "repay-confirm"
        self._approve_here()
        self._press()
        yield "repaid"

    def machine(self) -> Iterator[str]:
        """Draw cash, from the PIN to what the machine did."""
        yield self._at("/atm", "atm-without-pin")
        self.open("/atm/pin")
        yield "atm-pin"
        self.page.fill("#pin", PIN)
        self.page.fill("#again", PIN)
        self._press()
        yield "atm"
        self.page.fill("#code", "0042-00000-00000")
        self._press()
        yield "atm-code-wrong"
        session_path = self._claim()
        yield "atm-choose"
        self.page.fill("#amount", "1500")
        self._press()
        yield "atm-choose-wrong"
        self.page.fill("#amount", "20000")
        self._press()
        yield "atm-confirm"
        self._approve_here()
        yield "atm-approved"
        self._press()
        self.page.wait_for_selector("[data-company-number]")
        yield "atm-go"
        beside(self._type_at_machine())
        self.page.wait_for_selector("[data-state=dispensed]")
        yield "atm-dispensed"
        yield from self._ends(session_path)
        self._claim()
        self.page.click("section.other button")
        self.page.wait_for_selector("[data-company-number]")
        yield "atm-go-repay"
        self.page.click("form[action='/atm/cancel'] button")
        self.page.wait_for_url("**/atm?done=cancelled")
        self.page.go_back()
        self.page.wait_for_selector("[data-state=ended]")
        yield "atm-over"

    def _ends(self, session_path: str) -> Iterator[str]:
        """Look at the ends of an order that nobody can wait for, as they are kept."""
        for state, moved_yen in (
            ("unknown", None),
            ("disputed", 90_000),
            ("failed", 0),
            ("dispensed", 8_000),
        ):
            values = {"state": state, "moved_yen": moved_yen}
            own = update(atm_order).where(atm_order.c.atm_session_id == session_path.rpartition("/")[2])
            self.lender.house.store.write(partial(Connection.execute, statement=own.values(values))).result()
            yield self._at(session_path, f"atm-order-{state}")
            yield self._at("/atm", f"atm-has-{state}")

    def end(self) -> Iterator[str]:
        """Repay everything and end the contract; look at what is left."""
        yield self._at("/loan/end", "end-not-yet")
        house = self.lender.house
        line = open_line(house, self.member_number)
        own = delete(atm_order).where(atm_order.c.member_id == line.member_id)
        orders = (
            update(table).where(table.c.member_id == line.member_id).values(state=state)
            for table, state in ((transfer_order, "paid"), (web_debit_order, "failed"))
        )
        for statement in (own, *orders):
            house.store.write(partial(Connection.execute, statement=statement)).result()
        line.repay(f"all {self.number}", 1_000_000)
        yield self._at("/loan/settle", "settle-nothing")
        yield self._at("/loan/end", "end")
        self._approve_here()
        yield "end-approved"
        self._press()
        self.page.wait_for_selector("#ended")
        yield "loan-ended"
        yield self._at("/loan/history", "history-ended")

    def open(self, path: str) -> None:
        """Open a page, with a passkey where it asks for one."""
        self.page.goto(f"{self.lender.site.url}{path}")
        if "/step-up" in self.page.url:
            self._approve()

    def _at(self, path: str, name: str) -> str:
        self.open(path)
        return name

    def _press(self) -> None:
        """Press the one main button."""
        with self.page.expect_navigation():
            self.page.click("main .main")

    def _approve_here(self) -> None:
        """Follow the main button to the approval, and give it."""
        self._press()
        self._approve()

    def _approve(self) -> None:
        with self.page.expect_navigation():
            self.page.click("form[data-passkey] button")

    def _account(self) -> Iterator[str]:
        yield self._at("/payout-account", "payout")
        yield self._at("/payout-account/change", "payout-change")
        for name, value in ACCOUNT.items():
            self.page.fill(f"#{name}", value)
        self._press()
        yield "payout-confirm"
        self._approve_here()
        self._press()
        yield "payout-registered"

    def _claim(self) -> str:
        """Claim what the machine shows, and return the transaction's path."""
        screen = beside(self.lender.teller.begin())
        assert screen.view is View.CODE
        self.open("/atm")
        self.page.fill("#code", screen.typed)
        with self.page.expect_navigation():
            self.page.click("form[action='/atm/claim'] button")
        return self.page.url.removeprefix(self.lender.site.url)

    async def _type_at_machine(self) -> None:
        await self.lender.teller.look()
        screen = await self.lender.teller.enter(NUMBER, PIN)
        assert screen.view is View.CASH

    def _move(self, to: State, **changes: Any) -> None:
        """Do what staff and the screening do behind the pages."""
        house = self.lender.house

        def work(connection: Connection) -> None:
            own = select(member.c.id).where(member.c.number == self.member_number)
            application = rows.newest_of(connection, house.keyring, connection.execute(own).scalar_one())
            assert application is not None
            rows.move(connection, house.parts, application, to, **changes)

        house.store.write(work).result()
