"""What every answer carries: nothing foreign, nothing kept, cookies that no script sees, and plain words."""

import pytest
from litestar import get
from sqlalchemy import select
from tests.web.member_site import play

from sekisho.storage.tables.members import member
from sekisho.web.members import cookies
from sekisho.web.members.app import create_member_app
from sekisho.web.members.roles import ROLE, Role

PATHS = ("/", "/login", "/login/code", "/signup", "/recovery", "/logout", "/nothing", "/static/members.css")


def test_every_answer_is_closed_to_everything_foreign(tmp_path):
    """Pages, files, redirects and failures alike."""

    async def scene(site):
        browser = site.browser(follow=False)
        for path in PATHS:
            headers = (await browser.get(path)).headers
            policy = headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert "frame-ancestors 'none'" in policy
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["referrer-policy"] == "same-origin"
            assert headers["cross-origin-opener-policy"] == "same-origin"

    play(tmp_path, scene)


@pytest.mark.parametrize(
    ("path", "status"), [("/static/%00", 404), (f"/static/{'x' * 300}", 404), ("/login?next=%00", 400)]
)
def test_what_no_text_can_hold_is_nowhere(tmp_path, path, status):
    """Not every store can be asked for it: it is no page, and no fault of ours."""

    async def scene(site):
        browser = site.browser()
        await site.sign_up(browser)
        assert (await browser.get(path)).status_code == status

    play(tmp_path, scene)


def test_no_page_is_kept(tmp_path):
    """The back button after the logout shows nothing of anybody."""

    async def scene(site):
        browser = site.browser()
        await site.sign_up(browser)
        for path in (
            "/",
            "/profile",
            "/security",
            "/notices",
            "/security/logins",
            "/step-up?wish=change:email",
        ):
            assert (await browser.get(path)).headers["cache-control"] == "no-store", path
        await browser.submit("/logout")
        left = browser.page.history[0]
        assert left.headers["clear-site-data"] == '"cache", "storage"'
        assert (await browser.get("/profile")).url.path == "/login"

    play(tmp_path, scene)


def test_cookies_are_for_this_host_alone_and_for_no_script(tmp_path):
    """`__Host-` demands Secure, the whole host, and no other host; HttpOnly hides them from scripts."""

    async def scene(site):
        browser = site.browser(follow=False)
        answers = [await browser.get("/login")]
        answers.append(await browser.submit("/login", name="1", password="2"))  # noqa: S106 - an example
        signing_up = site.browser()
        await site.sign_up(signing_up)
        answers += signing_up.page.history
        jar = [value for answer in answers for value in answer.headers.get_list("set-cookie")]
        assert {value.partition("=")[0] for value in jar} >= {
            cookies.VISIT,
            cookies.STEP,
            cookies.SESSION,
            cookies.DEVICE,
        }
        for value in jar:
            assert value.startswith("__Host-")
            parts = {part.strip().lower() for part in value.split(";")[1:]}
            assert {"secure", "httponly", "path=/", "samesite=lax"} <= parts, value
            assert not any(part.startswith("domain") for part in parts)

    play(tmp_path, scene)


@pytest.mark.parametrize(
    ("language", "title"), [("ja", "ログイン"), ("en", "Log in"), ("fr", "ログイン"), ("", "ログイン")]
)
def test_the_language_is_japanese_unless_english_is_asked_for(tmp_path, language, title):
    """As the browser says, and Japanese where it says neither."""

    async def scene(site):
        browser = site.browser(language=language)
        await browser.get("/login")
        assert browser.title == title

    play(tmp_path, scene)


