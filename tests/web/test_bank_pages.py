"""The online bank's pages: accounts and statements after a proof, linked services stopped at once."""

import asyncio
import csv
import io
from datetime import date

import pytest
from sqlalchemy import select
from tests.bank.mandate_at_hand import OFF, PlainSwitches, asked
from tests.web.member_site import Browser, MemberSite, found, member_site

from sekisho.bank import deposits, holders, mandates
from sekisho.bank.deposits import Opening
from sekisho.bank.holders import NewHolder
from sekisho.bank.mandate_states import Actor, Deed, Who
from sekisho.bank.mandates import Action, Consented, Doing
from sekisho.bank.switches import Function
from sekisho.identity import reveals
from sekisho.kernel.yen import Yen
from sekisho.storage.tables.members import member
from sekisho.storage.tables.personal_data import reveal
from sekisho.web.bank.app import create_bank_app
from sekisho.web.bank.debit_desks import STATE


class OnlineBank:
    """A depositor who is logged in, with an account of 500,000 yen and a link, and a passkey."""

    def __init__(self, site: MemberSite):
        self.site = site
        self.switches = PlainSwitches()
        site.app = create_bank_app(site.site, switches=self.switches)
        self.desks = site.app.state[STATE]
        self.browser: Browser = site.browser()

    async def enter(self):
        number, _ = await self.site.sign_up(self.browser)
        self.passkey = await self.site.make_passkey(self.browser)
        self.deposit, self.mandate = self.do(lambda at: self._open(at, number))
        return self

    def _open(self, connection, number):
        bank = self.desks.bank
        member_id = connection.execute(select(member.c.id).where(member.c.number == number)).scalar_one()
        new = NewHolder("ヤマダ ハナコ", date(1990, 4, 1), "090-1234-9999", language="en")
        depositor_id = holders.take_on(connection, bank, new)
        holders.tie(connection, bank, depositor_id, member_id)
        opening = Opening(depositor_id=depositor_id, branch="001", number="1234567")
        deposit = deposits.open_deposit(connection, bank, opening)
        deposits.pay_in(connection, bank, deposit, Yen(500_000), key="a")
        consented = Consented(
            partner="kamome-wallet",
            deposit_id=deposit.id,
            user_ref="user-0001",
            actions=(Action.DEBIT, Action.CREDIT),
            ceiling=Yen(100_000),
            month_ceiling=Yen(300_000),
            way="account_pin_code",
        )
        return deposit, mandates.activate_within(connection, bank, consented)

    def do(self, work):
        return self.desks.bank.store.write(work).result()

    async def debit(self, yen, key):
        return await self.desks.debits.debit(asked(self.mandate, yen, key))

    def state(self):
        with self.desks.bank.store.read() as connection:
            return mandates.found(connection, self.mandate.id).state

    def code(self):
        return mandates.stop_code(self.desks.bank.keyring, self.mandate.id)


def play(folder, scene):
    async def opened():
        async with member_site(folder) as site:
            bank = await OnlineBank(site).enter()
            await scene(bank, bank.browser)

    asyncio.run(opened())


def test_balances_and_statements_need_a_proof_and_are_recorded(tmp_path):
    async def scene(bank, browser):
        await bank.debit(30_000, "a")
        bank.site.wait(600)
        page = (await browser.get("/accounts")).text
        assert "ordinary" in page
        assert "¥470,000" not in page
        await browser.get("/accounts/figures")
        assert browser.path == "/step-up?wish=accounts"
        await bank.site.approve(browser, bank.passkey)
        assert browser.path == "/accounts"
        assert "¥470,000" in browser.page.text
        page = (await browser.get(f"/accounts/{bank.deposit.id}")).text
        assert "ｶﾓﾒｳｵﾚﾂﾄ" in page
        assert "Debit by a linked service" in page
        month = found(r"/accounts/\w+/(\d{4}-\d\d)/csv", page)
        answer = await browser.get(f"/accounts/{bank.deposit.id}/{month}/csv")
        rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
        assert rows[0] == ["Date", "Kind", "Details", "Out", "In", "Balance"]
        assert [row[3:] for row in rows[1:]] == [["", "500000", "500000"], ["30000", "", "470000"]]
        with bank.desks.bank.store.read() as connection:
            (seen,) = set(connection.execute(select(reveal.c.session_id)).scalars())
            looks = reveals.seen_in_sessions(connection, [seen])
        reasons = {"bank:accounts", "bank:statement:page", "bank:statement:csv"}
        assert {look.reason for look in looks} == reasons

    play(tmp_path, scene)


def test_an_account_of_somebody_else_is_not_there(tmp_path):
    async def scene(bank, browser):
        new = NewHolder("タナカ タロウ", date(1985, 1, 1), "")
        other = bank.do(
            lambda at: deposits.open_deposit(
                at, bank.desks.bank, Opening(holders.take_on(at, bank.desks.bank, new), "001")
            )
        )
        assert (await browser.get(f"/accounts/{other.id}")).status_code == 404
        await browser.get("/accounts/figures")
        await bank.site.approve(browser, bank.passkey)
        assert (await browser.get(f"/accounts/{other.id}")).status_code == 404
        assert (await browser.get(f"/accounts/{bank.deposit.id}?month=2026-13")).status_code == 404
        assert "タナカ" not in (await browser.get("/accounts")).text

    play(tmp_path, scene)


