"""Receipts that nobody had to ask for."""

import asyncio

import pytest
from tests.lender.applicants import ARRIVAL, ASAGIRI, open_way_in

from sekisho.kernel.clock import DAY_US
from sekisho.kernel.yen import Yen
from sekisho.lender.documents.archive import Kind
from sekisho.lender.documents.desk import DocumentDesk
from sekisho.lender.documents.missing_documents import MissingDocuments
from sekisho.lender.documents.typesetting import Typesetter
from sekisho.lender.loan_events import Movement


@pytest.fixture
def way(tmp_path):
    opened = open_way_in(tmp_path)
    yield opened
    opened.close()


def signed(way):
    member_id = way.add_applicant()
    granted = way.screened(member_id)
    entered = way.enter(member_id)
    asyncio.run(way.documents.show_before_contract(member_id, granted.id))
    return asyncio.run(way.signing.sign(way.approve(entered, granted), granted.id, ARRIVAL)).contract


def moved(way, contract, what, key, yen):
    movement = Movement(key, Yen(yen), way.house.today(), "transfer", way.house.accounts.bank)
    return way.house.store.write(
        lambda at: getattr(way.house.loans, what)(at, contract.id, movement)
    ).result()


def receipts(way, contract):
    documents = asyncio.run(way.documents.of_member(contract.member_id))
    return sorted(each.subject for each in documents if each.kind is Kind.RECEIPT)


def test_every_repayment_gets_one_receipt_however_often_it_is_looked(way):
    """Also one that was booked a day after the last, and none for a borrowing."""
    contract, missing = signed(way), MissingDocuments(way.house, way.documents)
    moved(way, contract, "borrow", "b1", 100_000)
    repaid = [moved(way, contract, "repay", f"r{number}", 4_000) for number in range(2)]
    assert asyncio.run(missing.issue()) == 2
    assert asyncio.run(missing.issue()) == 0
    way.at_hand.clock.advance(DAY_US)
    repaid.append(moved(way, contract, "repay", "r9", 4_000))
    assert asyncio.run(missing.issue()) == 1
    assert receipts(way, contract) == sorted(f"receipt:{event.id}" for event in repaid)
    again = MissingDocuments(way.house, way.documents)
    assert asyncio.run(again.issue()) == 0


def test_without_a_font_nothing_is_issued_and_nothing_forgotten(way):
    """The receipts come as soon as documents can be made."""
    contract = signed(way)
    moved(way, contract, "borrow", "b1", 100_000)
    moved(way, contract, "repay", "r1", 4_000)
    without_font = Typesetter("No Such Font")
    desk = DocumentDesk(way.house, ASAGIRI, without_font)
    assert asyncio.run(MissingDocuments(way.house, desk).issue()) == 0
    without_font.close()
    assert asyncio.run(MissingDocuments(way.house, way.documents).issue()) == 1


def test_an_end_gets_its_confirmation_without_being_asked(way):
    """It says that nothing is owed, and stands with the other documents, delivered by consent."""
    contract, missing = signed(way), MissingDocuments(way.house, way.documents)
    moved(way, contract, "borrow", "b1", 100_000)
    moved(way, contract, "repay", "r1", 100_000)
    ended = way.house.store.write(
        lambda at: way.house.loans.end(at, contract.id, way.house.today(), "member")
    ).result()
    assert asyncio.run(missing.issue()) == 2
    assert asyncio.run(missing.issue()) == 0
    documents = asyncio.run(way.documents.of_member(contract.member_id))
    (confirmation,) = [each for each in documents if each.kind is Kind.CONTRACT_END]
    assert confirmation.subject == f"contract_end:{ended.id}"
    assert asyncio.run(way.documents.of_event(contract.member_id, ended.id)) == confirmation
