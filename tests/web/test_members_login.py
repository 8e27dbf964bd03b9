"""The login: one answer for all strangers, a word to who is known, and the page that they wanted."""

import re

import pytest
from httpx import QueryParams
from tests.web.member_site import ORIGIN, PASSWORD, found, options, play

from sekisho.guard.decisions import Action

HIDDEN_TOKENS = re.compile(r'(name="step" value|data-puzzle)="[^"]*"')


async def strange_answer(site, name, password, *, action=Action.ALLOW, before_hash=False):
    """Return everything that a stranger's browser gets for a login, but for the random tokens."""
    site.guard.action, site.guard.before_hash = action, before_hash
    browser = site.browser("198.51.100.9", follow=False)
    await browser.get("/login")
    answer = await browser.submit("/login", name=name, password=password)
    headers = [(key, re.sub(r"=[^;]{43};", "=TOKEN;", value)) for key, value in answer.headers.multi_items()]
    await site.quiet()
    await browser.get("/login/code")
    return answer.status_code, headers, answer.text, HIDDEN_TOKENS.sub("", browser.page.text)


def without_form_tokens(answer):
    status, headers, body, page = answer
    return status, headers, body, re.sub(r'(name="form" value|data-token)="[^"]*"', "", page)


def test_strangers_get_the_same_answer_whatever_they_know(tmp_path):
    """Unknown name, wrong password, right one, held back or refused: status, headers and pages are equal."""

    async def scene(site):
        number, _ = await site.sign_up(site.browser())
        answers = [
            await strange_answer(site, "999999999999", PASSWORD),
            await strange_answer(site, number, "something else entirely"),
            await strange_answer(site, number, PASSWORD),
            await strange_answer(site, number, PASSWORD, action=Action.PUZZLE, before_hash=True),
            await strange_answer(site, number, PASSWORD, action=Action.CHALLENGE),
            await strange_answer(site, number, PASSWORD, action=Action.DENY),
        ]
        assert answers[0][0] == 303
        assert ("location", "/login/code") in answers[0][1]
        first = without_form_tokens(answers[0])
        assert [without_form_tokens(answer) == first for answer in answers] == [True] * len(answers)

    play(tmp_path, scene)


def test_a_stranger_with_the_right_code_is_in(tmp_path):
    """Password and code open a session on a device that counts as unconfirmed."""

    async def scene(site):
        number, mobile = await site.sign_up(site.browser())
        browser = site.browser("198.51.100.9")
        await site.log_in(browser, number, mobile)
        assert browser.path == "/"
        await browser.get("/security")
        assert 'data-standing="unconfirmed"' in browser.page.text

    play(tmp_path, scene)


def test_a_wrong_code_can_be_corrected_until_the_tries_are_over(tmp_path):
    """The page says what to do; after five tries it begins again."""

    async def scene(site):
        number, _ = await site.sign_up(site.browser())
        browser = site.browser("198.51.100.9")
        await browser.get("/login")
        await browser.submit("/login", name=number, password=PASSWORD)
        await site.quiet()
        for _ in range(4):
            answer = await browser.submit("/login/code", code="no code")
            assert answer.status_code == 401
            assert "does not fit" in answer.text
        await browser.submit("/login/code", code="000000")
        assert browser.path == "/login?over"
        assert "time for this step has passed" in browser.page.text

    play(tmp_path, scene)


def test_on_a_known_device_a_wrong_password_may_be_called_wrong(tmp_path):
    """The browser is the member's own: it is told plainly, and the right password opens at once."""

    async def scene(site):
        browser = site.browser()
        number, _ = await site.sign_up(browser)
        await browser.submit("/logout")
        await browser.get("/login")
        answer = await browser.submit("/login", name=number, password="mistyped it")  # noqa: S106 - an example
        assert answer.status_code == 401
        assert "ID or password is not right" in answer.text
        assert "mistyped it" not in answer.text
        await browser.submit("/login", name=number, password=PASSWORD)
        assert browser.path == "/"

    play(tmp_path, scene)


