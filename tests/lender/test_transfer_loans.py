"""Transfer loans: ordered, approved, sent and cleared, each once; and what comes back was never lent."""

import asyncio
from datetime import UTC, date, datetime

import pytest
from tests.lender.lender_at_hand import ARRIVAL, OTHER_ACCOUNT, OURS, open_lender

from sekisho.identity import holds
from sekisho.identity.assurance import StepUp, Way
from sekisho.identity.holds import HoldKind, HoldScope
from sekisho.identity.personal_data import Item, store
from sekisho.kernel.clock import HOUR_US, MINUTE_US, SECOND_US
from sekisho.kernel.japan import in_japan
from sekisho.kernel.yen import Yen
from sekisho.lender.contracts import ContractState, change_contract
from sekisho.lender.incoming_payments import Taken, take_payment
from sekisho.lender.loan_events import NotDone
from sekisho.lender.transfer_hours import published_transfer_hours, read_transfer_hours
from sekisho.lender.transfer_loans import NoPayoutAccount, NotLent, OrderUnknown
from sekisho.lender.transfer_orders import OrderState
from sekisho.lender.transfer_runs import TransferRuns
from sekisho.linking.bank_files import ResultFileRefused
from sekisho.linking.exchange import TAKEN, FolderTray
from sekisho.linking.zengin import FileKind, TransferResult, ZenginFile, read_file, write_file

PAID, NO_ACCOUNT = TransferResult.PAID, TransferResult.NO_ACCOUNT


@pytest.fixture
def lender(tmp_path):
    opened = open_lender(tmp_path, opened_days_ago=0)
    opened.register()
    yield opened
    opened.audit()
    opened.house.store.close()


@pytest.fixture
def tray(tmp_path):
    return tmp_path / "to_bank"


@pytest.fixture
def runs(lender, tray):
    return TransferRuns(lender.house, OURS, FolderTray(tray))


def send(runs):
    return asyncio.run(runs.send_due())


def take(runs, octets):
    return asyncio.run(runs.take_result(octets))


def sent_files(tray):
    return sorted(tray.glob("*.txt"))


def answered(octets, *results, on=None):
    """Return what the bank sends back for a file: the same rows, each with its result."""
    file = read_file(octets, near=date(2026, 9, 21))
    rows = tuple(row._replace(result=result) for row, result in zip(file.rows, results, strict=True))
    return write_file(ZenginFile(FileKind.TRANSFERS, file.party, on or file.on, rows))


def orders(lender):
    return asyncio.run(lender.transfers().orders(lender.member_id))


def test_from_the_order_to_the_money(lender, runs, tray):
    order = lender.lend(100_001)
    assert order.state is OrderState.APPROVED
    assert (lender.position().principal, lender.balance("transfer_clearing")) == (Yen(100_001), 100_001)
    send(runs)
    octets = sent_files(tray)[0].read_bytes()
    row = read_file(octets, near=lender.house.today()).rows[0]
    assert (row.account.number, row.holder_kana, row.amount) == ("0012345", "ﾔﾏﾀﾞ ﾊﾅｺ", Yen(100_001))
    assert take(runs, answered(octets, PAID)) == 1
    assert orders(lender)[0].state is OrderState.PAID
    assert (lender.balance("transfer_clearing"), lender.balance("bank")) == (0, -100_001)
    assert "money_borrowed" in lender.at_hand.notices()


def test_what_comes_back_was_never_lent(lender, runs, tray):
    before = lender.contract()
    lender.lend(100_000)
    send(runs)
    take(runs, answered(sent_files(tray)[0].read_bytes(), NO_ACCOUNT))
    assert orders(lender)[0].state is OrderState.RETURNED
    assert lender.contract() == before
    position = lender.position()
    assert (position.owed, position.headroom) == (Yen(0), Yen(500_000))
    assert (lender.balance("transfer_clearing"), lender.balance("bank")) == (0, 0)
    assert lender.at_hand.notices().count("transfer_returned") == 2


def test_the_same_key_is_one_order_and_another_amount_under_it_is_refused(lender):
    first = lender.lend(10_000)
    assert lender.lend(10_000) == first
    assert lender.position().principal == Yen(10_000)
    with pytest.raises(NotLent) as refused:
        lender.lend(20_000)
    assert refused.value.why is NotDone.KEY_USED_OTHERWISE


def test_a_lost_answer_is_asked_for_again(lender):
    """The approval is used up by then, and needs no second one: the order says that it was approved."""
    order = lender.lend(10_000)
    later = lender.enter()
    again = asyncio.run(lender.transfers().approve(later, ARRIVAL, order.id))
    assert again == order
    assert lender.balance("transfer_clearing") == 10_000


