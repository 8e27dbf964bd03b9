"""Getting in at the desks: by passkey alone, with roles that count from the next request on."""

import pytest
from tests.web.desks_site import OPERATOR, DesksSite, at_the_desks

from sekisho.console import staff
from sekisho.console.rights import RIGHTS, Right, StaffRole
from sekisho.kernel.clock import DAY_US, SECOND_US
from sekisho.response import audit
from sekisho.web.console.staff_admission import require_rights

ANALYST = {"lender": (StaffRole.ANALYST,)}


def test_somebody_new_makes_a_passkey_and_logs_in_with_it(tmp_path):
    async def scene(site: DesksSite) -> None:
        browser, _ = await site.at_work("Suzuki Ichiro", {"lender": (StaffRole.ANALYST, StaffRole.AUDITOR)})
        assert "You are Suzuki Ichiro." in browser.page.text
        assert "analyst, auditor" in browser.page.text

    at_the_desks(tmp_path, scene)


def test_a_code_is_good_once_and_for_a_day(tmp_path):
    async def scene(site: DesksSite) -> None:
        code = site.add("Sato", ANALYST).code
        await site.enrol(site.browser(), code)
        again = site.browser()
        await again.get("/enrol")
        await again.submit("/enrol", code=code)
        assert (again.page.status_code, again.path) == (401, "/enrol")
        late = site.add("Tanaka", ANALYST).code
        site.wait(DAY_US // SECOND_US)
        await again.submit("/enrol", code=late)
        assert again.page.status_code == 401

    at_the_desks(tmp_path, scene)


def test_a_code_opens_nothing_but_the_way_to_a_passkey(tmp_path):
    async def scene(site: DesksSite) -> None:
        browser = site.browser()
        await browser.get("/enrol")
        await browser.submit("/enrol", code=site.add("Sato", ANALYST).code)
        await browser.get("/desks")
        assert browser.page.status_code == 403
        assert browser.title == "Make your passkey first"

    at_the_desks(tmp_path, scene)


def test_a_new_code_takes_the_old_passkey_and_session_away(tmp_path):
    async def scene(site: DesksSite) -> None:
        browser, old = await site.at_work("Sato", ANALYST)
        parts = site.site.parts
        with parts.store.read() as connection:
            (who,) = staff.all_staff(connection)
        made = parts.store.write(lambda at: staff.new_enrolment(at, parts, who.id, OPERATOR)).result()
        await site.enrol(site.browser(), made.code)
        with parts.store.read() as connection:
            used = audit.search(connection, act="staff:enrolled")
        assert {(one.actor, one.subject) for one in used} == {(who.id, who.id)}
        assert len(used) == 2
        await browser.get("/desks")
        assert browser.path.startswith("/login")
        await site.log_in_by_passkey(browser, old)
        assert browser.page.status_code == 401

    at_the_desks(tmp_path, scene)


def test_who_is_removed_is_out_at_once(tmp_path):
    async def scene(site: DesksSite) -> None:
        browser, passkey = await site.at_work("Sato", ANALYST)
        parts = site.site.parts
        with parts.store.read() as connection:
            (who,) = staff.all_staff(connection)
        parts.store.write(lambda at: staff.remove_staff(at, parts, who.id, OPERATOR)).result()
        await browser.get("/desks")
        assert browser.path.startswith("/login")
        # The passkey still proves who somebody is; that somebody has no place here any more.
        await site.log_in_by_passkey(browser, passkey)
        assert browser.page.status_code == 403
        with pytest.raises(staff.StaffUnknown):
            parts.store.write(lambda at: staff.new_enrolment(at, parts, who.id, OPERATOR)).result()

    at_the_desks(tmp_path, scene)


def test_a_role_counts_from_the_next_request_on_and_at_its_institution_alone(tmp_path):
    async def scene(site: DesksSite) -> None:
        site.add("Sato", ANALYST)
        parts = site.site.parts
        with parts.store.read() as connection:
            (who,) = staff.all_staff(connection)
        assert who.may("lender", Right.TRY_POLICIES)
        assert not who.may("bank", Right.TRY_POLICIES)
        role = StaffRole.ANALYST
        took = parts.store.write(
            lambda at: staff.take_role(at, parts, who.id, "lender", role, OPERATOR)
        ).result()
        with parts.store.read() as connection:
            (now,) = staff.all_staff(connection)
        assert took
        assert not now.may_anywhere(Right.SEE_CAMPAIGNS)

    at_the_desks(tmp_path, scene)


def test_nobody_proposes_and_approves():
    """Whoever approves cannot be the one who proposes, by role as well as by name."""
    proposing = {Right.SET_SWITCHES, Right.CONTAIN, Right.HANDLE_CASES, Right.MAKE_REPORTS}
    for rights in RIGHTS.values():
        assert Right.APPROVE not in rights or not proposing & rights
    assert not {Right.APPROVE, *proposing, Right.SEE_MEMBERS} & RIGHTS[StaffRole.AUDITOR]


def test_a_route_without_a_right_is_not_served(tmp_path):
    async def scene(site: DesksSite) -> None:
        with pytest.raises(LookupError, match=r"GET .* names no right"):
            require_rights(site.app, site.site, frozenset())

    at_the_desks(tmp_path, scene)


@pytest.mark.parametrize("path", ["/signup", "/signup/codes", "/security", "/security/logins"])
def test_there_are_no_member_pages_at_the_desks(tmp_path, path):
    async def scene(site: DesksSite) -> None:
        browser, _ = await site.at_work("Sato", ANALYST)
        assert (await browser.get(path)).status_code in {403, 404}
        assert browser.title in {"Not part of your role", "There is no such page"}

    at_the_desks(tmp_path, scene)
