"""What followed the attacks of 2020 and 2021, done here: what the texts say was done, in minutes and scoped.

There: cash at smartphone ATMs stopped for everybody for 105 days; one bank after another switched off within
six days; damage counted and published over seven weeks. Here the clock of the test says how long it takes.
"""

import asyncio
from datetime import datetime

import msgspec
import pytest
from sqlalchemy import update
from tests.lender.test_losses import Claiming
from tests.response.test_cases import opening
from tests.response.test_switches import wish

from sekisho.identity.assurance import Level, Standing
from sekisho.kernel.clock import DAY_US, HOUR_US, MINUTE_US
from sekisho.kernel.japan import japanese_us
from sekisho.kernel.yen import Yen
from sekisho.lender.switch_book import LenderSwitches
from sekisho.lender.switches import Function
from sekisho.lender.switches import Usage as LenderUsage
from sekisho.response import audit, cases
from sekisho.response.case_stages import Basis, Stage, damage
from sekisho.response.cases import CaseKind, Reporter, Step
from sekisho.response.cohorts import Suspect, of_sessions
from sekisho.response.containment import ContainmentDesk
from sekisho.response.reports.breach import Kind, breach_report
from sekisho.response.reports.evidence import Details, gather
from sekisho.response.switch_book import SwitchBook
from sekisho.response.switch_desk import SwitchDesk
from sekisho.response.switches import AppliesTo, Scope, Usage
from sekisho.storage.tables.sessions import session

CAMPAIGN = "cmp_1"
STOPPED_FOR_EVERYBODY_US = 105 * DAY_US


class Aftermath(Claiming):
    """The lender whose member's line was drawn on by a thief, and staff who deal with it."""

    def __init__(self, folder):
        super().__init__(folder)
        self.began_us = self.lender.clock.now_us()

    def thief(self, member_id):
        """Open a session for a thief, who the guard knew was one of the campaign."""
        entered = self.lender.at_hand.log_in(member_id, Level.CODE, Standing.UNCONFIRMED)
        known = update(session).where(session.c.id == entered.session.id)
        self.write(lambda at: at.execute(known.values(campaign=CAMPAIGN, risk=0.95)))
        return entered

    def stop_cash_on_new_devices(self):
        desk = SwitchDesk(self.parts)
        asked = wish(device_younger_us=7 * DAY_US, open_ways=("transfer_loan", "card_atm"))
        set_one = asyncio.run(desk.set(asked, by="sato"))
        self.lender.clock.advance(MINUTE_US)
        return asyncio.run(desk.approve(set_one.id, by="ito"))

    def cash(self, entered):
        usage = LenderUsage(Function.ATM_WITHDRAWAL, entered.session.member_id, "net", entered.session.id)
        return asyncio.run(LenderSwitches(self.parts).off_for(usage))


@pytest.fixture
def after(tmp_path):
    opened = Aftermath(tmp_path)
    yield opened
    opened.lender.audit()
    opened.parts.store.close()


