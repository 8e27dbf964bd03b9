"""Break-glass at the desks: one record, one session, a quarter of an hour, by passkey; and never quietly."""

import re

from sqlalchemy import select
from tests.web.desks_site import OPERATOR, DesksSite, at_the_desks
from tests.web.member_site import Browser
from tests.web.test_desks_members import ADDRESS, acts, member
from tests.web.test_desks_rights import ask

from sekisho.console import staff
from sekisho.console.rights import StaffRole
from sekisho.identity import holds, sessions
from sekisho.identity.holds import HoldKind, HoldScope
from sekisho.kernel.chance import SystemChance
from sekisho.response import cases
from sekisho.response.cases import CaseKind, Opening, Report, Reporter
from sekisho.response.glass import OPEN_US
from sekisho.storage.tables.audit import broken_glass
from sekisho.storage.tables.outbox import outbox
from sekisho.web.guard_api.api_keys import ApiKeys, Scope

ANALYST = {"lender": (StaffRole.ANALYST,)}
AUDITOR = {"lender": (StaffRole.AUDITOR,)}
WHY = "the desk is shut, and a victim stands at the machine now"
FOUND = "called the victim back: it was as they wrote"
BROKEN = "You are looking through broken glass."


async def broken(site: DesksSite, browser: Browser, passkey, record: str, why: str = WHY) -> str:
    """Break the glass of a record (`members/mem_...`), from the refusal on; return the record's page."""
    page, glass = f"/lender/{record}", f"/lender/glass/{record}"
    refused = await browser.get(page)
    assert refused.status_code == 403
    assert f'href="{glass}"' in refused.text
    await browser.get(glass)
    await browser.submit(glass, reason=why)
    await site.approve_deed(browser, passkey, glass)
    return page


def panes(site: DesksSite):
    with site.lender.store.read() as connection:
        return connection.execute(select(broken_glass)).all()


def events(site: DesksSite):
    with site.lender.store.read() as connection:
        return list(connection.execute(select(outbox.c.kind)).scalars())


async def id_of(site: DesksSite, name: str):
    everybody = await site.site.parts.read(staff.all_staff)
    return next(one.id for one in everybody if one.name == name)


def case_of(site: DesksSite, member_id: str):
    opening = Opening(
        kind=CaseKind.LOAN_DRAWN,
        reporter=Reporter.MEMBER,
        occasion="glass",
        member_id=member_id,
        report=Report(text="somebody drew 100,000 yen"),
    )
    return site.lender.store.write(lambda at: cases.open_case(at, site.lender, opening, by="sato")).result()


def test_a_record_opens_for_a_reason_that_a_passkey_approved_and_says_so(tmp_path):
    """Behind its masks at first; an item in full takes a reason and the passkey once more."""

    async def scene(site: DesksSite) -> None:
        one = member(site)
        browser, passkey = await site.at_work("Mori", ANALYST)
        page = await broken(site, browser, passkey, f"members/{one.id}")
        assert browser.path == page
        assert BROKEN in browser.page.text
        assert WHY in browser.page.text
        assert "東京都●●区" in browser.page.text
        assert ADDRESS not in browser.page.text
        await browser.submit(f"{page}/open", item_home_address="1", reason="which branch is nearest")
        await site.approve_deed(browser, passkey, f"{page}/open")
        assert ADDRESS in browser.page.text
        (broke,), (looked, *_), (seen,) = (
            acts(site, act) for act in ("glass:broken", "member:looked_at", "member:seen")
        )
        assert (broke.subject, broke.reason) == (one.id, WHY)
        assert [each.details["glass"] for each in (broke, looked, seen)] == ["broken"] * 3
        assert events(site).count("staff:glass:broken") == 2

    at_the_desks(tmp_path, scene)


