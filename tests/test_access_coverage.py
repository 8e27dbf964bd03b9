"""Every route of the member pages and the ID, asked for by everybody: strangers, members, thieves.

The list of routes is the application's own. A route that is not open to anyone answers a stranger with the
way to the login, and one that asks for a fresh proof answers a member without one with the way to it.
"""

import asyncio
import re
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from tests.identity.login_house import SaidGuard
from tests.web.member_site import MemberSite, found, member_site, play

from sekisho.identity import sessions
from sekisho.identity.openid.settings import OpenIdSettings
from sekisho.web.id.app import create_id_app
from sekisho.web.id.desks import open_desks as open_id_desks
from sekisho.web.lender.app import create_lender_app
from sekisho.web.members import cookies
from sekisho.web.members.desks import open_desks
from sekisho.web.members.roles import OF_MEMBERS, Role
from sekisho.web.members.site import Site

# What anybody may ask for without a session. This list may only shrink, or grow with a reason beside it.
OPEN = {
    "GET /",
    "GET /letter-key",  # whoever needs it has no session; the proof is the key from a letter
    "GET /frozen",
    "GET /language/{to:str}",
    "GET /login",
    "GET /login/code",
    "GET /login/passkey/options",
    "GET /logout",
    "GET /recovery",
    "GET /signup",
    "GET /signup/codes",
    "GET /signup/details",
    "GET /static/{file_path:path}",
    "HEAD /static/{file_path:path}",
    "POST /letter-key",
    "POST /login",
    "POST /login/code",
    "POST /login/code/again",
    "POST /login/code/puzzle",
    "POST /login/passkey",
    "POST /signup",
    "POST /signup/again",
    "POST /signup/codes",
    "POST /signup/details",
    "POST /unfreeze",  # the proof is a passkey's, sealed into the form a moment ago
}
# What asks for a fresh proof, and what a member without one is to send so that it would be done.
PASSKEY = "AAAA"
ITEM = {"item": "home_address", "value": "大阪府大阪市北区1-1"}
CONTACT = {"item": "email", "code": "123456"}


@cache
def every_route():
    """Return the lender's routes, and of these the ones that every institution with members has."""

    async def read(folder):
        async with member_site(folder) as site:
            shared = list(site.site.accesses)
            create_lender_app(site.site)
            return list(site.site.accesses), shared

    with TemporaryDirectory() as folder:
        return asyncio.run(read(Path(folder)))


def named(role):
    """Return the routes of one role that every institution with members has."""
    return [access for access in every_route()[1] if access.role is role]


def filled(path):
    """Write a path with something in the place of its parameters."""
    written = path.replace("{name:str}", "home_address").replace("{to:str}", "en")
    return re.sub(r"\{\w+:\w+\}", "x", written)


async def ask(browser, access, fields=None):
    path = filled(access.path)
    if access.method == "POST":
        return await browser.post(path, fields or {"a": "b"})
    return await browser.get(path)


def form_of(site: MemberSite, browser, path):
    """Return the token of a member's form, as the page with it would have it."""
    with site.site.parts.store.read() as connection:
        session = sessions.current(connection, browser.cookie(cookies.SESSION), site.clock.now_us())
    assert session is not None
    return {"form": sessions.form_token(session, path)}


def test_what_is_open_to_anyone_is_listed():
    """A new open route has to be thought about."""
    assert {f"{access.method} {access.path}" for access in named(Role.ANYONE)} == OPEN


def test_a_stranger_is_sent_to_the_login_by_every_other_route(tmp_path):
    """Without a session, with one that was made up, and with one that has ended."""

    async def scene(site):
        gone = site.browser(follow=True)
        await site.sign_up(gone)
        ended = gone.cookie(cookies.SESSION)
        await gone.submit("/logout")
        site.app = create_lender_app(site.site)
        for session in ("", "made-up", ended):
            for access in every_route()[0]:
                if access.role not in OF_MEMBERS:
                    continue
                browser = site.browser(follow=False)
                if session:
                    browser.client.cookies = {cookies.SESSION: session}
                answer = await ask(browser, access)
                assert answer.status_code == 303, access
                assert answer.headers["location"].partition("?")[0] == "/login", access

    play(tmp_path, scene)


