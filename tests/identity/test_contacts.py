"""Contacts: one member each, changed by a code to the new one, told to the old one."""

import pytest
from tests.identity.login_house import AWAY, HOME, code_in, run

from sekisho.guard.attempts import Gate
from sekisho.guard.decisions import Action
from sekisho.identity import contacts, holds, personal_data, sessions
from sekisho.identity.assurance import InsufficientAuthentication, Way
from sekisho.identity.codes import CodeAsked, Over, Right, Wrong
from sekisho.identity.contact_desk import ContactChangeStopped, ContactDesk, change_of
from sekisho.identity.contacts import ContactKind, EmailUnusable, read_email
from sekisho.identity.personal_data import Item
from sekisho.identity.session_desk import Present

NEW_MOBILE, NEW_EMAIL = "080-5555-6666", "new@example.jp"


def _proven(house, welcomed, way, purpose=""):
    opened = house.parts.store.write(
        lambda at: sessions.prove(at, house.parts, welcomed.session, way, purpose=purpose)
    ).result()
    return Present(opened.session, house.now(welcomed).device)


def _desk(house):
    return ContactDesk(house.parts, house.guard, house.codes)


def _reached(house, member_id):
    with house.parts.store.read() as connection:
        items = (Item.EMAIL, Item.MOBILE_PHONE)
        return personal_data.read_for_use(connection, house.parts.keyring, member_id, items)


def test_a_number_is_changed_by_a_code_to_the_new_one_and_money_is_held(tmp_path):
    async def play(house):
        opened = await house.open_account()
        member_id, desk = opened.session.member_id, _desk(house)
        present = _proven(house, opened, Way.CODE, change_of(ContactKind.MOBILE).key)
        asked = await desk.ask(present, ContactKind.MOBILE, NEW_MOBILE, HOME)
        assert isinstance(asked, CodeAsked)
        newest = house.sent()[-1]
        assert newest.to == "+818055556666"
        house.wait(20)
        assert isinstance(await desk.enter(present, ContactKind.MOBILE, "000000", HOME), Wrong)
        assert isinstance(await desk.enter(present, ContactKind.MOBILE, code_in(newest), HOME), Right)
        assert _reached(house, member_id)[Item.MOBILE_PHONE] == "+818055556666"
        with house.parts.store.read() as connection:
            keyring = house.parts.keyring
            assert contacts.holder(connection, keyring, ContactKind.MOBILE, "+818055556666") == member_id
            assert contacts.holder(connection, keyring, ContactKind.MOBILE, "+819012340001") is None
            held = holds.holds_on(connection, member_id, house.clock.now_us())
        assert [hold.kind for hold in held] == [holds.HoldKind.NUMBER_CHANGE]
        told = {(sent.to, sent.subject == "") for sent in house.sent()[-3:]}
        assert told == {("+819012340001", True), ("+818055556666", True), ("taro1@example.jp", False)}
        assert len(house.events("member:contact:changed")) == 1

    run(tmp_path, play)


def test_an_address_changed_with_a_passkey_holds_nothing_and_tells_the_old_one(tmp_path):
    async def play(house):
        opened = await house.open_account()
        member_id, desk = opened.session.member_id, _desk(house)
        present = _proven(house, opened, Way.PASSKEY)
        await desk.ask(present, ContactKind.EMAIL, NEW_EMAIL, HOME)
        house.wait(20)
        code = code_in(house.sent()[-1])
        assert isinstance(await desk.enter(present, ContactKind.EMAIL, code, HOME), Right)
        assert _reached(house, member_id)[Item.EMAIL] == NEW_EMAIL
        assert {sent.to for sent in house.sent()[-3:]} == {"taro1@example.jp", NEW_EMAIL, "+819012340001"}
        with house.parts.store.read() as connection:
            assert holds.holds_on(connection, member_id, house.clock.now_us()) == []
        assert await desk.enter(present, ContactKind.EMAIL, code, HOME) is None

    run(tmp_path, play)


def test_another_member_s_contact_gets_the_same_answer_and_stays_theirs(tmp_path):
    async def play(house):
        one, other = await house.open_account(), await house.open_account(arrival=AWAY)
        desk, before = _desk(house), len(house.sent())
        present = _proven(house, one, Way.PASSKEY)
        asked = await desk.ask(present, ContactKind.MOBILE, "09012340002", HOME)
        assert isinstance(asked, CodeAsked)
        assert len(house.sent()) == before
        for number in range(6):
            heard = await desk.enter(present, ContactKind.MOBILE, f"{number:06d}", HOME)
            assert isinstance(heard, Wrong | Over)
        assert _reached(house, other.session.member_id)[Item.MOBILE_PHONE] == "+819012340002"

    run(tmp_path, play)


def test_a_code_for_one_contact_does_not_fit_another(tmp_path):
    """The contact is swapped after its code came: the code was bound to the first."""

    async def play(house):
        opened = await house.open_account()
        desk, present = _desk(house), _proven(house, opened, Way.PASSKEY)
        await desk.ask(present, ContactKind.MOBILE, NEW_MOBILE, HOME)
        first = code_in(house.sent()[-1])
        house.wait(60)
        await desk.ask(present, ContactKind.MOBILE, "080-7777-8888", HOME)
        house.wait(5)
        assert isinstance(await desk.enter(present, ContactKind.MOBILE, first, HOME), Wrong)

    run(tmp_path, play)


@pytest.mark.parametrize("kind", ContactKind)
def test_nothing_changes_without_a_fresh_proof_of_the_purpose(tmp_path, kind):
    async def play(house):
        opened = await house.open_account()
        away = await house.log_in_away(house.name_of(opened))
        desk, before = _desk(house), len(house.sent())
        elsewhere = _proven(house, away, Way.CODE, change_of(kind).key)
        for present in (
            house.now(opened),
            _proven(house, opened, Way.CODE, "contact_change:another"),
            elsewhere,
        ):
            with pytest.raises(InsufficientAuthentication):
                await desk.ask(present, kind, "x", HOME)
        assert len(house.sent()) == before

    run(tmp_path, play)


def test_a_change_that_the_guard_takes_for_somebody_else_s_is_stopped(tmp_path):
    async def play(house):
        opened = await house.open_account()
        present, before = _proven(house, opened, Way.PASSKEY), len(house.sent())
        house.guard.elsewhere = Action.DENY
        with pytest.raises(ContactChangeStopped):
            await _desk(house).ask(present, ContactKind.MOBILE, NEW_MOBILE, HOME)
        assert house.guard.asked[-1].gate == Gate.CONTACT_CHANGE
        assert len(house.sent()) == before

    run(tmp_path, play)


@pytest.mark.parametrize(
    "typed", ["a.b+tag@example.co.jp", "X_y-z@Sub.Example.JP", "o'neil@example.jp", "1@a-b.example"]
)
def test_addresses_that_people_have_are_taken(typed):
    assert read_email(f" {typed} ") == typed.lower()


@pytest.mark.parametrize(
    "typed",
    ["", "@", "a@", "@b.jp", "a@b", "a b@c.jp", "a@b..jp", ".a@b.jp", "a.@b.jp", "a@-b.jp", "a@b.1",
     "あ@b.jp", "a@b.jp,c@d.jp", f"{'a' * 65}@b.jp", f"a@{'b' * 64}.jp", '"a b"@c.jp', "a@[192.0.2.1]"],
)  # fmt: skip
def test_what_mail_does_not_go_to_is_refused(typed):
    with pytest.raises(EmailUnusable):
        read_email(typed)
