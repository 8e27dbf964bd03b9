"""Logging in to the wallet with the ID, as people do: in, out, again, stopped, and from a new browser."""

import asyncio

import pytest
from sqlalchemy import select
from tests.wallet.wallet_at_hand import KAMOME
from tests.web.wallet_site import play

from sekisho.guard.attempts import ChallengeResult, Outcome
from sekisho.guard.decisions import Action
from sekisho.identity import devices, sessions
from sekisho.identity.assurance import Level, Standing
from sekisho.identity.openid import clients
from sekisho.identity.openid.id_tokens import TokenSigner
from sekisho.kernel.clock import HOUR_US
from sekisho.storage.tables.openid import openid_visit
from sekisho.storage.tables.sessions import session as session_table
from sekisho.wallet.identity_levels import IdentityLevel
from sekisho.web.members import cookies


def session_of(site, browser):
    """Return the live session of a browser at the wallet, None where it has none."""
    token = browser.cookie(cookies.SESSION)
    with site.site.parts.store.read() as connection:
        return sessions.current(connection, token, site.clock.now_us()) if token else None


def logout_token(site):
    """Return the token by which the ID tells the wallet of the end of its newest session there."""
    provider = site.provider
    signer = TokenSigner(provider.parts, provider.desks.settings, provider.desks.keys)
    with provider.parts.store.read() as connection:
        client = clients.find(connection, "kamome")
        visit = connection.execute(select(openid_visit).order_by(openid_visit.c.began_at_us.desc())).first()
    assert client is not None
    assert visit is not None
    return signer.logout_token(client, visit.member_id, visit.session_id)


def test_a_newcomer_opens_a_wallet_that_can_do_nothing_yet(tmp_path):
    async def scene(site):
        person = site.person()
        await person.log_in()
        assert person.at_wallet.title == "Open a wallet"
        assert site.wallets() == []
        await person.open_wallet()
        assert person.at_wallet.path == "/"
        assert "Nothing confirmed yet" in person.at_wallet.page.text
        (wallet,) = site.wallets()
        assert wallet.level is IdentityLevel.NONE

    play(tmp_path, scene)


def test_the_same_id_opens_the_same_wallet_again_and_the_session_before_ends(tmp_path):
    async def scene(site):
        person = site.person()
        await person.open_wallet()
        first = session_of(site, person.at_wallet)
        await person.log_in()
        second = session_of(site, person.at_wallet)
        assert second.member_id == first.member_id
        assert second.id != first.id
        with site.site.parts.store.read() as connection:
            ended = sessions.find(connection, first.id)
        assert ended is not None
        assert ended.ended_for == "replaced"
        assert len(site.wallets()) == 1

    play(tmp_path, scene)


@pytest.mark.parametrize("level", [Level.CODE, Level.PASSKEY])
def test_the_session_carries_how_the_id_proved_it_and_what_the_guard_thought(tmp_path, level):
    """And no proof that would approve anything: that was given elsewhere, and for something else."""

    async def scene(site):
        person = site.person(level)
        await person.open_wallet()
        await person.log_in()
        opened = session_of(site, person.at_wallet)
        assert (opened.level, opened.risk, opened.campaign) == (level, 0.25, "cmp_x")
        assert opened.proofs == ()
        asked = site.guard.asked[-1]
        assert (asked.gate, asked.member, asked.known) == ("login", opened.member_id, True)
        assert asked.device_valid is True
        assert site.guard.settled[-1][1] is Outcome.SUCCESS

    play(tmp_path, scene)


def test_a_login_of_some_hours_ago_is_as_old_here_as_it_is_there(tmp_path):
    async def scene(site):
        person = site.person()
        await person.open_wallet()
        for _ in range(20):
            site.wait(600)
            person.at_id.get("/services")
        await person.log_in()
        opened = session_of(site, person.at_wallet)
        assert site.clock.now_us() - opened.proven_at_us > 3 * HOUR_US

    play(tmp_path, scene)


def test_whom_the_guard_denies_gets_no_session(tmp_path):
    async def scene(site):
        person = site.person()
        await person.open_wallet()
        thief = site.person(id_member=person.id_member, ip="203.0.113.9")
        site.guard.action = Action.DENY
        answer = await thief.log_in()
        assert answer.status_code == 403
        assert session_of(site, thief.at_wallet) is None
        assert site.guard.settled[-1][1] is Outcome.REFUSED

    play(tmp_path, scene)


def test_whom_the_guard_doubts_proves_it_to_the_id_anew(tmp_path):
    async def scene(site):
        person = site.person()
        await person.open_wallet()
        site.wait(600)
        site.guard.action = Action.CHALLENGE
        before = len(site.guard.asked)
        await person.log_in()
        assert session_of(site, person.at_wallet).level is Level.PASSKEY
        assert len(site.guard.asked) == before + 2
        assert [each[1:] for each in site.guard.settled[-2:]] == [
            (Outcome.CHALLENGED, ChallengeResult.NONE),
            (Outcome.SUCCESS, ChallengeResult.PASSED),
        ]

    play(tmp_path, scene)


