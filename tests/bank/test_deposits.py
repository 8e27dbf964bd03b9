"""Accounts and their holders: opened at a branch, in the books, found, blocked, reached."""

from datetime import date

import msgspec
import pytest
from sqlalchemy import select
from tests.bank.mandate_at_hand import KANA, PHONE, START, open_bank

from sekisho.bank import counter, deposits, holders
from sekisho.bank.branches import BranchUnknown
from sekisho.bank.deposits import DepositNumberTaken, DepositState, Opening
from sekisho.bank.holders import HolderTiedOtherwise, NewHolder
from sekisho.bank.overdrafts import change_overdraft
from sekisho.identity.people import BirthDateUnusable
from sekisho.identity.recipients import NumberNotServed
from sekisho.kernel.yen import Yen
from sekisho.ledger.transfers import Refused, Why
from sekisho.messages.notices import NoticeKind
from sekisho.response import audit
from sekisho.response.staff import Deed, StaffIdUnusable
from sekisho.storage.tables.deposits import depositor
from sekisho.storage.tables.messages import message


def wide(digits):
    """Write digits as a full-width keyboard does."""
    return "".join(chr(ord(digit) + 0xFEE0) for digit in digits)


@pytest.fixture
def bank(tmp_path):
    opened = open_bank(tmp_path)
    yield opened
    opened.audit()
    opened.bank.store.close()


def test_an_account_is_found_by_branch_and_number_alone(bank):
    one = bank.deposit
    assert bank.look(lambda at: deposits.find_by_number(at, one.branch, one.number)) == one
    assert bank.look(lambda at: deposits.find_by_number(at, "002", one.number)) is None
    assert one.guarded_as == f"{one.branch}-{one.number}"
    assert bank.balance() == START.amount


def test_a_number_is_given_out_once_at_a_branch_and_drawn_where_none_is_asked_for(bank):
    holder = bank.deposit.depositor_id
    opening = Opening(holder, "001", number="0000042")
    first = bank.do(lambda at: deposits.open_deposit(at, bank.bank, opening))
    with pytest.raises(DepositNumberTaken):
        bank.do(lambda at: deposits.open_deposit(at, bank.bank, opening))
    other = bank.do(lambda at: deposits.open_deposit(at, bank.bank, opening._replace(branch="002")))
    assert (first.number, other.number) == ("0000042", "0000042")
    drawn = bank.do(lambda at: deposits.open_deposit(at, bank.bank, Opening(holder, "001")))
    assert len(drawn.number) == 7
    with pytest.raises(BranchUnknown):
        bank.do(lambda at: deposits.open_deposit(at, bank.bank, Opening(holder, "999")))
    with pytest.raises(ValueError, match="digits"):
        bank.do(lambda at: deposits.open_deposit(at, bank.bank, Opening(holder, "001", number="12")))


def test_a_general_account_is_overdrawn_to_its_limit_and_no_further(bank):
    one = bank.deposit

    def to(yen):
        return bank.do(
            lambda at: change_overdraft(at, bank.bank, one, Yen(yen), by="aoki", reason="agreed today")
        )

    assert to(100_000)
    assert not to(100_000)
    assert bank.look(lambda at: deposits.can_go_out(at, one)) == START + Yen(100_000)
    mandate = bank.mandate(ceiling=Yen(2_000_000), month_ceiling=Yen(2_000_000))
    assert bank.debit(mandate, START.amount + 100_001, "too much").state != "done"
    assert bank.debit(mandate, START.amount + 100_000, "all").state == "done"
    assert bank.look(lambda at: deposits.balance(at, one)) == Yen(-100_000)
    assert to(0)
    assert bank.debit(mandate, 1, "one more").state != "done"
    found = bank.look(lambda at: [(act.actor, act.act, act.subject) for act in audit.all_acts(at)])
    assert found == [("aoki", "bank:overdraft_changed", one.id)] * 2


def test_nothing_leaves_a_blocked_account_and_a_closed_one_stays_closed(bank):
    one = bank.deposit

    def becomes(state):
        return bank.do(lambda at: deposits.set_state(at, bank.bank, one.id, state, "test"))

    assert becomes(DepositState.BLOCKED)
    assert not becomes(DepositState.BLOCKED)
    blocked = bank.look(lambda at: deposits.find(at, one.id))
    assert bank.look(lambda at: deposits.can_go_out(at, blocked)) == Yen(0)
    assert becomes(DepositState.OPEN)
    assert becomes(DepositState.CLOSED)
    closed = bank.look(lambda at: deposits.find(at, one.id))
    with pytest.raises(ValueError, match="closed"):
        bank.do(lambda at: change_overdraft(at, bank.bank, closed, Yen(1), by="aoki", reason="x"))
    assert not becomes(DepositState.OPEN)


def test_cash_is_paid_in_once_by_its_key(bank):
    one = bank.deposit
    again = [bank.do(lambda at: deposits.pay_in(at, bank.bank, one, Yen(500), key="k")) for _ in range(2)]
    assert [each.again for each in again] == [False, True]
    assert bank.balance() == START.amount + 500
    other = bank.do(lambda at: deposits.pay_in(at, bank.bank, one, Yen(501), key="k"))
    assert other == Refused(Why.KEY_USED_OTHERWISE)


