"""What somebody tries who has a stolen password, or a session, or two things that happen at once."""

import asyncio
import threading

import pytest
import structlog
from tests.identity.login_house import AWAY, HOME, PASSWORD, WRONG, code_in, returning, run

from sekisho.identity import devices, freezes, passwords, sessions, sign_ins
from sekisho.identity.assurance import InsufficientAuthentication, Level, Standing, Way
from sekisho.identity.claims import LoginForm
from sekisho.identity.code_limits import STRANGERS, Limit, TooMany
from sekisho.identity.codes import CodeAsked, CodeDesk
from sekisho.identity.contact_desk import ContactDesk
from sekisho.identity.contacts import ContactKind
from sekisho.identity.device_desk import DeviceDesk
from sekisho.identity.hashing import HashingBusy
from sekisho.identity.known_logins import Again
from sekisho.identity.leaked_lists import Leaks
from sekisho.identity.login_codes import NotRight
from sekisho.identity.members import MemberState
from sekisho.identity.passkey_desk import PasskeyDesk
from sekisho.identity.password_desk import PasswordDesk
from sekisho.identity.password_rules import LENGTH_MAX, is_common
from sekisho.identity.session_desk import Present
from sekisho.identity.sessions import Ended
from sekisho.identity.sign_ins import LoginResult
from sekisho.identity.sign_up import SignUpForm
from sekisho.identity.welcomes import Stopped, Welcome
from sekisho.kernel.clock import MINUTE_US
from sekisho.kernel.posture import Posture
from sekisho.storage.keyring import Unsealable


def write(house, work):
    return house.parts.store.write(work).result()


def while_hashing(house, deed):
    """Do something in the moment in which a password is being hashed."""
    verify = house.hasher.verify

    async def slow(stored, peppered, **how):
        right = await verify(stored, peppered, **how)
        await asyncio.to_thread(write, house, deed)
        return right

    house.hasher.verify = slow


def devices_of(house, welcomed):
    with house.parts.store.read() as connection:
        return devices.of_member(connection, welcomed.session.member_id)


def test_a_device_that_is_thrown_out_while_it_logs_in_comes_back_as_none(tmp_path):
    """The standing was read before the hash; believed after it, it made a new trusted device."""

    async def play(house):
        home = await house.open_account()
        while_hashing(house, lambda at: devices.revoke(at, house.parts, home.device.id))
        answer = await house.logins.begin(LoginForm(house.name_of(home), PASSWORD), returning(home))
        assert isinstance(answer, Again)
        assert devices_of(house, home) == []

    run(tmp_path, play)


def test_a_password_that_is_changed_while_it_is_hashed_opens_nothing(tmp_path):
    async def play(house):
        home = await house.open_account()
        member_id = home.session.member_id
        house.wait(1)
        while_hashing(house, lambda at: passwords.put(at, house.parts, member_id, "another hash", "p"))
        answer = await house.logins.begin(LoginForm(house.name_of(home), PASSWORD), returning(home))
        assert isinstance(answer, Again)

    run(tmp_path, play)


def test_a_login_that_ends_as_it_began_is_welcome(tmp_path):
    """The other side of the two above: nothing changes meanwhile."""

    async def play(house):
        home = await house.open_account()
        while_hashing(house, lambda _: None)
        answer = await house.logins.begin(LoginForm(house.name_of(home), PASSWORD), returning(home))
        assert isinstance(answer, Welcome)
        assert answer.device.standing is Standing.TRUSTED

    run(tmp_path, play)


def test_a_code_opens_nothing_for_a_password_that_was_changed_meanwhile(tmp_path):
    """Whoever has the old password, and waits with a code on the way, is not let in with it."""

    async def play(house):
        home = await house.open_account()
        step = await house.as_stranger(house.name_of(home))
        code = code_in(house.sent()[-1])
        house.wait(20)
        write(house, lambda at: passwords.put(at, house.parts, home.session.member_id, "another hash", "p"))
        assert isinstance(await house.enter(step, code), NotRight)

    run(tmp_path, play)


def test_who_froze_the_account_hears_so_on_a_trusted_device_and_nobody_else_does(tmp_path):
    async def play(house):
        home = await house.open_account()
        name = house.name_of(home)
        write(house, lambda at: freezes.freeze(at, house.parts, home.session.member_id, HOME))
        heard = await house.logins.begin(LoginForm(name, PASSWORD), returning(home))
        assert heard == Stopped(home.session.member_id, MemberState.FROZEN)
        assert isinstance(await house.logins.begin(LoginForm(name, WRONG), returning(home)), Again)
        before = len(house.sent())
        await house.as_stranger(name)
        assert len(house.sent()) == before
        assert all(each.standing is Standing.TRUSTED for each in devices_of(house, home))

    run(tmp_path, play)


