"""Sessions that are planted, copied, old or somebody else's, and forms from elsewhere: nothing is done."""

import pytest
from playwright.sync_api import expect
from sqlalchemy import select
from tests.end_to_end.http_browser import HttpBrowser
from tests.end_to_end.running_sekisho import column

from sekisho.identity import sessions
from sekisho.storage.tables.members import member as member_table
from sekisho.storage.tables.sessions import session as session_table
from sekisho.storage.tables.sessions import sign_in as sign_in_table

pytestmark = pytest.mark.server

HOME, ELSEWHERE = "192.0.2.10", "198.51.100.7"
FRESH_S = 5 * 60
IDLE_S = 15 * 60
WHOLE_S = 12 * 3_600


@pytest.fixture(name="visitor")
def _visitor(running):
    """Give out tools that speak HTTP, each without a past."""
    opened = []

    def visitor(of=None, ip=ELSEWHERE, **options):
        browser = HttpBrowser(running, ip=ip, **options)
        opened.append(browser)
        if of is not None:
            browser.cookies |= {cookie["name"]: cookie["value"] for cookie in of.context.cookies()}
        return browser

    yield visitor
    for browser in opened:
        browser.close()


@pytest.fixture(name="home")
def _home(device, member, handset):
    """Give the browser of a member with a passkey, who has just proven it."""
    home = device(HOME)
    home.add_passkey_manager()
    member.open_account(home, handset)
    home.make_passkey()
    return home


def form_token(running, member, route):
    """Return the token of a form that the member's page shows only where it has something to show."""
    live = id_of(running, session_table, member, session_table.c.ended_at_us.is_(None))
    return sessions.form_token(running.read(lambda connection: sessions.find(connection, live)), route)


def show_address(home):
    """Show the address in full, after a passkey's approval."""
    home.open("/profile/home_address")
    home.page.click("form[data-passkey] button")
    expect(home.page.locator("[data-shown]")).to_be_visible()


def id_of(running, table, member, *conditions):
    """Return the id of a member's newest row."""
    own = select(table.c.id).join(member_table, member_table.c.id == table.c.member_id)
    found = own.where(member_table.c.number == member.number, *conditions).order_by(table.c.id.desc())
    return running.read(column(found))[0]


def test_a_planted_session_is_worth_nothing_after_the_login(device, member, handset, visitor):
    """Fixation: the cookies that a thief knows before the login open nothing after it."""
    home = device(HOME)
    member.open_account(home, handset)
    known = visitor(home)
    home.log_out()
    planted = {"name": "__Host-session", "value": known.cookies["__Host-session"], "secure": True}
    home.context.add_cookies([planted | {"url": home.origin.replace("http:", "https:")}])
    member.give_password(home)
    assert visitor(home).get("/profile").status_code == 200
    known.get("/profile")
    assert known.path.startswith("/login")


def test_each_proof_brings_a_new_token_and_the_old_one_dies(home, visitor):
    """A copy that was taken before a step-up opens nothing after it."""
    copy = visitor(home)
    assert copy.get("/profile").status_code == 200
    assert copy.path == "/profile"
    show_address(home)
    copy.get("/profile")
    assert copy.path.startswith("/login")


def test_a_copied_session_without_its_device_approves_nothing(device, member, handset, visitor):
    """On the device itself a code would do for the reveal; without the device's cookie none is offered."""
    home = device(HOME)
    member.open_account(home, handset)
    whole, part = visitor(home), visitor(home)
    del part.cookies["__Host-device"]
    for copy, offered in ((whole, True), (part, False)):
        copy.get("/profile/home_address")
        assert copy.path == "/step-up?wish=reveal:home_address"
        assert ("/step-up/code/send" in copy.page.text) is offered


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
    ids=["another origin", "no origin", "cross-site", "same-site"],
)
def test_a_form_that_another_site_sends_is_refused(device, member, handset, visitor, headers):
    """Even with the cookies and the right token."""
    home = device(HOME)
    member.open_account(home, handset)
    copy = visitor(home)
    fields = copy.token_for("/security/freeze", "/security/freeze")
    assert copy.post("/security/freeze", fields, **headers).status_code == 403
    assert copy.get("/profile").status_code == 200
    assert copy.path == "/profile"


def test_a_form_needs_the_token_of_this_session_and_this_form(device, member, handset, visitor):
    """No token, another form's, another session's: the page asks to be opened again, and nothing is done."""
    home, tablet = device(HOME), device()
    member.open_account(home, handset)
    member.log_in_with_code(tablet, handset)
    copy, other = visitor(home), visitor(tablet)
    another_session = other.token_for("/security/freeze", "/security/freeze")
    another_form = copy.token_for("/logout", "/security")
    for fields in ({"other": "1"}, {"form": ""}, another_form, another_session):
        assert copy.post("/security/freeze", fields).status_code == 409
    assert copy.get("/profile").status_code == 200
    assert copy.path == "/profile"


