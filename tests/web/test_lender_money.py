"""Borrowing and repaying on the pages: amount, effect, approval of exactly this, result; what stops it."""

from datetime import datetime

import pytest
from tests.test_access_coverage import form_of
from tests.web.lender_site import house_of, line_of, play
from tests.web.member_site import PASSWORD, Forms, found

from sekisho.identity import holds
from sekisho.identity.holds import HoldKind, HoldScope
from sekisho.kernel.clock import SECOND_US
from sekisho.lender.contracts import contract_of
from sekisho.lender.outside import Outside
from sekisho.lender.transfer_hours import TransferHours

MONDAY_AT_3 = datetime.fromisoformat("2026-11-23T03:00:00+09:00")
ACCOUNT = {"bank": "0001", "branch": "123", "kind": "1", "number": "1234567", "holder": "ヤマダ ハナコ"}


async def approve(site, browser, authenticator, wish):
    """Approve a wish with a passkey on its page."""
    await browser.get(f"/step-up?wish={wish}")
    await site.approve(browser, authenticator)


async def approve_here(site, browser, authenticator):
    """Follow the page's main button to the approval, and give it."""
    wish = found(r'href="(/step-up\?wish=[^"]+)"', browser.page.text)
    await browser.get(wish)
    await site.approve(browser, authenticator)


async def register_account(site, browser, authenticator, **changes):
    """Register an account for payouts."""
    await browser.get("/payout-account/change")
    await browser.submit("/payout-account/change", **(ACCOUNT | changes))
    await approve_here(site, browser, authenticator)
    return await browser.submit("/payout-account/confirm")


async def ready(site, browser, yen=0):
    """Make a member with a passkey, a line, an account for payouts, and figures on the screen."""
    number, mobile = await site.sign_up(browser)
    authenticator = await site.make_passkey(browser)
    line = line_of(house_of(site), number)
    await register_account(site, browser, authenticator)
    assert browser.path == "/payout-account?done=registered", browser.page.text
    if yen:
        line.borrow("first", yen)
    await approve(site, browser, authenticator, "loan")
    return line, authenticator, number, mobile


async def order(browser, amount):
    await browser.get("/borrow/transfer")
    await browser.submit("/borrow/transfer", amount=amount)
    return browser.path.rpartition("/")[2]


def principal(line):
    with line.house.store.read() as connection:
        contract = contract_of(connection, line.member_id)
        return line.house.loans.position(connection, contract, line.house.today()).principal.amount


def test_borrowing_by_transfer_from_the_first_page_to_the_last(tmp_path):
    """The effect stands above the button, the passkey approves this order, and the money is lent once."""

    async def scene(site):
        browser = site.browser()
        line, authenticator, *_ = await ready(site, browser, 100_000)
        await browser.get("/borrow")
        assert "/borrow/transfer" in browser.page.text
        await order(browser, "50,000")
        page = browser.page.text
        assert "****567" in page
        assert "1234567" not in page
        assert "¥150,000" in page
        assert "¥6,000" in page
        await approve_here(site, browser, authenticator)
        await browser.submit("/borrow/confirm")
        assert 'data-state="approved"' in browser.page.text
        assert principal(line) == 150_000
        assert "50,000" in site.sent("notice:money_borrowed")[-1].text

    play(tmp_path, scene)


@pytest.mark.parametrize(
    ("outside", "told"),
    [(None, "23 Nov 2026, 07:00"), (Outside(hours=TransferHours()), "It goes out at once.")],
)
def test_when_the_money_goes_out_is_told_before_it_is_approved(tmp_path, outside, told):
    """On a Monday before seven we are closed, where nobody says otherwise."""

    async def scene(site):
        site.clock.set(int(MONDAY_AT_3.timestamp()) * SECOND_US)
        browser = site.browser()
        await ready(site, browser)
        await order(browser, "50,000")
        assert told in browser.page.text

    play(tmp_path, scene, outside)


def test_a_passkey_that_approved_something_else_lends_nothing(tmp_path):
    """It showed the figures a moment ago; the order asks for one of its own."""

    async def scene(site):
        browser = site.browser()
        line, *_ = await ready(site, browser)
        order_id = await order(browser, "50000")
        fields = {"order": order_id}
        page = await browser.get(f"/borrow/transfer/{order_id}")
        assert "/borrow/confirm" not in Forms(page.text).fields
        answer = await browser.post("/borrow/confirm", fields | form_of(site, browser, "/borrow/confirm"))
        assert answer.url.path == "/step-up"
        assert principal(line) == 0

    play(tmp_path, scene)


