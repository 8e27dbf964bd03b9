"""The smartphone ATM on the pages: code, amount, what it costs, the approval, and what the machine did."""

import pytest
from tests.lender.atm_at_hand import MACHINE, NUMBER, PLACE
from tests.test_access_coverage import form_of
from tests.web.lender_machine import PIN, play_at_machine
from tests.web.lender_site import house_of, line_of
from tests.web.member_site import Forms, found

from sekisho.lender.contracts import contract_of
from sekisho.range.atm.teller import View
from sekisho.range.atm.vault import Jam
from sekisho.web.lender.desks import STATE


async def approve_here(site, browser, authenticator):
    """Follow the page to the approval, and give it by a passkey."""
    await browser.get(found(r'href="(/step-up\?wish=atm:[^"]+)"', browser.page.text))
    await site.approve(browser, authenticator)


async def ready(site, browser, yen=0, pin=PIN):
    """Make a member with a passkey, a line, and a PIN."""
    number, mobile = await site.sign_up(browser)
    authenticator = await site.make_passkey(browser)
    line = line_of(house_of(site), number)
    if yen:
        line.borrow("first", yen)
    await open_pin(site, browser, authenticator)
    await browser.submit("/atm/pin", pin=pin, again=pin)
    assert browser.path == "/atm?done=pin", browser.page.text
    return line, authenticator, number, mobile


async def open_pin(site, browser, authenticator):
    """Open the page that sets the PIN, which asks for a passkey first."""
    await browser.get("/atm/pin")
    assert browser.path == "/step-up?wish=atm_pin"
    await site.approve(browser, authenticator)


async def claimed(booth, browser):
    """Claim what the machine shows."""
    await browser.get("/atm")
    await browser.submit("/atm/claim", code=await booth.code())
    assert browser.path.startswith("/atm/sessions/"), browser.page.text


async def approved(booth, browser, authenticator, amount):
    """Claim, choose and approve a withdrawal."""
    await claimed(booth, browser)
    await browser.submit("/atm/choose", amount=amount)
    await approve_here(booth.site, browser, authenticator)
    await browser.submit("/atm/approve")


def owed(line):
    with line.house.store.read() as connection:
        contract = contract_of(connection, line.member_id)
        assert contract is not None
        return line.house.loans.position(connection, contract, line.house.today())


def state_on(browser):
    return found(r'data-state="(\w+)"', browser.page.text)


def test_cash_from_the_code_to_the_notes(tmp_path):
    """Place, amount, fee and effect stand above the button; the machine pays; what was booked is told."""

    async def scene(booth):
        site, browser = booth.site, booth.site.browser()
        line, authenticator, *_ = await ready(site, browser, 100_000)
        await claimed(booth, browser)
        assert PLACE in browser.page.text
        assert MACHINE in browser.page.text
        await browser.submit("/atm/choose", amount="20,000")
        page = browser.page.text
        assert f'Draw <span class="whole">¥20,000</span> at the ATM {PLACE}' in page
        for figure in ("¥220", "¥20,220", "¥120,220", "¥5,000"):
            assert figure in page, figure
        assert "/atm/approve" not in Forms(page).fields
        await approve_here(site, browser, authenticator)
        await browser.submit("/atm/approve")
        assert f"data-company-number>{NUMBER}<" in browser.page.text
        session_path = browser.path
        assert (await browser.get(f"{session_path}/state")).json() == {"state": "approved"}

        screen = await booth.type()

        assert (screen.view, screen.moved_yen, booth.given()) == (View.CASH, 20_000, 20_000)
        assert (await browser.get(f"{session_path}/state")).json() == {"state": "dispensed"}
        await browser.get(session_path)
        assert state_on(browser) == "dispensed"
        assert "¥20,220" in browser.page.text
        assert owed(line).principal.amount == 120_220
        assert PLACE in site.sent("notice:cash_drawn")[-1].text

    play_at_machine(tmp_path, scene)


def test_by_a_code_that_names_place_and_amount(tmp_path):
    """The marked fallback on the member's own device."""

    async def scene(booth):
        site, browser = booth.site, booth.site.browser()
        number, mobile = await site.sign_up(browser)
        line_of(house_of(site), number)
        await by_code(site, browser, mobile, "/step-up?wish=atm_pin")
        await browser.submit("/atm/pin", pin=PIN, again=PIN)
        await claimed(booth, browser)
        await browser.submit("/atm/choose", amount="3000")
        await by_code(site, browser, mobile, found(r'href="(/step-up\?wish=atm:[^"]+)"', browser.page.text))
        text = site.sent("code")[-1].text
        assert "3,000" in text
        assert PLACE in text
        await browser.submit("/atm/approve")
        assert state_on(browser) == "approved", browser.page.text
        await booth.type()
        assert booth.given() == 3_000

    play_at_machine(tmp_path, scene)


async def by_code(site, browser, mobile, path):
    await browser.get(path)
    await browser.submit("/step-up/code/send")
    site.wait(20)
    await browser.submit("/step-up/code", code=site.code_to(mobile))


