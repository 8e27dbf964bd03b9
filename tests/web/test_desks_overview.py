"""The first page of a desk: under attack or not, what is off or held, and what waits for whoever looks."""

import re

from tests.console.lived import attempt, decision
from tests.web.desks_site import DesksSite, at_the_desks
from tests.web.member_site import found
from tests.web.test_desks_campaigns import CAMPAIGN, PAGE, entered

from sekisho.campaigns.writing import CAMPAIGN_SCHEMA
from sekisho.console.rights import StaffRole
from sekisho.guard.attempts import ChallengeResult, Outcome
from sekisho.guard.decisions import Action
from sekisho.identity.sessions import IDLE_US_MAX
from sekisho.kernel.clock import MINUTE_US, SECOND_US, rfc3339
from sekisho.response.switch_desk import Wish
from sekisho.response.switches import Scope

RESPONDER = {"lender": (StaffRole.RESPONDER,)}
APPROVER = {"lender": (StaffRole.APPROVER,)}
DESK = {"lender": (StaffRole.DESK,)}


def decide(site: DesksSite, *, ago_s=0, action=Action.DENY, campaign="", succeeds=False):
    """Let the lender's guard decide one attempt some seconds ago."""
    at_us = site.clock.now_us() - ago_s * SECOND_US
    tried = attempt(f"m{ago_s}{action}")
    decided = decision(action, campaign=campaign, probability=0.97 if campaign else 0.01)
    site.desks.watch.decided(tried, decided, at_us)
    if succeeds:
        site.desks.watch.settled(tried, decided, Outcome.SUCCESS, ChallengeResult.NONE, at_us)


def attacked(site: DesksSite):
    for second in range(19, -1, -1):
        decide(site, ago_s=second, campaign=CAMPAIGN)


def part(page, name):
    """Return the text of a part of the page."""
    ends = r'</(?:section|div)>\s*(?:<p class="error"|<section|</main)'
    html = found(rf'(?s)id="{name}"[^>]*>(.*?){ends}', page)
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())


async def now(browser):
    """Ask as the page does by itself."""
    return await browser.client.get("/lender/now", headers={"Accept": "application/json"})


def test_a_desk_where_nothing_happened_says_what_will_stand_there(tmp_path):
    async def scene(site: DesksSite) -> None:
        browser, _ = await site.at_work("Sato", RESPONDER)
        page = (await browser.get("/lender")).text
        assert browser.title == "Waiting for the first attempt"
        assert "Figures stand here as soon as a member logs in." in part(page, "now")
        assert "Nothing." in part(page, "work")
        assert "No function is switched off. Nothing is on hold" in part(page, "held")
        assert "<polygon" not in page

    at_the_desks(tmp_path, scene)


def test_a_calm_desk_says_so_and_draws_what_came(tmp_path):
    async def scene(site: DesksSite) -> None:
        for ago_s in range(60):
            decide(site, ago_s=ago_s, action=Action.ALLOW, succeeds=True)
        browser, _ = await site.at_work("Sato", RESPONDER)
        page = (await browser.get("/lender")).text
        assert browser.title == "No attack in sight"
        assert "<title>No attack in sight · " in page
        assert "60 attempts in the last 15 minutes, 0 of them were asked for more or refused." in page
        assert page.count("<polygon") == len(Action)
        assert 'class="state alarm"' not in page

    at_the_desks(tmp_path, scene)


def test_a_desk_under_attack_says_what_it_is_and_leads_to_it(tmp_path):
    """Also on the page before it, where the institutions stand."""

    async def scene(site: DesksSite) -> None:
        attacked(site)
        browser, _ = await site.at_work("Sato", RESPONDER)
        assert "Under attack, and holding" in (await browser.get("/desks")).text
        page = (await browser.get("/lender")).text
        assert browser.title == "Under attack, and holding"
        assert 'class="state alarm"' in page
        assert f'href="{PAGE}"' in page
        await browser.get(PAGE)
        assert browser.title == "List-type, one try an account"
        assert "Noticed by the guard" in browser.page.text
        somebody, _ = await site.at_work("Abe", DESK)
        page = (await somebody.get("/lender")).text
        assert "List-type, one try an account" in page
        assert PAGE not in page

    at_the_desks(tmp_path, scene)