def test_the_end_of_the_session_there_is_the_end_of_it_here(tmp_path):
    """Only of those that came of it, and once: a token that comes again ends nothing new."""

    async def scene(site):
        person = site.person()
        await person.open_wallet()
        other = site.person()
        await other.open_wallet()
        await person.log_in()
        token = logout_token(site)
        line = site.browser()
        answer = await line.post("/login/id/logout", {"logout_token": token}, Origin="null")
        assert answer.status_code == 200
        assert session_of(site, person.at_wallet) is None
        assert session_of(site, other.at_wallet) is not None
        await person.log_in()
        assert (await line.post("/login/id/logout", {"logout_token": token})).status_code == 200
        assert session_of(site, person.at_wallet) is not None
        with site.site.parts.store.read() as connection:
            ended = connection.execute(select(session_table.c.ended_for)).scalars().all()
        assert "id_logout" in ended

    play(tmp_path, scene)


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "eyJhbGciOiJub25lIn0.e30."])
def test_what_is_no_logout_token_ends_nothing(tmp_path, token):
    async def scene(site):
        person = site.person()
        await person.open_wallet()
        answer = await site.browser().post("/login/id/logout", {"logout_token": token})
        assert answer.status_code == 400
        assert session_of(site, person.at_wallet) is not None

    play(tmp_path, scene)


def test_a_passkey_is_made_on_the_word_of_the_id_alone(tmp_path):
    """There is no phone yet, so no code is offered; the ID is, and it has to be used anew."""

    async def scene(site):
        person = site.person()
        await person.open_wallet()
        await person.at_wallet.get("/passkey/new")
        assert "/step-up?wish=passkey_added" in person.at_wallet.path
        assert 'action="/step-up/code/send"' not in person.at_wallet.page.text
        site.wait(600)
        await person.confirm()
        assert person.at_wallet.path == "/passkey/new"
        assert person.at_wallet.page.status_code == 200

    play(tmp_path, scene)


def test_another_id_confirms_nothing(tmp_path):
    async def scene(site):
        person, other = site.person(), site.person()
        await person.open_wallet()
        await other.open_wallet()
        await person.at_wallet.get("/passkey/new")
        await person.at_wallet.submit("/login/id/confirm")
        mixed = site.person(id_member=other.id_member)
        mixed.at_wallet = person.at_wallet
        answer = await mixed.come_back()
        assert answer.status_code == 403
        await person.at_wallet.get("/passkey/new")
        assert "/step-up" in person.at_wallet.path

    play(tmp_path, scene)


def test_who_stopped_the_account_is_told_so_and_opens_it_with_a_passkey_at_the_id(tmp_path):
    async def scene(site):
        person = site.person()
        await person.open_wallet()
        await person.at_wallet.get("/security/freeze")
        await person.at_wallet.submit("/security/freeze")
        await person.log_in()
        assert person.at_wallet.page.status_code == 403
        assert session_of(site, person.at_wallet) is None
        await person.at_wallet.submit("/unfreeze")
        await person.log_in()
        assert session_of(site, person.at_wallet) is not None

    play(tmp_path, scene)


def test_who_has_no_passkey_does_not_open_a_stopped_account(tmp_path):
    async def scene(site):
        person = site.person(Level.CODE)
        await person.open_wallet()
        await person.at_wallet.get("/security/freeze")
        await person.at_wallet.submit("/security/freeze")
        answer = await person.log_in()
        assert answer.status_code == 403
        assert "/unfreeze" not in answer.text

    play(tmp_path, scene)


def test_a_member_who_says_no_at_the_id_is_told_so_and_not_logged_in(tmp_path):
    async def scene(site):
        person = site.person()
        await person.at_wallet.get("/login/id")
        person.at_id.get(person.at_wallet.away)
        person.at_id.submit("/openid/consent", answer="deny")
        answer = await person.at_wallet.get(person.path_of(person.at_id.away))
        assert answer.status_code == 403
        assert "cancelled" in answer.text
        assert site.wallets() == []

    play(tmp_path, scene)


@pytest.mark.parametrize(
    "path", ["/signup", "/recovery", "/login/code", "/security/password", "/login/passkey/options"]
)
def test_there_is_nothing_with_a_password_here(tmp_path, path):
    async def scene(site):
        person = site.person()
        await person.open_wallet()
        assert (await person.at_wallet.get(path)).status_code == 404

    play(tmp_path, scene)


def test_a_device_that_only_a_code_opened_is_not_trusted_at_the_second_login(tmp_path):
    async def scene(site):
        person = site.person(Level.CODE)
        await person.open_wallet()
        new = site.person(Level.CODE, id_member=person.id_member, ip="203.0.113.9")
        await new.log_in()
        opened = session_of(site, new.at_wallet)
        with site.site.parts.store.read() as connection:
            device = devices.find(connection, opened.device_id)
        assert device is not None
        assert device.standing is Standing.UNCONFIRMED

    play(tmp_path, scene)


def test_the_public_key_is_shown_and_the_private_half_is_not(tmp_path):
    async def scene(site):
        answer = await site.browser().get("/login/id/keys")
        assert '"kty":"EC"' in answer.text
        assert '"d"' not in answer.text
        assert KAMOME.origin not in answer.text

    play(tmp_path, scene)


def test_two_tabs_of_one_newcomer_open_one_wallet(tmp_path):
    async def scene(site):
        first = site.person()
        second = site.person(id_member=first.id_member)
        paths = []
        for tab in (first, second):
            await tab.log_in()
            await tab.at_wallet.submit("/open")
            paths.append(tab.path_of(tab.at_the_id()))
        await asyncio.gather(first.at_wallet.get(paths[0]), second.at_wallet.get(paths[1]))
        assert len(site.wallets()) == 1
        sessions_there = [session_of(site, tab.at_wallet) for tab in (first, second)]
        assert sessions_there[0].member_id == sessions_there[1].member_id

    play(tmp_path, scene)