def test_what_was_said_in_a_case_opens_likewise(tmp_path):
    """The case, and not the record of its member."""

    async def scene(site: DesksSite) -> None:
        case = case_of(site, member(site).id)
        browser, passkey = await site.at_work("Mori", ANALYST)
        page = await broken(site, browser, passkey, f"cases/{case.id}")
        assert BROKEN in browser.page.text
        await browser.submit(f"{page}/open", reason="what was drawn, and where")
        await site.approve_deed(browser, passkey, f"{page}/open")
        assert "somebody drew 100,000 yen" in browser.page.text
        assert len(acts(site, "case:seen")) == 1
        assert acts(site, "case:looked_at")[0].details == {"glass": "broken"}
        assert (await browser.get(f"/lender/members/{case.member_id}")).status_code == 403

    at_the_desks(tmp_path, scene)


def test_it_lets_nobody_change_anything_or_look_further(tmp_path):
    """Another member, the search, and every deed stay what the role says."""

    async def scene(site: DesksSite) -> None:
        one, other = member(site), member(site)
        browser, passkey = await site.at_work("Mori", ANALYST)
        page = await broken(site, browser, passkey, f"members/{one.id}")
        for deed in ("sessions", "holds"):
            assert f'action="{page}/{deed}"' not in browser.page.text
            assert (await ask(site, browser, f"POST {page}/{deed}", "lender")).status_code == 403
        for path in (f"/lender/members/{other.id}", "/lender/members", "/lender/cases"):
            assert (await browser.get(path)).status_code == 403, path
        assert (await browser.get(page)).status_code == 200

    at_the_desks(tmp_path, scene)


def test_it_shuts_after_a_quarter_of_an_hour_and_with_the_session(tmp_path):
    async def scene(site: DesksSite) -> None:
        one = member(site)
        browser, passkey = await site.at_work("Mori", ANALYST)
        page = await broken(site, browser, passkey, f"members/{one.id}")
        elsewhere = site.browser()
        await site.log_in_by_passkey(elsewhere, passkey)
        assert (await elsewhere.get(page)).status_code == 403
        site.clock.advance(OPEN_US - 1)
        assert (await browser.get(page)).status_code == 200
        site.clock.advance(1)
        assert (await browser.get(page)).status_code == 403
        assert (await ask(site, browser, f"POST {page}/open", "lender")).status_code == 403

    at_the_desks(tmp_path, scene)


def test_a_stolen_session_without_the_passkey_breaks_nothing(tmp_path):
    """Neither without an answer, nor with another one's passkey, nor with a yes to something else."""

    async def scene(site: DesksSite) -> None:
        one, other = member(site), member(site)
        browser, passkey = await site.at_work("Mori", ANALYST)
        _, thiefs = await site.at_work("Thief", ANALYST)
        stolen, glass = site.browser(), f"/lender/glass/members/{one.id}"
        stolen.client.cookies = dict(browser.client.cookies)
        await stolen.get(glass)
        await stolen.submit(glass, reason=WHY)
        asked = stolen.page
        for answer in ("{}", "x", ""):
            stolen.page = asked
            await stolen.submit(glass, ceremony="x", credential=answer)
        stolen.page = asked
        await site.approve_deed(stolen, thiefs, glass)
        assert stolen.page.status_code == 401
        elsewhere = f"/lender/glass/members/{other.id}"
        await browser.get(elsewhere)
        await browser.submit(elsewhere, reason=WHY)
        await site.approve_deed(browser, passkey, elsewhere, reason=f"{WHY}, and more")
        assert browser.page.status_code == 401
        assert panes(site) == []
        assert acts(site, "glass:") == []
        assert (await browser.get(f"/lender/members/{one.id}")).status_code == 403

    at_the_desks(tmp_path, scene)


def test_a_reason_has_to_be_a_sentence(tmp_path):
    async def scene(site: DesksSite) -> None:
        one = member(site)
        browser, _ = await site.at_work("Mori", ANALYST)
        glass = f"/lender/glass/members/{one.id}"
        for why in ("", "urgent", " " * 40, "x" * 19, "x" * 401):
            await browser.get(glass)
            await browser.submit(glass, reason=why)
            assert browser.page.status_code == 422, why
            assert "deed=" not in browser.page.text
        for path in ("/lender/glass/sessions/x", "/lender/glass/members/x%22"):
            page = await browser.get(path)
            assert page.status_code in {200, 404}, path
            assert 'x"' not in page.text

    at_the_desks(tmp_path, scene)


