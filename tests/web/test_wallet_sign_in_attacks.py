"""Whoever tries to get into the wallet past the ID: with another's state, code, issuer, or the same twice."""

from urllib.parse import urlencode

import pytest
from tests.wallet.wallet_at_hand import KAMOME
from tests.web.test_wallet_sign_in import session_of
from tests.web.wallet_site import play, query_of

from sekisho.identity.assurance import Level

CALLBACK = "/login/id/callback"


def answer_path(**values):
    """Write a way back as the ID would."""
    return f"{CALLBACK}?{urlencode(values)}"


async def at_the_door(person):
    """Bring somebody to the ID and as far as the address that leads back; return its parameters."""
    await person.at_wallet.get("/login/id")
    return query_of(person.at_the_id())


def test_an_answer_that_another_browser_began_logs_nobody_in(tmp_path):
    """Login forced upon a victim: the attacker's own answer, opened in the victim's browser."""

    async def scene(site):
        attacker, victim = site.person(), site.person()
        await attacker.open_wallet()
        await victim.open_wallet()
        before = session_of(site, victim.at_wallet)
        answer = await victim.at_wallet.get(answer_path(**await at_the_door(attacker)))
        assert answer.status_code == 400
        assert "This login is over" in answer.text
        assert session_of(site, victim.at_wallet) == before

    play(tmp_path, scene)


def test_a_stolen_code_is_worth_nothing_in_another_browser(tmp_path):
    """The victim's code under the attacker's state: the verifier is another, and the code is used up."""

    async def scene(site):
        victim, attacker = site.person(), site.person()
        await victim.open_wallet()
        stolen = await at_the_door(victim)
        own = await at_the_door(attacker)
        answer = await attacker.at_wallet.get(answer_path(**(own | {"code": stolen["code"]})))
        assert answer.status_code == 400
        assert "did not work" in answer.text
        assert session_of(site, attacker.at_wallet) is None

    play(tmp_path, scene)


@pytest.mark.parametrize("issuer", ["", "https://id.evil.example", "http://localhost:1", "HTTP://LOCALHOST"])
def test_an_answer_of_another_issuer_is_not_taken_for_this_ones(tmp_path, issuer):
    """A mix-up: the code would go to whoever said the wrong name."""

    async def scene(site):
        person = site.person()
        said = await at_the_door(person)
        values = said | {"iss": issuer} if issuer else {key: said[key] for key in ("state", "code")}
        answer = await person.at_wallet.get(answer_path(**values))
        assert answer.status_code == 400
        assert session_of(site, person.at_wallet) is None
        assert site.wallets() == []

    play(tmp_path, scene)


def test_an_answer_counts_once(tmp_path):
    async def scene(site):
        person = site.person()
        await person.open_wallet()
        said = await at_the_door(person)
        kept = dict(person.at_wallet.client.cookies)
        await person.at_wallet.get(answer_path(**said))
        first = session_of(site, person.at_wallet)
        again = await person.at_wallet.get(answer_path(**said))
        assert again.status_code == 400
        assert session_of(site, person.at_wallet) == first
        # And with the cookie put back, the ID knows the code.
        thief = site.browser()
        thief.client.cookies = kept
        answer = await thief.get(answer_path(**said))
        assert answer.status_code == 400
        assert "did not work" in answer.text

    play(tmp_path, scene)


def test_a_login_that_was_begun_too_long_ago_is_over(tmp_path):
    async def scene(site):
        person = site.person()
        said = await at_the_door(person)
        site.wait(1_800)
        answer = await person.at_wallet.get(answer_path(**said))
        assert "This login is over" in answer.text

    play(tmp_path, scene)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "state=",
        "state=x&code=y",
        "state=a&state=b&code=c&iss=d",
        "code=%ff&state=" + "A" * 43,
        "state=" + "A" * 43 + "&code=" + "B" * 9_000,
        "state=" + "A" * 43 + "&code=x&iss=y",
    ],
)
def test_an_answer_that_is_none_does_nothing(tmp_path, query):
    async def scene(site):
        answer = await site.browser().get(f"{CALLBACK}?{query}")
        assert answer.status_code == 400
        assert site.wallets() == []

    play(tmp_path, scene)


