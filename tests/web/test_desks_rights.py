"""Every route of the desks, asked for by every role: nobody sees or does what their role may not.

The list of routes is the application's own; what each role may ask for stands here, so that a change of
either has to be thought about.
"""

import re

import pytest
from tests.web.desks_site import OPERATOR, DesksSite, at_the_desks

from sekisho.console import staff
from sekisho.console.rights import RIGHTS, Right, StaffRole
from sekisho.identity import sessions
from sekisho.web.console.staff_admission import RIGHT
from sekisho.web.console.staff_app import FREE
from sekisho.web.members.roles import OF_MEMBERS

WHO_MAY = {
    "GET /audit": {"auditor"},
    "GET /{institution:str}": {"analyst", "responder", "approver", "desk", "auditor"},
    "GET /{institution:str}/applications": {"desk"},
    "GET /{institution:str}/applications/{application_id:str}": {"desk"},
    "GET /{institution:str}/atm-orders": {"desk"},
    "GET /{institution:str}/audit": {"auditor"},
    "GET /{institution:str}/campaigns": {"analyst", "responder", "approver", "desk", "auditor"},
    "GET /{institution:str}/campaigns/hunt/progress": {
        "analyst",
        "responder",
        "approver",
        "desk",
        "auditor",
    },
    "GET /{institution:str}/campaigns/{campaign:str}": {"analyst", "responder", "approver", "auditor"},
    "GET /{institution:str}/campaigns/{campaign:str}/one": {"analyst", "responder", "approver", "auditor"},
    "GET /{institution:str}/campaigns/{campaign:str}/progress": {
        "analyst",
        "responder",
        "approver",
        "auditor",
    },
    "GET /{institution:str}/cases": {"responder", "approver", "desk"},
    "GET /{institution:str}/cases/new": {"desk"},
    "GET /{institution:str}/cases/{case_id:str}": {"responder", "approver", "desk"},
    "GET /{institution:str}/claims": {"responder", "approver", "desk"},
    "GET /{institution:str}/claims/{claim_id:str}": {"responder", "approver", "desk"},
    "GET /{institution:str}/glass/{glass_id:str}": {"auditor"},
    "GET /{institution:str}/glass/{kind:str}/{subject:str}": {"analyst"},
    "GET /{institution:str}/links": {"desk"},
    "GET /{institution:str}/links/{link_id:str}": {"responder", "approver", "desk"},
    "GET /{institution:str}/lost-moves/{move_id:str}": {"desk"},
    "GET /{institution:str}/members": {"responder", "approver", "desk"},
    "GET /{institution:str}/members/{member_id:str}": {"responder", "approver", "desk"},
    "GET /{institution:str}/policies": {"analyst", "responder", "auditor"},
    "GET /{institution:str}/recoveries": {"responder", "approver", "desk"},
    "GET /{institution:str}/recoveries/partner": {"responder", "approver", "desk"},
    "GET /{institution:str}/recoveries/{receipt_id:str}": {"responder", "approver", "desk"},
    "GET /{institution:str}/now": {"analyst", "responder", "approver", "desk", "auditor"},
    "GET /{institution:str}/reports": {"responder"},
    "GET /{institution:str}/reports/{campaign:str}": {"responder"},
    "GET /{institution:str}/reports/{campaign:str}/{kind:str}/{version:int}": {"responder"},
    "GET /{institution:str}/switches": {"analyst", "responder", "approver", "desk", "auditor"},
    "GET /{institution:str}/switches/new": {"responder"},
    "GET /{institution:str}/switches/{switch_id:str}": {
        "analyst",
        "responder",
        "approver",
        "desk",
        "auditor",
    },
    "GET /{institution:str}/what-if": {"analyst", "responder"},
    "GET /{institution:str}/what-if/policy.toml": {"analyst", "responder"},
    "GET /{institution:str}/what-if/progress": {"analyst", "responder"},
    "POST /{institution:str}/what-if": {"analyst", "responder"},
    "POST /{institution:str}/what-if/cancel": {"analyst", "responder"},
    "POST /{institution:str}/what-if/policy": {"analyst", "responder"},
    "POST /{institution:str}/applications/{application_id:str}": {"desk"},
    "POST /{institution:str}/atm-orders/close": {"desk"},
    "POST /{institution:str}/atm-orders/decide": {"desk"},
    "POST /{institution:str}/audit/export": {"auditor"},
    "POST /{institution:str}/audit/verify": {"auditor"},
    "POST /{institution:str}/campaigns/hunt": {"analyst", "responder", "approver", "auditor"},
    "POST /{institution:str}/campaigns/{campaign:str}/approve": {"approver"},
    "POST /{institution:str}/campaigns/{campaign:str}/contain": {"responder"},
    "POST /{institution:str}/campaigns/{campaign:str}/one": {"responder"},
    "POST /{institution:str}/cases": {"desk"},
    "POST /{institution:str}/cases/{case_id:str}/assign": {"desk"},
    "POST /{institution:str}/cases/{case_id:str}/claims": {"desk"},
    "POST /{institution:str}/cases/{case_id:str}/note": {"desk"},
    "POST /{institution:str}/cases/{case_id:str}/open": {"responder", "approver", "desk"},
    "POST /{institution:str}/cases/{case_id:str}/step": {"desk"},
    "POST /{institution:str}/claims/{claim_id:str}/assess": {"desk"},
    "POST /{institution:str}/claims/{claim_id:str}/decide": {"approver"},
    "POST /{institution:str}/glass/{glass_id:str}": {"auditor"},
    "POST /{institution:str}/glass/{kind:str}/{subject:str}": {"analyst"},
    "POST /{institution:str}/links/{link_id:str}/names": {"desk"},
    "POST /{institution:str}/links/{link_id:str}/review": {"desk"},
    "POST /{institution:str}/links/{link_id:str}/stand": {"responder"},
    "POST /{institution:str}/lost-moves/{move_id:str}": {"desk"},
    "POST /{institution:str}/members": {"responder", "approver", "desk"},
    "POST /{institution:str}/members/{member_id:str}/holds": {"responder"},
    "POST /{institution:str}/members/{member_id:str}/open": {"responder", "approver", "desk"},
    "POST /{institution:str}/members/{member_id:str}/sessions": {"responder"},
    "POST /{institution:str}/recoveries/ask": {"desk"},
    "POST /{institution:str}/recoveries/came": {"desk"},
    "POST /{institution:str}/recoveries/give-up": {"approver"},
    "POST /{institution:str}/recoveries/{receipt_id:str}/book": {"approver"},
    "POST /{institution:str}/recoveries/{receipt_id:str}/turn-down": {"approver"},
    "POST /{institution:str}/reports/{campaign:str}": {"responder"},
    "POST /{institution:str}/reports/{campaign:str}/{kind:str}/{version:int}/sent": {"responder"},
    "POST /{institution:str}/switches": {"responder"},
    "POST /{institution:str}/switches/preview": {"responder"},
    "POST /{institution:str}/switches/{switch_id:str}/approve": {"approver"},
    # The first of two sets switches, the second one approves: the page itself asks which it is.
    "POST /{institution:str}/switches/{switch_id:str}/lift": {
        "analyst",
        "responder",
        "approver",
        "desk",
        "auditor",
    },
}