def test_nobody_breaks_the_glass_of_another_institution_or_of_nothing(tmp_path):
    """A role at the wallet opens nothing at the lender; and what there is not stays unknown until the yes."""

    async def scene(site: DesksSite) -> None:
        one = member(site)
        outsider, _ = await site.at_work("Soto", {"wallet": (StaffRole.ANALYST,)})
        refused = await outsider.get(f"/lender/members/{one.id}")
        assert refused.status_code == 403
        assert "glass" not in refused.text
        assert (await outsider.get(f"/lender/glass/members/{one.id}")).status_code == 403
        auditor, _ = await site.at_work("Ito", AUDITOR)
        assert "glass" not in (await auditor.get(f"/lender/members/{one.id}")).text
        browser, passkey = await site.at_work("Mori", ANALYST)
        await broken(site, browser, passkey, "members/mem_nobody")
        assert browser.page.status_code == 404
        assert panes(site) == []

    at_the_desks(tmp_path, scene)


def test_nobody_breaks_the_glass_of_their_own_record(tmp_path):
    """Nor of a case that is about them."""

    async def scene(site: DesksSite) -> None:
        one, parts = member(site), site.site.parts
        case = case_of(site, one.id)
        browser, passkey = await site.at_work("Mori", ANALYST)
        who = await id_of(site, "Mori")
        for _ in range(2):
            parts.store.write(
                lambda at: staff.name_own_record(at, parts, who, "lender", one.id, OPERATOR)
            ).result()
        for record in (f"members/{one.id}", f"cases/{case.id}"):
            await broken(site, browser, passkey, record)
            assert browser.page.status_code == 403
            assert "This is your own record" in browser.page.text
        assert panes(site) == []

    at_the_desks(tmp_path, scene)


def test_a_stopped_account_breaks_nothing_and_what_it_broke_is_shut(tmp_path):
    """On hold it can't; removed, or without the role, it looks no further from the next request on."""

    async def scene(site: DesksSite) -> None:
        one, other, parts = member(site), member(site), site.site.parts
        browser, passkey = await site.at_work("Mori", ANALYST)
        page, who = await broken(site, browser, passkey, f"members/{one.id}"), await id_of(site, "Mori")
        hold = parts.store.write(
            lambda at: holds.place(
                at, parts, who, HoldKind.CONTAINMENT, HoldScope.MONEY_OUT, reason="lost laptop", until_us=None
            )
        ).result()
        glass = f"/lender/glass/members/{other.id}"
        await browser.get(glass)
        await browser.submit(glass, reason=WHY)
        assert browser.page.status_code == 403
        assert "Your account at the desks is stopped" in browser.page.text
        assert "Your account at the desks is stopped" in (await browser.get(page)).text
        parts.store.write(lambda at: holds.lift(at, parts, hold, by="operator")).result()
        assert (await browser.get(page)).status_code == 200
        parts.store.write(
            lambda at: staff.take_role(at, parts, who, "lender", StaffRole.ANALYST, OPERATOR)
        ).result()
        assert (await browser.get(page)).status_code == 403
        parts.store.write(
            lambda at: staff.give_role(at, parts, who, "lender", StaffRole.ANALYST, OPERATOR)
        ).result()
        assert (await browser.get(page)).status_code == 200
        parts.store.write(lambda at: staff.remove_staff(at, parts, who, OPERATOR)).result()
        await browser.get(page)
        assert browser.path.startswith("/login")

    at_the_desks(tmp_path, scene)


