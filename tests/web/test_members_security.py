"""The security page: what protects an account is seen and changed, and what is wrong is ended at once."""

import re

from tests.web.member_site import PASSWORD, Forms, found, options, play

from sekisho.identity import calls, sessions
from sekisho.identity.assurance import Standing
from sekisho.identity.holds import HoldScope, holds_on
from sekisho.kernel.ids import MEMBER
from sekisho.web.members import cookies

NEW_PASSWORD = "suzume-no-oyado 52"  # noqa: S105 - an example's


def standings(page):
    return re.findall(r'data-standing="(\w+)"', page.text)


def link(page, path):
    """Return the first address on a page that begins with a path."""
    return found(rf'href="({re.escape(path)}[^"]*)"', page.text).replace("&amp;", "&")


async def two_devices(site):
    """Return a member's known browser with a passkey, and one on which password and code were entered."""
    known, new = site.browser(), site.browser("198.51.100.9", user_agent="Mozilla/5.0 (iPhone) Safari/604")
    number, mobile = await site.sign_up(known)
    authenticator = await site.make_passkey(known)
    await site.log_in(new, number, mobile)
    return known, new, authenticator


def test_passkeys_are_named_and_removed(tmp_path):
    """A name that says nothing is not taken; removing asks for a proof and tells on every channel."""

    async def scene(site):
        browser = site.browser()
        await site.sign_up(browser)
        authenticator = await site.make_passkey(browser)
        await browser.get(link(browser.page, "/security/passkeys/rename"))
        assert (await browser.submit("/security/passkeys/rename", name="\u200b")).status_code == 422
        await browser.submit("/security/passkeys/rename", name="My phone")
        assert "My phone" in browser.page.text
        await browser.get(link(browser.page, "/security/passkeys/remove"))
        await site.approve(browser, authenticator)
        assert "Remove this passkey?" in browser.title
        await browser.submit("/security/passkeys/remove")
        assert browser.path == "/security?done=passkey_removed"
        assert "You have no passkey yet" in browser.page.text
        assert len(site.sent("notice:passkey_removed")) == 2

    play(tmp_path, scene)


def test_a_passkey_of_somebody_else_cannot_be_touched(tmp_path):
    """Named in an address or a form, it is simply not there."""

    async def scene(site):
        owner, other = site.browser(), site.browser("192.0.2.99")
        await site.sign_up(owner)
        await site.make_passkey(owner)
        rename = link(owner.page, "/security/passkeys/rename")
        await site.sign_up(other)
        await site.make_passkey(other)
        assert (await other.get(rename)).status_code == 404
        await other.get(link((await other.get("/security")), "/security/passkeys/rename"))
        answer = await other.submit("/security/passkeys/rename", passkey=rename.partition("=")[2])
        assert answer.status_code == 404
        for text, status in (("", 404), ("%00", 400), ("a" * 2_000, 404), ("abcde", 404)):
            assert (await other.get(f"/security/passkeys/remove?passkey={text}")).status_code == status

    play(tmp_path, scene)


def test_a_new_device_is_approved_from_a_known_one(tmp_path):
    """Seen there, approved with a passkey, told on every channel; then a code is worth something on it."""

    async def scene(site):
        known, new, authenticator = await two_devices(site)
        await known.get("/security")
        assert standings(known.page) == ["unconfirmed", "trusted"]
        await known.get(link(known.page, "/security/devices/approve"))
        await site.approve(known, authenticator)
        await known.submit("/security/devices/approve")
        assert known.path == "/security?done=device_approved"
        assert standings(known.page) == ["trusted", "trusted"]
        await new.get("/profile/home_address")
        assert "/step-up/code/send" in Forms(new.page.text).fields

    play(tmp_path, scene)


def test_a_new_device_cannot_approve_itself(tmp_path):
    """Neither the page nor the form is its to use."""

    async def scene(site):
        _, new, _ = await two_devices(site)
        page = await new.get("/security")
        device = found(rf'data-device="(dev_\w+)" data-standing="{Standing.UNCONFIRMED}"', page.text)
        assert "/security/devices/approve" not in page.text
        assert (await new.get(f"/security/devices/approve?device={device}")).url.path == "/step-up"
        assert "/step-up/code/send" not in Forms(new.page.text).fields

    play(tmp_path, scene)