def test_a_link_is_stopped_by_one_click_and_allowed_with_a_proof(tmp_path):
    async def scene(bank, browser):
        bank.site.wait(600)
        page = (await browser.get("/linked")).text
        assert "in use" in page
        assert "¥100,000" in page
        await browser.submit("/linked/stop")
        assert browser.path == "/linked?done=stopped"
        assert (await bank.debit(1_000, "a")).why == "depositor_stopped"
        assert "you had stopped it" in (await browser.get("/linked")).text
        await browser.get(f"/linked/{bank.mandate.id}/allow")
        assert browser.path == f"/step-up?wish=mandate:{bank.mandate.id}"
        await bank.site.approve(browser, bank.passkey)
        assert "up to" in browser.page.text
        await browser.submit("/linked/allow")
        assert browser.path == "/linked?done=allowed"
        assert bank.state() == "active"

    play(tmp_path, scene)


def test_allowing_without_a_proof_changes_nothing(tmp_path):
    async def scene(bank, browser):
        await browser.get("/linked")
        await browser.submit("/linked/stop")
        await browser.get(f"/linked/{bank.mandate.id}/allow")
        await bank.site.approve(browser, bank.passkey)
        bank.site.wait(301)
        await browser.submit("/linked/allow")
        assert browser.path == f"/step-up?wish=mandate:{bank.mandate.id}"
        assert bank.state() == "suspended"

    play(tmp_path, scene)


def test_debits_are_reported_and_the_number_is_shown(tmp_path):
    async def scene(bank, browser):
        await bank.debit(30_000, "a")
        await browser.get(f"/linked/{bank.mandate.id}/report")
        assert "¥30,000" in browser.page.text
        await browser.submit("/linked/report")
        reference = found(r'id="reference">([A-Z-]{9})<', browser.page.text)
        assert bank.state() == "disputed"
        assert reference in bank.site.sent("notice:mandate_reported")[0].text
        assert (await bank.debit(1_000, "b")).why == "depositor_stopped"
        assert "Your report" in (await browser.get("/linked")).text

    play(tmp_path, scene)


def test_a_link_is_ended_for_good(tmp_path):
    async def scene(bank, browser):
        await browser.get(f"/linked/{bank.mandate.id}/end")
        await browser.submit("/linked/end")
        assert browser.path == "/linked?done=ended"
        assert bank.state() == "revoked"
        assert (await browser.get(f"/linked/{bank.mandate.id}/allow")).status_code == 200
        assert browser.path == "/linked"

    play(tmp_path, scene)


def test_the_code_of_a_notice_stops_without_a_login(tmp_path):
    """The notice of the first debit goes to the number on file, which a thief of the wallet does not have."""

    async def scene(bank, browser):
        del browser
        await bank.debit(30_000, "a")
        (on_file,) = [sent for sent in bank.site.sent("notice:account_debited") if sent.to == "+819012349999"]
        assert bank.code() in on_file.text
        stranger = bank.site.browser("198.51.100.9")
        await stranger.get("/stop-link")
        wrong = await stranger.submit("/stop-link", stop_code="BCDF-GHJK-LMNP")
        assert wrong.status_code == 422
        assert bank.state() == "active"
        await stranger.get("/stop-link")
        await stranger.submit("/stop-link", stop_code=bank.code().lower())
        assert "The link is stopped." in stranger.page.text
        assert "Kamome" not in stranger.page.text
        assert bank.state() == "suspended"

    play(tmp_path, scene)


STANDINGS = {
    "held": Doing(Deed.STOP, Actor(Who.WATCH), "run_to_ceiling"),
    "bank": Doing(Deed.STOP, Actor(Who.BANK, "stf_1"), "review"),
    "disputed": Doing(Deed.DISPUTE, Actor(Who.DEPOSITOR), "not_me"),
    "ended": Doing(Deed.REVOKE, Actor(Who.PARTNER), "ended"),
}


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("case", STANDINGS)
def test_every_standing_has_its_words(tmp_path, language, case):
    async def scene(bank, browser):
        browser.client.headers["Accept-Language"] = language
        bank.switches.off.update({Function.DEBIT: OFF})
        await bank.debit(1_000, "a")
        bank.do(lambda at: mandates.move(at, bank.desks.bank, bank.mandate, STANDINGS[case]))
        page = await browser.get("/linked")
        assert page.status_code == 200
        words = {
            "held": ("確認のため停止中", "stopped for a check"),
            "bank": ("当行が停止中", "stopped by us"),
            "disputed": ("調査中", "reported"),
            "ended": ("解除済み", "ended"),
        }
        assert words[case][language == "en"] in page.text
        assert ("再開する" in page.text or "Allow again" in page.text) == (case == "held")

    play(tmp_path, scene)
