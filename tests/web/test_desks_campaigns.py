"""Campaigns at the desks: hunted for in the record, contained in one step, and taken back."""

import asyncio
import html
import re

import msgspec
from sqlalchemy import select
from tests.identity.member_at_hand import AtHand
from tests.web.desks_site import DesksSite, at_the_desks
from tests.web.member_site import found

from sekisho.console.campaign_desk import SHOWN
from sekisho.console.rights import StaffRole
from sekisho.guard.attempts import Attempt, ChallengeResult, Outcome
from sekisho.guard.decisions import Action, Decision
from sekisho.identity import members, sessions
from sekisho.identity.arrivals import Arrival
from sekisho.identity.assurance import Level
from sekisho.identity.sessions import IDLE_US_MAX, Birth
from sekisho.kernel.clock import DAY_US, MINUTE_US, SECOND_US
from sekisho.response import cases, containment_rows
from sekisho.response.cases import CaseKind, Opening, Reporter
from sekisho.response.cohorts import Suspect
from sekisho.response.switch_desk import Wish
from sekisho.response.switches import Scope
from sekisho.storage.attempts import DECIDED, SETTLED
from sekisho.storage.history.parquet import HistoryFolder
from sekisho.storage.outbox import StoredEntry
from sekisho.storage.tables.sessions import session

RESPONDER = {"lender": (StaffRole.RESPONDER,)}
APPROVER = {"lender": (StaffRole.APPROVER,)}
CAMPAIGN = "cmp_0123456789abcdef0123456789abcdef"
PAGE = f"/lender/campaigns/{CAMPAIGN}"


def entered(site: DesksSite, risk: float):
    """Let somebody be in a member's account, in a session that the guard knows to be of the campaign."""
    at_hand = AtHand(site.lender, site.clock, site.chance, site.file, members=site.entered)
    site.entered += 1
    member_id = at_hand.add_reachable_member()
    device = at_hand.log_in(member_id).device
    birth = Birth(
        member_id=member_id,
        device_id=device.id,
        level=Level.CODE,
        arrival=Arrival(ip="198.51.100.9", user_agent="x"),
        risk=risk,
        campaign=CAMPAIGN,
    )
    site.lender.store.write(lambda at: sessions.open_session(at, site.lender, birth)).result()
    return member_id


def live(site: DesksSite, member_id):
    """Return how many sessions of a member are open."""
    own = select(session.c.id).where(session.c.member_id == member_id, session.c.ended_at_us.is_(None))
    with site.lender.store.read() as connection:
        return len(connection.execute(own).all())


def state(site: DesksSite, member_id):
    with site.lender.store.read() as connection:
        found = members.find(connection, member_id)
    return "" if found is None else found.state


def test_a_cohort_is_contained_in_one_step_and_the_rest_is_for_a_person(tmp_path):
    async def scene(site: DesksSite) -> None:
        sure, perhaps, hardly = entered(site, 0.97), entered(site, 0.6), entered(site, 0.1)
        browser, passkey = await site.at_work("Sato", RESPONDER)
        await browser.get(PAGE)
        await site.approve_deed(browser, passkey, f"{PAGE}/contain")
        await site.desks.runs.quiet()
        assert [live(site, each) for each in (sure, perhaps, hardly)] == [0, 2, 2]
        assert state(site, sure) == "invalidated"
        await browser.get(PAGE)
        for words in ("shut and told 1", "to be decided 1", "left alone 1"):
            assert words in browser.page.text
        one = f"{PAGE}/one"
        await browser.get(f"{one}?named={perhaps}")
        await site.approve_deed(browser, passkey, one)
        await site.desks.runs.quiet()
        assert live(site, perhaps) == 0

    at_the_desks(tmp_path, scene)