def test_an_approval_of_one_order_lends_no_second(lender):
    desk, present = lender.transfers(), lender.enter()
    first, purpose = asyncio.run(desk.request(present, Yen(10_000), "a"))
    second, _ = asyncio.run(desk.request(present, Yen(10_000), "b"))
    present = lender.prove(present, purpose)
    assert isinstance(asyncio.run(desk.approve(present, ARRIVAL, second.id)), StepUp)
    assert asyncio.run(desk.approve(present, ARRIVAL, first.id)).state is OrderState.APPROVED
    assert lender.balance("transfer_clearing") == 10_000


def test_nothing_is_owed_before_the_approval(lender, runs):
    asyncio.run(lender.transfers().request(lender.enter(), Yen(10_000), "a"))
    assert lender.position().owed == Yen(0)
    assert send(runs) is None


def test_two_approvals_at_once_do_not_share_one_limit(lender):
    desk, present, kept = lender.transfers(), lender.enter(), []
    for key in ("a", "b"):
        order, purpose = asyncio.run(desk.request(present, Yen(300_000), key))
        kept.append((order, lender.prove(present, purpose)))

    async def both():
        asked = (desk.approve(proven, ARRIVAL, order.id) for order, proven in kept)
        return await asyncio.gather(*asked, return_exceptions=True)

    results = asyncio.run(both())
    lent = [result for result in results if not isinstance(result, BaseException)]
    refused = [result for result in results if isinstance(result, NotLent)]
    assert (len(lent), len(refused)) == (1, 1)
    assert refused[0].why is NotDone.ABOVE_LIMIT
    assert lender.balance("transfer_clearing") == 300_000


def test_an_approval_that_lent_nothing_is_not_used_up(lender, monkeypatch):
    """The unit of work is whole: what it refuses leaves the approval, and the guard hears of no success."""
    desk, present = lender.transfers(), lender.enter()
    order, purpose = asyncio.run(desk.request(present, Yen(10_000), "a"))
    present = lender.prove(present, purpose)
    with monkeypatch.context() as broken:
        broken.setattr(type(lender.house.loans), "borrow", lambda *_: NotDone.OVERDUE)
        with pytest.raises(NotLent):
            asyncio.run(desk.approve(present, ARRIVAL, order.id))
    assert lender.guard.told[-1][1] == "refused"
    assert asyncio.run(desk.approve(present, ARRIVAL, order.id)).state is OrderState.APPROVED


@pytest.mark.parametrize(("yen", "why"), [(0, NotDone.AMOUNT_NOT_POSITIVE), (500_001, NotDone.ABOVE_LIMIT)])
def test_what_cannot_be_lent_is_refused_before_anybody_approves(lender, yen, why):
    with pytest.raises(NotLent) as refused:
        asyncio.run(lender.transfers().request(lender.enter(), Yen(yen), "a"))
    assert refused.value.why is why


def test_a_closed_line_lends_nothing(lender):
    contract = lender.contract()
    closed = type(contract)(
        **{
            **{name: getattr(contract, name) for name in contract.__struct_fields__},
            "state": ContractState.CLOSED_TO_BORROWING.value,
        }
    )
    lender.house.store.write(lambda at: change_contract(at, closed)).result()
    with pytest.raises(NotLent) as refused:
        asyncio.run(lender.transfers().request(lender.enter(), Yen(1), "a"))
    assert refused.value.why is NotDone.BORROWING_CLOSED


def test_without_an_account_the_member_hears_from_when_there_is_one(tmp_path):
    lender = open_lender(tmp_path)
    with pytest.raises(NoPayoutAccount) as none:
        asyncio.run(lender.transfers().request(lender.enter(), Yen(1), "a"))
    assert none.value.from_us is None
    account = lender.register()
    with pytest.raises(NoPayoutAccount) as waits:
        asyncio.run(lender.transfers().request(lender.enter(), Yen(1), "a"))
    assert waits.value.from_us == account.usable_from_us
    lender.house.store.close()


def test_an_order_for_an_account_that_is_no_longer_used_is_outdated(lender):
    desk, present = lender.transfers(), lender.enter()
    order, purpose = asyncio.run(desk.request(present, Yen(10_000), "a"))
    lender.register(OTHER_ACCOUNT, "k2")
    lender.clock.advance(72 * HOUR_US)
    present = lender.prove(lender.enter(), purpose)
    with pytest.raises(OrderUnknown):
        asyncio.run(desk.approve(present, ARRIVAL, order.id))


def test_nobody_meets_another_members_order(lender):
    order = lender.lend(10_000)
    other = lender.at_hand.add_reachable_member()
    with pytest.raises(OrderUnknown):
        asyncio.run(lender.transfers().to_approve(other, order.id))


