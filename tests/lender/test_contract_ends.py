"""The end of a contract: what stands in the way, what ends with it, and what is refused from then on."""

import asyncio

import pytest
from sqlalchemy import func, select
from tests.lender.applicants import open_way_in, said
from tests.lender.atm_at_hand import NETWORK
from tests.lender.lender_at_hand import ARRIVAL, OTHER_ACCOUNT, OURS, open_lender
from tests.lender.test_line_checks import Line
from tests.lender.test_transfer_loans import PAID, answered
from tests.lender.test_web_debits import desk as debits_of
from tests.lender.test_web_debits import incoming
from tests.lender.test_web_debits import order as order_debit

from sekisho.identity import holds
from sekisho.identity.assurance import InsufficientAuthentication
from sekisho.identity.holds import HoldKind, HoldScope, OnHold
from sekisho.identity.personal_data import Item, changes_of, read_for_use
from sekisho.kernel.chance import SeededChance
from sekisho.kernel.clock import DAY_US, SECOND_US
from sekisho.kernel.posture import Posture
from sekisho.kernel.refusals import Refusal
from sekisho.kernel.yen import Yen
from sekisho.lender.application_desk import ApplicationDesk
from sekisho.lender.atm_disputes import Decision, DisputeDesk
from sekisho.lender.atm_network import CashAnswer, CashState
from sekisho.lender.atm_pins import find_pin
from sekisho.lender.contract_ends import (
    ContractCaseOpen,
    ContractEndDesk,
    ContractNotFound,
    ContractStillOwed,
    ContractUnderWay,
    EndUnusable,
)
from sekisho.lender.contracts import Agreement, ContractState, find_contract, sign
from sekisho.lender.due_days import DueDay
from sekisho.lender.loan_events import LoanEvent, Movement, NotDone
from sekisho.lender.payout_accounts import standing_of
from sekisho.lender.rates import Rate
from sekisho.lender.transfer_loans import NotLent, OrderUnknown
from sekisho.lender.transfer_runs import TransferRuns
from sekisho.lender.web_debits import NotRepaid
from sekisho.linking.exchange import FolderTray
from sekisho.response import cases
from sekisho.response.cases import CaseKind, Opening, Reporter
from sekisho.storage.tables.audit import staff_act
from sekisho.storage.tables.borrowings import payout_account
from sekisho.storage.tables.ledger import ledger_journal


@pytest.fixture(name="lender")
def _lender(tmp_path):
    opened = open_lender(tmp_path, opened_days_ago=0)
    opened.register()
    yield opened
    opened.audit()
    opened.house.store.close()


def end(lender, present=None):
    """Approve the end of the contract for itself, and end it."""
    desk, present = ContractEndDesk(lender.house), present or lender.enter()
    ending = asyncio.run(desk.look(lender.member_id))
    return asyncio.run(desk.end(lender.prove(present, ending.purpose)))


def repay(lender, yen, key="back"):
    movement = Movement(key, Yen(yen), lender.house.today(), "web_debit", lender.house.accounts.bank)
    contract_id = lender.contract().id
    return lender.house.store.write(lambda at: lender.house.loans.repay(at, contract_id, movement)).result()


def borrow(lender, yen, key="more"):
    movement = Movement(key, Yen(yen), lender.house.today(), "transfer", lender.house.accounts.bank)
    contract_id = lender.contract().id
    return lender.house.store.write(lambda at: lender.house.loans.borrow(at, contract_id, movement)).result()


def look(lender, work):
    with lender.house.store.read() as connection:
        return work(connection)


def booked(lender):
    """Return how much stands in the journal: an end adds nothing to it."""
    return look(lender, lambda at: at.execute(select(func.count()).select_from(ledger_journal)).scalar_one())


def events(lender, kind):
    return [entry.body for entry in lender.at_hand.events() if entry.kind == kind]


def test_an_end_closes_the_line_forgets_the_account_and_moves_nothing(lender):
    before = booked(lender)
    ended = end(lender)
    assert ended.state == ContractState.ENDED
    assert asyncio.run(ContractEndDesk(lender.house).end(lender.enter())) == ended
    assert booked(lender) == before
    assert [event.kind for event in look(lender, history_of(lender))] == ["ended"]
    assert look(lender, lambda at: standing_of(at, lender.member_id, lender.clock.now_us())) == (None, None)
    read = look(
        lender,
        lambda at: read_for_use(at, lender.house.keyring, lender.member_id, [Item.PAYOUT_ACCOUNT]),
    )
    assert read.get(Item.PAYOUT_ACCOUNT, "") == ""
    assert events(lender, "lender:contract:ended") == [b'{"way":"member","by":"member"}']
    assert lender.at_hand.notices().count("contract_ended") == 2
    assert borrow(lender, 10_000) is NotDone.BORROWING_CLOSED
    assert repay(lender, 10_000) is NotDone.NOTHING_OWED


