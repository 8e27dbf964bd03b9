"""A member's way through the site in a real browser, against the running program."""

import pytest
from playwright.sync_api import expect
from sqlalchemy import select
from tests.end_to_end.people import ADDRESS
from tests.end_to_end.running_sekisho import column

from sekisho.identity.reveals import seen_in_sessions
from sekisho.storage.tables.members import member as member_table

pytestmark = pytest.mark.server

MASKED = "東京都●●区…"


def id_of(running, member):
    """Return a member's id, by the number that the member got."""
    found = select(member_table.c.id).where(member_table.c.number == member.number)
    return running.read(column(found))[0]


def seen(running, session_id):
    """Return the items that may have been seen in a session, in full and masked."""
    rows = running.read(lambda connection: seen_in_sessions(connection, [session_id]))
    return {row.item for row in rows if row.form == "shown"}, {
        row.item for row in rows if row.form == "masked"
    }


def test_an_account_is_opened_and_a_passkey_opens_it_again(device, member, handset):
    """Two codes, a password, a passkey; next time nothing is typed."""
    home = device()
    home.add_passkey_manager()
    member.open_account(home, handset)
    home.make_passkey()
    home.log_out()
    home.log_in_by_passkey()
    assert MASKED in home.open("/profile").inner_text("main")


def test_a_second_device_sees_masks_until_a_passkey_approves(running, device, member, handset):
    """Password and code open a session of masks; the passkey shows the one item; both are on record."""
    home = device()
    home.add_passkey_manager()
    member.open_account(home, handset)
    home.make_passkey()

    tablet = device()
    member.log_in_with_code(tablet, handset)
    main = tablet.open("/profile").inner_text("main")
    assert MASKED in main
    for plain in (ADDRESS, member.email, member.mobile, "山田", "1990"):
        assert plain not in main

    tablet.page.click("[data-item=home_address] a.button >> nth=0")
    tablet.page.wait_for_url("**/step-up?wish=reveal:home_address")
    assert tablet.page.locator("form[action='/step-up/code/send']").count() == 0
    before = tablet.session_id()
    assert seen(running, before)[0] == set()

    # The member's passkeys come to the new tablet with the account of its maker.
    tablet.add_passkey_manager(*home.passkeys())
    tablet.open("/step-up?wish=reveal:home_address")
    tablet.page.click("form[data-passkey] button")
    tablet.page.wait_for_url("**/profile/home_address")
    assert tablet.page.inner_text("[data-shown=home_address]") == ADDRESS

    shown, masked = seen(running, tablet.session_id())
    assert shown == {"home_address"}
    assert {"name", "email", "mobile_phone"} <= masked
    assert seen(running, home.session_id()) == (set(), set())


def test_a_passkey_from_the_first_device_opens_the_second(device, member, handset):
    """No name, no password, no code; and the device is a known one from then on."""
    home = device()
    home.add_passkey_manager()
    member.open_account(home, handset)
    home.make_passkey()
    tablet = device()
    tablet.add_passkey_manager(*home.passkeys())
    tablet.log_in_by_passkey()
    tablet.open("/security")
    assert tablet.page.locator("[data-standing=trusted]").count() == 2
    assert handset.arrive(member.sms, "新しい端末からログイン")


def test_on_the_device_of_the_sign_up_a_code_for_this_shows_this(device, member, handset):
    """The code says in words what it approves, and shows that item and no other."""
    home = device()
    member.open_account(home, handset)
    home.open("/profile/birth_date")
    home.page.wait_for_url("**/step-up?wish=reveal:birth_date")
    approved = home.page.inner_text("#approved")
    home.page.click("section.first button.main")
    home.page.wait_for_url("**/step-up/code*")
    text = handset.arrive(member.sms, r"#\d{6}")
    assert approved.rstrip("。") in text
    assert text.splitlines()[-1].startswith("@lender.localhost #")
    home.page.fill("#code", text[-6:])
    home.page.click("button.main")
    home.page.wait_for_url("**/profile/birth_date")
    assert "1990" in home.page.inner_text("[data-shown=birth_date]")
    home.open("/profile/home_address")
    assert "/step-up?wish=reveal:home_address" in home.page.url


