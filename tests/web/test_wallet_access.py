"""Every route of the wallet's, asked for by strangers, by thieves with an old session, and by other sites."""

import re
from base64 import urlsafe_b64encode

import msgspec
import pytest
from tests.web.test_wallet_sign_in import session_of
from tests.web.wallet_site import play

from sekisho.identity.sessions import form_token
from sekisho.web.members import cookies
from sekisho.web.members.roles import OF_MEMBERS, Role
from sekisho.web.wallet.pay_pages import Kept

# What anybody may ask for without a session. This list may only shrink, or grow with a reason beside it.
OPEN = {
    "GET /",
    "GET /frozen",
    "GET /language/{to:str}",
    "GET /login",
    "GET /login/id",
    "GET /login/id/callback",  # what it brings is believed by the ID's word alone
    "GET /login/id/keys",  # the public half of a key
    "GET /logout",
    "GET /open",
    "GET /static/{file_path:path}",
    "HEAD /static/{file_path:path}",
    "POST /open",  # leads to the ID, and back with its word
    "POST /unfreeze",  # the proof is a passkey's, sealed into the form a moment ago
}


def of_members(site):
    """Return the routes that are for members, each with its parameters filled in."""
    return [
        (access.method, re.sub(r"\{\w+:\w+\}", "x", access.path))
        for access in site.site.accesses
        if access.role in OF_MEMBERS
    ]


def test_what_is_open_to_anyone_is_listed(tmp_path):
    """A new open route has to be thought about."""

    async def scene(site):
        found = {f"{each.method} {each.path}" for each in site.site.accesses if each.role is Role.ANYONE}
        assert found == OPEN

    play(tmp_path, scene)


def test_a_stranger_gets_nothing_but_the_way_to_the_login(tmp_path):
    """Without a session, with one that was made up, and with one that has ended."""

    async def scene(site):
        person = site.person()
        await person.open_wallet()
        ended = person.at_wallet.cookie(cookies.SESSION)
        await person.at_wallet.submit("/logout")
        for session in ("", "made-up", ended):
            for method, path in of_members(site):
                browser = site.browser()
                if session:
                    browser.client.cookies = {cookies.SESSION: session}
                answer = await browser.client.request(method, path, data={} if method == "POST" else None)
                assert answer.status_code == 303, (method, path)
                assert answer.headers["location"].startswith("/login"), (method, path)

    play(tmp_path, scene)


def test_no_form_counts_without_its_token_or_from_another_site(tmp_path):
    async def scene(site):
        person = site.person()
        await person.open_wallet()
        session = session_of(site, person.at_wallet)
        for method, path in of_members(site):
            if method != "POST":
                continue
            for fields, headers in (
                ({"a": "b"}, {}),
                ({"form": form_token(session, "/elsewhere")}, {}),
                ({"form": form_token(session, path)}, {"Sec-Fetch-Site": "cross-site"}),
                ({"form": form_token(session, path)}, {"Origin": "https://evil.example"}),
            ):
                answer = await person.at_wallet.post(path, fields, **headers)
                assert answer.status_code in {403, 409}, (path, fields, headers)
        assert session_of(site, person.at_wallet) is not None

    play(tmp_path, scene)


@pytest.mark.parametrize(
    "path", ["/banks/lnk_x", "/moves/bmv_x", "/payments/pay_x", "/send/snd_x", "/banks/lnk_x/end"]
)
def test_what_is_another_members_is_not_there(tmp_path, path):
    async def scene(site):
        person = site.person()
        await person.open_wallet()
        assert (await person.at_wallet.get(path)).status_code == 404

    play(tmp_path, scene)


@pytest.mark.parametrize("path", ["/charge", "/payout", "/identity/person", "/pay/confirm?order=x"])
def test_what_the_level_does_not_allow_leads_to_what_would(tmp_path, path):
    async def scene(site):
        person = site.person()
        await person.open_wallet()
        await person.at_wallet.get(path)
        assert person.at_wallet.path.partition("?")[0] in {"/identity", "/pay"}
        assert person.at_wallet.page.status_code == 200

    play(tmp_path, scene)


def test_an_order_to_pay_is_its_members_alone(tmp_path):
    """What was sealed for one member is no wish of another's, and leads nowhere."""

    async def scene(site):
        person, other = site.person(), site.person()
        await person.open_wallet()
        await other.open_wallet()
        kept = Kept("key", "mrc_x", 100, "", "")
        member_id = session_of(site, person.at_wallet).member_id
        context = f"wallet:order:{member_id}:{site.desks.house.today()}"
        sealed = site.site.parts.keyring.seal(msgspec.json.encode(kept), context=context)
        text = urlsafe_b64encode(sealed).rstrip(b"=").decode()
        assert (await other.at_wallet.get(f"/step-up?wish=pay:{text}")).status_code == 404
        await other.at_wallet.get(f"/pay/confirm?order={text}")
        assert other.at_wallet.path == "/pay"
        # To whom it belongs, it names a shop that is not there.
        assert (await person.at_wallet.get(f"/pay/confirm?order={text}")).status_code == 404

    play(tmp_path, scene)