def history_of(lender):
    contract = lender.contract()
    return lambda at: lender.house.loans.history(
        at, contract.id, lender.house.today().replace(year=2020), lender.house.today()
    )


def test_nothing_but_an_approval_of_exactly_this_ends_it(lender):
    """A passkey that approved something else a moment ago has not approved this."""
    present, desk = lender.enter(), ContractEndDesk(lender.house)
    with pytest.raises(InsufficientAuthentication):
        asyncio.run(desk.end(present))
    other = asyncio.run(lender.transfers().request(present, Yen(10_000), "o")).purpose
    with pytest.raises(InsufficientAuthentication):
        asyncio.run(desk.end(lender.prove(present, other)))
    assert lender.contract().state == ContractState.OPEN
    assert end(lender, present).state == ContractState.ENDED


def test_who_has_no_contract_ends_none(tmp_path):
    lender = open_lender(tmp_path)
    stranger = lender.at_hand.add_reachable_member()
    with pytest.raises(ContractNotFound):
        asyncio.run(ContractEndDesk(lender.house).look(stranger))
    lender.house.store.close()


def test_a_yen_that_is_owed_stands_in_the_way(lender):
    """Also where nothing is left but the interest of a day."""
    assert isinstance(borrow(lender, 100_000), LoanEvent)
    with pytest.raises(ContractStillOwed):
        end(lender)
    lender.clock.advance(DAY_US)
    owed = lender.position().owed.amount
    assert owed > 100_000
    repay(lender, owed - 1)
    with pytest.raises(ContractStillOwed):
        end(lender)
    repay(lender, 1, "last")
    assert end(lender).state == ContractState.ENDED


def test_cash_that_is_reserved_stands_in_the_way(lender):
    """The machine may have it in its hands: the books themselves refuse, whoever asks them."""
    loans, contract = lender.house.loans, lender.contract()
    movement = Movement("a1", Yen(20_000), lender.house.today(), "atm", lender.house.accounts.atm_cash)
    until_us = lender.clock.now_us() + DAY_US
    kept = lender.house.store.write(
        lambda at: loans.reserve(at, contract.id, movement, expires_at_us=until_us)
    ).result()
    with pytest.raises(ContractUnderWay) as refused:
        end(lender)
    assert refused.value.known == "still_reserved"
    lent = lender.house.store.write(
        lambda at: loans.borrow(at, contract.id, movement._replace(key="a1:paid"), reserved=kept)
    ).result()
    assert isinstance(lent, LoanEvent)
    with pytest.raises(ContractStillOwed):
        end(lender)


def test_a_transfer_that_may_come_back_stands_in_the_way_until_the_bank_has_said(lender, tmp_path):
    """Also where everything was repaid meanwhile: what comes back is paid back to the account."""
    lender.lend(30_000)
    repay(lender, 30_000)
    assert lender.position().owed == Yen(0)
    with pytest.raises(ContractUnderWay):
        end(lender)
    tray = tmp_path / "to_bank"
    runs = TransferRuns(lender.house, OURS, FolderTray(tray))
    asyncio.run(runs.send_due())
    (file,) = tray.glob("*.txt")
    with pytest.raises(ContractUnderWay):
        end(lender)
    asyncio.run(runs.take_result(answered(file.read_bytes(), PAID)))
    assert end(lender).state == ContractState.ENDED


def test_a_debit_under_way_stands_in_the_way_until_it_has_ended(lender):
    borrow(lender, 10_000)
    order_debit(lender, 10_000)
    incoming(lender, "t1", lender.contract().number, 10_000)
    assert lender.position().owed == Yen(0)
    ending = asyncio.run(ContractEndDesk(lender.house).look(lender.member_id))
    assert [order.amount for order in ending.in_the_way.debits] == [Yen(10_000)]
    with pytest.raises(ContractUnderWay):
        end(lender)


