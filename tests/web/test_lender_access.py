"""Every route of the lender's own pages, asked for by everybody; beside tests/test_access_coverage.py."""

import asyncio
import re
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from tests.test_access_coverage import form_of
from tests.web.lender_site import house_of, line_of, play
from tests.web.member_site import member_site

from sekisho.web.lender.app import create_lender_app
from sekisho.web.members.roles import OF_MEMBERS, Role

# What anybody may ask for without a session. This list may only shrink, or grow with a reason beside it.
OPEN = {"GET /simulator", "GET /diagnosis", "POST /diagnosis"}
# There is nothing of the member's at these addresses.
NOTHING_THERE = {
    "/apply/sign",
    "/atm/approve",
    "/borrow/confirm",
    "/borrow/transfer/x",
    "/payout-account/confirm",
    "/repay/confirm",
    "/repay/x",
}


@cache
def own_routes():
    """Return the routes that the lender has beside those of every institution with members."""

    async def read(folder):
        async with member_site(folder) as site:
            shared = set(site.site.accesses)
            create_lender_app(site.site)
            return [access for access in site.site.accesses if access not in shared]

    with TemporaryDirectory() as folder:
        return asyncio.run(read(Path(folder)))


async def ask(site, browser, access):
    path = re.sub(r"\{\w+:\w+\}", "2026-11" if "month" in access.path else "x", access.path)
    if access.method == "POST":
        return path, await browser.post(path, {"a": "b"} | form_of(site, browser, path))
    return path, await browser.get(path)


def test_what_is_open_to_anyone_is_listed():
    """A new open route has to be thought about."""
    open_ones = {f"{access.method} {access.path}" for access in own_routes() if access.role is Role.ANYONE}
    assert open_ones == OPEN


@pytest.mark.parametrize("known_device", [True, False])
def test_without_a_fresh_proof_every_approved_route_asks_for_one(tmp_path, known_device):
    """On the member's own device after a while, and on one that a phished code opened a moment ago."""
    routes = own_routes()

    async def scene(site):
        owner = site.browser()
        number, mobile = await site.sign_up(owner)
        line_of(house_of(site), number).borrow("first", 123_000)
        browser = owner
        if not known_device:
            browser = site.browser("198.51.100.9")
            await site.log_in(browser, number, mobile)
        site.wait(301)
        browser.client.follow_redirects = False
        for access in routes:
            if access.role in OF_MEMBERS:
                path, answer = await ask(site, browser, access)
                asked = answer.headers.get("location", "").startswith("/step-up")
                nothing = path in NOTHING_THERE and answer.status_code in {404, 409}
                assert access.role is Role.MEMBER or asked or nothing, (access, answer.status_code)
                assert "123,000" not in answer.text, access

    play(tmp_path, scene)


def test_a_form_needs_its_token(tmp_path):
    """Every one of them: without the token nothing is done."""
    routes = own_routes()

    async def scene(site):
        browser = site.browser()
        await site.sign_up(browser)
        browser.client.follow_redirects = False
        for access in routes:
            if access.method == "POST" and access.role in OF_MEMBERS:
                assert (await browser.post(access.path, {"a": "b"})).status_code == 409, access

    play(tmp_path, scene)
