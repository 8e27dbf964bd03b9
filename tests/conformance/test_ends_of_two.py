"""A contract that ends while somebody borrows under it, in two processes of one server: one comes first."""

import asyncio
import threading

import pytest
from sqlalchemy import create_engine
from tests.lender.lender_at_hand import open_lender

from sekisho.kernel.clock import DAY_US
from sekisho.kernel.yen import Yen
from sekisho.lender.contract_ends import ContractEndDesk, ContractStillOwed, ContractUnderWay
from sekisho.lender.contracts import ContractState
from sekisho.lender.loan_events import LoanEvent, Movement, NotDone
from sekisho.storage.engine import open_store

pytestmark = pytest.mark.server
WAITS_S = 0.5


@pytest.fixture(name="lender")
def _lender(server_store_url, tmp_path):
    lender = open_lender(tmp_path, opened_days_ago=0, store_at=open_store(server_store_url))
    yield lender
    lender.audit()
    lender.house.store.close()


def movement(lender):
    return Movement("b1", Yen(10_000), lender.house.today(), "transfer", lender.house.accounts.bank)


def borrow(lender, connection):
    return lender.house.loans.borrow(connection, lender.contract().id, movement(lender))


def reserve(lender, connection):
    until_us = lender.clock.now_us() + DAY_US
    contract_id = lender.contract().id
    return lender.house.loans.reserve(connection, contract_id, movement(lender), expires_at_us=until_us)


def end(lender):
    """Approve the end, and end the contract."""
    desk, present = ContractEndDesk(lender.house), lender.enter()
    ending = asyncio.run(desk.look(lender.member_id))
    proven = lender.prove(present, ending.purpose)
    return lambda: asyncio.run(desk.end(proven))


def beside(rival, first, second):
    """Do the first thing in a transaction that commits while the second waits; return what both came to."""
    outcomes = {}

    def go():
        try:
            outcomes["second"] = second()
        except Exception as error:  # noqa: BLE001 - the refusal is the outcome
            outcomes["second"] = error

    with rival.connect() as connection, connection.begin():
        outcomes["first"] = first(connection)
        going = threading.Thread(target=go)
        going.start()
        going.join(WAITS_S)
        assert going.is_alive()
    going.join()
    return outcomes["first"], outcomes["second"]


@pytest.fixture(name="rival")
def _rival(server_store_url):
    engine = create_engine(server_store_url.replace("postgresql://", "postgresql+psycopg://"))
    yield engine
    engine.dispose()


@pytest.mark.parametrize(
    ("taking", "refusal"), [(borrow, ContractStillOwed), (reserve, ContractUnderWay)], ids=["borrow", "cash"]
)
def test_a_borrowing_that_comes_first_keeps_the_contract(lender, rival, taking, refusal):
    ending = end(lender)
    lent, refused = beside(rival, lambda at: taking(lender, at), ending)
    assert isinstance(lent, LoanEvent | str)
    assert isinstance(refused, refusal)
    assert lender.contract().state == ContractState.OPEN


@pytest.mark.parametrize("taking", [borrow, reserve], ids=["borrow", "cash"])
def test_an_end_that_comes_first_lends_nothing_more(lender, rival, taking):
    contract_id, today = lender.contract().id, lender.house.today()

    def lend():
        return lender.house.store.write(lambda at: taking(lender, at)).result()

    ended, lent = beside(rival, lambda at: lender.house.loans.end(at, contract_id, today, "member"), lend)
    assert isinstance(ended, LoanEvent)
    assert lent is NotDone.BORROWING_CLOSED
    assert lender.contract().state == ContractState.ENDED