def test_what_was_done_is_taken_back_for_who_proves_that_it_was_them(tmp_path):
    async def scene(site: DesksSite) -> None:
        member_id = entered(site, 0.97)
        browser, passkey = await site.at_work("Sato", RESPONDER)
        await browser.get(PAGE)
        await site.approve_deed(browser, passkey, f"{PAGE}/contain")
        await site.desks.runs.quiet()
        await browser.get(f"{PAGE}/one?named={member_id}")
        assert "It was the member" in browser.page.text
        await site.approve_deed(browser, passkey, f"{PAGE}/one", proof="certificate at the counter")
        assert state(site, member_id) == "open"
        assert "taken back 1" in browser.page.text

    at_the_desks(tmp_path, scene)


def test_a_large_cohort_waits_for_a_second_person(tmp_path):
    async def scene(site: DesksSite) -> None:
        site.desks.containments._policy = msgspec.structs.replace(  # noqa: SLF001 - one of two thousand is none
            site.desks.containments.policy, automatic_members_max=1
        )
        both = [entered(site, 0.97), entered(site, 0.98)]
        browser, passkey = await site.at_work("Sato", RESPONDER)
        await browser.get(PAGE)
        await site.approve_deed(browser, passkey, f"{PAGE}/contain")
        await site.desks.runs.quiet()
        assert [live(site, each) for each in both] == [2, 2]
        assert f"{PAGE}/approve" not in browser.page.text
        second, seal = await site.at_work("Suzuki", APPROVER)
        await second.get(PAGE)
        await site.approve_deed(second, seal, f"{PAGE}/approve")
        await site.desks.runs.quiet()
        assert [live(site, each) for each in both] == [0, 0]

    at_the_desks(tmp_path, scene)


def test_who_came_into_the_cohort_after_the_page_was_shown_was_not_approved(tmp_path):
    async def scene(site: DesksSite) -> None:
        entered(site, 0.97)
        browser, passkey = await site.at_work("Sato", RESPONDER)
        await browser.get(PAGE)
        later = entered(site, 0.97)
        await site.approve_deed(browser, passkey, f"{PAGE}/contain")
        assert browser.page.status_code == 401
        assert live(site, later) == 2

    at_the_desks(tmp_path, scene)


def test_who_was_added_after_the_second_person_looked_was_not_approved(tmp_path):
    """The first person makes the crowd larger while the second one reads how large it is."""

    async def scene(site: DesksSite) -> None:
        site.desks.containments._policy = msgspec.structs.replace(  # noqa: SLF001 - as above
            site.desks.containments.policy, automatic_members_max=1
        )
        crowd = [entered(site, 0.97), entered(site, 0.98)]
        browser, passkey = await site.at_work("Sato", RESPONDER)
        await browser.get(PAGE)
        await site.approve_deed(browser, passkey, f"{PAGE}/contain")
        await site.desks.runs.quiet()
        second, seal = await site.at_work("Suzuki", APPROVER)
        await second.get(PAGE)
        crowd += [entered(site, 0.99), entered(site, 0.99)]
        await browser.get(PAGE)
        await site.approve_deed(browser, passkey, f"{PAGE}/contain")
        await site.desks.runs.quiet()
        await site.approve_deed(second, seal, f"{PAGE}/approve")
        await site.desks.runs.quiet()
        assert second.page.status_code == 401
        assert [live(site, each) for each in crowd] == [2] * 4

    at_the_desks(tmp_path, scene)


