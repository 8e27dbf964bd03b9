"""How things stand at an institution: what is off, what is held, and every piece of work that waits."""

import asyncio

import msgspec
import pytest
from sqlalchemy import insert, update
from tests.response.cohort_at_hand import CAMPAIGN, POLICY, CohortAtHand

from sekisho.console.rights import Right
from sekisho.console.standing import Work, standing_at
from sekisho.identity import holds
from sekisho.identity.holds import HoldKind, HoldScope
from sekisho.kernel.clock import DAY_US, HOUR_US
from sekisho.response import cases
from sekisho.response.cases import CaseKind, Opening, Reporter
from sekisho.response.switch_desk import SwitchDesk, Wish
from sekisho.response.switches import Scope
from sekisho.storage.tables.applications import loan_application
from sekisho.storage.tables.atm import atm_machine, atm_order, atm_session
from sekisho.storage.tables.bank_links import bank_link, bank_move
from sekisho.storage.tables.cases import (
    case_file,
    claim,
    contained_member,
    partner_receipt,
    partner_recovery,
)


class Desk(CohortAtHand):
    """An institution with a cohort, and how things stand there."""

    def write(self, work):
        return self.at_hand.store.write(work).result()

    def standing(self, who="tanaka"):
        with self.at_hand.store.read() as connection:
            return standing_at(self.at_hand.clock.now_us(), who)(connection)

    def work(self, who="tanaka"):
        return {one.what: one for one in self.standing(who).work}

    def set_switch(self, function="atm_withdrawal", **more):
        wish = Wish(scope=Scope(function=function), reason="x", open_ways=("atm_repayment",), **more)
        return asyncio.run(SwitchDesk(self.parts).set(wish, by="sato"))

    def open_case(self, number):
        opening = Opening(kind=CaseKind.MONEY_TAKEN, reporter=Reporter.MEMBER, occasion=f"case:{number}")
        return self.write(lambda at: cases.open_case(at, self.parts, opening, by="sato"))

    def hold(self, member_id, kind, until_us=None):
        return self.write(
            lambda at: holds.place(
                at, self.parts, member_id, kind, HoldScope.MONEY_OUT, reason="x", until_us=until_us
            )
        )


@pytest.fixture(name="desk")
def _desk(tmp_path):
    opened = Desk(tmp_path, count=3)
    yield opened
    opened.at_hand.store.close()


def test_where_nothing_is_nothing_waits(desk):
    assert desk.standing() == ([], {}, [])


def test_a_wide_switch_waits_for_approval_and_is_off_behind_it(desk):
    """One that began in a hurry is off already, and lapses if nobody approves it."""
    waits = desk.set_switch()
    urgent = desk.set_switch("transfer_loan", is_urgent=True)
    standing = desk.standing()
    assert [one.id for one in standing.switches] == [urgent.id]
    assert standing.work == [
        Work("switch", Right.APPROVE, 1, waits.id, "sato"),
        Work("switch", Right.APPROVE, 1, urgent.id, "sato"),
    ]
    asyncio.run(SwitchDesk(desk.parts).approve(waits.id, by="suzuki"))
    assert [one.id for one in desk.standing().switches] == [waits.id, urgent.id]
    asyncio.run(SwitchDesk(desk.parts).lift(waits.id, by="ito", why="over"))
    assert Work("lift", Right.APPROVE, 1, waits.id, "ito") in desk.standing().work


def test_a_crowd_waits_for_a_second_person_and_the_rest_for_a_decision(desk):
    policy = msgspec.structs.replace(POLICY, automatic_members_max=1)
    asyncio.run(desk.desk(policy).begin(CAMPAIGN, desk.cohort(0.99, 0.98, 0.6), by="sato"))
    assert desk.standing().work == [
        Work("crowd", Right.APPROVE, 2, CAMPAIGN, "sato"),
        Work("cohort", Right.CONTAIN, 1, CAMPAIGN),
    ]
    failed = update(contained_member).where(contained_member.c.probability > 0.97)
    desk.write(lambda at: at.execute(failed.values(standing="failed")))
    assert desk.work()["broken"] == Work("broken", Right.CONTAIN, 2, CAMPAIGN)
    assert "crowd" not in desk.work()


def test_cases_wait_late_mine_and_nobody_s(desk):
    ids = [desk.open_case(number).id for number in range(4)]

    def work(connection):
        cases.assign(connection, desk.parts, ids[0], to="tanaka", by="sato")
        cases.assign(connection, desk.parts, ids[1], to="abe", by="sato")
        cases.close(connection, desk.parts, ids[2], by="sato", why="counted twice")

    desk.write(work)
    assert {name: one.many for name, one in desk.work().items()} == {"cases_mine": 1, "cases_nobodys": 1}
    desk.write(lambda at: at.execute(update(case_file).values(due_at_us=desk.at_hand.clock.now_us() - 1)))
    assert desk.work()["cases_late"] == Work("cases_late", Right.HANDLE_CASES, 3)
    assert "cases_mine" not in desk.work("nobody")


