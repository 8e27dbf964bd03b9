"""The response on every engine: switch, contain, count, pay, report and verify; and two processes at once."""

import asyncio
import contextlib
import threading
from concurrent.futures import TimeoutError as NotYet
from functools import partial

import pytest
from tests.conformance.test_identity_rows import on
from tests.response.cohort_at_hand import CAMPAIGN, CohortAtHand
from tests.response.incident_at_hand import lost
from tests.response.recoveries_at_hand import RecoveriesAtHand
from tests.response.test_switches import wish

from sekisho.response import audit, cases, containment_rows, glass
from sekisho.response.audit import Act
from sekisho.response.case_stages import Basis, damage
from sekisho.response.cases import CaseKind
from sekisho.response.claim_policy import Assessment, Fault
from sekisho.response.claims import ClaimDesk, ClaimRefused, Loss, compensated
from sekisho.response.containment import ContainmentDesk
from sekisho.response.containment_rows import Policy, Standing
from sekisho.response.glass import Breaking, GlassSeenAlready
from sekisho.response.glass import Kind as Behind
from sekisho.response.partner_receipts import ReceiptNumberUsed
from sekisho.response.reports import versions
from sekisho.response.reports.breach import Kind, breach_report
from sekisho.response.reports.evidence import Details, gather
from sekisho.response.staff import SecondPersonNeeded
from sekisho.response.switch_book import SwitchBook
from sekisho.response.switch_desk import SwitchDesk
from sekisho.response.switches import Usage
from sekisho.storage.engine import open_store

FULL = Assessment(Fault.NO_FAULT, 100, "entered in the campaign")


class Books:
    """What was lost, as plain facts: the books of a room that is not here."""

    def __init__(self, member_id, at_us):
        self.loss = Loss(member_id, 100_000, at_us)

    def find(self, connection, loss):
        del connection
        return self.loss if loss == "loss_1" else None

    def of_member(self, connection, member_id):
        del connection
        return {"loss_1": self.loss} if member_id == self.loss.member_id else {}

    def partner_of(self, connection, loss):
        del connection
        return "9901" if loss == "loss_1" else ""

    def make_good(self, connection, award):
        del connection
        return f"made_good:{award.claim_id}"


@pytest.fixture
def hand(store, tmp_path):
    return CohortAtHand(tmp_path, 2, of=on(store))


def test_a_switch_is_set_asked_for_and_lifted(hand):
    """As on any engine: off at the next question, and on again."""
    desk, book = SwitchDesk(hand.parts), SwitchBook(hand.parts)
    one = asyncio.run(desk.set(wish(partner="net", device_younger_us=10), by="sato"))
    asyncio.run(desk.approve(one.id, by="ito"))
    usage = Usage("atm_withdrawal", hand.members[0], "net")
    assert asyncio.run(book.off_for(usage)) is not None
    asyncio.run(desk.lift(one.id, by="ito"))
    asyncio.run(desk.lift(one.id, by="sato"))
    assert asyncio.run(book.off_for(usage)) is None
    named = asyncio.run(desk.set(wish(members=[hand.members[0]]), by="sato"))
    assert not named.is_wide
    assert asyncio.run(book.off_for(Usage("atm_withdrawal", hand.members[1], "net"))) is None


def test_an_incident_is_contained_counted_paid_and_reported(hand):
    """The same figures on every engine, and a chain that holds."""
    begun = hand.contain()
    assert set(hand.standings(begun).values()) == {"done"}
    case = lost(hand, hand.members[0], "9901")
    claims = ClaimDesk(hand.parts, Books(hand.members[0], hand.at_hand.clock.now_us()))
    made = asyncio.run(claims.make(case.id, "loss_1", 100_000, by="sato"))
    with pytest.raises(ClaimRefused):
        asyncio.run(claims.make(case.id, "loss_1", 1, by="sato"))
    asyncio.run(claims.assess(made.id, FULL, by="sato"))
    asyncio.run(claims.decide(made.id, pay=True, by="ito"))
    asyncio.run(hand.desk().undo(begun.id, hand.members[1], proof="called back", by="ito"))
    now_us = hand.at_hand.clock.now_us()
    with hand.at_hand.store.read() as connection:
        assert damage(connection, Basis.COMPENSATED, as_of_us=now_us)[:3] == (1, 100_000, 1)
        assert compensated(connection, as_of_us=now_us, campaign=CAMPAIGN)[:2] == (1, 100_000)
        of = gather(connection, hand.parts, CAMPAIGN, hunt=None, details=Details())
        sheet = breach_report(connection, of, Kind.FINAL)
        assert audit.first_fault(connection) is None
        [entered] = cases.queue(connection)
    assert (entered.member_id, entered.kind) == (hand.members[0], CaseKind.ACCOUNT_ENTERED)
    told = {name: value for section in sheet.sections for name, value in section.rows}
    assert told["ログインされた可能性のある本人"].startswith("1名")
    assert told["ログインの終了、パスワードの無効化、出金の停止"].startswith("1名")
    write = hand.at_hand.store.write
    write(lambda at: versions.keep(at, hand.parts, "public", CAMPAIGN, (sheet, b"pdf"), by="sato")).result()
    with hand.at_hand.store.read() as connection:
        assert versions.of(connection, hand.parts, "public", CAMPAIGN)[0].sheet == sheet