def test_a_device_is_thrown_out_with_its_sessions(tmp_path):
    """The next page that it asks for is the login."""

    async def scene(site):
        known, new, _ = await two_devices(site)
        await known.get("/security")
        await known.get(link(known.page, "/security/devices/revoke"))
        await known.submit("/security/devices/revoke")
        assert known.path == "/security?done=device_revoked"
        assert (await new.get("/profile")).url.path == "/login"

    play(tmp_path, scene)


def test_sessions_are_ended_one_by_one_and_all_at_once(tmp_path):
    """But never another member's."""

    async def scene(site):
        known, new, _ = await two_devices(site)
        foreign = site.browser("192.0.2.99")
        await site.sign_up(foreign)
        page = (await foreign.get("/security")).text
        other = found(r'data-session="(ses_\w+)"', page)
        await known.get("/security")
        await known.submit("/security/sessions/end", session=other)
        assert (await foreign.get("/profile")).url.path == "/profile"
        await known.submit("/security/sessions/end-others")
        assert (await new.get("/profile")).url.path == "/login"
        assert (await known.get("/profile")).url.path == "/profile"

    play(tmp_path, scene)


def test_a_login_that_was_somebody_else_s_is_ended_and_money_kept_in(tmp_path):
    """One press, no further proof: the session ends, the device is out, and nothing leaves the account."""

    async def scene(site):
        known, new, _ = await two_devices(site)
        await known.get("/security/logins")
        line = found(r'data-sign-in="(sin_\w+)" data-result="opened"', known.page.text)
        await known.submit("/security/logins/disown", sign_in=line)
        assert known.path == "/security?done=disowned"
        assert (await new.get("/profile")).url.path == "/login"
        with site.site.parts.store.read() as connection:
            text = (await known.get("/security")).text
            member = site.guard.asked[-1].member
            held = holds_on(connection, MEMBER.parse(member), site.clock.now_us())
        assert [hold.scope for hold in held] == [HoldScope.MONEY_OUT]
        assert "not you" in text
        assert "No money leaves your account at the moment" in text
        assert "Until our contact desk has talked with you" in text

    play(tmp_path, scene)


def test_a_known_device_that_is_disowned_without_a_proof_is_unconfirmed_from_then_on(tmp_path):
    """A stolen session could say it too: the page says what was done, and the device is not thrown out."""

    async def scene(site):
        known, new, _ = await two_devices(site)
        await new.get("/security/logins")
        of_known = re.findall(r'data-sign-in="(sin_\w+)" data-result="opened"', new.page.text)[-1]
        await new.submit("/security/logins/disown", sign_in=of_known)
        assert new.path == "/security?done=disowned_doubted"
        assert "its device counts as unconfirmed" in new.page.text
        assert 'data-standing="trusted"' not in new.page.text
        assert (await known.get("/profile")).url.path == "/login"

    play(tmp_path, scene)


def test_a_new_password_ends_the_other_sessions(tmp_path):
    """Asked for after a proof; the old one opens nothing any more."""

    async def scene(site):
        known, new, authenticator = await two_devices(site)
        await known.get("/security/password")
        await site.approve(known, authenticator)
        answer = await known.submit("/security/password", password="password")  # noqa: S106 - an example
        assert answer.status_code == 422
        await known.submit("/security/password", password=NEW_PASSWORD)
        assert known.path == "/security?done=password_changed"
        assert (await new.get("/profile")).url.path == "/login"
        assert len(site.sent("notice:password_changed")) == 2

    play(tmp_path, scene)


