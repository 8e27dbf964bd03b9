"""Every route of the bank's own, asked for by strangers: pages, endpoints of partners, the debit API."""

import re

from tests.web.bank_site import BankSite, play

from sekisho.web.members.app import SHARED
from sekisho.web.members.roles import OF_MEMBERS, Role

# What anybody may ask for without a session. This list may only shrink, or grow with a reason beside it.
OPEN = {
    "GET /",
    "GET /link/authorize",
    "GET /link/account",  # what follows asks for the cookie of a link that was begun
    "GET /link/code",
    "GET /link/consent",
    "POST /link/account",
    "POST /link/code",
    "POST /link/code/again",
    "POST /link/consent",
    "POST /link/decline",
    "POST /link/passkey",
    "GET /stop-link",  # stops, and does nothing else: the proof is the code of a notice
    "POST /stop-link",
    "POST /stop-link/confirmed",
}
# What partners read before they have anything to prove.
PUBLIC = {"GET /.well-known/oauth-authorization-server"}


def own(site):
    """Return the routes that the bank has beside those of every institution with members."""
    shared = {path for route in SHARED for path in route.paths}
    return [access for access in site.site.accesses if access.path not in shared - {"/"}]


def filled(path):
    return re.sub(r"\{\w+:\w+\}", "x", path)


def test_what_is_open_to_anyone_is_listed(tmp_path):
    async def scene(site: BankSite) -> None:
        routes = {f"{each.method} {each.path}" for each in own(site) if each.role is Role.ANYONE}
        assert {each for each in routes if "/static" not in each} <= OPEN

    play(tmp_path, scene)


def test_a_stranger_gets_nothing_of_a_link_that_was_not_begun_here(tmp_path):
    async def scene(site: BankSite) -> None:
        browser = site.browser()
        for each in own(site):
            if each.path.startswith("/link/") and each.role is Role.ANYONE:
                answer = (
                    await browser.get(each.path)
                    if each.method == "GET"
                    else await browser.post(each.path, {"request": "lrq_x"})
                )
                assert answer.status_code in {400, 409}, each

    play(tmp_path, scene)


def test_a_stranger_is_sent_to_the_login_by_every_page_of_members(tmp_path):
    async def scene(site: BankSite) -> None:
        for each in own(site):
            if each.role not in OF_MEMBERS:
                continue
            browser = site.browser()
            path = filled(each.path)
            await (browser.get(path) if each.method == "GET" else browser.post(path, {"a": "b"}))
            assert browser.path.partition("?")[0] == "/login", each

    play(tmp_path, scene)


def test_a_program_without_proof_gets_nothing_from_any_endpoint(tmp_path):
    """Neither without anything, nor with a token that was made up; and no answer is kept by a cache."""

    async def scene(site: BankSite) -> None:
        seen = 0
        for each in own(site):
            if each.role is not Role.CLIENT or f"{each.method} {each.path}" in PUBLIC:
                continue
            for headers in ({}, {"Authorization": "DPoP " + "x" * 43, "DPoP": "x"}):
                answer = await site.client.request(
                    each.method, filled(each.path), headers=headers | {"Idempotency-Key": "k"}
                )
                assert answer.status_code in {400, 401, 404, 415}, (each, answer.status_code)
                assert answer.headers.get("cache-control") == "no-store", each
            seen += 1
        assert seen >= 3

    play(tmp_path, scene)
