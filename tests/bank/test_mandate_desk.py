"""What depositors do with their mandates: stopped at once, allowed with a proof, reported as not theirs."""

import asyncio

import pytest
from tests.bank.mandate_at_hand import START, open_bank

from sekisho.bank import holders, mandates, reports
from sekisho.bank.mandate_desk import MandateDesk, MandateNotStopped
from sekisho.bank.mandate_states import Deed, MandateState, Who
from sekisho.bank.mandates import MandateUnknown
from sekisho.bank.orders import Why
from sekisho.identity import sessions
from sekisho.identity.assurance import NotFromHere, Standing, StepUp, Way
from sekisho.identity.session_desk import Present
from sekisho.kernel.clock import DAY_US, MINUTE_US


class Depositor:
    """A customer of the online bank who holds the account at hand."""

    def __init__(self, bank):
        self.bank = bank
        self.desk = MandateDesk(bank.bank)
        self.member_id = bank.at_hand.add_reachable_member()
        self.mandate = bank.mandate()
        bank.do(lambda at: holders.tie(at, bank.bank, bank.deposit.depositor_id, self.member_id))

    def sight(self):
        return asyncio.run(self.desk.sight(self.member_id, self.mandate.id, "ja"))

    def stop(self):
        asyncio.run(self.desk.stop(self.member_id, self.mandate.id))

    def allow(self, present):
        return asyncio.run(self.desk.allow(present, self.mandate.id, "ja"))

    def enter(self, standing=Standing.TRUSTED):
        entered = self.bank.at_hand.log_in(self.member_id, standing=standing)
        return Present(entered.session, entered.device)

    def prove(self, present, way=Way.PASSKEY):
        purpose = self.sight().purpose.key
        parts = self.bank.bank.parts
        proven = self.bank.do(lambda at: sessions.prove(at, parts, present.session, way, purpose=purpose))
        return Present(proven.session, present.device)


@pytest.fixture
def bank(tmp_path):
    opened = open_bank(tmp_path)
    yield opened
    opened.audit()
    opened.bank.store.close()


@pytest.fixture
def depositor(bank):
    return Depositor(bank)


def test_a_depositor_sees_own_mandates_alone(bank, depositor):
    bank.mandate(deposit_id=bank.open().id)
    seen = asyncio.run(depositor.desk.of_member(depositor.member_id, "ja"))
    assert [sight.mandate.id for sight in seen] == [depositor.mandate.id]


@pytest.mark.parametrize("deed", ["sight", "stop", "end", "report"])
def test_a_stranger_s_mandate_is_unknown(bank, depositor, deed):
    other = bank.at_hand.add_member()
    arguments = ("ja",) if deed == "sight" else ()
    with pytest.raises(MandateUnknown):
        asyncio.run(getattr(depositor.desk, deed)(other, depositor.mandate.id, *arguments))


def test_stopping_asks_for_nothing_and_debits_end_at_once(bank, depositor):
    depositor.stop()
    depositor.stop()
    assert bank.debit(depositor.mandate, 1_000).why is Why.DEPOSITOR_STOPPED
    assert bank.at_hand.notices() == ["mandate_stopped"] * 2


def test_allowing_asks_for_a_proof_of_exactly_this(bank, depositor):
    depositor.stop()
    present = depositor.enter()
    assert isinstance(depositor.allow(present), StepUp)
    stranger = depositor.enter(Standing.UNCONFIRMED)
    assert isinstance(depositor.allow(stranger), NotFromHere)
    proven = depositor.prove(present)
    allowed = depositor.allow(proven)
    assert isinstance(allowed, mandates.Mandate)
    assert allowed.state is MandateState.ACTIVE
    assert bank.debit(depositor.mandate, 1_000).why is Why.DONE
    depositor.stop()
    assert not isinstance(depositor.allow(proven), mandates.Mandate)


def test_an_old_proof_allows_nothing(bank, depositor):
    depositor.stop()
    proven = depositor.prove(depositor.enter())
    bank.clock.advance(5 * MINUTE_US)
    assert isinstance(depositor.allow(proven), StepUp)


