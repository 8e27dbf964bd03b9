"""The attack: the right password, and the code that its owner was talked into passing on. It gets no data.

The victim uses a real browser; the attacker speaks HTTP to the running program, from another address.
"""

import re

import pytest
from playwright.sync_api import expect
from sqlalchemy import select
from tests.end_to_end.http_browser import HttpBrowser
from tests.end_to_end.people import ADDRESS, PASSWORD
from tests.end_to_end.running_sekisho import column

from sekisho.identity import sessions
from sekisho.identity.personal_data import Item
from sekisho.identity.reveals import seen_in_sessions
from sekisho.storage.tables.codes import one_time_code as code_table
from sekisho.storage.tables.members import member as member_table
from sekisho.storage.tables.passkeys import passkey as passkey_table
from sekisho.storage.tables.personal_data import personal_item
from sekisho.storage.tables.sessions import device as device_table
from sekisho.storage.tables.sessions import session as session_table
from sekisho.storage.tables.sessions import sign_in as sign_in_table

pytestmark = pytest.mark.server

THIEF = "198.51.100.7"
OWN_WORDS = (ADDRESS, "千代田1-1", "山田", "花子", "ヤマダ", "ハナコ", "1990-04-01", "1990年4月1日")
GET_IN = re.compile(r"/login/code")
PLACES = ("/", "/profile", "/security", "/security/logins", "/security/calls", "/notices", "/recovery")


@pytest.fixture(name="victim")
def _victim(device, member, handset):
    """Give the browser of a member who has a passkey."""
    home = device()
    home.add_passkey_manager()
    member.open_account(home, handset)
    home.make_passkey()
    return home


@pytest.fixture(name="thief")
def _thief(running):
    browser = HttpBrowser(running, ip=THIEF)
    yield browser
    browser.close()


def relay(thief, member, handset):
    """Give the right password and enter the code that the victim reads out."""
    thief.get("/login")
    thief.submit("/login", name=member.number, password=PASSWORD)
    assert GET_IN.match(thief.path)
    code = handset.code_to(member.sms)
    thief.submit("/login/code", code=code)


def id_of(running, member):
    return running.read(column(select(member_table.c.id).where(member_table.c.number == member.number)))[0]


def of_thief(running, table, member_id, name="id"):
    """Return a column of the rows that the thief's address made for the victim."""
    ip = table.c.first_ip if "first_ip" in table.c else table.c.ip
    return running.read(column(select(table.c[name]).where(table.c.member_id == member_id, ip == THIEF)))


def kept_of(running, member_id):
    """Return what is kept of a member's details, sealed: whatever is changed, changes this."""
    items = select(personal_item.c.item, personal_item.c.sealed).where(personal_item.c.member_id == member_id)
    return running.read(lambda connection: {tuple(row) for row in connection.execute(items)})


def plain_words(member):
    return (*OWN_WORDS, member.email, member.mobile, member.sms, member.mobile[3:7] + member.mobile[7:])


def assert_tells_nothing(thief, member):
    """No word of the member's own stands in the answer."""
    text = thief.page.text
    assert [word for word in plain_words(member) if word in text] == [], thief.path


def test_no_page_and_no_item_shows_anything(running, thief, victim, member, handset):
    """Every page, every item in full, in both shapes of answer; and what was masked is on record."""
    relay(thief, member, handset)
    for place in PLACES:
        assert thief.get(place).status_code == 200
        assert_tells_nothing(thief, member)
    for item in Item:
        thief.get(f"/profile/{item}")
        assert thief.path == f"/step-up?wish=reveal:{item}"
        assert "/step-up/code/send" not in thief.page.text
        assert_tells_nothing(thief, member)
        refused = thief.get(f"/profile/{item}", Accept="application/json")
        assert (refused.status_code, refused.json()["code"]) == (401, "insufficient_user_authentication")

    member_id = id_of(running, member)
    (session_id,) = of_thief(running, session_table, member_id)
    rows = running.read(lambda connection: seen_in_sessions(connection, [session_id]))
    assert rows
    assert {row.form for row in rows} == {"masked"}
    expect(victim.open("/profile").locator("h1")).to_be_visible()


def test_a_second_code_is_neither_sent_nor_good_for_anything(running, thief, victim, member, handset):
    """Asked for on the new device, for a reveal or a change: none is sent, and the login's fits nothing."""
    relay(thief, member, handset)
    assert "/security" in victim.page.url
    member_id = id_of(running, member)
    codes = select(code_table.c.id).where(code_table.c.subject == member_id)
    before = running.read(column(codes))
    for wish in ("reveal:home_address", "change:mobile_phone", "password_change", "passkey_added"):
        for path in ("/step-up/code/send", "/step-up/code"):
            fields = {"wish": wish, "code_id": before[-1], "code": "000000"}
            answer = thief.post(path, fields | token_of(running, thief, member_id, path))
            assert answer.status_code in {200, 401}
            assert_tells_nothing(thief, member)
    assert running.read(column(codes)) == before