def test_an_error_of_the_id_shows_nothing_that_somebody_wrote(tmp_path):
    async def scene(site):
        person = site.person()
        said = await at_the_door(person)
        words = "<script>alert(1)</script>"
        values = {"state": said["state"], "iss": said["iss"], "error": words, "error_description": words}
        answer = await person.at_wallet.get(answer_path(**values))
        assert answer.status_code == 400
        assert "alert(1)" not in answer.text

    play(tmp_path, scene)


@pytest.mark.parametrize(
    "wanted", ["https://evil.example/", "//evil.example/", "/\\evil.example", "/%0d%0aX: y"]
)
def test_after_the_login_nobody_is_sent_elsewhere(tmp_path, wanted):
    async def scene(site):
        person = site.person()
        await person.open_wallet()
        await person.at_wallet.submit("/logout")
        await person.at_wallet.get(f"/login?next={wanted}")
        await person.log_in()
        assert person.at_wallet.away == ""
        assert person.at_wallet.path in {"/", "/%250d%250aX:%20y"}

    play(tmp_path, scene)


def test_no_other_site_opens_a_wallet_or_asks_for_a_confirmation(tmp_path):
    async def scene(site):
        newcomer, member = site.person(), site.person()
        await newcomer.log_in()
        await member.open_wallet()
        foreign = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
        for browser, path in ((newcomer.at_wallet, "/open"), (member.at_wallet, "/login/id/confirm")):
            answer = await browser.post(path, {"wish": "passkey_added"}, **foreign)
            assert answer.status_code == 403
            assert browser.away == ""
        assert len(site.wallets()) == 1

    play(tmp_path, scene)


def test_money_is_never_confirmed_by_the_id(tmp_path):
    """What leaves the wallet is approved where its amount is shown."""

    async def scene(site):
        person = site.person()
        await person.open_wallet()
        await person.at_wallet.get("/passkey/new")
        answer = await person.at_wallet.submit("/login/id/confirm", wish=f"show_code:{'0' * 32}")
        assert answer.status_code == 404
        assert person.at_wallet.away == ""

    play(tmp_path, scene)


@pytest.mark.parametrize("asked", ["max_age=0", "acr_values=code+passkey"])
def test_who_asks_the_id_for_less_than_the_wallet_did_confirms_nothing(tmp_path, asked):
    """A thief of both sessions, who takes the wallet's conditions out of the address on the way."""

    async def scene(site):
        person = site.person()
        await person.open_wallet()
        site.wait(600)
        await person.at_wallet.get("/passkey/new")
        await person.at_wallet.submit("/login/id/confirm")
        assert f"&{asked}" in person.at_wallet.away
        if asked.startswith("acr"):
            site.provider.log_in(person.at_id, person.id_member, Level.PASSWORD)
        person.at_wallet.away = person.at_wallet.away.replace(f"&{asked}", "")
        answer = await person.at_wallet.get(person.path_of(person.at_the_id()))
        assert answer.status_code == 400
        await person.at_wallet.get("/passkey/new")
        assert "/step-up" in person.at_wallet.path

    play(tmp_path, scene)


def test_a_state_that_only_begins_like_the_right_one_is_another(tmp_path):
    """The cookie is found by the beginning; what it holds is compared as a whole."""

    async def scene(site):
        person = site.person()
        said = await at_the_door(person)
        other = said["state"][:-1] + ("A" if said["state"][-1] != "A" else "B")
        answer = await person.at_wallet.get(answer_path(**(said | {"state": other})))
        assert "This login is over" in answer.text
        assert site.wallets() == []

    play(tmp_path, scene)


def test_the_ticket_and_the_session_are_for_this_host_and_no_script(tmp_path):
    async def scene(site):
        browser = site.browser()
        answer = await browser.client.get("/login/id")
        (set_cookie,) = [one for one in answer.headers.get_list("set-cookie") if one.startswith("__Host-id-")]
        assert "HttpOnly" in set_cookie
        assert "Secure" in set_cookie
        assert "SameSite=lax" in set_cookie
        asked = query_of(answer.headers["location"])
        assert asked["redirect_uri"] == KAMOME.origin + CALLBACK
        assert asked["code_challenge_method"] == "S256"
        assert asked["scope"] == "openid"
        assert len(asked["nonce"]) == len(asked["state"]) == 43
        assert asked["nonce"] not in set_cookie

    play(tmp_path, scene)
