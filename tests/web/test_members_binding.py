"""A session bound to its machine: copied cookies open nothing, and the browser renews its own by itself."""

from tests.identity.test_bound_sessions import Browser as Machine
from tests.identity.test_bound_sessions import challenge_in
from tests.web.member_site import PASSWORD, play

from sekisho.web.members import cookies

BOUND = "__Host-bound"
OFFER = "secure-session-registration"


async def bound_browser(site):
    """Return a browser whose session is bound, and the machine that holds the key."""
    browser, machine = site.browser(), Machine()
    number, _ = await site.sign_up(browser)
    await browser.submit("/logout")
    await browser.get("/login")
    await browser.submit("/login", name=number, password=PASSWORD)
    offered = browser.page.history[0].headers[OFFER]
    answer = machine.answer(challenge_in(offered), key_in="header")
    bound = await browser.client.post("/session/bind", headers={"Secure-Session-Response": answer})
    assert bound.status_code == 200
    assert browser.cookie(BOUND)
    return browser, machine, bound.json()


def test_a_copied_session_cookie_opens_nothing(tmp_path):
    """Not even with the device's cookie beside it."""

    async def scene(site):
        browser, _, _ = await bound_browser(site)
        assert (await browser.get("/profile")).url.path == "/profile"
        thief = site.browser()
        thief.client.cookies = {
            cookies.SESSION: browser.cookie(cookies.SESSION),
            cookies.DEVICE: browser.cookie(cookies.DEVICE),
        }
        assert (await thief.get("/profile")).url.path == "/login"

    play(tmp_path, scene)


def test_the_browser_renews_its_cookie_by_itself(tmp_path):
    """After ten minutes it is asked, signs, and goes on; without the key it does not."""

    async def scene(site):
        browser, machine, told = await bound_browser(site)
        site.wait(601)
        assert (await browser.client.get("/profile")).url.path == "/login"
        headers = {"Sec-Secure-Session-Id": f'"{told["session_identifier"]}"'}
        asked = await browser.client.post(told["refresh_url"], headers=headers)
        assert asked.status_code == 403
        challenge = challenge_in(asked.headers["secure-session-challenge"])
        signed = headers | {"Secure-Session-Response": machine.answer(challenge)}
        assert (await browser.client.post(told["refresh_url"], headers=signed)).status_code == 200
        assert (await browser.client.get("/profile")).url.path == "/profile"

    play(tmp_path, scene)


def test_a_browser_that_cannot_goes_on_as_before(tmp_path):
    """The offer is a header that it does not know."""

    async def scene(site):
        browser = site.browser()
        await site.sign_up(browser)
        assert (await browser.get("/profile")).url.path == "/profile"
        answer = await browser.client.post("/session/bind", headers={"Secure-Session-Response": '"x.y.z"'})
        assert answer.json()["continue"] is False
        assert (await browser.get("/profile")).url.path == "/profile"
        nobody = await site.browser().client.post("/session/refresh", headers={"Accept": "application/json"})
        assert nobody.json()["code"] == "not_signed_in"

    play(tmp_path, scene)