def staffed(site: DesksSite):
    """Return the routes of staff that name a right, with it."""
    named = {
        f"{method} {route.path}": handler.opt[RIGHT]
        for route in site.app.routes
        for handler in getattr(route, "route_handlers", ())
        for method in handler.http_methods
        if isinstance(handler.opt.get(RIGHT), Right)
    }
    return {
        f"{access.method} {access.path}": named[f"{access.method} {access.path}"]
        for access in site.site.accesses
        if access.role in OF_MEMBERS and f"{access.method} {access.path}" not in FREE
    }


def filled(path: str, institution: str) -> str:
    """Write a path with something in the place of its parameters."""
    written = path.replace("{institution:str}", institution).replace("{version:int}", "1")
    return re.sub(r"\{\w+:\w+\}", "x", written)


async def ask(site: DesksSite, browser, route: str, institution: str):
    """Ask for a route; a form has its token, as if the page had been shown."""
    method, _, path = route.partition(" ")
    path = filled(path, institution)
    if method == "GET":
        return await browser.client.get(path, follow_redirects=False)
    present = await site.site.desks.sessions.present(browser.cookie("__Host-session"))
    assert present
    fields = {"form": sessions.form_token(present.session, path)}
    return await browser.post(path, fields)


def test_what_each_role_may_ask_for_is_listed(tmp_path):
    """The right that a route names gives it to exactly the roles of the list."""

    async def scene(site: DesksSite) -> None:
        found = {
            route: {role.value for role in StaffRole if right in RIGHTS[role]}
            for route, right in staffed(site).items()
        }
        assert found == WHO_MAY

    at_the_desks(tmp_path, scene)


@pytest.mark.parametrize("role", list(StaffRole))
def test_nobody_gets_what_is_another_role_s(tmp_path, role):
    """Also of an institution where they have no role, and of one that there is not."""

    async def scene(site: DesksSite) -> None:
        browser, _ = await site.at_work("Sato", {"lender": (role,)})
        for route, who in WHO_MAY.items():
            answer = await ask(site, browser, route, "lender")
            refused = answer.status_code == 403 and "Not part of your role" in answer.text
            assert refused is (role.value not in who), (route, answer.status_code)
            assert answer.status_code < 500, route
            if "{institution:str}" in route:
                for other in ("bank", "x"):
                    elsewhere = await ask(site, browser, route, other)
                    assert elsewhere.status_code in {403, 404, 405, 409}, (route, other)

    at_the_desks(tmp_path, scene)


def test_a_role_is_lost_at_the_next_request(tmp_path):
    """It is taken at once, in the middle of a session."""

    async def scene(site: DesksSite) -> None:
        browser, _ = await site.at_work("Sato", {"lender": (StaffRole.DESK,)})
        assert (await browser.get("/lender/members")).status_code == 200
        parts = site.site.parts
        (one,) = await parts.read(staff.all_staff)
        await parts.written(lambda at: staff.take_role(at, parts, one.id, "lender", StaffRole.DESK, OPERATOR))
        assert (await browser.get("/lender/members")).status_code == 403

    at_the_desks(tmp_path, scene)