def test_what_is_on_file_is_sealed_and_bound_to_its_holder(bank):
    row = bank.look(lambda at: at.execute(select(depositor)).first())
    for datum in (KANA, "ﾔﾏﾀﾞ", "1990", PHONE.replace("-", "")[1:]):
        assert datum.encode() not in row.sealed
    other = bank.open(phone="090-1234-0002")
    bank.do(
        lambda at: at.execute(
            depositor.update().where(depositor.c.id == other.depositor_id).values(sealed=row.sealed)
        )
    )
    with pytest.raises(Exception, match="not sealed as"):
        bank.look(lambda at: holders.find(at, bank.bank, other.depositor_id))


@pytest.mark.parametrize(
    ("name", "born", "same"),
    [
        ("ヤマダ ハナコ", "1980-01-01", True),
        ("やまだはなこ", "1980-01-01", True),
        ("ﾔﾏﾀﾞ ﾊﾅｺ", "1980-01-01", True),
        ("ヤマタ ハナコ", "1980-01-01", False),
        ("ヤマダ ハナ", "1980-01-01", False),
        ("ハナコ ヤマダ", "1980-01-01", False),
        ("ヤマダ ハナコ", "1980-01-02", False),
        ("ヤマダ ハナコ", "1980-1-1", False),
        ("山田 花子", "1980-01-01", False),
        ("", "", False),
    ],
)
def test_only_the_holder_is_the_holder(bank, name, born, same):
    """Equal in banks' writing, spaces aside: nearly right is not right."""
    found = bank.look(lambda at: holders.find(at, bank.bank, bank.deposit.depositor_id))
    assert holders.is_same_person(found.holder, name, born) is same


def test_a_holder_needs_a_real_birth_date_and_a_number_that_codes_go_to(bank):
    for new, refusal in (
        (NewHolder(KANA, date(2190, 1, 1), PHONE), BirthDateUnusable),
        (NewHolder(KANA, date(1800, 1, 1), PHONE), BirthDateUnusable),
        (NewHolder(KANA, date(1990, 4, 1), "03-1234-5678"), NumberNotServed),
    ):
        with pytest.raises(refusal):
            bank.do(lambda at, new=new: holders.take_on(at, bank.bank, new))


def test_a_member_is_one_holders_access_and_a_holder_has_one(bank):
    first, second = bank.at_hand.add_member(), bank.at_hand.add_member()
    own, other = bank.deposit.depositor_id, bank.open(phone="090-1234-0002").depositor_id
    for _ in range(2):
        bank.do(lambda at: holders.tie(at, bank.bank, own, first))
    assert bank.look(lambda at: holders.find_by_member(at, bank.bank, first)).id == own
    for depositor_id, member_id in ((own, second), (other, first)):
        with pytest.raises(HolderTiedOtherwise):
            bank.do(lambda at, pair=(depositor_id, member_id): holders.tie(at, bank.bank, *pair))


def test_the_holder_is_told_at_the_number_on_file_and_once_for_an_occasion(bank):
    facts = {"when": bank.clock.now_us(), "until": bank.clock.now_us()}
    for _ in range(2):
        bank.do(
            lambda at: holders.tell_holder(
                at, bank.bank, bank.deposit.id, NoticeKind.LINK_PIN_LOCKED, facts, dedupe="once"
            )
        )
    rows = bank.look(lambda at: at.execute(select(message.c.channel, message.c.kind)).all())
    assert [tuple(row) for row in rows] == [("sms", "notice:link_pin_locked:1")]


def test_the_counter_ties_a_customer_once_on_record(bank):
    """Doing it again changes nothing, and is no act; by nobody of the staff it is not done."""
    member_id, one = bank.at_hand.add_member(), bank.deposit
    with pytest.raises(StaffIdUnusable):
        bank.do(lambda at: counter.tie_customer(at, bank.bank, one, member_id, Deed("NOBODY!", "x")))
    assert bank.look(lambda at: holders.find_by_member(at, bank.bank, member_id)) is None
    deed = Deed("aoki", "asked at the counter")
    tied = [bank.do(lambda at: counter.tie_customer(at, bank.bank, one, member_id, deed)) for _ in range(2)]
    assert tied == [True, False]
    (act,) = bank.look(lambda at: list(audit.all_acts(at)))
    assert (act.actor, act.act, act.subject) == ("aoki", "bank:customer_tied", one.id)
    assert (act.reason, act.details) == ("asked at the counter", {"member": member_id})


def test_the_phone_on_file_changes_at_the_counter(bank):
    """The act says whose, and not the number."""
    own, deed = bank.deposit.depositor_id, Deed("aoki", "asked at the counter")
    bank.do(lambda at: counter.change_phone(at, bank.bank, bank.deposit, "090-9999-8888", deed))
    (act,) = bank.look(lambda at: list(audit.all_acts(at)))
    assert (act.act, act.subject, act.details) == ("bank:phone_changed", bank.deposit.id, {})
    found = bank.look(lambda at: holders.find(at, bank.bank, own))
    assert found.holder.phone == "+819099998888"
    assert msgspec.structs.replace(found.holder, phone="") != found.holder


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("001", "001"),
        (" 001 ", "001"),
        (wide("123"), "123"),
        ("12", ""),
        ("abc", ""),
        ("\u0660\u0660\u0661", ""),
    ],
)
def test_a_branch_is_read_as_people_type_it(typed, read):
    assert deposits.read_branch(typed) == read


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("1234567", "1234567"),
        ("42", "0000042"),
        (wide("1234567"), "1234567"),
        ("12345678", ""),
        ("", ""),
        ("12-3", ""),
    ],
)
def test_a_number_is_read_as_people_type_it(typed, read):
    assert deposits.read_number(typed) == read