@pytest.mark.parametrize("who", [Who.BANK, Who.PARTNER])
def test_what_others_stopped_a_depositor_does_not_allow(bank, depositor, who):
    bank.deed(depositor.mandate, Deed.STOP, who)
    with pytest.raises(MandateNotStopped):
        depositor.allow(depositor.prove(depositor.enter()))


def test_what_the_watch_stopped_a_depositor_confirms(bank, depositor):
    bank.debit(depositor.mandate, 100_000, "a")
    assert bank.debit(depositor.mandate, 90_000, "b").why is Why.HELD_FOR_REVIEW
    depositor.allow(depositor.prove(depositor.enter()))
    bank.clock.advance(DAY_US)
    assert bank.debit(depositor.mandate, 90_000, "c").why is Why.DONE


def test_a_stop_code_stops_without_a_login_and_tells_nothing(bank, depositor):
    code = mandates.stop_code(bank.bank.keyring, depositor.mandate.id)
    assert asyncio.run(depositor.desk.stop_by_code(code.lower()))
    assert not asyncio.run(depositor.desk.stop_by_code("BCDF-GHJK-LMNP"))
    assert bank.debit(depositor.mandate, 1_000).why is Why.DEPOSITOR_STOPPED


def test_a_report_stops_the_link_and_has_a_number(bank, depositor):
    for key in "ab":
        bank.debit(depositor.mandate, 10_000, key)
        bank.clock.advance(DAY_US)
    report = asyncio.run(depositor.desk.report(depositor.member_id, depositor.mandate.id))
    assert (report.amount_yen, len(report.orders.split(","))) == (20_000, 2)
    assert bank.now(depositor.mandate).state is MandateState.DISPUTED
    assert bank.debit(depositor.mandate, 1_000, "c").why is Why.DEPOSITOR_STOPPED
    again = asyncio.run(depositor.desk.report(depositor.member_id, depositor.mandate.id))
    assert again == report
    assert bank.at_hand.notices().count("mandate_reported") == 2
    kinds = [event.kind for event in bank.at_hand.events()]
    assert kinds.count("bank:mandate:reported") == 1
    assert kinds.count("response:case:opened") == 1


def test_a_report_can_name_some_debits_alone(bank, depositor):
    bank.clock.advance(2 * DAY_US)
    one, _ = (bank.debit(depositor.mandate, 10_000, key) for key in "ab")
    desk, member_id = depositor.desk, depositor.member_id
    report = asyncio.run(desk.report(member_id, depositor.mandate.id, (one.id, "dbt_x")))
    assert (report.orders, report.amount_yen) == (one.id, 10_000)


def test_debits_of_an_ended_mandate_can_be_reported(bank, depositor):
    bank.debit(depositor.mandate, 10_000)
    bank.revoke(depositor.mandate, Who.PARTNER)
    report = asyncio.run(depositor.desk.report(depositor.member_id, depositor.mandate.id))
    assert report.amount_yen == 10_000
    assert bank.now(depositor.mandate).state is MandateState.REVOKED


@pytest.mark.parametrize(("was_fraud", "state"), [(True, "revoked"), (False, "suspended")])
def test_the_bank_decides_a_report_once(bank, depositor, was_fraud, state):
    report = asyncio.run(depositor.desk.report(depositor.member_id, depositor.mandate.id))
    assert [each.id for each in bank.look(reports.open_reports)] == [report.id]
    for first in (True, False):
        decided = bank.do(
            lambda at: reports.decide_within(at, bank.bank, report.id, was_fraud=was_fraud, staff="stf_1")
        )
        assert decided is first
    assert bank.now(depositor.mandate).state == state
    assert bank.debit(depositor.mandate, 1_000).why is not Why.DONE
    assert bank.look(reports.open_reports) == []


def test_a_partner_cannot_end_what_is_disputed(bank, depositor):
    """Whoever took the partner over would hide a report by ending the mandate."""
    bank.deed(depositor.mandate, Deed.DISPUTE)
    assert bank.revoke(depositor.mandate, Who.PARTNER) is None
    assert bank.now(depositor.mandate).state is MandateState.DISPUTED
    assert bank.balance() == START.amount