def test_a_member_is_written_to_in_the_language_that_they_choose(tmp_path):
    """By the switch on our own pages; a link on another site changes no letter of theirs."""

    async def scene(site):
        browser = site.browser()
        await site.sign_up(browser)
        for to, came_from in (("en", "same-origin"), ("ja", "cross-site"), ("ja", "same-origin")):
            await browser.get(f"/language/{to}?back=/", **{"Sec-Fetch-Site": came_from})
            with site.site.parts.store.read() as connection:
                told.append(connection.execute(select(member.c.language)).scalar_one())

    told: list[str] = []
    play(tmp_path, scene)
    assert told == ["en", "en", "ja"]


def test_the_chosen_language_stays_and_leads_back(tmp_path):
    """The switch goes back to the page where it was pressed, and to no other site."""

    async def scene(site):
        browser = site.browser()
        await browser.get("/language/ja?back=/signup")
        assert (browser.path, browser.title) == ("/signup", "ご連絡先をお知らせください")
        await browser.get("/login")
        assert browser.title == "ログイン"
        await browser.get("/language/en?back=//evil.example")
        assert browser.path == "/"
        assert (await browser.get("/language/xx")).status_code == 404

    play(tmp_path, scene)


def test_programs_hear_problems_and_people_read_pages(tmp_path):
    """The same refusal, told in two ways; a proof that is missing is told as RFC 9470 has it."""

    async def scene(site):
        browser = site.browser()
        answer = await browser.get("/profile", accept="application/json")
        assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")
        await site.sign_up(browser)
        answer = await browser.get("/profile/home_address", accept="application/json")
        assert (answer.status_code, answer.json()["code"]) == (401, "insufficient_user_authentication")
        challenge = answer.headers["www-authenticate"]
        assert 'max_age="300"' in challenge
        assert 'acr_values="passkey code"' in challenge
        answer = await browser.get("/nothing", accept="application/json")
        assert answer.json()["code"] == "not_found"
        assert "There is no such page" in (await browser.get("/nothing")).text

    play(tmp_path, scene)


def test_a_part_that_is_down_is_said_and_nothing_is_lost(tmp_path):
    """What happened, what it means, what to do; and when to come again."""

    async def scene(site):
        browser = site.browser()
        await browser.get("/signup")
        fields = {"email": "hanako@example.jp", "mobile": "090-1234-5678"}
        site.site.parts.store.close()
        answer = await browser.submit("/signup", **fields)
        assert answer.status_code == 503
        assert answer.headers["retry-after"]
        assert "Nothing has been changed" in answer.text

    play(tmp_path, scene)


def test_a_bug_is_not_shown(tmp_path):
    """The cause goes to the log alone."""

    @get("/broken", opt={ROLE: Role.ANYONE}, sync_to_thread=False)
    def broken() -> None:
        raise RuntimeError("the secret of the house")

    async def scene(site):
        site.app = create_member_app(site.site, [broken])
        answer = await site.browser().get("/broken")
        assert answer.status_code == 500
        assert "Something failed on our side" in answer.text
        assert "secret of the house" not in answer.text

    play(tmp_path, scene)


def test_a_route_that_names_no_role_is_not_served(tmp_path):
    """The application does not even start."""

    @get("/forgotten", sync_to_thread=False)
    def forgotten() -> None:
        """Nobody said who may ask for this."""

    async def scene(site):
        with pytest.raises(LookupError, match="GET /forgotten names no role"):
            create_member_app(site.site, [forgotten])

    play(tmp_path, scene)


def test_a_file_asks_for_no_session(tmp_path):
    """Style and scripts come also while the store is down, so that the page that says so looks like one."""

    async def scene(site):
        browser = site.browser()
        await site.sign_up(browser)
        site.site.parts.store.close()
        assert (await browser.get("/static/members.css")).status_code == 200
        assert (await browser.get("/profile")).status_code == 503

    play(tmp_path, scene)


def test_another_method_is_told_which_ones_there_are(tmp_path):
    async def scene(site):
        answer = await site.browser().client.request("DELETE", "/login")
        assert answer.status_code == 405
        assert {"GET", "POST"} <= set(answer.headers["allow"].split(", "))

    play(tmp_path, scene)
