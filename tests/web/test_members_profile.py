"""The member's details: masked, shown one by one after a fresh proof, each view on record."""

import pytest
from tests.web.member_site import ADDRESS, Forms, play

from sekisho.identity import reveals, sessions

SECRETS = ("山田", "ﾔﾏﾀﾞ", "1990-04-01", "千代田", "hanako1@", "1234-0001", "+81901234")


def looks(site, browser):
    """Return what is on record of one session's looks, as (item, form)."""
    with site.site.parts.store.read() as connection:
        session = browser_session(site, browser, connection)
        return [(seen.item, seen.form) for seen in reveals.seen_in_sessions(connection, [session.id])]


def browser_session(site, browser, connection):
    found = sessions.current(connection, browser.cookie("__Host-session"), site.clock.now_us())
    assert found is not None
    return found


async def approve_by_code(site, browser, mobile):
    await browser.submit("/step-up/code/send")
    site.wait(5)
    await browser.submit("/step-up/code", code=site.code_to(mobile))


def test_nothing_personal_stands_on_the_page(tmp_path):
    """Enough that its owner knows it again, nothing that a stranger could use."""

    async def scene(site):
        browser = site.browser()
        await site.sign_up(browser)
        page = (await browser.get("/profile")).text
        assert "東京都●●区…" in page
        assert "h****@example.jp" in page
        assert [secret for secret in SECRETS if secret in page] == []
        assert page.count("data-item=") == 15

    play(tmp_path, scene)


def test_an_item_is_shown_after_a_code_for_exactly_that(tmp_path):
    """The purpose stands on the page and in the message; another item asks again; the view is on record."""

    async def scene(site):
        browser = site.browser(language="ja")
        _, mobile = await site.sign_up(browser)
        await browser.get("/profile/home_address")
        assert browser.path == "/step-up?wish=reveal:home_address"
        assert "ご自宅の住所の表示" in browser.page.text
        await approve_by_code(site, browser, mobile)
        assert "ご自宅の住所の表示" in site.sent("code")[-1].text
        assert browser.path == "/profile/home_address"
        assert ADDRESS in browser.page.text
        assert (await browser.get("/profile/name")).url.path == "/step-up"
        assert ("home_address", "shown") in looks(site, browser)
        assert ("name", "shown") not in looks(site, browser)

    play(tmp_path, scene)


def test_a_proof_grows_old(tmp_path):
    """After five minutes the same page asks again: no cookie and no back button makes it younger."""

    async def scene(site):
        browser = site.browser()
        _, mobile = await site.sign_up(browser)
        await browser.get("/profile/home_address")
        await approve_by_code(site, browser, mobile)
        site.wait(299)
        assert (await browser.get("/profile/home_address")).url.path == "/profile/home_address"
        site.wait(2)
        assert (await browser.get("/profile/home_address")).url.path == "/step-up"

    play(tmp_path, scene)


def test_on_a_device_that_is_not_known_a_code_opens_nothing(tmp_path):
    """The phished password and code: logged in, everything masked, no code offered, none accepted."""

    async def scene(site):
        number, mobile = await site.sign_up(site.browser())
        thief = site.browser("198.51.100.66")
        await site.log_in(thief, number, mobile)
        page = (await thief.get("/profile")).text
        assert [secret for secret in SECRETS if secret in page] == []
        await thief.get("/profile/home_address")
        assert "/step-up/code/send" not in Forms(thief.page.text).fields
        sent = len(site.sent("code"))
        made = forged_form(site, thief, "/step-up/code/send")
        await thief.post("/step-up/code/send", made | {"wish": "reveal:home_address"})
        assert len(site.sent("code")) == sent
        for wish in ("change:email", "password_change", "passkey_added"):
            await thief.get(f"/step-up?wish={wish}")
            assert "/step-up/code/send" not in Forms(thief.page.text).fields, wish

    play(tmp_path, scene)


def forged_form(site, browser, route):
    """Return the token of a form that the pages do not offer, as somebody would who knew the form key."""
    with site.site.parts.store.read() as connection:
        session = browser_session(site, browser, connection)
    return {"form": sessions.form_token(session, route)}