def test_an_approval_of_another_amount_draws_nothing(tmp_path):
    """What was approved is not what is chosen now."""

    async def scene(booth):
        site, browser = booth.site, booth.site.browser()
        line, authenticator, *_ = await ready(site, browser)
        await claimed(booth, browser)
        session_path = browser.path
        await browser.submit("/atm/choose", amount="1000")
        await approve_here(site, browser, authenticator)
        old = Forms(browser.page.text).fields["/atm/approve"][0]
        await browser.get(f"{session_path}?other")
        await browser.submit("/atm/choose", amount="90000")
        assert "/atm/approve" not in Forms(browser.page.text).fields
        answer = await browser.post("/atm/approve", old)
        assert answer.url.path == "/step-up"
        await booth.type()
        assert (booth.given(), owed(line).owed.amount) == (0, 0)

    play_at_machine(tmp_path, scene)


@pytest.mark.parametrize("amount", ["0", "500", "1500", "201000", "many", ""])
def test_an_amount_that_no_machine_pays_is_told(tmp_path, amount):
    """Beside the field, with what was typed."""

    async def scene(booth):
        browser = booth.site.browser()
        await ready(booth.site, browser)
        await claimed(booth, browser)
        answer = await browser.submit("/atm/choose", amount=amount)
        assert answer.status_code == 422
        assert "in steps of" in answer.text

    play_at_machine(tmp_path, scene)


def test_more_than_the_line_is_not_lent(tmp_path):
    """Amount and fee together: told after the approval, and nothing is kept."""

    async def scene(booth):
        site, browser = booth.site, booth.site.browser()
        line, authenticator, *_ = await ready(site, browser, 490_000)
        await claimed(booth, browser)
        await browser.submit("/atm/choose", amount="10000")
        await approve_here(site, browser, authenticator)
        answer = await browser.submit("/atm/approve")
        assert answer.status_code == 409
        assert "with its fee" in answer.text
        assert owed(line).headroom.amount == 10_000

    play_at_machine(tmp_path, scene)


def test_without_a_pin_the_page_asks_for_one_first(tmp_path):
    """The machine waits meanwhile; a repayment needs none."""

    async def scene(booth):
        site, browser = booth.site, booth.site.browser()
        number, _ = await site.sign_up(browser)
        authenticator = await site.make_passkey(browser)
        line_of(house_of(site), number).borrow("first", 50_000)
        await browser.get("/atm")
        assert "you need a PIN first" in browser.page.text
        await claimed(booth, browser)
        session_path = browser.path
        (only,) = Forms(browser.page.text).fields["/atm/choose"]
        assert only["direction"] == "repayment"
        withdrawal = only | {"direction": "withdrawal", "amount": "1000"}
        assert (await browser.post("/atm/choose", withdrawal)).url.path == "/step-up"
        await site.approve(browser, authenticator)
        await browser.submit("/atm/pin", pin=PIN, again=PIN)
        assert session_path in browser.page.text

    play_at_machine(tmp_path, scene)


@pytest.mark.parametrize(
    ("pin", "again", "told"),
    [
        ("5938", "5939", "not the same"),
        ("1234", "1234", "guessed too easily"),
        ("0401", "0401", "guessed too easily"),
        ("59", "59", "guessed too easily"),
    ],
)
def test_a_pin_that_is_none_is_told_and_never_shown(tmp_path, pin, again, told):
    """Nor does it come back in the page."""

    async def scene(booth):
        site, browser = booth.site, booth.site.browser()
        number, _ = await site.sign_up(browser)
        authenticator = await site.make_passkey(browser)
        line_of(house_of(site), number)
        await open_pin(site, browser, authenticator)
        answer = await browser.submit("/atm/pin", pin=pin, again=again)
        assert answer.status_code == 422
        assert told in answer.text
        assert f'value="{pin}"' not in answer.text

    play_at_machine(tmp_path, scene)


def test_repaying_at_the_machine(tmp_path):
    """No approval and no PIN; what was counted less the fee is repaid, and the receipt is there."""

    async def scene(booth):
        browser = booth.site.browser()
        line, *_ = await ready(booth.site, browser, 100_000)
        await claimed(booth, browser)
        fields = Forms(browser.page.text).fields["/atm/choose"]
        await browser.post("/atm/choose", next(one for one in fields if one["direction"] == "repayment"))
        assert "waits for your notes" in browser.page.text
        session_path = browser.path
        screen = await booth.insert(8_000)
        assert (screen.view, screen.moved_yen) == (View.KEPT, 8_000)
        await browser.get(session_path)
        assert state_on(browser) == "deposited"
        assert "¥7,890" in browser.page.text
        assert owed(line).principal.amount == 92_110

    play_at_machine(tmp_path, scene)