def test_nothing_of_the_account_can_be_changed(running, thief, victim, member, handset):
    """No passkey, contact, password, payout account or device: all as before, whatever is sent."""
    relay(thief, member, handset)
    member_id = id_of(running, member)
    passkeys = select(passkey_table.c.credential_id).where(passkey_table.c.member_id == member_id)
    before = kept_of(running, member_id), running.read(column(passkeys))
    (own_device,) = of_thief(running, device_table, member_id)
    credential = thief_sees_passkey(thief)

    for path, fields in (
        ("/passkey/new", {"ceremony": "x", "credential": "{}"}),
        ("/profile/change", {"item": "mobile_phone", "value": "09099998888"}),
        ("/profile/change", {"item": "email", "value": "thief@example.com"}),
        ("/profile/change", {"item": "payout_account", "value": "1234567"}),
        ("/profile/confirm", {"item": "email", "code": "000000"}),
        ("/security/password", {"password": "a passphrase of the thief"}),
        ("/security/devices/approve", {"device": own_device}),
        ("/security/passkeys/remove", {"passkey": credential}),
        ("/recovery/cancel", {}),
    ):
        answer = thief.post(path, fields | token_of(running, thief, member_id, path))
        assert "done=" not in thief.path, path
        assert answer.status_code in {200, 401, 404, 422}, (path, thief.path)
        assert_tells_nothing(thief, member)
    refused = thief.get("/passkey/new/options", Accept="application/json")
    assert refused.status_code == 401
    assert "max_age" in refused.headers["www-authenticate"]

    assert (kept_of(running, member_id), running.read(column(passkeys))) == before
    assert of_thief(running, device_table, member_id, "standing") == ["unconfirmed"]
    victim.log_out()
    victim.log_in_by_passkey()


def test_the_victim_is_told_and_throws_the_thief_out(running, thief, victim, member, handset):
    """Both channels, at once; "this wasn't me" ends the session and revokes the device."""
    relay(thief, member, handset)
    assert "新しい端末からログイン" in handset.arrive(member.sms, "新しい端末からログイン")
    mail = handset.arrive(member.email, "お使いになっていない端末")
    assert THIEF in mail or "場所" in mail
    assert "http" not in mail

    member_id = id_of(running, member)
    (sign_in_id,) = of_thief(running, sign_in_table, member_id)
    victim.open("/security/logins")
    victim.page.click(f"[data-sign-in='{sign_in_id}'] button")
    victim.page.wait_for_url("**/security?done=disowned")
    thief.get("/profile")
    assert thief.path.startswith("/login")
    assert of_thief(running, session_table, member_id, "ended_for") != [""]
    assert of_thief(running, device_table, member_id, "standing") == ["revoked"]


def test_a_victim_cannot_be_cut_off_from_the_account(running, thief, victim, member, handset):
    """A recovery, the known device thrown out, the victim called a thief: a passkey mends it all."""
    relay(thief, member, handset)
    member_id = id_of(running, member)
    devices = select(device_table.c.standing).where(
        device_table.c.member_id == member_id, device_table.c.first_ip != THIEF
    )
    by_victim = select(sign_in_table.c.id).where(
        sign_in_table.c.member_id == member_id, sign_in_table.c.ip != THIEF
    )
    known = select(device_table.c.id).where(
        device_table.c.member_id == member_id, device_table.c.standing == "trusted"
    )
    for path, fields in (
        ("/recovery", {}),
        ("/security/devices/revoke", {"device": running.read(column(known))[0]}),
        ("/security/logins/disown", {"sign_in": running.read(column(by_victim))[0]}),
    ):
        thief.post(path, fields | token_of(running, thief, member_id, path))
    assert running.read(column(devices)) != ["revoked"]
    assert of_thief(running, device_table, member_id, "standing") == ["unconfirmed"]
    assert handset.arrive(member.sms, "再設定が申し込まれました")

    victim.log_in_by_passkey()
    assert running.read(column(devices)) == ["trusted"]
    victim.open("/security")
    victim.page.click("form[action='/recovery/cancel'] button")
    victim.page.wait_for_url("**/security?done=recovery_cancelled")


def test_the_evidence_is_on_record(running, thief, victim, member, handset):
    """The sign-in, the session with the guard's attempt, and the code with the signs of a relay."""
    relay(thief, member, handset)
    del victim
    member_id = id_of(running, member)
    assert of_thief(running, sign_in_table, member_id, "result") == ["opened"]
    assert of_thief(running, session_table, member_id, "level") == ["code"]
    (attempt_id,) = of_thief(running, session_table, member_id, "attempt_id")
    assert attempt_id.startswith("att_")
    used = select(code_table.c.signs).where(
        code_table.c.subject == member_id, code_table.c.action == "login", code_table.c.asked_ip == THIEF
    )
    (signs,) = running.read(column(used))
    assert set(signs.split()) >= {"strange_device", "strange_network"}, signs


def thief_sees_passkey(thief):
    """Return the name of the victim's passkey in addresses, from the page that lists them."""
    thief.get("/security")
    found = re.search(r"/security/passkeys/remove\?passkey=([\w-]+)", thief.page.text)
    assert found
    return found[1]


def token_of(running, thief, member_id, path):
    """Return a form token that is right, though no page would have given it to the thief.

    So that it is the want of a proof that stops what is sent, and not the want of a token.
    """
    session_id = of_thief(running, session_table, member_id)[-1]
    session = running.read(lambda connection: sessions.find(connection, session_id))
    assert thief.cookies["__Host-session"]
    return {"form": sessions.form_token(session, path)}