def test_repaying_to_draw_again_is_told_to_the_guard(lender):
    lender.lend(490_000)
    contract = lender.contract()
    paid = Taken(
        "r1", contract.id, Yen(400_000), lender.house.today(), "incoming", lender.house.accounts.bank
    )
    lender.house.store.write(lambda at: take_payment(at, lender.house, paid)).result()
    lender.lend(300_000, "again")
    assert "repaid_to_draw" in lender.guard.asked[-1].signs


def test_a_member_who_stopped_the_account_is_sent_nothing_any_more(lender, runs):
    lender.lend(10_000)
    held = lender.house.store.write(
        lambda at: holds.place(
            at,
            lender.house.parts,
            lender.member_id,
            HoldKind.SELF_FREEZE,
            HoldScope.ALL,
            reason="test",
            until_us=None,
        )
    ).result()
    assert send(runs) is None
    lender.house.store.write(lambda at: holds.lift(at, lender.house.parts, held, by="test")).result()
    assert send(runs) is not None


def test_an_order_that_did_not_go_out_can_be_stopped_and_costs_nothing(lender, runs):
    order = lender.lend(10_000)
    assert asyncio.run(runs.stop(order.id)) is True
    assert asyncio.run(runs.stop(order.id)) is False
    assert (lender.position().owed, lender.balance("transfer_clearing")) == (Yen(0), 0)
    assert send(runs) is None


# The files and their results.


@pytest.fixture
def sent(lender, runs, tray):
    """Give a file with two orders that is at the bank."""
    for key in ("a", "b"):
        lender.lend(10_000, key)
        lender.clock.advance(SECOND_US)
    send(runs)
    return sent_files(tray)[0].read_bytes()


def faulty(sent):
    whole = answered(sent, PAID, PAID)
    lines = whole.split(b"\r\n")
    file = read_file(whole, near=date(2026, 9, 21))
    short = ZenginFile(file.kind, file.party, file.on, file.rows[:1])
    doubled = ZenginFile(file.kind, file.party, file.on, file.rows * 2)
    other = file.rows[1]._replace(amount=Yen(9_999))
    changed = ZenginFile(file.kind, file.party, file.on, (file.rows[0], other))
    swapped = ZenginFile(file.kind, file.party, file.on, file.rows[::-1])
    theirs = file.party._replace(code="0000000001")
    return {
        "cut off": whole[:400],
        "a record missing": b"\r\n".join([*lines[:1], *lines[2:]]),
        "short": write_file(short),
        "doubled": write_file(doubled),
        "another amount": write_file(changed),
        "another order": write_file(swapped),
        "another day": answered(sent, PAID, PAID, on=date(2026, 9, 20)),
        "another party": write_file(ZenginFile(file.kind, theirs, file.on, file.rows)),
        "undecided": answered(sent, PAID, None),
        "empty": write_file(ZenginFile(file.kind, file.party, file.on, ())),
        "nothing": b"",
        "unknown": whole.replace(file.rows[0].reference.encode(), b"9" * 20),
    }


FAULTS = (
    "cut off",
    "a record missing",
    "short",
    "doubled",
    "another amount",
    "another order",
    "another day",
    "another party",
    "undecided",
    "empty",
    "nothing",
    "unknown",
)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_result_that_is_not_whole_changes_nothing(lender, runs, sent, fault):
    with pytest.raises(ResultFileRefused):
        take(runs, faulty(sent)[fault])
    assert {order.state for order in orders(lender)} == {OrderState.SENT}
    assert (lender.balance("transfer_clearing"), lender.balance("bank")) == (20_000, 0)
    assert take(runs, answered(sent, PAID, NO_ACCOUNT)) == 2


def test_a_result_is_taken_once(lender, runs, sent):
    take(runs, answered(sent, PAID, PAID))
    for again in (answered(sent, PAID, PAID), answered(sent, NO_ACCOUNT, NO_ACCOUNT)):
        with pytest.raises(ResultFileRefused):
            take(runs, again)
    assert (lender.balance("transfer_clearing"), lender.balance("bank")) == (0, -20_000)


@pytest.mark.usefixtures("sent")
def test_an_order_goes_out_once(runs):
    assert send(runs) is None


def test_a_file_that_the_bank_has_taken_away_is_not_put_there_again(lender, runs, tray):
    """Somebody died between handing the file over and writing that down; the bank was quick meanwhile."""
    lender.lend(10_000)
    made = lender.house.store.write(runs.make_within).result()
    assert made is not None
    handing = TransferRuns(lender.house, OURS, _DyingTray(FolderTray(tray)))
    with pytest.raises(_DiedError):
        send(handing)
    first = sent_files(tray)[0]
    octets = first.read_bytes()
    first.rename(tray / TAKEN / first.name)
    assert send(runs) is None
    assert sent_files(tray) == []
    assert take(runs, answered(octets, PAID)) == 1


