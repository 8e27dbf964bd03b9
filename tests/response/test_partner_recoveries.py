"""Recovery from partners: asked, entered by one, booked by another, once by its number; each sum a query."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select, text
from tests.response.recoveries_at_hand import GROUND, RecoveriesAtHand

from sekisho.kernel.clock import HOUR_US
from sekisho.response import audit
from sekisho.response.partner_receipts import (
    ReceiptDecided,
    ReceiptNumberUsed,
    ReceiptUnknown,
    RecoveryMoreThanOpen,
)
from sekisho.response.partner_recoveries import (
    NothingToRecover,
    ReceiptWaits,
    RecoveryChanged,
    RecoveryUnusable,
    Sum,
    Wanted,
)
from sekisho.response.recovery_rows import Way
from sekisho.response.staff import SecondPersonNeeded, StaffIdUnusable
from sekisho.storage.tables.outbox import outbox


@pytest.fixture
def at_hand(tmp_path):
    opened = RecoveriesAtHand(tmp_path)
    yield opened
    opened.parts.store.close()


def acts(at_hand):
    with at_hand.parts.store.read() as connection:
        return [(one.actor, one.act) for one in audit.all_acts(connection) if one.act.startswith("recovery:")]


def test_what_was_paid_is_recoverable_from_the_partner_of_the_loss(at_hand):
    """Of the booking, else of the case; a loss without either is nobody's to bear."""
    at_hand.pay(30_000)
    at_hand.pay(20_000, partner="", named="0125")
    at_hand.pay(10_000, partner="", campaign="")
    at_hand.pay(5_000, partner="9901", named="0125")
    rows = [(row.campaign, row.partner, row.claims, row.paid_yen) for row in at_hand.summed().rows]
    assert rows == [("cmp_1", "0125", 1, 20_000), ("cmp_1", "9901", 2, 35_000)]
    assert at_hand.sums() == (55_000, 0, 0, 0, 0)


def test_a_share_is_asked_for_and_comes_in_and_lowers_the_loss(at_hand):
    """Nothing is booked by asking; once two people say that it came, the loss is lower by it."""
    at_hand.pay(30_001)
    at_hand.pay(20_000)
    assert at_hand.ask(share=50) == Sum(2, 25_000)
    assert at_hand.lost() == 50_001
    assert at_hand.sums() == (50_001, 25_000, 0, 0, 25_000)
    receipt = at_hand.enter(at_hand.came(18_000))
    assert (at_hand.lost(), at_hand.sums()[2]) == (50_001, 0)
    booked = at_hand.book(receipt)
    assert booked.posting.startswith("trf_")
    assert at_hand.lost() == 32_001
    assert at_hand.sums() == (50_001, 25_000, 18_000, 0, 7_000)
    _, parts = asyncio.run(at_hand.receipts.find(receipt.id))
    assert [part.yen for part in parts] == [15_000, 3_000]
    at_hand.book(at_hand.enter(at_hand.came(7_000, "B-2")))
    assert at_hand.sums()[-1] == 0
    assert at_hand.lost() == 25_001


def test_a_booking_again_books_once(at_hand):
    """The answer got lost, and somebody pressed again."""
    at_hand.pay(30_000)
    at_hand.ask()
    receipt = at_hand.enter(at_hand.came(10_000))
    assert at_hand.book(receipt) == at_hand.book(receipt, by="mori")
    assert at_hand.lost() == 20_000


def test_who_entered_it_does_not_book_it(at_hand):
    at_hand.pay(30_000)
    at_hand.ask(by="ito")
    receipt = at_hand.enter(at_hand.came(10_000), by="ito")
    with pytest.raises(SecondPersonNeeded):
        at_hand.book(receipt, by="ito")
    assert at_hand.lost() == 30_000
    with pytest.raises(StaffIdUnusable):
        at_hand.book(receipt, by="S!")


def test_one_number_counts_once_however_it_is_entered(at_hand):
    """Also for another amount or partner; what was turned down does not keep its number."""
    at_hand.pay(30_000)
    at_hand.pay(30_000, partner="0125")
    for partner in ("9901", "0125"):
        at_hand.ask(partner)
    first = at_hand.enter(at_hand.came(10_000))
    for other in (at_hand.came(10_000), at_hand.came(9_000), at_hand.came(10_000, partner="0125")):
        with pytest.raises(ReceiptNumberUsed):
            at_hand.enter(other)
    at_hand.enter(at_hand.came(1_000, way=Way.SET_OFF))
    at_hand.turn_down(first)
    with pytest.raises(ReceiptDecided):
        at_hand.book(first)
    with pytest.raises(ReceiptDecided):
        at_hand.turn_down(first)
    again = at_hand.enter(at_hand.came(9_000))
    at_hand.book(again)
    with pytest.raises(ReceiptDecided):
        at_hand.turn_down(again)
    assert at_hand.lost() == 60_000 - 9_000


def test_no_more_is_entered_than_is_open(at_hand):
    """What waits to be booked is no longer open; and what was not asked for never was."""
    at_hand.pay(30_000)
    with pytest.raises(RecoveryMoreThanOpen):
        at_hand.enter(at_hand.came(1))
    at_hand.ask()
    at_hand.enter(at_hand.came(20_000))
    with pytest.raises(RecoveryMoreThanOpen):
        at_hand.enter(at_hand.came(10_001, "B-2"))
    at_hand.enter(at_hand.came(10_000, "B-2"))
    with pytest.raises(RecoveryMoreThanOpen):
        at_hand.enter(at_hand.came(1, "B-3", partner="0125"))


