"""Switches at the desks: previewed, set by one person, approved by another, each by passkey."""

from tests.web.desks_site import DesksSite, at_the_desks

from sekisho.console.rights import StaffRole
from sekisho.identity import member_numbers, sessions
from sekisho.response.switch_book import SwitchBook
from sekisho.response.switches import Usage

RESPONDER = {"lender": (StaffRole.RESPONDER,)}
APPROVER = {"lender": (StaffRole.APPROVER,)}
CASH_OFF = {
    "function": "atm_withdrawal",
    "applies_to": "all",
    "reason": "codes were phished",
    "open_transfer_loan": "1",
}
NEW, PREVIEW, SET = "/lender/switches/new", "/lender/switches/preview", "/lender/switches"
USAGE = Usage("atm_withdrawal", "mem_1")


async def is_off(site: DesksSite) -> bool:
    return await SwitchBook(site.lender).off_for(USAGE) is not None


async def proposed(site: DesksSite) -> str:
    """Let a responder set a switch for everybody, and return its page."""
    browser, passkey = await site.at_work("Sato", RESPONDER)
    await browser.get(NEW)
    await browser.submit(PREVIEW, **CASH_OFF)
    assert browser.title == "Whom it would meet"
    await site.approve_deed(browser, passkey, SET)
    assert "waits for approval" in browser.page.text
    return browser.path


def test_a_wide_switch_is_off_when_a_second_person_approved_it(tmp_path):
    async def scene(site: DesksSite) -> None:
        page = await proposed(site)
        assert not await is_off(site)
        browser, passkey = await site.at_work("Suzuki", APPROVER)
        await browser.get(page)
        assert "codes were phished" in browser.page.text
        await site.approve_deed(browser, passkey, f"{page}/approve")
        assert await is_off(site)
        await browser.get("/lender/switches")
        assert "off now" in browser.page.text

    at_the_desks(tmp_path, scene)


def test_what_members_read_is_shown_before(tmp_path):
    async def scene(site: DesksSite) -> None:
        browser, _ = await site.at_work("Sato", RESPONDER)
        await browser.get(NEW)
        await browser.submit(PREVIEW, **CASH_OFF)
        assert (
            "Withdrawing at smartphone ATMs is stopped at the moment. Still open: borrowing by transfer."
            in (browser.page.text)
        )
        assert "スマホATMでのお借入れは、ただいま停止しております。" in browser.page.text

    at_the_desks(tmp_path, scene)


def test_an_approval_is_for_exactly_what_was_shown(tmp_path):
    """The form is changed between the page and the posting: the passkey has approved something else."""

    async def scene(site: DesksSite) -> None:
        browser, passkey = await site.at_work("Sato", RESPONDER)
        await browser.get(NEW)
        await browser.submit(PREVIEW, **CASH_OFF)
        await site.approve_deed(browser, passkey, SET, function="*")
        assert browser.page.status_code == 401
        await browser.get("/lender/switches")
        assert "Everything is on." in browser.page.text

    at_the_desks(tmp_path, scene)


def test_nobody_approves_without_the_role(tmp_path):
    async def scene(site: DesksSite) -> None:
        page = await proposed(site)
        browser, _ = await site.at_work(
            "Tanaka", {"lender": (StaffRole.RESPONDER,), "bank": (StaffRole.APPROVER,)}
        )
        await browser.get(page)
        assert f"{page}/approve" not in browser.page.text
        present = await site.site.desks.sessions.present(browser.cookie("__Host-session"))
        assert present
        route = f"{page}/approve"
        answer = await browser.post(route, {"form": sessions.form_token(present.session, route)})
        assert answer.status_code == 403
        assert browser.title == "Not part of your role"
        assert not await is_off(site)

    at_the_desks(tmp_path, scene)


def test_lifting_for_everybody_takes_two_as_well(tmp_path):
    async def scene(site: DesksSite) -> None:
        page = await proposed(site)
        approver, seal = await site.at_work("Suzuki", APPROVER)
        await approver.get(page)
        await site.approve_deed(approver, seal, f"{page}/approve")
        responder, passkey = await site.at_work("Ito", RESPONDER)
        await responder.get(page)
        await site.approve_deed(responder, passkey, f"{page}/lift", why="the number is ours again")
        assert await is_off(site)
        await approver.get(page)
        assert "Somebody asked to lift it" in approver.page.text
        await site.approve_deed(approver, seal, f"{page}/lift")
        assert not await is_off(site)

    at_the_desks(tmp_path, scene)


def test_a_fault_is_told_and_nothing_that_was_typed_is_lost(tmp_path):
    async def scene(site: DesksSite) -> None:
        browser, _ = await site.at_work("Sato", RESPONDER)
        await browser.get(NEW)
        nobodys = "12341234123" + member_numbers.check_digit("12341234123")
        await browser.submit(PREVIEW, **CASH_OFF | {"members": nobodys})
        assert browser.page.status_code == 422
        assert f"nobody has the member number {nobodys}" in browser.page.text
        assert "codes were phished" in browser.page.text

    at_the_desks(tmp_path, scene)


def test_an_institution_that_is_not_here_is_not_found(tmp_path):
    async def scene(site: DesksSite) -> None:
        browser, _ = await site.at_work("Sato", {"bank": (StaffRole.RESPONDER,)})
        assert (await browser.get("/lender/switches")).status_code == 403
        assert (await browser.get("/bank/switches")).status_code == 404

    at_the_desks(tmp_path, scene)