def test_a_member_gets_what_is_a_member_s(tmp_path):
    """Every page of a live session answers with itself or with the page that follows."""

    async def scene(site):
        browser = site.browser(follow=False)
        await signed_up(site, browser)
        for access in named(Role.MEMBER):
            if access.method == "GET":
                answer = await ask(browser, access)
                assert answer.status_code in {200, 303, 404}, access
                assert not answer.headers.get("location", "").startswith("/login"), access

    play(tmp_path, scene)


def test_a_member_s_form_needs_its_token(tmp_path):
    """Every one of them: without the token nothing is done."""

    async def scene(site):
        browser = site.browser(follow=False)
        await signed_up(site, browser)
        for access in (*named(Role.MEMBER), *named(Role.APPROVED)):
            if access.method == "POST":
                assert (await ask(browser, access)).status_code == 409, access

    play(tmp_path, scene)


WITHOUT_PROOF = {
    "GET /passkey/new": {},
    "GET /passkey/new/options": {},
    "GET /profile/{name:str}": {},
    "GET /profile/{name:str}/change": {},
    "GET /profile/{name:str}/confirm": {},
    "GET /security/devices/approve": {},
    "GET /security/passkeys/remove": {},
    "GET /security/password": {},
    "POST /passkey/new": {},
    "POST /profile/change": ITEM,
    "POST /profile/confirm": CONTACT,
    "POST /security/devices/approve": {},
    "POST /security/devices/revoke": {},
    "POST /security/passkeys/remove": {"passkey": PASSKEY},
    "POST /security/password": {"password": "suzume-no-oyado 52"},
}


def test_every_route_that_asks_for_a_proof_is_played():
    """A new one has to be added here."""
    assert {f"{access.method} {access.path}" for access in named(Role.APPROVED)} == set(WITHOUT_PROOF)


@pytest.mark.parametrize("known_device", [True, False])
def test_without_a_fresh_proof_nothing_is_shown_or_changed(tmp_path, known_device):
    """On the member's own device after a while, and on one that a phished code opened a moment ago."""

    async def scene(site):
        owner = site.browser()
        number, mobile = await signed_up(site, owner)
        browser = owner
        if not known_device:
            browser = site.browser("198.51.100.9")
            await site.log_in(browser, number, mobile)
        site.wait(301)
        page = (await owner.get("/security")).text
        device = found(r'data-device="(dev_\w+)" data-standing="trusted"', page)
        browser.client.follow_redirects = False
        for access in named(Role.APPROVED):
            if known_device and access.path == "/security/devices/revoke":
                continue  # the device in one's hand can be thrown out at once: it locks nobody else out
            fields = WITHOUT_PROOF[f"{access.method} {access.path}"]
            if access.path.startswith("/security/devices"):
                fields = {"device": device}
            answer = await ask_with(site, browser, access, fields)
            refused = answer.status_code == 303 and answer.headers["location"].startswith("/step-up")
            # A ceremony that was never begun, and a passkey that is not there, are no way in.
            nothing = (access.path, answer.status_code) in NOTHING_THERE
            assert refused or answer.status_code == 401 or nothing, (access, answer.status_code)
        assert "大阪府" not in (await browser.get("/profile")).text

    play(tmp_path, scene)


NOTHING_THERE = {("/passkey/new", 422), ("/security/passkeys/remove", 404)}


async def ask_with(site, browser, access, fields):
    path = filled(access.path)
    if access.method == "POST":
        return await browser.post(path, fields | form_of(site, browser, path))
    query = "&".join(f"{name}={value}" for name, value in fields.items())
    return await browser.get(f"{path}?{query}")


async def signed_up(site, browser):
    """Open an account on a browser, whether or not it follows redirects."""
    follows = browser.client.follow_redirects
    browser.client.follow_redirects = True
    member = await site.sign_up(browser)
    browser.client.follow_redirects = follows
    return member


def test_the_id_s_own_routes_name_their_roles_too(tmp_path):
    """OpenID Connect's endpoints are asked by programs that prove themselves, its pages by members."""

    async def scene(site):
        parts = site.site.parts
        desks = open_desks(parts, SaidGuard())
        application = create_id_app(Site(parts, desks), open_id_desks(parts, OpenIdSettings()))
        accesses = application.state.site.accesses
        own = {access for access in accesses if "openid" in access.path or "well-known" in access.path}
        assert {access.role for access in own} >= {Role.CLIENT, Role.MEMBER}
        desks.hasher.close()

    play(tmp_path, scene)