@pytest.mark.parametrize(
    ("kind", "theirs", "free"),
    [
        (ContactKind.MOBILE, "09012340002", "09012349999"),
        (ContactKind.EMAIL, "taro2@example.jp", "nobody@example.jp"),
    ],
)
def test_asking_again_and_again_does_not_tell_a_member_whose_contact_it_is(tmp_path, kind, theirs, free):
    """A limit that counted codes and no decoys told who is a member."""

    async def play(house):
        one, _, third = [await house.open_account(arrival=each) for each in (HOME, AWAY, AWAY)]
        desk = ContactDesk(house.parts, house.guard, house.codes)

        async def present(who):
            opened = await house.logins.welcome_by_passkey(who.session.member_id, returning(who))
            return Present(opened.session, opened.device)

        async def answers(who, contact):
            heard = []
            for pause in (0, 5, 60, 5, *[400] * 14):
                house.wait(pause)
                heard.append(await desk.ask(await present(who), kind, contact, HOME))
            return heard

        def seen(heard):
            # What the page can tell: whether a code was asked for, and after how long again.
            now_us = house.clock.now_us()
            return [isinstance(each, CodeAsked) for each in heard], [
                each.may_resend_at_us > now_us for each in heard if isinstance(each, CodeAsked)
            ]

        first = seen(await answers(one, theirs))
        house.wait(90_000)
        second = seen(await answers(one, free))
        assert first == second
        assert not all(first[0])
        # Nor does a second account tell, whose own count is still small.
        house.wait(1)
        at_free = await desk.ask(await present(third), kind, free, HOME)
        house.wait(90_000)
        await answers(one, theirs)
        house.wait(1)
        assert isinstance(await desk.ask(await present(third), kind, theirs, HOME), type(at_free))
        assert isinstance(at_free, CodeAsked | TooMany)

    run(tmp_path, play)


def test_wrong_passwords_do_not_push_a_login_out_of_the_history(tmp_path):
    async def play(house):
        home = await house.open_account()
        away = await house.log_in_away(house.name_of(home))
        came = sign_ins.Came(way=sign_ins.LoginWay.CODE, result=LoginResult.WRONG_PASSWORD)
        for _ in range(99):
            house.wait(1)
            write(house, lambda at: sign_ins.record(at, house.parts, home.session.member_id, AWAY, came))
        with house.parts.store.read() as connection:
            lines = sign_ins.of_member(connection, home.session.member_id)
        assert away.session.id in [line.session_id for line in lines]
        assert 0 < len([line for line in lines if line.result is LoginResult.WRONG_PASSWORD]) < 20
        assert [line.at_us for line in lines] == sorted((line.at_us for line in lines), reverse=True)

    run(tmp_path, play)


def test_what_fails_behind_an_answer_shows_no_secret_in_the_log(tmp_path, capsys):
    """The logger's own way with an exception prints the variables around it."""

    async def play(house):
        home = await house.open_account()
        seal = house.parts.keyring.seal

        def broken(plain, *, context):
            if b"@lender.localhost" in plain:
                raise Unsealable("no key")
            return seal(plain, context=context)

        object.__setattr__(house.parts.keyring, "seal", broken)
        await house.as_stranger(house.name_of(home), PASSWORD)

    structlog.reset_defaults()
    run(tmp_path, play)
    logged = capsys.readouterr().out
    assert "login:behind:failed" in logged
    for secret in (PASSWORD, "9012340001", "lender.localhost #"):
        assert secret not in logged