def test_claims_wait_for_one_who_assesses_and_then_for_one_who_decides(desk):
    case = desk.open_case(1)
    texts = dict.fromkeys(("policy", "reason", "assessed_by", "decided_by", "posting", "made_by"), "x")
    numbers = dict.fromkeys(("loss_yen", "claimed_yen", "lost_at_us", "made_at_us"), 1)

    def work(connection):
        for number, state in enumerate(("made", "assessed", "assessed", "paid", "turned_down")):
            own = {"id": f"clm_{number}", "loss": f"lev_{number}", "case_id": case.id, "state": state}
            connection.execute(insert(claim).values(texts | numbers | own))

    desk.write(work)
    found = desk.work()
    assert found["claims_assess"] == Work("claims_assess", Right.HANDLE_CASES, 1)
    assert found["claims_decide"] == Work("claims_decide", Right.APPROVE, 2)


def rows_of(table, **values):
    """Return a row of a table whose other columns say nothing."""
    empty = {"BIGINT": 0, "INTEGER": 0, "BOOLEAN": False, "BLOB": b"", "TEXT": ""}
    plain = {each.name: empty[str(each.type)] for each in table.c if not each.nullable}
    return insert(table).values(plain | values)


def test_what_the_lender_leaves_to_a_person_waits(desk):
    member_id = desk.members[0]

    def work(connection):
        for number, state in enumerate(("a_person_decides", "granted")):
            own = {"id": f"app_{number}", "key": f"{number}", "member_id": member_id, "state": state}
            connection.execute(rows_of(loan_application, **own))
        connection.execute(rows_of(atm_machine, id="atm_1"))
        connection.execute(rows_of(atm_session, id="ats_1", machine_id="atm_1", member_id=member_id))
        connection.execute(rows_of(atm_order, id="ato_1", atm_session_id="ats_1", state="disputed"))

    desk.write(work)
    found = desk.work()
    assert found["applications"] == Work("applications", Right.DECIDE_APPLICATIONS, 1)
    assert found["atm_orders"] == Work("atm_orders", Right.DECIDE_APPLICATIONS, 1)


def test_what_partners_bear_waits_to_be_asked_for_and_to_be_booked_by_another(desk):
    """Whoever entered the money does not book it, and is not asked to."""
    case = desk.open_case(1)

    def work(connection):
        for number, asked_at_us in enumerate((None, None, 1)):
            its = {"id": f"clm_{number}", "loss": f"lev_{number}", "case_id": case.id, "state": "paid"}
            connection.execute(rows_of(claim, **its))
            own = {"id": f"prv_{number}", "claim_id": f"clm_{number}", "asked_at_us": asked_at_us}
            connection.execute(rows_of(partner_recovery, **own))
        entered = ((1, None, None, ""), (2, 1, None, ""), (3, None, 1, ""), (4, None, None, "tanaka"))
        for number, at_us, down_us, by in entered:
            own = {"id": f"prc_{number}", "number": f"{number}", "entered_by": by}
            when = {"booked_at_us": at_us, "turned_down_at_us": down_us}
            connection.execute(rows_of(partner_receipt, **own, **when))

    desk.write(work)
    assert desk.work()["recoveries"] == Work("recoveries", Right.HANDLE_CASES, 2)
    assert desk.work()["receipts"] == Work("receipts", Right.APPROVE, 1)
    assert desk.work("abe")["receipts"].many == 2


def test_links_to_compare_and_lost_movements_wait(desk):
    member_id = desk.members[0]

    def work(connection):
        for number, (state, review) in enumerate(
            (("confirmed", "waiting"), ("active", "approved"), ("ended", "waiting"))
        ):
            own = {"id": f"lnk_{number}", "key": f"{number}", "state": state, "review": review}
            digest = f"{number}".encode()
            connection.execute(rows_of(bank_link, member_id=member_id, state_digest=digest, **own))
        for number, state in enumerate(("lost", "lost", "done", "ordered")):
            own = {"id": f"bmv_{number}", "key": f"{number}", "state": state, "link_id": "lnk_1"}
            connection.execute(rows_of(bank_move, member_id=member_id, **own))

    desk.write(work)
    assert desk.work()["links"] == Work("links", Right.DECIDE_LINKS, 1)
    assert desk.work()["lost_moves"] == Work("lost_moves", Right.DECIDE_LINKS, 2)


def test_holds_are_counted_by_why_and_while_they_are_on(desk):
    """A member is counted once, however many holds there are."""
    first, second, third = desk.members
    desk.hold(first, HoldKind.CONTAINMENT)
    desk.hold(first, HoldKind.CONTAINMENT)
    desk.hold(second, HoldKind.CONTAINMENT)
    desk.hold(second, HoldKind.NUMBER_CHANGE, until_us=desk.at_hand.clock.now_us() + HOUR_US)
    lifted = desk.hold(third, HoldKind.SELF_FREEZE)
    desk.write(lambda at: holds.lift(at, desk.parts, lifted, by="member"))
    assert desk.standing().holds == {HoldKind.CONTAINMENT: 2, HoldKind.NUMBER_CHANGE: 1}
    desk.at_hand.clock.advance(DAY_US)
    assert desk.standing().holds == {HoldKind.CONTAINMENT: 2}


def test_what_is_most_harmful_comes_first(desk):
    desk.open_case(1)
    desk.write(lambda at: at.execute(update(case_file).values(due_at_us=1)))
    asyncio.run(desk.desk().begin(CAMPAIGN, desk.cohort(0.6, 0.6, 0.6), by="sato"))
    desk.set_switch()
    assert [one.what for one in desk.standing().work] == ["switch", "cohort", "cases_late", "cases_nobodys"]