def test_a_crowd_that_comes_after_the_approval_is_approved_as_well(tmp_path):
    """And not by the one who put it there, whoever began."""

    async def scene(site: DesksSite) -> None:
        site.desks.containments._policy = msgspec.structs.replace(  # noqa: SLF001 - as above
            site.desks.containments.policy, automatic_members_max=1
        )
        crowd = [entered(site, 0.97), entered(site, 0.98)]
        browser, passkey = await site.at_work("Sato", RESPONDER)
        await browser.get(PAGE)
        await site.approve_deed(browser, passkey, f"{PAGE}/contain")
        await site.desks.runs.quiet()
        second, seal = await site.at_work("Suzuki", APPROVER)
        await second.get(PAGE)
        await site.approve_deed(second, seal, f"{PAGE}/approve")
        await site.desks.runs.quiet()
        crowd += [entered(site, 0.99), entered(site, 0.99)]
        both, third = await site.at_work("Abe", {"lender": (StaffRole.RESPONDER, StaffRole.APPROVER)})
        await both.get(PAGE)
        assert "2 of the cohort are not in the containment yet." in both.page.text
        await site.approve_deed(both, third, f"{PAGE}/contain")
        await site.desks.runs.quiet()
        await both.get(PAGE)
        assert "2 are shut only when a second person approves it" in both.page.text
        assert f"{PAGE}/approve" not in both.page.text
        await second.get(PAGE)
        await site.approve_deed(second, seal, f"{PAGE}/approve")
        await site.desks.runs.quiet()
        assert [live(site, each) for each in crowd] == [0] * 4

    at_the_desks(tmp_path, scene)


def test_a_long_cohort_is_turned_over_and_searched(tmp_path, monkeypatch):
    """What waits for a person comes first; whoever is looked for is found without turning pages.

    However long it is, no more of it is read than is shown.
    """
    read = []
    really = containment_rows._contained  # noqa: SLF001 - every row that is read comes through here

    def counted(row):
        read.append(row.named)
        return really(row)

    monkeypatch.setattr(containment_rows, "_contained", counted)

    async def scene(site: DesksSite) -> None:
        cohort = [Suspect(f"m{number:03d}", 1, 0.3) for number in range(SHOWN + 5)]
        proposed = [Suspect("perhaps & more", 1, 0.6)]
        begun = await site.desks.containments.begin(CAMPAIGN, [*cohort, *proposed], by="sato")
        assert begun.campaign == CAMPAIGN
        browser, _ = await site.at_work("Sato", RESPONDER)
        await browser.get(PAGE)
        assert "perhaps &amp; more</a>" in browser.page.text
        assert "m000" not in browser.page.text
        await browser.get(found(rf'href="({PAGE}\?standing=below)#', browser.page.text))
        shown = set(re.findall(r">(m\d{3})</a>", browser.page.text))
        assert len(shown) == SHOWN
        assert len(read) == 1 + SHOWN + 1
        further = found(rf'href="({PAGE}\?standing=below&amp;after=[^#"]*)#', browser.page.text)
        await browser.get(html.unescape(further))
        shown |= set(re.findall(r">(m\d{3})</a>", browser.page.text))
        assert shown == {one.named for one in cohort}
        assert "after=" not in browser.page.text
        await browser.get(f"{PAGE}/one?named=m001")
        assert browser.title == "m001"
        await browser.get(f"{PAGE}/one?named=nobody")
        assert browser.page.status_code == 404
        assert "Nobody of that name is in this containment." in browser.page.text
        for broken in ("?standing=x&after=y", "?after=nan~m001", "?after=1e999~m001"):
            assert (await browser.get(f"{PAGE}{broken}")).status_code == 200

    at_the_desks(tmp_path, scene)


def test_the_page_follows_a_containment_and_keeps_no_session_alive(tmp_path):
    """A page that was left open asks on; whoever left it is logged out all the same."""

    async def scene(site: DesksSite) -> None:
        entered(site, 0.97)
        browser, passkey = await site.at_work("Sato", RESPONDER)
        await browser.get(PAGE)
        going_on = asyncio.Event()
        really = site.desks.containments.run

        async def held(containment_id, **named):
            await going_on.wait()
            return await really(containment_id, **named)

        site.desks.containments.run = held  # type: ignore[method-assign] # it waits where it would be too quick
        await site.approve_deed(browser, passkey, f"{PAGE}/contain")
        told = await until(browser, lambda told: "dealt with" in told["parts"].get("progress", ""))
        assert "0 of 1 accounts are dealt with." in told["parts"]["progress"]
        await browser.get(PAGE)
        assert f'data-watch="{PAGE}/progress"' in browser.page.text
        assert f'action="{PAGE}/contain"' not in browser.page.text
        site.wait(IDLE_US_MAX / SECOND_US - 1)
        assert (await progress(browser)).json()["over"] is False
        site.wait(2)
        assert (await progress(browser)).status_code == 401
        going_on.set()
        await site.desks.runs.quiet()
        await site.log_in_by_passkey(browser, passkey)
        assert (await progress(browser)).json() == {"parts": {}, "over": True, "said": ""}

    at_the_desks(tmp_path, scene)