@pytest.mark.server
def test_two_processes_on_one_server_contain_and_act_as_one(server_store_url, tmp_path):
    """Nobody is shut twice, and the chain of acts has one end."""
    first, second = open_store(server_store_url), open_store(server_store_url)
    hand = CohortAtHand(tmp_path, 6, of=on(first))
    begun = asyncio.run(hand.desk().begin(CAMPAIGN, hand.cohort(), by="sato"))

    def work(store):
        desk = ContainmentDesk(hand.parts._replace(store=store))
        asyncio.run(desk.run(begun.id, at_once=2))
        for number in range(10):
            act = Act(actor="sato", act="x:y", subject=str(number))
            store.write(partial(audit.record, act=act, at_us=1)).result()

    threads = [threading.Thread(target=work, args=(store,)) for store in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [hand.state_of(each).holds for each in hand.members] == [1] * 6
    with first.read() as connection:
        assert audit.first_fault(connection) is None
        assert audit.count(connection) == 21
    first.close()
    second.close()


@pytest.mark.server
def test_who_is_added_while_a_crowd_is_approved_is_not_shut_with_it(server_store_url, tmp_path, monkeypatch):
    """Another process adds somebody between the second person's look and the deed."""
    first, second = open_store(server_store_url), open_store(server_store_url)
    hand = CohortAtHand(tmp_path, 2, of=on(first))
    desk = hand.desk(Policy(revision=1, automatic_from=0.9, proposed_from=0.5, automatic_members_max=0))
    seen, late = hand.cohort()
    begun = asyncio.run(desk.begin(CAMPAIGN, [seen], by="sato"))
    line, raise_ = begun.policy.automatic_from, containment_rows.raise_to_waiting
    crowd = first.write(lambda at: containment_rows.crowd(at, begun.id, line)).result()
    adding = []

    def raised(*given, **named):
        add = partial(desk._add, begun=begun, some=[late], waits=True)  # noqa: SLF001 - one step of another process
        adding.append(second.write(add))
        with contextlib.suppress(NotYet):
            adding[0].result(timeout=0.5)
        return raise_(*given, **named)

    monkeypatch.setattr(containment_rows, "raise_to_waiting", raised)
    assert asyncio.run(desk.approve(begun.id, by="ito", crowd=crowd)) == 1
    adding[0].result()
    with first.read() as connection:
        standing = {one.named: one.standing for one in containment_rows.members_of(connection, begun.id)}
    assert standing == {seen.named: Standing.WAITING, late.named: Standing.PROPOSED}
    first.close()
    second.close()


def test_glass_is_broken_looked_through_and_looked_into(hand):
    """One session, one record, for its time; then an auditor's word, once."""
    parts, now_us = hand.parts, hand.parts.clock.now_us()
    of = Breaking("mori", "ses_1", Behind.MEMBER, hand.members[0], "nobody of the desk can be reached now")
    pane = parts.store.write(lambda at: glass.break_glass(at, parts, of)).result()
    assert parts.store.write(lambda at: glass.break_glass(at, parts, of)).result() == pane

    def seen_by(session_id, subject, at_us):
        with parts.store.read() as connection:
            return glass.open_to(connection, session_id, Behind.MEMBER, subject, at_us)

    assert seen_by("ses_1", hand.members[0], now_us) == pane
    assert seen_by("ses_2", hand.members[0], now_us) is None
    assert seen_by("ses_1", hand.members[1], now_us) is None
    assert seen_by("ses_1", hand.members[0], now_us + glass.OPEN_US) is None

    def marked(by):
        found = "it was needed, and the record was the right one"
        return parts.store.write(lambda at: glass.mark_seen(at, parts, pane.id, by=by, remark=found)).result()

    with pytest.raises(SecondPersonNeeded):
        marked("mori")
    with parts.store.read() as connection:
        assert glass.count(connection) == (1, 1)
    marked("ito")
    with pytest.raises(GlassSeenAlready):
        marked("kato")
    with parts.store.read() as connection:
        assert glass.count(connection) == (1, 0)
        assert glass.unseen(connection) == []
        assert glass.find(connection, pane.id).seen_by == "ito"


def test_what_was_paid_is_recovered_from_its_partner(store, tmp_path):
    """Asked, entered by its number once, booked by a second person, given up; on every engine."""
    at_hand = RecoveriesAtHand(tmp_path, of=on(store))
    at_hand.pay(30_000)
    at_hand.pay(20_000, partner="0125")
    at_hand.ask(share=50)
    wrong = at_hand.enter(at_hand.came(4_000))
    with pytest.raises(ReceiptNumberUsed):
        at_hand.enter(at_hand.came(5_000))
    at_hand.turn_down(wrong)
    at_hand.book(at_hand.enter(at_hand.came(5_000)))
    at_hand.give_up()
    assert at_hand.sums() == (50_000, 15_000, 5_000, 10_000, 0)
    assert [tuple(row)[1:] for row in at_hand.summed().rows] == [
        ("0125", 1, 20_000, 0, 0, 0, 0),
        ("9901", 1, 30_000, 15_000, 5_000, 10_000, 0),
    ]
    assert at_hand.lost() == 45_000