def test_the_page_that_was_wanted_opens_after_the_login(tmp_path):
    """And only a page of this site: an address of another one is not gone to."""

    async def scene(site):
        browser = site.browser()
        number, _ = await site.sign_up(browser)
        for wanted, opened in (
            ("/profile", "/profile"),
            ("//evil.example/x", "/"),
            ("https://evil.example/", "/"),
            ("/\\evil.example", "/"),
            ("/profile\r\nSet-Cookie: a=b", "/"),
        ):
            await browser.submit("/logout") if browser.cookie("__Host-session") else None
            await browser.get(f"/login?{QueryParams({'next': wanted})}")
            await browser.submit("/login", name=number, password=PASSWORD)
            assert browser.path == opened, wanted

    play(tmp_path, scene)


def test_who_is_not_logged_in_is_asked_to_and_comes_back(tmp_path):
    """A bookmark of a member page leads through the login to the page itself."""

    async def scene(site):
        browser = site.browser()
        number, _ = await site.sign_up(browser)
        await browser.submit("/logout")
        await browser.get("/security/logins")
        assert browser.path.startswith("/login?next=")
        await browser.submit("/login", name=number, password=PASSWORD)
        assert browser.path == "/security/logins"

    play(tmp_path, scene)


def test_a_passkey_logs_in_without_a_name(tmp_path):
    """On any device, and the device is confirmed by it."""

    async def scene(site):
        browser = site.browser()
        await site.sign_up(browser)
        authenticator = await site.make_passkey(browser)
        other = site.browser("198.51.100.9")
        begun = await options(other, "/login/passkey/options")
        await other.get("/login")
        credential = authenticator.get(begun["options"]).decode()
        await other.submit("/login/passkey", ceremony=begun["ceremony"], credential=credential)
        assert other.path == "/"
        await other.get("/security")
        assert 'data-standing="unconfirmed"' not in other.page.text

    play(tmp_path, scene)


@pytest.mark.parametrize("credential", ["", "{}", '{"id": 1}', "x" * 40_000, "\ufeff\x00"])
def test_what_is_no_passkey_s_answer_opens_nothing(tmp_path, credential):
    """The login page says that it did not work, whatever was sent."""

    async def scene(site):
        browser = site.browser()
        begun = await options(browser, "/login/passkey/options")
        await browser.get("/login")
        answer = await browser.submit("/login/passkey", ceremony=begun["ceremony"], credential=credential)
        assert answer.status_code in {400, 401}
        assert not browser.cookie("__Host-session")

    play(tmp_path, scene)


def test_the_puzzle_is_taken_without_a_word(tmp_path):
    """Right or wrong, its answer is the same: nothing."""

    async def scene(site):
        browser = site.browser("198.51.100.9")
        await browser.get("/login")
        await browser.submit("/login", name="999999999999", password=PASSWORD)
        token = found(r'data-token="([^"]+)"', browser.page.text)
        step = found(r'name="step" value="([^"]+)"', browser.page.text)
        fields = {"form": token, "step": step, "solution": "12"}
        answer = await browser.post("/login/code/puzzle", fields)
        assert (answer.status_code, answer.content) == (204, b"")

    play(tmp_path, scene)


def test_a_form_of_a_session_that_has_ended_leads_back_to_its_page(tmp_path):
    """After the login the person is where they were; a page of another site is not gone to."""

    async def scene(site):
        browser = site.browser()
        number, _ = await site.sign_up(browser)
        for referrer, opened in (
            (f"{ORIGIN}/security/calls", "/security/calls"),
            ("https://evil.example/security", "/"),
            (f"{ORIGIN}.evil.example/security", "/"),
        ):
            site.wait(16 * 60)
            await browser.post("/security/calls/check", {"said": "1"}, Referer=referrer)
            assert browser.path.startswith("/login")
            await browser.submit("/login", name=number, password=PASSWORD)
            assert browser.path == opened

    play(tmp_path, scene)