def test_everything_can_be_stopped_and_only_a_passkey_opens_it_again(tmp_path):
    """The member too is logged out; password and code are worth nothing; the passkey is."""

    async def scene(site):
        known, new, authenticator = await two_devices(site)
        await new.get("/security/freeze")
        await new.submit("/security/freeze")
        assert new.path == "/frozen"
        assert not new.cookie(cookies.SESSION)
        assert (await known.get("/profile")).url.path == "/login"
        begun = await options(known, "/login/passkey/options")
        await known.get("/login")
        credential = authenticator.get(begun["options"]).decode()
        answer = await known.submit("/login/passkey", ceremony=begun["ceremony"], credential=credential)
        assert answer.status_code == 403
        stopped = known.page
        site.wait(301)
        await known.submit("/unfreeze")
        assert known.path == "/login?over"
        known.page = stopped
        await known.submit("/unfreeze", proof="made up")
        assert known.path == "/login?over"

    play(tmp_path, scene)


def test_the_member_opens_a_stopped_account_again(tmp_path):
    """Within five minutes of the passkey, with one press."""

    async def scene(site):
        browser = site.browser()
        number, _ = await site.sign_up(browser)
        authenticator = await site.make_passkey(browser)
        await browser.get("/security/freeze")
        await browser.submit("/security/freeze")
        begun = await options(browser, "/login/passkey/options")
        await browser.get("/login")
        credential = authenticator.get(begun["options"]).decode()
        await browser.submit("/login/passkey", ceremony=begun["ceremony"], credential=credential)
        await browser.submit("/unfreeze")
        assert browser.path == "/login?unfrozen"
        await browser.submit("/login", name=number, password=PASSWORD)
        assert browser.path == "/"

    play(tmp_path, scene)


def test_a_recovery_begins_on_a_new_device_and_is_cancelled_from_a_known_one(tmp_path):
    """In front of everybody: the known device sees it, and ends it with one press."""

    async def scene(site):
        known, new, _ = await two_devices(site)
        await new.get("/recovery")
        await new.submit("/recovery")
        assert "Done at the earliest" in new.page.text
        await known.get("/security")
        assert "A recovery is under way" in known.page.text
        assert len(site.sent("notice:recovery_asked")) == 2
        await new.submit("/recovery/cancel")
        assert new.page.status_code == 401
        await known.submit("/recovery/cancel")
        assert known.path == "/security?done=recovery_cancelled"

    play(tmp_path, scene)


def test_a_call_of_ours_can_be_told_from_any_other(tmp_path):
    """The digits stand on the page; whoever says others is not us, and can be reported."""

    async def scene(site):
        browser = site.browser()
        await site.sign_up(browser)
        with site.site.parts.store.read() as connection:
            session = sessions.current(connection, browser.cookie(cookies.SESSION), site.clock.now_us())
        assert session is not None
        parts, member_id = site.site.parts, session.member_id
        call = await parts.written(lambda at: calls.record(at, parts, "sato", member_id, "Your letter"))
        await browser.get("/security/calls")
        assert f"{call.code[:3]} {call.code[3:]}" in browser.page.text
        await browser.submit("/security/calls/check", said="000000")
        assert "not a call of ours" in browser.page.text
        await browser.submit("/security/calls/check", said=f"{call.code[:3]} {call.code[3:]}")
        assert "this call is from us" in browser.page.text
        answer = await browser.submit("/security/calls/report", called_at="tomorrow")
        assert answer.status_code == 422
        report = {"called_at": "2026-09-21T12:00", "told_code": "yes", "words": "<script>"}
        await browser.submit("/security/calls/report", **report)
        assert browser.path == "/security/calls?reported"

    play(tmp_path, scene)


def test_what_we_told_stands_in_the_history_of_notices(tmp_path):
    """One line an occasion, with its channels, and no code in it."""

    async def scene(site):
        browser = site.browser()
        await site.sign_up(browser)
        await site.make_passkey(browser)
        page = (await browser.get("/notices")).text
        assert "passkey" in re.sub(r"<[^>]*>", "", page).lower()
        assert "text message, e-mail" in page or "e-mail, text message" in page
        assert not re.search(r"(?<![0-9])[0-9]{6}(?![0-9])", re.sub(r"<input[^>]*>", "", page))

    play(tmp_path, scene)
