"""The basics with scripts turned off, against the running program: nothing but forms and pages."""

import pytest
from playwright.sync_api import expect
from tests.end_to_end.people import ADDRESS, PASSWORD

pytestmark = pytest.mark.server


def test_an_account_is_opened_used_and_left_without_a_script(device, member, handset):
    """Sign up, see masks, show one item with a code for it, change the password, log out, log in again."""
    home = device(java_script_enabled=False)
    member.open_account(home, handset)
    page = home.page
    assert page.locator("form[data-passkey]").is_hidden()
    assert page.locator("noscript, .warning").count()

    home.open("/profile")
    assert "東京都●●区…" in page.inner_text("main")
    page.click("[data-item=home_address] a.button >> nth=0")
    page.click("section.first button.main")
    page.fill("#code", handset.code_to(member.sms))
    page.click("button.main")
    expect(page.locator("[data-shown=home_address]")).to_have_text(ADDRESS)

    home.log_out()
    home.open("/login")
    page.fill("#name", member.number)
    page.fill("#password", PASSWORD)
    page.click("section.other button")
    expect(page).to_have_url(home.origin + "/")


def test_a_new_device_logs_in_with_a_code_without_a_script(device, member, handset):
    """What the puzzle's script does unseen for others is not needed here."""
    home, tablet = device(), device(java_script_enabled=False)
    member.open_account(home, handset)
    member.log_in_with_code(tablet, handset)
    tablet.open("/security")
    assert tablet.page.locator("[data-standing=unconfirmed]").count() == 1
    tablet.page.click("form[action='/security/sessions/end-others'] button")
    expect(tablet.page.locator("[data-session]")).to_have_count(1)
    assert "/login?next=" in home.open("/profile").url


def test_the_account_is_stopped_without_a_script(device, member, handset):
    """At any hour, with two presses."""
    home = device(java_script_enabled=False)
    member.open_account(home, handset)
    home.open("/security")
    home.page.click("a[href='/security/freeze']")
    home.page.click("button.main")
    expect(home.page).to_have_url(home.origin + "/frozen")
    assert "/login?next=" in home.open("/profile").url
    assert handset.arrive(member.email, "止め")