def on_hold(lender):
    """Put money on hold; return what lifts it."""
    kind, scope, parts = HoldKind.CONTAINMENT, HoldScope.MONEY_OUT, lender.house.parts
    hold_id = lender.house.store.write(
        lambda at: holds.place(at, parts, lender.member_id, kind, scope, reason="test", until_us=None)
    ).result()
    return lambda at: holds.lift(at, parts, hold_id, by="aoki")


def in_a_case(lender):
    """Report damage; return what settles the report."""
    opening = Opening(
        kind=CaseKind.MONEY_TAKEN,
        reporter=Reporter.MEMBER,
        occasion="report:1",
        member_id=lender.member_id,
    )
    parts = lender.house.parts
    case = lender.house.store.write(lambda at: cases.open_case(at, parts, opening, by="aoki")).result()
    return lambda at: cases.close(at, parts, case.id, by="aoki", why="settled")


@pytest.mark.parametrize(("put", "refusal"), [(on_hold, OnHold), (in_a_case, ContractCaseOpen)])
def test_what_protects_the_member_keeps_the_contract_until_it_is_lifted(lender, put, refusal):
    lift = put(lender)
    with pytest.raises(refusal):
        end(lender)
    lender.house.store.write(lift).result()
    assert end(lender).state == ContractState.ENDED


def code_of(asked):
    """Return the code of the refusal that something ends with; empty where it was done."""
    try:
        asyncio.run(asked)
    except Refusal as refusal:
        return refusal.code
    return ""


def test_orders_that_were_not_approved_come_to_nothing(lender):
    """However far they had come when the contract ended."""
    borrow(lender, 10_000)
    present = lender.enter()
    lent = asyncio.run(lender.transfers().request(present, Yen(10_000), "o"))
    debit = asyncio.run(debits_of(lender).request(present, Yen(10_000), "d"))
    repay(lender, 10_000)
    end(lender)
    present = lender.enter()
    codes = [
        code_of(lender.transfers().approve(lender.prove(present, lent.purpose), ARRIVAL, lent.order.id)),
        code_of(debits_of(lender).approve(lender.prove(present, debit.purpose), debit.order.id)),
        code_of(lender.transfers().request(present, Yen(10_000), "o2")),
    ]
    assert codes == [OrderUnknown.code, NotRepaid.code, NotLent.code]


def test_earlier_accounts_do_not_come_back_in_place_of_the_last(lender):
    """An account that another one took the place of is used no more either."""
    lender.clock.advance(10 * DAY_US)
    lender.register(OTHER_ACCOUNT, "k2")
    lender.clock.advance(10 * DAY_US)
    end(lender)
    cancelled = look(lender, lambda at: at.execute(select(payout_account.c.cancelled_at_us)).scalars().all())
    assert len(cancelled) == 2
    assert None not in cancelled
    assert look(lender, lambda at: standing_of(at, lender.member_id, lender.clock.now_us())) == (None, None)


def sign_again(lender):
    """Sign a second contract for the same member."""
    house = lender.house
    named = Agreement(
        member_id=lender.member_id,
        terms=house.book.on(house.today()),
        limit=Yen(300_000),
        rate=Rate.parse("17.8"),
        due_day=DueDay.FIFTH,
        interest_free=False,
    )
    return house.store.write(
        lambda at: sign(at, named, house.book, today=house.today(), clock=house.clock, chance=SeededChance(9))
    ).result()


def test_money_that_comes_for_an_ended_contract_repays_nothing_and_its_member_is_told(lender):
    """Not under a later contract either: whoever sent it meant the one that is over."""
    number = end(lender).number
    lender.clock.advance(SECOND_US)
    sign_again(lender)
    borrow(lender, 50_000)
    assert incoming(lender, "t1", number, 30_000) is None
    assert incoming(lender, "t1", number, 30_000) is None
    assert (lender.balance("overpaid"), lender.position().principal) == (30_000, Yen(50_000))
    assert lender.at_hand.notices().count("payment_not_owed") == 2


def test_a_borrowing_that_was_a_thief_s_is_taken_back_under_an_ended_contract(lender):
    """What the member had repaid of it is owed to the member, and the contract stays over."""
    stolen = borrow(lender, 40_000)
    lender.clock.advance(SECOND_US)
    repay(lender, 40_000)
    ended = end(lender)
    lender.clock.advance(30 * DAY_US)
    back = lender.house.store.write(
        lambda at: lender.house.loans.reverse(at, stolen.id, lender.house.today())
    ).result()
    assert isinstance(back, LoanEvent)
    assert lender.balance("overpaid") == 40_000
    assert lender.position().owed == Yen(0)
    contract = look(lender, lambda at: find_contract(at, ended.id))
    assert (contract.state, contract.next_due_on) == (ContractState.ENDED, None)