async def progress(browser):
    """Ask as the page does by itself."""
    return await browser.client.get(f"{PAGE}/progress", headers={"Accept": "application/json"})


async def until(browser, holds):
    """Ask until the answer is as wanted; what is asked about goes on meanwhile."""
    for _ in range(200):
        told = (await progress(browser)).json()
        if holds(told):
            return told
    raise AssertionError(told)


def test_a_campaign_that_nobody_knows_is_not_found(tmp_path):
    async def scene(site: DesksSite) -> None:
        browser, _ = await site.at_work("Sato", RESPONDER)
        assert (await browser.get(PAGE)).status_code == 404
        analyst, _ = await site.at_work("Ito", {"lender": (StaffRole.DESK,)})
        assert (await analyst.get(PAGE)).status_code == 403

    at_the_desks(tmp_path, scene)


def attack_in(folder, now_us):
    """Write a history: three weeks of honest members, then a list tried on them from everywhere."""
    entries: list[StoredEntry] = []

    def add(at_us, member, ip, outcome, agent="Firefox"):
        position = len(entries) + 1
        attempt = Attempt(
            time_us=at_us, member=member, ip=ip, user_agent=agent, secret=f"s-{member}", known=True
        )
        decision = Decision(
            action=Action.ALLOW, probability=0.0, before_hash=False, reasons=(), policy="p", policy_revision=1
        )
        body = msgspec.json.encode({"attempt": attempt, "decision": decision})
        told = msgspec.json.encode({"outcome": outcome, "challenge": ChallengeResult.NONE})
        entries.append(StoredEntry(position, DECIDED, f"att_{position}", at_us, body))
        entries.append(StoredEntry(position + 1, SETTLED, f"att_{position}", at_us + 1, told))

    start_us = now_us - 22 * DAY_US
    for day in range(21):
        for member in range(40):
            at_us = start_us + day * DAY_US + member * 7 * MINUTE_US
            add(at_us, f"m{member}", f"192.0.2.{member + 1}", Outcome.SUCCESS)
    for number in range(400):
        at_us = now_us - 3_600 * SECOND_US + number * 5 * SECOND_US
        won = number in {50, 150, 250}
        named = f"m{number % 40}" if won else f"x{number}"
        ip = f"203.0.{number // 200}.{number % 200 + 1}"
        add(at_us, named, ip, Outcome.SUCCESS if won else Outcome.NO_SUCH_MEMBER, agent="python")
    HistoryFolder(folder).write(entries)


def test_a_hunt_in_the_record_finds_the_campaign_and_whom_it_entered(tmp_path):
    """In a process of its own, as from the page; what it found is shown when it has ended."""

    async def scene(site: DesksSite) -> None:
        attack_in(tmp_path / "history", site.clock.now_us())
        browser, _ = await site.at_work("Sato", RESPONDER)
        await browser.get("/lender/campaigns")
        assert "Nobody has hunted in our record yet." in browser.page.text
        await browser.submit("/lender/campaigns/hunt")
        assert "The hunt is under way" in browser.page.text
        followed = found(r'data-watch="([^"]+)"', browser.page.text)
        steps = set()
        while not (told := (await browser.client.get(followed)).json())["over"]:
            steps.add(re.sub(r"<[^>]*>|\s+", " ", told["parts"]["progress"]).strip())
            await asyncio.sleep(0.01)
        assert {"Reading the record", "Weighing each attempt"} <= steps
        await site.desks.hunts.finished()
        await browser.get("/lender/campaigns")
        assert site.desks.hunts.trouble == ""
        assert "List-type attack" in browser.page.text
        last = site.desks.hunts.last()
        assert last is not None
        (campaign,) = last.campaigns
        assert (campaign.kind, campaign.attempts >= 300) == ("list", True)
        await browser.get(f"/lender/campaigns/{campaign.id}")
        assert browser.title == "List-type attack"
        assert f"{campaign.addresses} addresses" in browser.page.text
        tables = re.findall(r"<table.*?</table>", browser.page.text, re.DOTALL)
        counted = [[int(cell) for cell in row] for row in cells(tables[0])]
        reached = sum(row[1] for row in counted)
        assert campaign.attempts == reached
        assert sum(row[2] for row in counted) == reached
        assert sum(row[3] for row in counted) == campaign.members_entered
        networks = cells(tables[1])
        assert [int(row[0].replace(",", "")) for row in networks] == [campaign.attempts]
        assert "203.0.0.0/16" in tables[1]
        assert "<code>python</code>" in browser.page.text
        assert 'class="reached" d="M' in browser.page.text

    at_the_desks(tmp_path, scene)


