"""Forms that only our own pages can have sent, within limits, and sessions that nobody can plant."""

import pytest
from tests.web.member_site import ORIGIN, PASSWORD, Forms, play

from sekisho.web.members import cookies


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": ORIGIN.replace("lender", "id")},
    ],
)
def test_what_another_site_sends_is_not_done(tmp_path, headers):
    """Even with the right token: the browser says where a form came from."""

    async def scene(site):
        browser = site.browser()
        await site.sign_up(browser)
        await browser.get("/security/freeze")
        fields = Forms(browser.page.text).fields["/security/freeze"][0]
        answer = await browser.post("/security/freeze", fields, **headers)
        assert answer.status_code == 403
        assert "came from another site" in browser.title
        assert (await browser.get("/security")).status_code == 200
        assert browser.path == "/security"

    play(tmp_path, scene)


def test_a_form_without_our_token_is_not_done(tmp_path):
    """No token, another form's token, another member's: nothing happens, and the page says why."""

    async def scene(site):
        browser, other = site.browser(), site.browser("192.0.2.99")
        await site.sign_up(browser)
        await site.sign_up(other)
        await other.get("/security/freeze")
        foreign = Forms(other.page.text).fields["/security/freeze"][0]
        await browser.get("/security")
        for_another = Forms(browser.page.text).fields["/logout"][0]
        for fields in ({"other": "1"}, {"form": ""}, {"form": "é" * 9}, foreign, for_another):
            answer = await browser.post("/security/freeze", fields)
            assert answer.status_code == 409, fields
        await browser.get("/security")
        assert browser.path == "/security"

    play(tmp_path, scene)


def test_a_login_form_needs_the_cookie_of_its_visit(tmp_path):
    """Nobody can be logged in to somebody else's account from outside."""

    async def scene(site):
        browser, other = site.browser(), site.browser()
        await other.get("/login")
        fields = Forms(other.page.text).fields["/login"][0] | {"name": "1", "password": PASSWORD}
        assert (await browser.post("/login", fields)).status_code == 409
        await browser.get("/login")
        assert (await browser.post("/login", fields)).status_code == 409

    play(tmp_path, scene)


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"form=a&form=b", "application/x-www-form-urlencoded", 400),
        (b"form=%ff", "application/x-www-form-urlencoded", 400),
        (b"form=a%00", "application/x-www-form-urlencoded", 400),
        ("form=é".encode(), "application/x-www-form-urlencoded", 400),
        (b"&".join(b"f%d=1" % number for number in range(100)), "application/x-www-form-urlencoded", 400),
        (b'{"form": "a"}', "application/json", 415),
        (b"", "", 415),
        (b"form=" + b"a" * 70_000, "application/x-www-form-urlencoded", 413),
    ],
)
def test_what_is_no_form_is_refused_as_a_page(tmp_path, body, kind, status):
    """Hostile bodies end in a sentence for people, not in a failure."""

    async def scene(site):
        browser = site.browser()
        headers = {"Content-Type": kind, "Origin": ORIGIN}
        answer = await browser.client.post("/login", content=body, headers=headers)
        assert answer.status_code == status
        assert answer.headers["content-type"].startswith("text/html")
        assert "Nothing has been changed" in answer.text

    play(tmp_path, scene)


def test_a_planted_session_ends_at_the_login(tmp_path):
    """Whoever put a session of theirs into a browser does not share in the one that is opened."""

    async def scene(site):
        attacker, browser = site.browser("198.51.100.66"), site.browser()
        await site.sign_up(attacker)
        planted = attacker.cookie(cookies.SESSION)
        number, _ = await site.sign_up(browser)
        await browser.submit("/logout")
        browser.client.cookies.set(cookies.SESSION, planted, domain="lender.localhost", path="/")
        await browser.get("/login?next=/profile")
        await browser.submit("/login", name=number, password=PASSWORD)
        assert browser.path == "/profile"
        assert browser.cookie(cookies.SESSION) != planted
        await attacker.get("/profile")
        assert attacker.path.startswith("/login")

    play(tmp_path, scene)


def test_a_session_s_token_changes_with_every_proof(tmp_path):
    """What was stolen before a step-up is worth nothing after it."""

    async def scene(site):
        browser = site.browser()
        _, mobile = await site.sign_up(browser)
        before = browser.cookie(cookies.SESSION)
        await browser.get("/profile/home_address")
        await browser.submit("/step-up/code/send")
        await browser.submit("/step-up/code", code=site.code_to(mobile))
        assert browser.path == "/profile/home_address"
        thief = site.browser()
        thief.client.cookies = {cookies.SESSION: before, cookies.DEVICE: browser.cookie(cookies.DEVICE)}
        await thief.get("/profile")
        assert thief.path.startswith("/login")

    play(tmp_path, scene)


def test_a_session_without_its_device_is_on_no_known_device(tmp_path):
    """Whoever took the session's cookie alone is not offered a code."""

    async def scene(site):
        browser, thief = site.browser(), site.browser("198.51.100.66")
        await site.sign_up(browser)
        thief.client.cookies = {cookies.SESSION: browser.cookie(cookies.SESSION)}
        await thief.get("/profile/home_address")
        assert "/step-up/code/send" not in Forms(thief.page.text).fields
        assert "do not know this device" in thief.page.text

    play(tmp_path, scene)


def test_a_second_tab_goes_on_as_well(tmp_path):
    """A form of a page that was opened before the other tab's step-up still works."""

    async def scene(site):
        browser = site.browser()
        _, mobile = await site.sign_up(browser)
        await browser.get("/security/calls")
        first_tab = browser.page
        await browser.get("/profile/home_address")
        await browser.submit("/step-up/code/send")
        await browser.submit("/step-up/code", code=site.code_to(mobile))
        browser.page = first_tab
        answer = await browser.submit("/security/calls/check", said="123456")
        assert answer.status_code == 200
        assert "not a call of ours" in answer.text

    play(tmp_path, scene)