def test_the_same_form_twice_orders_once(tmp_path):
    """And confirming twice lends once."""

    async def scene(site):
        browser = site.browser()
        line, authenticator, *_ = await ready(site, browser)
        await browser.get("/borrow/transfer")
        fields = Forms(browser.page.text).fields["/borrow/transfer"][0] | {"amount": "20000"}
        first = (await browser.post("/borrow/transfer", fields)).url.path
        assert (await browser.post("/borrow/transfer", fields)).url.path == first
        await approve_here(site, browser, authenticator)
        fields = Forms(browser.page.text).fields["/borrow/confirm"][0]
        for _ in range(2):
            assert 'data-state="approved"' in (await browser.post("/borrow/confirm", fields)).text
        assert principal(line) == 20_000

    play(tmp_path, scene)


@pytest.mark.parametrize(
    ("amount", "told"),
    [("500001", "more than you can still borrow"), ("0", "whole amount"), ("zehn", "whole amount")],
)
def test_an_amount_that_cannot_be_lent_is_told(tmp_path, amount, told):
    """Beside the form, with what was typed."""

    async def scene(site):
        browser = site.browser()
        await ready(site, browser)
        await browser.get("/borrow/transfer")
        answer = await browser.submit("/borrow/transfer", amount=amount)
        assert answer.status_code == 422
        assert told in answer.text
        assert f'value="{amount}"' in answer.text

    play(tmp_path, scene)


def test_on_hold_nothing_is_lent_and_the_page_says_so(tmp_path):
    """The member's money is on hold: told before anything moves."""

    async def scene(site):
        browser = site.browser()
        line, authenticator, *_ = await ready(site, browser)
        order_id = await order(browser, "50000")
        await approve_here(site, browser, authenticator)
        fields = Forms(browser.page.text).fields["/borrow/confirm"][0]
        parts = line.house.parts

        def hold(connection):
            holds.place(
                connection,
                parts,
                line.member_id,
                HoldKind.CONTAINMENT,
                HoldScope.MONEY_OUT,
                reason="test",
                until_us=None,
            )

        parts.store.write(hold).result()
        answer = await browser.post("/borrow/confirm", fields)
        assert answer.status_code == 409
        assert "Your money is on hold" in answer.text
        assert principal(line) == 0
        assert order_id

    play(tmp_path, scene)


def test_a_phished_session_neither_borrows_nor_learns_the_line(tmp_path):
    """No amount form, no order, no headroom by asking; only the ways that exist."""

    async def scene(site):
        owner = site.browser()
        line, _, number, mobile = await ready(site, owner, 100_000)
        thief = site.browser("198.51.100.9")
        await site.log_in(thief, number, mobile)
        for path in ("/borrow/transfer", "/repay"):
            await thief.get(path)
            assert thief.path.startswith("/step-up")
            for amount in ("1000", "900000"):
                fields = {"amount": amount, "key": amount} | form_of(site, thief, path)
                answer = await thief.post(path, fields)
                assert answer.url.path == "/step-up"
        order_id = await order(owner, "50000")
        for path in (f"/borrow/transfer/{order_id}",):
            assert "50,000" not in (await thief.get(path)).text
        fields = {"order": order_id} | form_of(site, thief, "/borrow/confirm")
        await thief.post("/borrow/confirm", fields)
        assert principal(line) == 100_000

    play(tmp_path, scene)


def test_repaying_by_debit(tmp_path):
    """Amounts are suggested; what is approved goes to the bank, and until it paid, the balance stands."""

    async def scene(site):
        browser = site.browser()
        line, authenticator, *_ = await ready(site, browser, 100_000)
        page = await browser.get("/repay")
        assert "¥4,000" in page.text
        assert "¥100,000" in page.text
        await browser.submit("/repay", choice="payment")
        assert "****567" in browser.page.text
        assert "¥96,000" in browser.page.text
        await approve_here(site, browser, authenticator)
        await browser.submit("/repay/confirm")
        assert 'data-state="approved"' in browser.page.text
        assert principal(line) == 100_000
        await browser.get("/repay")
        assert (await browser.submit("/repay", choice="all")).status_code == 422

    play(tmp_path, scene)


def test_a_changed_account_waits_and_can_be_cancelled(tmp_path):
    """A new member's first one is used at once; the next waits for 72 hours, and any session cancels it."""

    async def scene(site):
        browser = site.browser()
        line, authenticator, *_ = await ready(site, browser)
        await register_account(site, browser, authenticator, number="7654321")
        page = browser.page.text
        assert "Waiting" in page
        assert "****321" in page
        assert "7654321" not in page
        await browser.submit("/payout-account/cancel")
        assert browser.path == "/payout-account?done=cancelled"
        assert "****321" not in browser.page.text
        assert line.member_id not in page

    play(tmp_path, scene)