def test_the_lenders_after_story(after):
    """Contained, told, one function stopped for whom it must, paid back and reported, within an hour."""
    lender, member_id = after.lender, after.lender.member_id
    honest = lender.at_hand.add_reachable_member()
    own = lender.at_hand.log_in(honest)
    lender.clock.advance(8 * DAY_US)
    own = lender.at_hand.log_in(honest)._replace(device=own.device)
    kept = update(session).where(session.c.id == own.session.id).values(device_id=own.device.id)
    after.write(lambda at: at.execute(kept))
    began_us = lender.clock.now_us()
    thief = after.thief(member_id)

    after.stop_cash_on_new_devices()
    assert after.cash(thief) is not None
    assert after.cash(own) is None  # nobody honest was stopped, in none of 105 days

    with after.parts.store.read() as connection:
        cohort = of_sessions(connection, CAMPAIGN)
    assert [one.named for one in cohort] == [member_id]
    desk = ContainmentDesk(after.parts)
    begun = asyncio.run(desk.begin(CAMPAIGN, cohort, by="sato"))
    assert asyncio.run(desk.run(begun.id)) == 1
    assert not lender.at_hand.now(thief).session.is_live(lender.clock.now_us())

    paid = after.decide(after.assess(after.make()))
    assert paid.awarded_yen == 100_000
    assert lender.position().principal == Yen(0)
    lender.clock.advance(30 * MINUTE_US)

    with after.parts.store.read() as connection:
        of = gather(connection, after.parts, CAMPAIGN, hunt=None, details=Details())
        report = breach_report(connection, of, Kind.PRELIMINARY)
        assert audit.first_fault(connection) is None
    told = {name: value for section in report.sections for name, value in section.rows}
    assert told["補償した被害"].startswith("1件")
    assert told["個別の通知を作成した本人"].startswith("1名")
    assert lender.clock.now_us() - began_us < HOUR_US < STOPPED_FOR_EVERYBODY_US


def test_the_wallets_after_story(after):
    """One bank's registration and change off at its time, links made before go on, and strangers heard."""
    clock, desk, book = after.lender.clock, SwitchDesk(after.parts), SwitchBook(after.parts)
    clock.set(japanese_us(datetime.fromisoformat("2026-12-04 21:00")))
    midnight_us = japanese_us(datetime.fromisoformat("2026-12-05 00:00"))
    for function, applies_to in (("link_register", "all"), ("link_change", "all"), ("charge", "new")):
        scope = Scope(function=function, partner="9901", applies_to=AppliesTo(applies_to))
        asked = wish(open_ways=("payment", "telephone"), from_us=midnight_us)
        one = asyncio.run(desk.set(msgspec.structs.replace(asked, scope=scope), by="sato"))
        asyncio.run(desk.approve(one.id, by="ito"))

    def off(function, partner="9901", **more):
        return asyncio.run(book.off_for(Usage(function, "mem_1", partner, **more))) is not None

    assert not off("link_register")
    clock.set(midnight_us)
    assert off("link_register")
    assert off("link_change")
    assert off("charge", is_new=True)
    assert not off("charge", is_new=False)
    assert not off("link_register", partner="0125")

    # A depositor who never had a wallet reports four debits, and the bank reports the same account.
    victim = opening(
        "account:9901-001-7654321",
        reporter=Reporter.NON_MEMBER,
        kind=CaseKind.MONEY_TAKEN,
        partner="9901",
        loss_yen=300_000,
    )
    first = after.write(lambda at: cases.open_case(at, after.parts, victim, by="sato"))
    again = after.write(lambda at: cases.open_case(at, after.parts, victim, by="ito"))
    assert first.id == again.id
    confirmed = Step(Stage.CONFIRMED, 300_000, "bank", clock.now_us())
    after.write(lambda at: cases.take_step(at, after.parts, first.id, confirmed, by="ito"))
    with after.parts.store.read() as connection:
        now_us = clock.now_us()
        assert damage(connection, Basis.CONFIRMED, as_of_us=now_us, partner="9901")[:2] == (1, 300_000)
        assert damage(connection, Basis.CONFIRMED, as_of_us=midnight_us - 1, partner="9901")[:2] == (0, 0)


def test_a_member_who_only_forgot_the_login_is_free_again(after):
    """The cure is not worse than the illness: the honest one of the cohort gets everything back."""
    honest = after.lender.at_hand.add_reachable_member()
    desk = ContainmentDesk(after.parts)
    suspects = [Suspect(honest, after.lender.clock.now_us(), 0.95)]
    begun = asyncio.run(desk.begin("cmp_2", suspects, by="sato"))
    asyncio.run(desk.run(begun.id))
    undone = asyncio.run(desk.undo(begun.id, honest, proof="showed the device at the branch", by="ito"))
    assert undone.standing == "undone"