def test_passkeys_are_named_and_removed_and_other_sessions_ended(device, member, handset):
    """The security page: what is called what, what is taken away, and who is thrown out."""
    home = device()
    home.add_passkey_manager()
    member.open_account(home, handset)
    home.make_passkey()
    tablet = device()
    member.log_in_with_code(tablet, handset)

    home.open("/security")
    home.page.click("[data-passkey-name] a[href*=rename]")
    home.page.fill("#name", "台所のタブレット")
    home.page.click("button.main")
    home.page.wait_for_url("**/security?done=passkey_renamed")
    assert home.page.locator("[data-passkey-name='台所のタブレット']").count() == 1

    home.page.click("form[action='/security/sessions/end'] button")
    home.page.wait_for_url("**/security?done=session_ended")
    assert home.page.locator("[data-session]").count() == 1
    tablet.open("/profile")
    assert "/login?next=" in tablet.page.url

    kept = home.passkeys()
    home.page.click("[data-passkey-name] a[href*=remove]")
    home.page.wait_for_url("**/step-up?wish=passkey_removed:*")
    home.page.click("form[data-passkey] button")
    home.page.wait_for_url("**/security/passkeys/remove?passkey=*")
    home.page.click("main form button")
    home.page.wait_for_url("**/security?done=passkey_removed")
    assert home.page.locator("[data-passkey-name]").count() == 0
    assert handset.arrive(member.sms, "パスキーが削除")
    home.log_out()
    home.open("/login")
    assert home.passkeys() == []  # the site has told the manager
    thief = device()
    thief.add_passkey_manager(*kept)
    thief.open("/login")
    expect(thief.page).to_have_url(thief.origin + "/login/passkey")
    expect(thief.page.locator("main > [role=alert]")).to_be_visible()
    thief.lose_passkey_manager()
    assert "/login?next=" in thief.open("/profile").url


def test_a_frozen_account_opens_for_a_passkey_alone(device, member, handset):
    """The emergency stop ends every session at once; the password says nothing; the passkey opens it."""
    home, tablet = device(), device()
    home.add_passkey_manager()
    member.open_account(home, handset)
    home.make_passkey()
    member.log_in_with_code(tablet, handset)
    tablet.open("/security/freeze")
    tablet.page.click("button.main")
    tablet.page.wait_for_url("**/frozen")
    home.open("/profile")
    assert "/login?next=" in home.page.url
    assert handset.arrive(member.sms, "止め")

    home.open("/login")
    home.page.click("form[action='/unfreeze'] button")
    expect(home.page).to_have_url(home.origin + "/profile")  # the page that was wanted when it was stopped
    assert MASKED in home.page.inner_text("main")


def test_a_password_is_masked_and_may_be_pasted(device, member, handset):
    """At the login and where one is chosen; password managers are told which is which."""
    home = device()
    page = home.open("/login")
    assert page.get_attribute("#password", "type") == "password"
    assert page.get_attribute("#password", "autocomplete") == "current-password"
    page.fill("#name", "a pasted passphrase")
    page.press("#name", "Control+a")
    page.press("#name", "Control+c")
    page.press("#password", "Control+v")
    assert page.input_value("#password") == "a pasted passphrase"
    member.open_account(home, handset)
    home.open("/security/password")
    home.page.click("section.first button.main")
    home.page.fill("#code", handset.code_to(member.sms))
    home.page.click("button.main")
    home.page.wait_for_url("**/security/password")
    assert home.page.get_attribute("#password", "type") == "password"
    assert home.page.get_attribute("#password", "autocomplete") == "new-password"


@pytest.mark.parametrize("size", [(390, 844), (1_440, 900)], ids=["phone", "desk"])
def test_every_page_of_members_has_the_way_out(device, member, handset, size):
    """On a phone and on a wide screen."""
    home = device(viewport={"width": size[0], "height": size[1]})
    member.open_account(home, handset)
    for path in ("/", "/profile", "/profile/home_address", "/security", "/security/calls", "/notices"):
        home.open(path)
        expect(home.page.locator("form[action='/logout'] button")).to_be_visible()