def cells(table):
    """Return the cells of a table, row by row, without its heads."""
    rows = re.findall(r"<tr>(.*?)</tr>", table, re.DOTALL)[1:]
    return [re.findall(r"<td[^>]*>([^<]*)</td>", row) for row in rows]


def test_what_was_done_stands_on_the_page_with_who_did_it(tmp_path):
    """Each with the way to its page, for those whose role opens it."""

    async def scene(site: DesksSite) -> None:
        entered(site, 0.97)
        browser, passkey = await site.at_work("Sato", RESPONDER)
        await browser.get(PAGE)
        assert "Nothing yet." not in browser.page.text
        await site.approve_deed(browser, passkey, f"{PAGE}/contain")
        await site.desks.runs.quiet()
        site.wait(60)
        wish = Wish(scope=Scope(function="atm_withdrawal"), reason="a code", open_ways=("transfer_loan",))
        switch = await site.desks.switches.set(wish, by="suzuki")
        case = await site.desks.parts.written(
            lambda at: cases.open_case(at, site.lender, loan_drawn(), by="suzuki")
        )
        await browser.get(PAGE)
        story = found(r'(?s)<ol class="story">(.*?)</ol>', browser.page.text)
        lines = [" ".join(re.sub(r"<[^>]*>", " ", line).split()) for line in story.split("</li>")[:-1]]
        assert [line.partition(":")[2][3:] for line in lines] == [
            "First member entered",
            "Containment begun Sato",
            "Accounts shut and their members told: 1",
            "Cases opened: 1, Account entered",
            "Switch set: withdrawing at smartphone ATMs suzuki a code",
            "Case opened: Loan drawn by somebody else suzuki",
        ]
        assert f'href="/lender/switches/{switch.id}"' in story
        assert f'href="/lender/cases/{case.id}"' in story
        analyst, _ = await site.at_work("Ito", {"lender": (StaffRole.ANALYST,)})
        await analyst.get(PAGE)
        seen = found(r'(?s)<ol class="story">(.*?)</ol>', analyst.page.text)
        assert f'href="/lender/switches/{switch.id}"' in seen
        assert "/lender/cases" not in seen
        assert "Case opened: Loan drawn by somebody else" in seen

    at_the_desks(tmp_path, scene)


def loan_drawn():
    return Opening(kind=CaseKind.LOAN_DRAWN, reporter=Reporter.MEMBER, occasion="drawn", campaign=CAMPAIGN)


def test_a_hunt_that_can_not_be_done_is_told(tmp_path):
    async def scene(site: DesksSite) -> None:
        browser, _ = await site.at_work("Sato", RESPONDER)
        await browser.get("/lender/campaigns")
        await browser.submit("/lender/campaigns/hunt")
        await site.desks.hunts.finished()
        await browser.get("/lender/campaigns")
        assert "The last hunt could not be done" in browser.page.text

    at_the_desks(tmp_path, scene)
