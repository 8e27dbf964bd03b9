"""Every route of the bank's own pages and its debit interface, asked for by strangers, without tokens."""

import asyncio
import re

import pytest
from tests.bank.mandate_at_hand import PlainSwitches
from tests.web.member_site import member_site

from sekisho.web.bank import account_pages, debit_api, mandate_pages
from sekisho.web.bank.app import create_bank_app
from sekisho.web.members import cookies
from sekisho.web.members.app import create_member_app
from sekisho.web.members.roles import OF_MEMBERS, Role

OPEN = {"GET /stop-link", "POST /stop-link"}
OURS = (account_pages, debit_api, mandate_pages)


def play(folder, scene):
    async def opened():
        async with member_site(folder) as site:
            shared = set(site.site.accesses)
            site.app = create_bank_app(site.site, switches=PlainSwitches())
            own = [each for each in site.site.accesses if each not in shared]
            paths = {path for module in OURS for route in module.ROUTES for path in route.paths}
            await scene(site, [each for each in own if each.path in paths])

    asyncio.run(opened())


async def ask(browser, access, **headers):
    path = re.sub(r"\{\w+:\w+\}", "x", access.path)
    if access.method == "POST":
        return await browser.post(path, {"a": "b"}, **headers)
    return await browser.get(path, **headers)


def test_what_is_open_to_anyone_is_listed(tmp_path):
    """A new open route has to be thought about."""

    async def scene(_site, own):
        assert {f"{each.method} {each.path}" for each in own if each.role is Role.ANYONE} == OPEN
        assert len([each for each in own if each.role in OF_MEMBERS]) >= 10

    play(tmp_path, scene)


@pytest.mark.parametrize("session", ["", "made-up"])
def test_a_stranger_is_sent_to_the_login(tmp_path, session):
    async def scene(site, own):
        for access in own:
            if access.role in OF_MEMBERS:
                browser = site.browser(follow=False)
                if session:
                    browser.client.cookies = {cookies.SESSION: session}
                answer = await ask(browser, access)
                assert answer.status_code == 303, access
                assert answer.headers["location"].partition("?")[0] == "/login", access

    play(tmp_path, scene)


def test_every_form_needs_its_token(tmp_path):
    """Also stopping: a page elsewhere must not stop a depositor's links."""

    async def scene(site, own):
        browser = site.browser()
        await site.sign_up(browser)
        browser.client.follow_redirects = False
        for access in own:
            if access.method == "POST" and access.role is not Role.CLIENT:
                assert (await ask(browser, access)).status_code == 409, access

    play(tmp_path, scene)


def test_what_somebody_else_s_link_is_called_opens_nothing(tmp_path):
    async def scene(site, own):
        browser = site.browser()
        await site.sign_up(browser)
        browser.client.follow_redirects = False
        for access in own:
            if access.method == "GET" and "mandate_id" in access.path and access.role in OF_MEMBERS:
                assert (await ask(browser, access)).status_code == 404, access

    play(tmp_path, scene)


def test_the_debit_interface_answers_nobody_without_a_token(tmp_path):
    """Neither a stranger nor a member who is logged in: no cookie counts there."""

    async def scene(site, own):
        member = site.browser()
        await site.sign_up(member)
        for browser in (member, site.browser()):
            browser.client.follow_redirects = False
            for access in own:
                if access.role is Role.CLIENT:
                    answer = await ask(browser, access)
                    form = f"{access.method} {access.path}" == "POST /v1/service-status"
                    assert answer.status_code == (400 if form else 401) or answer.json()["code"] == (
                        "invalid_client"
                    ), (access, answer.text)

    play(tmp_path, scene)


def test_the_shared_pages_stay_as_they_are(tmp_path):
    """The bank adds routes, and takes none of the shared ones over."""

    async def opened():
        async with member_site(tmp_path) as site:
            create_member_app(site.site, ())
            shared = set(site.site.accesses)
            create_bank_app(site.site, switches=PlainSwitches())
            assert shared <= set(site.site.accesses)

    asyncio.run(opened())