def test_a_passkey_approves_on_any_device(tmp_path):
    """And confirms the device by it."""

    async def scene(site):
        browser = site.browser()
        _, _ = await site.sign_up(browser)
        authenticator = await site.make_passkey(browser)
        await browser.get("/profile/email")
        await site.approve(browser, authenticator)
        assert browser.path == "/profile/email"
        assert "hanako1@example.jp" in browser.page.text

    play(tmp_path, scene)


def test_a_link_from_elsewhere_shows_nothing(tmp_path):
    """Who is sent to the page of an item by another site lands on the masked one, and nothing is recorded."""

    async def scene(site):
        browser = site.browser()
        _, mobile = await site.sign_up(browser)
        await browser.get("/profile/home_address")
        await approve_by_code(site, browser, mobile)
        before = looks(site, browser).count(("home_address", "shown"))
        headers = {"Sec-Fetch-Site": "cross-site"}
        answer = await browser.client.get("/profile/home_address", headers=headers)
        assert answer.url.path == "/profile"
        assert ADDRESS not in answer.text
        assert looks(site, browser).count(("home_address", "shown")) == before

    play(tmp_path, scene)


@pytest.mark.parametrize(
    "wish", ["", "reveal:", "reveal:nothing", "approve:dev_x", "//evil.example", "a" * 5_000]
)
def test_only_what_exists_can_be_approved(tmp_path, wish):
    """A made-up wish is no page."""

    async def scene(site):
        browser = site.browser()
        await site.sign_up(browser)
        answer = await browser.client.get("/step-up", params={"wish": wish})
        assert answer.status_code == 404

    play(tmp_path, scene)


def test_a_new_address_is_proven_and_the_old_one_told(tmp_path):
    """A code to the new one; notices to both; then it is the ID at the login."""

    async def scene(site):
        browser = site.browser()
        _, mobile = await site.sign_up(browser)
        await browser.get("/profile/email/change")
        await approve_by_code(site, browser, mobile)
        assert browser.path == "/profile/email/change"
        answer = await browser.submit("/profile/change", value="not an address")
        assert answer.status_code == 422
        assert 'value="not an address"' in answer.text
        await browser.submit("/profile/change", value="new@example.jp")
        site.wait(5)
        assert (await browser.submit("/profile/confirm", code="no code")).status_code == 422
        await browser.submit("/profile/confirm", code=site.code_to("new@example.jp"))
        assert browser.path == "/profile?done=email"
        told = {message.to for message in site.sent("notice:email_changed")}
        assert told == {"hanako1@example.jp", "new@example.jp", "+819012340001"}

    play(tmp_path, scene)


def test_an_address_of_somebody_else_gets_the_same_answer(tmp_path):
    """Whether it is a member's shows nowhere, and no code fits."""

    async def scene(site):
        other, browser = site.browser("192.0.2.99"), site.browser()
        await site.sign_up(other)
        _, mobile = await site.sign_up(browser)
        await browser.get("/profile/email/change")
        await approve_by_code(site, browser, mobile)
        sent = len(site.sent("code"))
        await browser.submit("/profile/change", value="hanako1@example.jp")
        assert browser.path == "/profile/email/confirm"
        assert len(site.sent("code")) == sent

    play(tmp_path, scene)


def test_what_needs_no_proof_of_its_own_is_kept_at_once(tmp_path):
    """An employer's name after the step-up; what cannot be a name is said so."""

    async def scene(site):
        browser = site.browser()
        _, mobile = await site.sign_up(browser)
        await browser.get("/profile/employer_name/change")
        await approve_by_code(site, browser, mobile)
        assert (await browser.submit("/profile/change", value="みどり\u202e商事")).status_code == 422
        await browser.submit("/profile/change", value="株式会社みどり商事")
        assert browser.path == "/profile?done=employer_name"
        assert "み●●●●" in browser.page.text
        assert (await browser.get("/profile/name/change")).status_code == 404

    play(tmp_path, scene)