def test_a_password_of_a_hundred_thousand_characters_is_not_looked_through():
    assert is_common("password" * 4)
    assert not is_common("password" * (LENGTH_MAX // 8 + 1))


def test_a_session_that_ended_meanwhile_proves_nothing(tmp_path):
    async def play(house):
        home = await house.open_account()
        write(house, lambda at: sessions.end(at, house.parts, home.session.id, Ended.LOGOUT))
        opened = write(house, lambda at: sessions.prove(at, house.parts, home.session, Way.PASSKEY))
        assert await house.sessions.present(opened.token) is None

    run(tmp_path, play)


def test_a_flood_of_strangers_leaves_room_for_a_known_device(tmp_path):
    async def play(house):
        house.hasher._waiting_max = 4  # noqa: SLF001 - a queue that a test can fill
        release = threading.Event()
        blocked = [asyncio.create_task(house.hasher.run(release.wait)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(HashingBusy):
            await house.hasher.verify(None, b"a stranger's", of_stranger=True)
        known = asyncio.create_task(house.hasher.verify(None, b"a member's"))
        await asyncio.sleep(0)
        assert house.hasher.waiting == 3
        release.set()
        assert await known is False
        await asyncio.gather(*blocked)

    run(tmp_path, play)


def test_whoever_is_stopped_while_a_new_password_is_hashed_does_not_set_it(tmp_path):
    """The thief's last deed would otherwise outlive the freeze, and be there when the account opens again."""

    async def play(house):
        home = await house.open_account()
        member_id = home.session.member_id
        present = await house.logins.welcome_by_passkey(member_id, returning(home))
        hashed = house.hasher.hash

        async def slow(peppered):
            made = await hashed(peppered)
            await asyncio.to_thread(write, house, lambda at: freezes.freeze(at, house.parts, member_id, HOME))
            return made

        house.hasher.hash = slow
        desk = PasswordDesk(house.parts, house.hasher, Leaks(), leaks_down=Posture.OPEN)
        with pytest.raises(InsufficientAuthentication):
            await desk.change(Present(present.session, present.device), "tora-wa-kawa 2026 wo", HOME)
        with house.parts.store.read() as connection:
            kept = passwords.find(connection, member_id)
        assert kept is not None
        assert kept.invalidated_for == freezes.FROZEN_FOR

    run(tmp_path, play)


@pytest.mark.parametrize("deed", ["approve", "remove", "contact"])
def test_whoever_is_logged_out_meanwhile_changes_nothing(tmp_path, deed):
    """The session was read before; it has ended in the moment before the deed."""

    async def play(house):
        home = await house.open_account()
        away = await house.log_in_away(house.name_of(home))
        welcomed = await house.logins.welcome_by_passkey(home.session.member_id, returning(home))
        present = Present(welcomed.session, welcomed.device)
        contacts = ContactDesk(house.parts, house.guard, house.codes)
        await contacts.ask(present, ContactKind.EMAIL, "new@example.jp", HOME)
        house.wait(20)
        write(house, lambda at: sessions.end(at, house.parts, welcomed.session.id, Ended.BY_MEMBER))
        deeds = {
            "approve": lambda: DeviceDesk(house.parts).approve(present, away.device.id, HOME),
            "remove": lambda: PasskeyDesk(house.parts).remove(*present, b"any", HOME),
            "contact": lambda: contacts.enter(present, ContactKind.EMAIL, "000000", HOME),
        }
        with pytest.raises(InsufficientAuthentication):
            await deeds[deed]()
        assert house.now(away).device.standing is Standing.UNCONFIRMED

    run(tmp_path, play)


def test_a_code_in_another_tab_does_not_lower_what_a_passkey_raised(tmp_path):
    async def play(house):
        home = await house.open_account()
        write(house, lambda at: sessions.prove(at, house.parts, home.session, Way.PASSKEY))
        write(house, lambda at: sessions.prove(at, house.parts, home.session, Way.CODE, purpose="x:1"))
        assert house.now(home).session.level is Level.PASSKEY

    run(tmp_path, play)


def test_unfinished_logins_do_not_flood_the_member(tmp_path):
    """Whoever has the password can begin as many logins as they like; the member hears once an hour."""

    async def play(house):
        home = await house.open_account()
        name = house.name_of(home)
        for _ in range(6):
            await house.as_stranger(name)
            house.wait(35)
        house.wait(700)
        while await house.logins.sweep():
            pass
        assert 0 < house.notices().count("notice:login_unfinished:1") <= 4

    run(tmp_path, play)


def test_a_flood_of_sign_ups_leaves_codes_for_those_who_log_in(tmp_path):
    async def play(house):
        few = STRANGERS._replace(everybody=(Limit(4, MINUTE_US),))
        codes = CodeDesk(house.parts, strangers=few)
        house.codes.__dict__.update(codes.__dict__)
        home = await house.open_account()
        name = house.name_of(home)
        house.wait(61)
        for number in range(3):
            form = SignUpForm(f"n{number}@example.jp", f"0802222{number:04d}")
            last = await house.sign_ups.begin(form, AWAY)
        assert isinstance(last, TooMany)
        before = len(house.sent())
        await house.as_stranger(name)
        assert len(house.sent()) == before + 1

    run(tmp_path, play)