def test_out_of_time_nothing_is_moved_and_the_page_says_so(tmp_path):
    """Before the approval and after it."""

    async def scene(booth):
        site, browser = booth.site, booth.site.browser()
        line, authenticator, *_ = await ready(site, browser)
        await approved(booth, browser, authenticator, "30000")
        session_path = browser.path
        assert owed(line).headroom.amount == 500_000 - 30_220
        site.wait(181)
        await browser.get(session_path)
        assert state_on(browser) == "ended"
        assert "Nothing was typed at the machine in time" in browser.page.text
        await booth.type()
        assert booth.given() == 0

    play_at_machine(tmp_path, scene)


def test_giving_up_frees_what_was_kept(tmp_path):
    """At any step before the machine was told."""

    async def scene(booth):
        site, browser = booth.site, booth.site.browser()
        line, authenticator, *_ = await ready(site, browser)
        await approved(booth, browser, authenticator, "30000")
        session_path = browser.path
        await browser.submit("/atm/cancel")
        assert browser.path == "/atm?done=cancelled"
        assert owed(line).headroom.amount == 500_000
        await browser.get(session_path)
        assert state_on(browser) == "ended"
        await booth.type()
        assert booth.given() == 0

    play_at_machine(tmp_path, scene)


def test_a_machine_that_does_not_answer_is_waited_for(tmp_path):
    """The page says that nothing is known yet, and so does the first page; then that nothing was moved."""

    async def scene(booth):
        site, browser = booth.site, booth.site.browser()
        line, authenticator, *_ = await ready(site, browser)
        await approved(booth, browser, authenticator, "30000")
        session_path = browser.path
        booth.line.cut = "request"
        await booth.type()
        await browser.get(session_path)
        assert state_on(browser) == "unknown"
        assert 'data-unsettled="unknown"' in (await browser.get("/atm")).text
        booth.line.cut = ""
        site.wait(60)
        assert await site.app.state[STATE].machines.settlement.ask_again() == 1
        await browser.get(session_path)
        assert state_on(browser) == "failed"
        assert "gave no cash" in browser.page.text
        assert (owed(line).headroom.amount, booth.given()) == (500_000, 0)

    play_at_machine(tmp_path, scene)


def test_of_notes_that_jam_only_what_came_out_is_borrowed(tmp_path):
    """With the fee for that much, and in words."""

    def jam(out_yen):
        if out_yen >= 4_000:
            raise Jam

    async def scene(booth):
        site, browser = booth.site, booth.site.browser()
        line, authenticator, *_ = await ready(site, browser)
        await approved(booth, browser, authenticator, "30000")
        session_path = browser.path
        await booth.type()
        await browser.get(session_path)
        assert state_on(browser) == "dispensed"
        assert "could not give all of" in browser.page.text
        assert owed(line).principal.amount == booth.given() + 110

    play_at_machine(tmp_path, scene, before_note=jam)


def test_a_pin_typed_wrong_three_times_is_locked_and_told(tmp_path):
    """On the page of the transaction, and on the first one."""

    async def scene(booth):
        site, browser = booth.site, booth.site.browser()
        _, authenticator, *_ = await ready(site, browser)
        await approved(booth, browser, authenticator, "30000")
        session_path = browser.path
        for pin in ("0001", "0002", "0003"):
            await booth.type(pin=pin)
        await browser.get(session_path)
        assert "and is locked" in browser.page.text
        assert "Your PIN is locked" in (await browser.get("/atm")).text
        assert booth.given() == 0

    play_at_machine(tmp_path, scene)


def test_the_member_s_other_browser_sees_nothing_of_it(tmp_path):
    """Neither the page, nor its state, nor a way to approve or end it."""

    async def scene(booth):
        site, browser = booth.site, booth.site.browser()
        line, _, number, mobile = await ready(site, browser)
        other = site.browser("198.51.100.9")
        await site.log_in(other, number, mobile)
        await claimed(booth, browser)
        session_path = browser.path
        await browser.submit("/atm/choose", amount="20000")
        for path in (session_path, f"{session_path}/state"):
            assert (await other.get(path)).status_code == 409
        fields = {"session": session_path.rpartition("/")[2]}
        for path in ("/atm/approve", "/atm/cancel", "/atm/choose"):
            await other.post(path, fields | form_of(site, other, path))
            assert other.page.status_code == 409, path
        assert (await other.get("/atm")).status_code == 200
        assert session_path not in other.page.text
        assert owed(line).owed.amount == 0

    play_at_machine(tmp_path, scene)


def test_a_code_that_is_none_is_told(tmp_path):
    """Also one that came from another machine or is over."""

    async def scene(booth):
        site, browser = booth.site, booth.site.browser()
        await ready(site, browser)
        await browser.get("/atm")
        answer = await browser.submit("/atm/claim", code="0042-00000-00000")
        assert answer.status_code == 422
        assert "be used" in answer.text
        code = await booth.code()
        site.wait(121)
        await browser.get("/atm")
        assert (await browser.submit("/atm/claim", code=code)).status_code == 422

    play_at_machine(tmp_path, scene)
