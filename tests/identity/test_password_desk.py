"""Setting a new password: proven, fit, told, and every other session ended."""

import pytest
from tests.identity.login_house import AWAY, HOME, PASSWORD, returning, run

from sekisho.identity import passwords, sessions
from sekisho.identity.assurance import InsufficientAuthentication, Way
from sekisho.identity.claims import LoginForm
from sekisho.identity.known_logins import Again
from sekisho.identity.leaked_lists import Leaks
from sekisho.identity.password_desk import CHANGE, PasswordDesk
from sekisho.identity.password_rules import PasswordFault, PasswordUnfit
from sekisho.identity.session_desk import Present
from sekisho.identity.welcomes import Welcome
from sekisho.kernel.posture import Posture

NEW = "nine goats on a ferry"


def _desk(house):
    return PasswordDesk(house.parts, house.hasher, Leaks(), leaks_down=Posture.CLOSED)


def _proven(house, welcomed, way, purpose=""):
    opened = house.parts.store.write(
        lambda at: sessions.prove(at, house.parts, welcomed.session, way, purpose=purpose)
    ).result()
    return opened.token, Present(opened.session, house.now(welcomed).device)


def test_a_new_password_takes_the_place_of_the_old_and_ends_other_sessions(tmp_path):
    async def play(house):
        home = await house.open_account()
        name = house.name_of(home)
        away = await house.log_in_away(name)
        token, present = _proven(house, home, Way.CODE, CHANGE.key)
        assert await _desk(house).change(present, NEW, HOME) == 1
        assert await house.sessions.present(away.session_token) is None
        assert await house.sessions.present(token) is not None
        assert house.notices().count("notice:password_changed:1") == 2
        assert await house.logins.begin(LoginForm(name, PASSWORD), returning(home)) == Again()
        assert isinstance(await house.logins.begin(LoginForm(name, NEW), returning(home)), Welcome)

    run(tmp_path, play)


def test_a_new_password_makes_an_invalidated_one_good_again(tmp_path):
    async def play(house):
        home = await house.open_account()
        member_id = home.session.member_id
        house.parts.store.write(
            lambda at: passwords.invalidate(at, house.parts, member_id, "containment")
        ).result()
        _, present = _proven(house, home, Way.PASSKEY)
        await _desk(house).change(present, NEW, HOME)
        form = LoginForm(house.name_of(home), NEW)
        assert isinstance(await house.logins.begin(form, returning(home)), Welcome)

    run(tmp_path, play)


def test_an_invalidation_is_taken_back_by_its_own_reason_alone(tmp_path):
    """Unfreezing does not undo a containment."""

    async def play(house):
        home = await house.open_account()
        member_id, parts = home.session.member_id, house.parts

        def work(connection):
            assert passwords.invalidate(connection, parts, member_id, "containment")
            assert not passwords.invalidate(connection, parts, member_id, "freeze")
            assert not passwords.make_valid(connection, parts, member_id, "freeze")
            assert passwords.make_valid(connection, parts, member_id, "containment")

        parts.store.write(work).result()

    run(tmp_path, play)


def test_nothing_is_set_without_a_fresh_proof(tmp_path):
    async def play(house):
        home = await house.open_account()
        away = await house.log_in_away(house.name_of(home))
        stale = _proven(house, home, Way.CODE, CHANGE.key)[1]
        house.wait(300)
        for present in (
            house.now(home),
            stale,
            _proven(house, home, Way.CODE, "password_change:another")[1],
            _proven(house, away, Way.CODE, CHANGE.key)[1],
        ):
            with pytest.raises(InsufficientAuthentication):
                await _desk(house).change(present, NEW, AWAY)
        form = LoginForm(house.name_of(home), PASSWORD)
        assert isinstance(await house.logins.begin(form, returning(home)), Welcome)

    run(tmp_path, play)


@pytest.mark.parametrize(
    ("password", "fault"),
    [
        ("kumo", PasswordFault.TOO_SHORT),
        ("Dragon2026!!", PasswordFault.COMMON),
        ("taro1@example.jp", PasswordFault.OWN_WORDS),
        ("山田太郎ががんばる", PasswordFault.OWN_WORDS),
    ],
)
def test_an_unfit_password_changes_nothing(tmp_path, password, fault):
    async def play(house):
        home = await house.open_account()
        _, present = _proven(house, home, Way.PASSKEY)
        with pytest.raises(PasswordUnfit) as refused:
            await _desk(house).change(present, password, HOME)
        assert refused.value.fault is fault
        assert house.events("member:password:set")[1:] == []
        assert await _desk(house).change(present, NEW, HOME) == 0

    run(tmp_path, play)
