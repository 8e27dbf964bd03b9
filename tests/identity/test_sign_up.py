"""Opening an account: two proven contacts, a person, a password; nobody learns who is a member."""

import asyncio

import msgspec
import pytest
from sqlalchemy import select
from tests.identity.login_house import AWAY, HOME, PASSWORD, TARO, run

from sekisho.identity import contacts, members, personal_data
from sekisho.identity.assurance import Level, Proof, Standing, Way
from sekisho.identity.contacts import ContactKind, EmailUnusable
from sekisho.identity.leaked_lists import LeakKind, Leaks, pair_digest, password_digest, write_list
from sekisho.identity.names import NameUnusable
from sekisho.identity.password_rules import PasswordFault, PasswordUnfit
from sekisho.identity.people import AddressUnusable, BirthDateUnusable
from sekisho.identity.personal_data import Item
from sekisho.identity.recipients import NumberNotServed
from sekisho.identity.sign_up import SIGN_UP, SignUpCodes, SignUpForm, SignUpOver, SignUpStep
from sekisho.identity.sign_up_rows import LASTS_US
from sekisho.identity.welcomes import Welcome
from sekisho.kernel.clock import SECOND_US
from sekisho.storage.tables.members import sign_up

FORM = SignUpForm("hanako@example.jp", "090-1111-2222")


async def _proven(house, form=FORM):
    step = await house.sign_ups.begin(form, HOME)
    assert isinstance(step, SignUpStep)
    email, mobile = house.codes_to(form)
    house.wait(20)
    assert await house.sign_ups.enter(step.token, email, mobile, HOME) == SignUpCodes(True, True)
    return step.token


def test_an_account_opens_with_a_trusted_device_and_everything_kept(tmp_path):
    async def play(house):
        token = await _proven(house)
        welcomed = await house.sign_ups.finish(token, TARO, PASSWORD, HOME)
        assert isinstance(welcomed, Welcome)
        assert (welcomed.session.level, welcomed.device.standing) == (Level.CODE, Standing.TRUSTED)
        assert welcomed.session.proofs == (Proof(Way.CODE, house.clock.now_us(), SIGN_UP.key),)
        member_id = welcomed.session.member_id
        with house.parts.store.read() as connection:
            keyring = house.parts.keyring
            kept = personal_data.read_for_use(connection, keyring, member_id, list(Item))
            found = members.find_by_name(connection, keyring, "Hanako@example.jp")
            assert contacts.holder(connection, keyring, ContactKind.MOBILE, "+819011112222") == member_id
        assert found is not None
        assert found.id == member_id
        assert kept == {
            Item.NAME: "山田 太郎",
            Item.NAME_KANA: "ﾔﾏﾀﾞ ﾀﾛｳ",
            Item.BIRTH_DATE: "1990-04-01",
            Item.HOME_ADDRESS: "東京都千代田区1-1-1",
            Item.EMAIL: "hanako@example.jp",
            Item.MOBILE_PHONE: "+819011112222",
        }
        assert [event.subject for event in house.events("member:account:opened")] == [member_id]

    run(tmp_path, play)


def test_codes_can_come_one_after_the_other(tmp_path):
    async def play(house):
        step = await house.sign_ups.begin(FORM, HOME)
        email, mobile = house.codes_to(FORM)
        house.wait(20)
        enter = house.sign_ups.enter
        assert await enter(step.token, "", mobile, HOME) == SignUpCodes(False, True)
        assert await house.sign_ups.finish(step.token, TARO, PASSWORD, HOME) == SignUpOver()
        assert await enter(step.token, mobile, "", HOME) == SignUpCodes(False, True)
        assert await enter(step.token, email, "", HOME) == SignUpCodes(True, True)

    run(tmp_path, play)


def test_a_member_s_contact_gets_the_same_answer_and_a_message_that_says_so(tmp_path):
    async def play(house):
        opened = await house.open_account()
        before = len(house.notices())
        step = await house.sign_ups.begin(SignUpForm("taro1@example.jp", "09012340001"), AWAY)
        fresh = await house.sign_ups.begin(FORM, AWAY)
        assert isinstance(step, SignUpStep)
        assert (len(step.token), step.expires_at_us) == (len(fresh.token), fresh.expires_at_us)
        told = house.notices()[before:]
        assert told.count("notice:sign_up_as_member:1") == 2
        assert told.count("code:sign_up") == 2
        assert await house.sign_ups.enter(step.token, "123456", "123456", AWAY) == SignUpCodes(False, False)
        assert await house.sign_ups.enter(fresh.token, "123456", "123456", AWAY) == SignUpCodes(False, False)
        assert await house.sessions.present(opened.session_token) is not None

    run(tmp_path, play)


def test_a_member_is_told_once_a_day_however_often_somebody_asks(tmp_path):
    async def play(house):
        await house.open_account()
        for _ in range(3):
            await house.sign_ups.begin(SignUpForm("taro1@example.jp", "09012340001"), AWAY)
            house.wait(120)
        assert house.notices().count("notice:sign_up_as_member:1") == 2

    run(tmp_path, play)


def test_one_number_is_one_member_even_where_two_prove_it_at_once(tmp_path):
    async def play(house):
        first = await _proven(house)
        house.wait(60)
        second = await _proven(house, SignUpForm("other@example.jp", FORM.mobile))
        house.wait(60)
        outcomes = await asyncio.gather(
            house.sign_ups.finish(first, TARO, PASSWORD, HOME),
            house.sign_ups.finish(second, TARO, PASSWORD, AWAY),
        )
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["SignUpOver", "Welcome"]

    run(tmp_path, play)