def test_an_account_of_somebody_else_is_refused(tmp_path):
    """After the approval alone, so that nobody finds out a name by trying."""

    async def scene(site):
        browser = site.browser()
        number, _ = await site.sign_up(browser)
        authenticator = await site.make_passkey(browser)
        line_of(house_of(site), number)
        answer = await register_account(site, browser, authenticator, holder="サトウ タロウ")
        assert answer.status_code == 422
        assert "own name" in answer.text

    play(tmp_path, scene)


def test_a_change_that_another_member_sealed_opens_nothing(tmp_path):
    """What travels in the address is bound to its member."""

    async def scene(site):
        first, second = site.browser(), site.browser("192.0.2.11")
        await site.sign_up(first)
        await site.sign_up(second)
        await first.get("/payout-account/change")
        await first.submit("/payout-account/change", **ACCOUNT)
        path = first.path
        assert path.startswith("/payout-account/confirm?change=")
        assert (await second.get(path)).status_code == 404
        assert (await second.get("/payout-account/confirm?change=AAAA")).status_code == 404

    play(tmp_path, scene)


def test_by_a_code_on_the_own_device_where_nothing_speaks_against_it(tmp_path):
    """The marked fallback: its text names the amount and the account."""

    async def scene(site):
        browser = site.browser()
        number, mobile = await site.sign_up(browser)
        line = line_of(house_of(site), number)
        await browser.get("/payout-account/change")
        await browser.submit("/payout-account/change", **ACCOUNT)
        await by_code(site, browser, mobile)
        await browser.submit("/payout-account/confirm")
        await browser.get("/step-up?wish=loan:borrow")
        await by_code(site, browser, mobile)
        await browser.submit("/borrow/transfer", amount="30000")
        await by_code(site, browser, mobile)
        assert "30,000" in site.sent("code")[-1].text
        await browser.submit("/borrow/confirm")
        assert 'data-state="approved"' in browser.page.text, browser.page.text
        assert principal(line) == 30_000

    play(tmp_path, scene)


def test_a_session_that_began_suspiciously_is_stopped(tmp_path):
    """Its login was taken for a part of a campaign: a code lends nothing, and the page says whom to call."""

    async def scene(site):
        browser = site.browser()
        line, _, number, mobile = await ready(site, browser)
        site.wait(4 * 86_400)
        await log_in_here(site, browser, number)
        await browser.get("/step-up?wish=loan:borrow")
        await by_code(site, browser, mobile)
        await browser.submit("/borrow/transfer", amount="30000")
        await by_code(site, browser, mobile)
        answer = await browser.submit("/borrow/confirm")
        assert answer.status_code == 403
        assert "We cannot do this here and now" in answer.text
        assert principal(line) == 0

    play(tmp_path, scene)


async def log_in_here(site, browser, number):
    await browser.get("/login")
    await browser.submit("/login", name=number, password=PASSWORD)
    await site.quiet()


async def by_code(site, browser, mobile):
    """Follow the page to the approval, and give it by a code."""
    if browser.page.url.path != "/step-up":
        await browser.get(found(r'href="(/step-up\?wish=[^"]+)"', browser.page.text))
    await browser.submit("/step-up/code/send")
    site.wait(20)
    await browser.submit("/step-up/code", code=site.code_to(mobile))


def test_an_approval_of_a_debit_alone_shows_no_figures(tmp_path):
    """The order is not worth anything any more; what is owed is told to whoever proves that alone."""

    async def scene(site):
        browser = site.browser()
        number, mobile = await site.sign_up(browser)
        line = line_of(house_of(site), number)
        line.borrow("first", 123_000)
        await browser.get("/payout-account/change")
        await browser.submit("/payout-account/change", **ACCOUNT)
        await by_code(site, browser, mobile)
        await browser.submit("/payout-account/confirm")
        await browser.get("/step-up?wish=loan:repay")
        await by_code(site, browser, mobile)
        orders = []
        for _ in range(2):
            await browser.get("/repay")
            await browser.submit("/repay", choice="all")
            orders.append(browser.path)
        await by_code(site, browser, mobile)
        assert 'data-state="approved"' in (await browser.submit("/repay/confirm")).text
        site.wait(301)
        await browser.get(orders[0])
        await by_code(site, browser, mobile)
        answer = await browser.submit("/repay/confirm")
        assert answer.url.path == "/step-up"
        assert "123,000" not in answer.text

    play(tmp_path, scene)