def test_after_the_end_the_member_may_apply_anew(lender):
    desk = ApplicationDesk(lender.house)
    with pytest.raises(Refusal) as refused:
        asyncio.run(desk.begin(lender.member_id, "k1", said()))
    assert refused.value.code == "line_open"
    end(lender)
    assert asyncio.run(desk.current(lender.member_id)) is None
    begun = asyncio.run(desk.begin(lender.member_id, "k1", said()))
    assert asyncio.run(desk.current(lender.member_id)) == begun


def test_staff_end_it_at_request_under_the_same_conditions_and_on_record(lender):
    desk, number = ContractEndDesk(lender.house), lender.contract().number

    def asked(number=number, reason="asked by telephone, call 17"):
        return asyncio.run(desk.end_at_request(number, by="aoki", reason=reason))

    borrow(lender, 10_000)
    for wrong, refusal in (
        ({}, ContractStillOwed),
        ({"number": "0000000000"}, ContractNotFound),
        ({"reason": " "}, EndUnusable),
    ):
        with pytest.raises(refusal):
            asked(**wrong)
    repay(lender, 10_000)
    assert [asked(), asked()] == [True, False]
    acts = look(lender, lambda at: at.execute(select(staff_act.c.act, staff_act.c.subject)).all())
    assert acts == [("contract:ended", lender.contract().id)]
    assert events(lender, "lender:contract:ended") == [b'{"way":"staff","by":"aoki"}']
    actors = [change.actor for change in look(lender, lambda at: changes_of(at, lender.member_id))]
    assert actors[-1] == "staff:aoki"


def test_a_session_at_a_machine_stands_in_the_way_and_so_does_what_it_did_not_account_for(atm):
    """Reserved, asked about, or disputed: the books say so, and the page names each."""
    member_id = atm.member()
    present, desk = atm.entered(member_id), ContractEndDesk(atm.house)
    session_id = atm.approved(present, 30_000)

    def in_the_way():
        found = asyncio.run(desk.look(member_id)).in_the_way
        return [order.state for order in found.cash], type(found.refusal())

    assert in_the_way() == (["reserved"], ContractUnderWay)
    atm.line.cut = "request"
    atm.type(session_id)
    assert in_the_way() == (["unknown"], ContractUnderWay)
    order_id = atm.order(session_id)["id"]
    answer = CashAnswer(order_id=order_id, state=CashState.DONE, moved_yen=90_000)
    asyncio.run(atm.desk.confirm(NETWORK, answer))
    assert in_the_way() == (["disputed"], ContractUnderWay)
    decision = Decision("tanaka", Yen(0), "counted the vault")
    asyncio.run(DisputeDesk(atm.house).decide(order_id, decision))
    assert in_the_way() == ([], type(None))


def test_the_pin_is_forgotten_with_the_contract(atm):
    """Whoever signs another one sets it anew."""
    member_id = atm.member()
    present, desk = atm.entered(member_id), ContractEndDesk(atm.house)
    with atm.house.store.read() as connection:
        assert find_pin(connection, member_id) is not None
    purpose = asyncio.run(desk.look(member_id)).purpose
    asyncio.run(desk.end(atm.proven(present, purpose)))
    with atm.house.store.read() as connection:
        assert find_pin(connection, member_id) is None
    (forgotten,) = [event for event in atm.at.events() if event.kind == "member:atm_pin:forgotten"]
    assert forgotten.subject.startswith(member_id)


def test_an_application_is_over_with_its_contract(tmp_path):
    """The page of applications asks anew, and does not show the one that was signed."""
    line = Line(open_way_in(tmp_path), Posture.CLOSED)
    applications = ApplicationDesk(line.house)
    signed = asyncio.run(applications.current(line.member_id))
    assert signed is not None
    assert signed.contract_id == line.id
    end = ContractEndDesk(line.house).end_at_request(line.number, by="aoki", reason="asked")
    assert asyncio.run(end) is True
    assert asyncio.run(applications.current(line.member_id)) is None
    line.way.close()
