"""Campaigns at the desks: hunted for in the record, contained in one step, and taken back."""

import msgspec
from sqlalchemy import select
from tests.identity.member_at_hand import AtHand
from tests.web.desks_site import DesksSite, at_the_desks

from sekisho.console.rights import StaffRole
from sekisho.guard.attempts import Attempt, ChallengeResult, Outcome
from sekisho.guard.decisions import Action, Decision
from sekisho.identity import members, sessions
from sekisho.identity.arrivals import Arrival
from sekisho.identity.assurance import Level
from sekisho.identity.sessions import Birth
from sekisho.kernel.clock import DAY_US, MINUTE_US, SECOND_US
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
        second, seal = await site.at_work("Suzuki", APPROVER)
        await second.get(PAGE)
        crowd += [entered(site, 0.99), entered(site, 0.99)]
        await browser.get(PAGE)
        await site.approve_deed(browser, passkey, f"{PAGE}/contain")
        await site.approve_deed(second, seal, f"{PAGE}/approve")
        await site.desks.runs.quiet()
        assert second.page.status_code == 401
        assert [live(site, each) for each in crowd] == [2] * 4

    at_the_desks(tmp_path, scene)


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
        await site.desks.hunts.finished()
        await browser.get("/lender/campaigns")
        assert site.desks.hunts.trouble == ""
        assert "List-type attack" in browser.page.text
        last = site.desks.hunts.last()
        assert last is not None
        (found,) = last.campaigns
        assert (found.kind, found.attempts >= 300) == ("list", True)
        await browser.get(f"/lender/campaigns/{found.id}")
        assert browser.title == "List-type attack"
        assert f"{found.addresses} addresses" in browser.page.text

    at_the_desks(tmp_path, scene)


def test_a_hunt_that_can_not_be_done_is_told(tmp_path):
    async def scene(site: DesksSite) -> None:
        browser, _ = await site.at_work("Sato", RESPONDER)
        await browser.get("/lender/campaigns")
        await browser.submit("/lender/campaigns/hunt")
        await site.desks.hunts.finished()
        await browser.get("/lender/campaigns")
        assert "The last hunt could not be done" in browser.page.text

    at_the_desks(tmp_path, scene)