def test_a_sign_up_opens_one_account_and_lasts_half_an_hour(tmp_path):
    async def play(house):
        token = await _proven(house)
        assert isinstance(await house.sign_ups.finish(token, TARO, PASSWORD, HOME), Welcome)
        assert await house.sign_ups.finish(token, TARO, PASSWORD, HOME) == SignUpOver()
        late = await _proven(house, SignUpForm("late@example.jp", "08033334444"))
        house.wait(LASTS_US / SECOND_US)
        assert await house.sign_ups.finish(late, TARO, PASSWORD, HOME) == SignUpOver()
        assert await house.sign_ups.finish("no token", TARO, PASSWORD, HOME) == SignUpOver()

    run(tmp_path, play)


def test_what_was_typed_is_sealed_and_goes_with_the_account(tmp_path):
    async def play(house):
        token = await _proven(house)
        with house.parts.store.read() as connection:
            assert b"hanako" not in connection.execute(select(sign_up.c.sealed)).scalar_one()
        await house.sign_ups.finish(token, TARO, PASSWORD, HOME)
        with house.parts.store.read() as connection:
            assert connection.execute(select(sign_up.c.sealed)).scalar_one() == b""

    run(tmp_path, play)


@pytest.mark.parametrize(
    ("changed", "refusal"),
    [
        ({"name": "山\u202e田"}, NameUnusable),
        ({"kana": "ガ" * 16}, NameUnusable),
        ({"birth_date": "2030-01-01"}, BirthDateUnusable),
        ({"birth_date": "1850-01-01"}, BirthDateUnusable),
        ({"birth_date": "1990-02-30"}, BirthDateUnusable),
        ({"birth_date": "x"}, BirthDateUnusable),
        ({"birth_date": f"1990-02-{'9' * 20}"}, BirthDateUnusable),
        ({"home_address": " \u3000"}, AddressUnusable),
        ({"home_address": "東京都\u200f"}, AddressUnusable),
        ({"home_address": "あ" * 201}, AddressUnusable),
    ],
)
def test_a_person_that_is_refused_loses_nothing(tmp_path, changed, refusal):
    """The same set-up succeeds once the field is mended."""

    async def play(house):
        token = await _proven(house)
        with pytest.raises(refusal):
            await house.sign_ups.finish(token, msgspec.structs.replace(TARO, **changed), PASSWORD, HOME)
        assert isinstance(await house.sign_ups.finish(token, TARO, PASSWORD, HOME), Welcome)

    run(tmp_path, play)


@pytest.mark.parametrize(
    ("password", "fault"),
    [
        ("kumo-37", PasswordFault.TOO_SHORT),
        ("Passw0rd2026!", PasswordFault.COMMON),
        ("hanako@example.jp", PasswordFault.OWN_WORDS),
        ("09011112222!", PasswordFault.OWN_WORDS),
        ("asagiri loan 1", PasswordFault.OWN_WORDS),
        ("kamome-no-suihei", PasswordFault.LEAKED),
        ("leaked with hanako", PasswordFault.LEAKED),
    ],
)
def test_a_password_that_is_unfit_is_refused_with_its_fault(tmp_path, password, fault):
    pairs, lone = tmp_path / "pairs.leaks", tmp_path / "passwords.leaks"
    write_list(pairs, LeakKind.PAIRS, [pair_digest("Hanako@example.jp ", "leaked with hanako")])
    write_list(lone, LeakKind.PASSWORDS, [password_digest(b"kamome-no-suihei")])

    async def play(house):
        token = await _proven(house)
        with pytest.raises(PasswordUnfit) as refused:
            await house.sign_ups.finish(token, TARO, password, HOME)
        assert refused.value.fault is fault
        assert password not in str(refused.value)
        assert isinstance(await house.sign_ups.finish(token, TARO, PASSWORD, HOME), Welcome)

    run(tmp_path, play, leaks=Leaks(pairs=[pairs], passwords=[lone]))


@pytest.mark.parametrize(
    ("form", "refusal"),
    [
        (SignUpForm("no address", FORM.mobile), EmailUnusable),
        (SignUpForm("a@b", FORM.mobile), EmailUnusable),
        (SignUpForm("a\r\nBcc: x@example.jp", FORM.mobile), EmailUnusable),
        (SignUpForm(f"{'a' * 250}@example.jp", FORM.mobile), EmailUnusable),
        (SignUpForm(FORM.email, "03-1234-5678"), NumberNotServed),
        (SignUpForm(FORM.email, "+1 900 555 0100"), NumberNotServed),
        (SignUpForm(FORM.email, ""), NumberNotServed),
    ],
)
def test_contacts_that_cannot_be_reached_are_refused(tmp_path, form, refusal):
    async def play(house):
        with pytest.raises(refusal):
            await house.sign_ups.begin(form, HOME)
        assert house.sent() == []

    run(tmp_path, play)


def test_new_codes_can_be_asked_for(tmp_path):
    async def play(house):
        step = await house.sign_ups.begin(FORM, HOME)
        house.wait(60)
        assert await house.sign_ups.send_again(step.token, HOME) is None
        assert len(house.sent()) == 4
        house.wait(20)
        email, mobile = house.codes_to(FORM)
        assert await house.sign_ups.enter(step.token, email, mobile, HOME) == SignUpCodes(True, True)
        assert await house.sign_ups.send_again("no token", HOME) == SignUpOver()

    run(tmp_path, play)