def test_going_back_after_leaving_shows_nothing(home):
    """The browser has forgotten the pages, and the server the session."""
    show_address(home)
    home.lose_passkey_manager()
    home.open("/profile")
    home.log_out()
    for _ in range(3):
        home.page.go_back()
        home.page.wait_for_load_state()
        assert "千代田" not in home.page.inner_text("body")
        assert "東京都" not in home.page.inner_text("body")


def test_a_second_tab_goes_on_after_a_proof_in_the_first(device, member, handset):
    """The new token is the browser's; a form that was open all the while still counts."""
    home = device(HOME)
    member.open_account(home, handset)
    second = home.context.new_page()
    second.goto(home.origin + "/security")
    home.open("/step-up?wish=reveal:home_address")
    home.page.click("section.first button.main")
    home.page.fill("#code", handset.code_to(member.sms))
    home.page.click("button.main")
    expect(home.page.locator("[data-shown]")).to_be_visible()
    second.click("a[href='/security/freeze'] >> nth=0")
    expect(second).to_have_url(home.origin + "/security/freeze")
    second.click("button.main")
    expect(second).to_have_url(home.origin + "/frozen")
    assert "/login" in home.open("/profile").url


def test_a_proof_grows_old_on_the_server(running, home):
    """Five minutes after the passkey the item is behind its mask again, whatever the browser holds."""
    show_address(home)
    running.set_back("step_up", ("at_us",), FRESH_S)
    running.set_back("session", ("proven_at_us",), FRESH_S)
    home.page.reload()
    home.page.wait_for_url("**/step-up?wish=reveal:home_address")
    assert home.page.locator("[data-shown]").count() == 0


@pytest.mark.parametrize(("columns", "seconds"), [(("last_seen_us",), IDLE_S), (("opened_at_us",), WHOLE_S)])
def test_a_session_ends_by_itself(running, home, columns, seconds):
    """After a quarter of an hour without use, and after half a day in any case."""
    assert home.open("/profile").url.endswith("/profile")
    running.set_back("session", columns, seconds)
    assert "/login?next=" in home.open("/profile").url


def test_what_is_another_member_s_is_not_found(running, device, member, other, handset, home, visitor):
    """Ids of others in addresses and forms do what ids of nobody do."""
    stranger = device()
    stranger.add_passkey_manager()
    other.open_account(stranger, handset)
    stranger.make_passkey()
    theirs = visitor(stranger)
    theirs.get("/security")
    held = theirs.page.text
    session_id = id_of(running, session_table, other)
    sign_in_id = id_of(running, sign_in_table, other)
    (device_id,) = {part.split('"')[0] for part in held.split('data-device="')[1:]}
    passkey = held.split("passkeys/rename?passkey=")[1].split('"')[0]

    own = visitor(home)
    for path in (
        f"/security/passkeys/rename?passkey={passkey}",
        f"/security/passkeys/remove?passkey={passkey}",
        f"/security/devices/revoke?device={device_id}",
        f"/security/devices/approve?device={device_id}",
        f"/step-up?wish=revoke:{device_id}",
    ):
        assert own.get(path).status_code == 404, path
    for action, fields in (
        ("/security/sessions/end", {"session": session_id}),
        ("/security/logins/disown", {"sign_in": sign_in_id}),
    ):
        own.post(action, {"form": form_token(running, member, action)} | fields)
        assert own.page.status_code == 200
    assert theirs.get("/profile").status_code == 200
    assert theirs.path == "/profile"


def test_a_copied_passkey_gives_itself_away(home, device, member, handset):
    """The copy's counter is behind: it is refused, the passkey is out of use, and the member is told."""
    copied = home.passkeys()
    home.log_out()
    home.log_in_by_passkey()
    thief = device(ELSEWHERE)
    thief.add_passkey_manager(*copied)
    thief.open("/login")
    expect(thief.page).to_have_url(thief.origin + "/login/passkey")
    expect(thief.page.locator("main > [role=alert]")).to_be_visible()
    thief.lose_passkey_manager()
    # The page still talks to the browser about passkeys: whoever leaves before it is whole is called back.
    thief.page.wait_for_load_state("networkidle")
    assert "/login?next=" in thief.open("/profile").url
    assert handset.arrive(member.sms, "パスキー")
    home.open("/security")
    assert home.page.locator("[data-passkey-name] .badge.doubt").is_visible()