def test_whom_an_attack_let_in_waits_to_be_contained_and_then_to_be_hunted_for(tmp_path):
    """Nobody is proposed twice, nor who is hardly suspected; the hunt waits until the attack is over."""

    async def scene(site: DesksSite) -> None:
        attacked(site)
        entered(site, 0.97), entered(site, 0.1)
        browser, passkey = await site.at_work("Sato", RESPONDER)
        page = (await browser.get("/lender")).text
        assert "Contain an attack: 1 members" in part(page, "work")
        assert "hunt for everybody" not in page
        await browser.get(PAGE)
        await site.approve_deed(browser, passkey, f"{PAGE}/contain")
        await site.desks.runs.quiet()
        site.wait(60)
        page = (await browser.get("/lender")).text
        assert browser.title == "The attack has stopped"
        assert "Contain an attack" not in page
        assert "An attack is over: hunt for everybody it entered" in part(page, "work")
        assert "The account may have been entered 1" in part(page, "held")
        hunted = site.desks.hunts.report.parent / "entered.csv"
        hunted.parent.mkdir()
        hunted.write_text("member,first_entered_at,probability,campaign\n")
        assert "hunt for everybody" not in (await browser.get("/lender")).text

    at_the_desks(tmp_path, scene)


def test_what_waits_for_me_is_what_my_role_decides(tmp_path):
    """What waits for others is said beside it; what somebody asked for themselves waits for others."""

    async def scene(site: DesksSite) -> None:
        wish = Wish(scope=Scope(function="atm_withdrawal"), reason="a code", open_ways=("transfer_loan",))
        first, _ = await site.at_work("Sato", {"lender": (StaffRole.RESPONDER, StaffRole.APPROVER)})
        sato = found(r'<option value="(mem_[^"]+)"', await names(site))
        switch = await site.desks.switches.set(wish, by=sato)
        page = (await first.get("/lender")).text
        assert "Nothing." in part(page, "work")
        assert "Waits for others: Approve a switch" in part(page, "work")
        somebody, _ = await site.at_work("Ito", DESK)
        assert "Waits for others: Approve a switch" in part((await somebody.get("/lender")).text, "work")
        second, _ = await site.at_work("Suzuki", APPROVER)
        page = (await second.get("/lender")).text
        assert f'href="/lender/switches/{switch.id}"' in page
        assert "Approve a switch Now" in part(page, "work")
        await site.desks.switches.approve(switch.id, by="suzuki")
        page = (await second.get("/lender")).text
        assert "Nothing." in part(page, "work")
        assert "withdrawing at smartphone ATMs a code" in part(page, "held")

    at_the_desks(tmp_path, scene)


async def names(site: DesksSite):
    """Return the page on which an auditor chooses among people."""
    auditor, _ = await site.at_work("Abe", {"lender": (StaffRole.AUDITOR,)})
    page = (await auditor.get("/lender/audit")).text
    return re.sub(r"<option[^>]*>(?!Sato)[^<]*</option>", "", page)


def test_the_page_keeps_itself_up_to_date_and_no_session_alive(tmp_path):
    async def scene(site: DesksSite) -> None:
        browser, _ = await site.at_work("Sato", RESPONDER)
        page = (await browser.get("/lender")).text
        assert 'data-watch="/lender/now"' in page
        before = (await now(browser)).json()
        assert (before["said"], before["over"]) == ("Waiting for the first attempt", False)
        assert set(before["parts"]) == {"now", "work", "held", "course"}
        attacked(site)
        after = (await now(browser)).json()
        assert after["said"] == "Under attack, and holding"
        assert "<h1>Under attack, and holding</h1>" in after["parts"]["now"]
        site.wait(IDLE_US_MAX / SECOND_US - 1)
        assert (await now(browser)).status_code == 200
        site.wait(2)
        assert (await now(browser)).status_code == 401

    at_the_desks(tmp_path, scene)


def test_a_campaign_of_the_guard_names_what_the_hunt_found_in_the_same_time(tmp_path):
    """The two know the same attack under names of their own."""

    async def scene(site: DesksSite) -> None:
        attacked(site)
        now_us = site.clock.now_us()
        folder = site.desks.hunts.report.parent
        folder.mkdir()
        head = ",".join(CAMPAIGN_SCHEMA)
        times = {"cmp_same": now_us - 30 * SECOND_US, "cmp_earlier": now_us - 60 * MINUTE_US}
        rows = [
            f"{name},spray,{rfc3339(at_us)},{rfc3339(at_us + 20 * SECOND_US)},100,90,0,5,20,x"
            for name, at_us in times.items()
        ]
        (folder / "campaigns.csv").write_text("\n".join([head, *rows]))
        (folder / "report.json").write_text("{}")
        browser, _ = await site.at_work("Sato", RESPONDER)
        page = (await browser.get(PAGE)).text
        assert 'href="/lender/campaigns/cmp_same"' in page
        assert "cmp_earlier" not in page

    at_the_desks(tmp_path, scene)