def test_auditors_and_approvers_see_it_first_until_an_auditor_has_looked_into_it(tmp_path):
    """Whoever broke it can't mark it, a desk does not see it, and the second auditor comes too late."""

    async def scene(site: DesksSite) -> None:
        one = member(site)
        both = {"lender": (StaffRole.ANALYST, StaffRole.AUDITOR)}
        browser, passkey = await site.at_work("Mori", both)
        page = await broken(site, browser, passkey, f"members/{one.id}")
        (pane,) = panes(site)
        seen = f"/lender/glass/{pane.id}"
        told = "Broken glass to look into: 1"
        auditor, seal = await site.at_work("Ito", AUDITOR)
        approver, _ = await site.at_work("Kato", {"lender": (StaffRole.APPROVER,)})
        talker, _ = await site.at_work("Abe", {"lender": (StaffRole.DESK,)})
        for path in ("/desks", "/lender", "/audit", "/lender/audit"):
            text = (await auditor.get(path)).text
            assert told in text, path
            assert text.index(told) < text.index("<ul", text.index(told)), path
            assert f'href="{seen}"' in text, path
        for path in ("/desks", "/lender"):
            assert told in (await approver.get(path)).text
            assert seen not in approver.page.text
            assert told not in (await talker.get(path)).text
        text = (await auditor.get("/audit")).text
        assert text.index("Mori") < text.index("acts")
        assert "you broke this glass yourself" in (await browser.get(seen)).text.lower()
        assert (await approver.get(seen)).status_code == 403
        assert page.rpartition("/")[2] in (await auditor.get(seen)).text
        assert "glass:broken" in auditor.page.text
        assert "member:looked_at" in auditor.page.text
        await auditor.submit(seen, remark="ok")
        assert auditor.page.status_code == 422
        late, late_seal = await site.at_work("Goto", AUDITOR)
        for who in (auditor, late):
            await who.get(seen)
            await who.submit(seen, remark=FOUND)
        await site.approve_deed(auditor, seal, seen)
        assert told not in auditor.page.text
        await site.approve_deed(late, late_seal, seen)
        assert late.page.status_code == 409
        for who, path in ((auditor, "/desks"), (approver, "/lender"), (auditor, "/lender/audit")):
            assert told not in (await who.get(path)).text, path
        assert FOUND in (await auditor.get(seen)).text
        (act,) = acts(site, "glass:seen")
        assert (act.subject, act.reason, act.actor) == (pane.id, FOUND, await id_of(site, "Ito"))

    at_the_desks(tmp_path, scene)


def test_whoever_broke_it_does_not_mark_it_past_the_page_either(tmp_path):
    async def scene(site: DesksSite) -> None:
        one = member(site)
        browser, passkey = await site.at_work("Mori", {"lender": (StaffRole.ANALYST, StaffRole.AUDITOR)})
        await broken(site, browser, passkey, f"members/{one.id}")
        (pane,) = panes(site)
        seen = f"/lender/glass/{pane.id}"
        token = await form_token(site, browser, seen)
        browser.page = await browser.post(seen, {"form": token, "remark": FOUND})
        await site.approve_deed(browser, passkey, seen)
        assert browser.page.status_code == 403
        assert panes(site)[0].seen_at_us is None

    at_the_desks(tmp_path, scene)


def test_a_metric_counts_it_for_who_has_a_key(tmp_path):
    async def scene(site: DesksSite) -> None:
        one = member(site)
        keys = ApiKeys(clock=site.clock)
        key = keys.add("prometheus", (Scope.METRICS,), SystemChance())
        other = keys.add("till", (Scope.TILL,), SystemChance())
        site.site.staff_keys = keys
        browser, passkey = await site.at_work("Mori", ANALYST)

        async def told(by: str):
            return await browser.client.get("/metrics", headers={"Authorization": f"Bearer {by}"})

        assert 'sekisho_staff_glass_broken_total{institution="lender"} 0.0' in (await told(key)).text
        await broken(site, browser, passkey, f"members/{one.id}")
        text = (await told(key)).text
        assert re.search(r'sekisho_staff_glass_broken_total\{institution="lender"\} 1\.0', text)
        assert re.search(r'sekisho_staff_glass_unseen\{institution="lender"\} 1\.0', text)
        assert [(await told(by)).status_code for by in (other, "sk_none")] == [403, 401]

    at_the_desks(tmp_path, scene)


async def form_token(site: DesksSite, browser: Browser, path: str) -> str:
    """Return what a form to a path carries that the page does not show."""
    present = await site.site.desks.sessions.present(browser.cookie("__Host-session"))
    assert present
    return sessions.form_token(present.session, path)