def test_money_counts_for_a_campaign_or_for_what_was_paid_first(at_hand):
    at_hand.pay(10_000)
    at_hand.pay(10_000, campaign="cmp_2")
    at_hand.pay(10_000)
    for campaign in ("cmp_1", "cmp_2"):
        at_hand.ask(campaign=campaign)
    at_hand.book(at_hand.enter(at_hand.came(5_000, "B-1", campaign="cmp_2")))
    assert at_hand.sums(campaign="cmp_2")[2] == 5_000
    at_hand.book(at_hand.enter(at_hand.came(16_000, "B-2")))
    assert [row.came_yen for row in at_hand.summed().rows] == [11_000, 10_000]
    with pytest.raises(RecoveryMoreThanOpen):
        at_hand.enter(at_hand.came(1, "B-3", campaign="cmp_2"))


def test_what_was_approved_is_what_is_done(at_hand):
    """A claim that is paid, or money that is entered, between the look and the deed stops it."""
    at_hand.pay(10_000)
    wanted = Wanted("9901", "cmp_1", 100, GROUND)
    expected = asyncio.run(at_hand.recoveries.asking(wanted))
    at_hand.pay(20_000)
    with pytest.raises(RecoveryChanged):
        asyncio.run(at_hand.recoveries.ask(wanted, expected, by="sato"))
    assert at_hand.sums()[1] == 0
    at_hand.ask()
    came = at_hand.came(5_000, "B-2")
    shown = asyncio.run(at_hand.receipts.counts_for(came))
    at_hand.enter(at_hand.came(10_000, "B-1"))
    with pytest.raises(RecoveryChanged):
        asyncio.run(at_hand.receipts.enter(came, shown, by="sato"))


def test_what_is_open_is_given_up_by_somebody_else_than_who_asked(at_hand):
    """Not while money waits; and what was given up takes no money any more."""
    at_hand.pay(30_000)
    at_hand.ask()
    waiting = at_hand.enter(at_hand.came(10_000))
    with pytest.raises(ReceiptWaits):
        at_hand.give_up()
    at_hand.book(waiting)
    with pytest.raises(SecondPersonNeeded):
        at_hand.give_up(by="sato")
    at_hand.give_up()
    assert at_hand.sums() == (30_000, 30_000, 10_000, 20_000, 0)
    assert at_hand.lost() == 20_000
    with pytest.raises(NothingToRecover):
        at_hand.give_up()
    with pytest.raises(RecoveryMoreThanOpen):
        at_hand.enter(at_hand.came(1, "B-2"))


def test_what_can_t_be_is_refused(at_hand):
    at_hand.pay(30_000)
    for share in (0, 101, -5):
        with pytest.raises(RecoveryUnusable):
            at_hand.ask(share=share)
    at_hand.ask()
    with pytest.raises(NothingToRecover):
        at_hand.ask()
    tomorrow = at_hand.today() + timedelta(days=1)
    wrong = (
        at_hand.came(0),
        at_hand.came(-1),
        at_hand.came(1, ""),
        at_hand.came(1, "B 1"),
        at_hand.came(1, "x" * 61),
        at_hand.came(1, "番号"),
        at_hand.came(1, day=tomorrow),
    )
    for came in wrong:
        with pytest.raises(RecoveryUnusable):
            at_hand.enter(came)
    receipt = at_hand.enter(at_hand.came(1))
    for why in (" ", "x" * 401):
        with pytest.raises(RecoveryUnusable):
            at_hand.turn_down(receipt, why=why)
    for deed in (at_hand.receipts.book("prc_x", by="ito"), at_hand.receipts.find("prc_x")):
        with pytest.raises(ReceiptUnknown):
            asyncio.run(deed)


def test_each_sum_is_computed_again_by_its_query_also_for_a_day_that_has_passed(at_hand):
    """The query that stands beside a number gives that number, and gives it later too."""
    at_hand.pay(30_000)
    at_hand.clock.advance(HOUR_US)
    at_hand.ask()
    then_us, then = at_hand.clock.now_us(), at_hand.summed()
    at_hand.clock.advance(HOUR_US)
    at_hand.pay(7_000, campaign="it's")
    at_hand.book(at_hand.enter(at_hand.came(10_000)))
    at_hand.give_up()
    now = at_hand.summed()
    assert at_hand.summed(then_us) == then
    assert then.total[3:] == (30_000, 30_000, 0, 0, 30_000)
    for found in (then, now, at_hand.summed(campaign="it's"), at_hand.summed(partner="9901")):
        with at_hand.parts.store.read() as connection:
            assert tuple(connection.execute(text(found.total_query)).one()) == found.total[2:]
            assert [tuple(row) for row in connection.execute(text(found.query))] == [
                tuple(row) for row in found.rows
            ]
    assert sum(row.open_yen for row in now.rows) == now.total.open_yen


def test_every_deed_is_an_act_and_an_event(at_hand):
    at_hand.pay(30_000)
    at_hand.ask()
    at_hand.turn_down(at_hand.enter(at_hand.came(10_000)))
    at_hand.book(at_hand.enter(at_hand.came(10_000)))
    at_hand.give_up()
    deeds = ["asked", "entered", "turned_down", "entered", "booked", "given_up"]
    assert acts(at_hand) == [
        (who, f"recovery:{deed}")
        for who, deed in zip(("sato", "sato", "ito", "sato", "ito", "ito"), deeds, strict=True)
    ]
    with at_hand.parts.store.read() as connection:
        kinds = [kind for kind in connection.execute(select(outbox.c.kind)).scalars() if "recovery" in kind]
        assert audit.first_fault(connection) is None
    assert sorted(kinds) == sorted(f"response:recovery:{deed}" for deed in deeds)