def test_a_file_that_was_not_written_whole_is_written_again_to_the_byte(lender, runs, tray):
    lender.lend(10_000)
    dying = TransferRuns(lender.house, OURS, _DyingTray(None))
    with pytest.raises(_DiedError):
        send(dying)
    (tray / ".half.part").write_bytes(b"half")
    assert send(runs) is None
    assert len(sent_files(tray)) == 1
    assert read_file(sent_files(tray)[0].read_bytes(), near=lender.house.today()).amount == Yen(10_000)


class _DiedError(Exception):
    pass


class _DyingTray:
    """A tray whose process ends as soon as the file was handed over, or before."""

    def __init__(self, tray):
        self._tray = tray

    def put(self, name, octets):
        if self._tray is not None:
            self._tray.put(name, octets)
        raise _DiedError


# When transfers go out.


def at(text):
    return int(datetime.fromisoformat(text).astimezone(UTC).timestamp()) * SECOND_US


@pytest.mark.parametrize(
    ("bank", "asked", "goes_out"),
    [
        ("0125", "2026-11-22T23:59:59+09:00", "2026-11-22T23:59:59+09:00"),
        ("0125", "2026-11-23T00:00:00+09:00", "2026-11-23T07:00:00+09:00"),
        ("0125", "2026-11-23T07:00:00+09:00", "2026-11-23T07:00:00+09:00"),
        ("0125", "2026-11-22T15:30:00+00:00", "2026-11-23T07:00:00+09:00"),
        ("0009", "2026-11-22T20:59:00+09:00", "2026-11-22T20:59:00+09:00"),
        ("0009", "2026-11-22T21:00:00+09:00", "2026-11-23T07:00:00+09:00"),
        ("9900", "2026-11-24T14:59:00+09:00", "2026-11-24T14:59:00+09:00"),
        ("9900", "2026-11-24T15:00:00+09:00", "2026-11-25T09:00:00+09:00"),
        ("9900", "2026-11-20T15:00:00+09:00", "2026-11-24T09:00:00+09:00"),
        ("9900", "2026-12-30T18:00:00+09:00", "2027-01-04T09:00:00+09:00"),
        ("9900", "2028-02-28T16:00:00+09:00", "2028-02-29T09:00:00+09:00"),
    ],
)
def test_when_a_transfer_goes_out(bank, asked, goes_out):
    """By clocks in Japan: our maintenance on Mondays, banks that close at the weekend or at night."""
    assert published_transfer_hours().goes_out_us(bank, at(asked)) == at(goes_out)


def test_an_order_in_the_maintenance_window_waits_and_says_until_when(lender, runs):
    monday = at("2026-11-23T01:00:00+09:00")
    lender.clock.set(monday)
    order = lender.lend(10_000)
    assert in_japan(order.goes_out_us).isoformat() == "2026-11-23T07:00:00+09:00"
    assert send(runs) is None
    lender.clock.set(order.goes_out_us)
    assert send(runs) is not None


def test_windows_that_leave_no_time_are_noticed():
    always = """
    [[closed]]
    id = "always"
    from = 2010-01-01
    begins = "mon 00:00"
    ends = "sun 00:00"
    source = "x"
    [[closed]]
    id = "sundays"
    from = 2010-01-01
    begins = "sun 00:00"
    ends = "mon 00:00"
    source = "x"
    """
    with pytest.raises(LookupError):
        read_transfer_hours(always).goes_out_us("0001", at("2026-11-22T00:00:00+09:00"))


def test_an_approval_by_code_on_the_members_own_device_is_enough(lender):
    desk, present = lender.transfers(), lender.enter()
    order, purpose = asyncio.run(desk.request(present, Yen(10_000), "a"))
    lender.clock.advance(MINUTE_US)
    present = lender.prove(present, purpose, Way.CODE)
    assert asyncio.run(desk.approve(present, ARRIVAL, order.id)).approved_by == "code"


def test_a_member_who_changed_the_kana_name_registers_no_old_one(lender):
    """The name at the bank has to be the member's name of today."""
    changed = {Item.NAME_KANA: "サトウ ハナコ"}
    keyring, now_us = lender.house.keyring, lender.clock.now_us()
    lender.house.store.write(lambda at: store(at, keyring, lender.member_id, changed, now_us)).result()
    with pytest.raises(Exception, match="holder_not_member"):
        lender.register(OTHER_ACCOUNT, "k2")
