"""One member at the desks: found exactly, masked until a reason is given, and given back; all on record."""

from collections import Counter

from sqlalchemy import select, update
from tests.identity.member_at_hand import AtHand
from tests.web.desks_site import DesksSite, at_the_desks

from sekisho.console.rights import StaffRole
from sekisho.identity import contacts, freezes, holds, member_numbers, members, personal_data, sessions
from sekisho.identity.arrivals import Arrival
from sekisho.identity.contacts import ContactKind
from sekisho.identity.holds import HoldKind, HoldScope
from sekisho.identity.personal_data import Item
from sekisho.response import audit
from sekisho.storage.tables.members import member as member_table
from sekisho.storage.tables.messages import message as message_table

DESK = {"lender": (StaffRole.DESK,)}
RESPONDER = {"lender": (StaffRole.RESPONDER,)}
WHY = "the member called about a strange login"
ADDRESS = "東京都千代田区千代田1-1"


def member(site: DesksSite):
    """Add a member with an address, an e-mail and a session."""
    at_hand = AtHand(site.lender, site.clock, site.chance, site.file, members=site.entered)
    site.entered += 1
    member_id = at_hand.add_reachable_member()
    at_hand.log_in(member_id)
    keyring, now_us = site.lender.keyring, site.clock.now_us()
    kept = {Item.HOME_ADDRESS: ADDRESS, Item.NAME: "山田 花子"}
    number = member_numbers.draw(site.chance)
    mobile = f"+81901234{site.entered:04d}"

    def work(at):
        personal_data.store(at, keyring, member_id, kept, now_us)
        contacts.put(at, site.lender, member_id, ContactKind.EMAIL, f"hanako{site.entered}@example.jp")
        contacts.put(at, site.lender, member_id, ContactKind.MOBILE, mobile)
        at.execute(update(member_table).where(member_table.c.id == member_id).values(number=number))

    site.lender.store.write(work).result()
    with site.lender.store.read() as connection:
        found = members.find(connection, member_id)
    assert found is not None
    return found


def acts(site: DesksSite, act: str):
    with site.lender.store.read() as connection:
        return audit.search(connection, act=act)


def told(site: DesksSite):
    """Return how many messages of each notice wait, by mail and mobile number together."""
    with site.lender.store.read() as connection:
        return Counter(connection.scalars(select(message_table.c.kind)))


def live(site: DesksSite, member_id):
    with site.lender.store.read() as connection:
        return len(sessions.of_member(connection, member_id, site.clock.now_us()))


def test_a_member_is_found_by_what_is_exactly_theirs(tmp_path):
    async def scene(site: DesksSite) -> None:
        one = member(site)
        browser, _ = await site.at_work("Sato", DESK)
        for typed in (one.number, one.id, "Hanako1@example.jp", "090-1234-0001"):
            await browser.get("/lender/members")
            await browser.submit("/lender/members", q=f" {typed} ")
            assert browser.path == f"/lender/members/{one.id}", typed
            assert ADDRESS not in browser.page.text
            assert "東京都●●区" in browser.page.text
        assert len(acts(site, "member:looked_up")) == 4
        assert {each.subject for each in acts(site, "member:looked_at")} == {one.id}

    at_the_desks(tmp_path, scene)


def test_nobody_is_found_by_a_part_or_by_hostile_text(tmp_path):
    async def scene(site: DesksSite) -> None:
        one = member(site)
        browser, _ = await site.at_work("Sato", DESK)
        hostile = (one.number[:-1], "%", "*", "' OR 1=1 --", "<script>alert(1)</script>", "x" * 20_000, "")
        for typed in hostile:
            await browser.get("/lender/members")
            await browser.submit("/lender/members", q=typed)
            assert browser.page.status_code == 404, typed
            assert "<script>alert" not in browser.page.text
        assert (await browser.get("/lender/members/mem_nobody")).status_code == 404
        assert acts(site, "member:looked_up") == []

    at_the_desks(tmp_path, scene)


def test_items_are_opened_for_a_reason_that_a_passkey_approved(tmp_path):
    async def scene(site: DesksSite) -> None:
        one = member(site)
        browser, passkey = await site.at_work("Sato", DESK)
        page = f"/lender/members/{one.id}"
        await browser.get(page)
        await browser.submit(f"{page}/open", item_home_address="1", reason="x")
        assert browser.page.status_code == 422
        await browser.submit(f"{page}/open", item_home_address="1", reason=WHY)
        assert ADDRESS not in browser.page.text
        await site.approve_deed(browser, passkey, f"{page}/open")
        assert ADDRESS in browser.page.text
        (seen,) = acts(site, "member:seen")
        assert (seen.subject, seen.reason) == (one.id, WHY)
        assert seen.details["items"] == ["home_address"]
        await browser.get(page)
        assert ADDRESS not in browser.page.text

    at_the_desks(tmp_path, scene)


def test_what_was_approved_opens_nothing_else(tmp_path):
    async def scene(site: DesksSite) -> None:
        one = member(site)
        browser, passkey = await site.at_work("Sato", DESK)
        page = f"/lender/members/{one.id}"
        await browser.get(page)
        await browser.submit(f"{page}/open", item_name="1", reason=WHY)
        await site.approve_deed(browser, passkey, f"{page}/open", item_home_address="1")
        assert browser.page.status_code == 401
        assert ADDRESS not in browser.page.text
        assert acts(site, "member:seen") == []

    at_the_desks(tmp_path, scene)


def test_staff_end_a_member_s_sessions(tmp_path):
    """Who may contain can; a desk that only talks to members can't."""

    async def scene(site: DesksSite) -> None:
        one, page = member(site), ""
        page = f"/lender/members/{one.id}"
        talker, _ = await site.at_work("Ito", DESK)
        assert f"{page}/sessions" not in (await talker.get(page)).text
        browser, passkey = await site.at_work("Sato", RESPONDER)
        await browser.get(page)
        await browser.submit(f"{page}/sessions", reason=WHY)
        assert live(site, one.id) == 1
        await site.approve_deed(browser, passkey, f"{page}/sessions")
        assert live(site, one.id) == 0
        (act,) = acts(site, "member:sessions_ended")
        assert (act.reason, act.details) == (WHY, {"sessions": 1})

    at_the_desks(tmp_path, scene)


def test_a_member_s_own_stop_is_lifted_and_they_are_told(tmp_path):
    async def scene(site: DesksSite) -> None:
        one = member(site)
        site.lender.store.write(
            lambda at: freezes.freeze(at, site.lender, one.id, Arrival(ip="192.0.2.1", user_agent="x"))
        ).result()
        browser, passkey = await site.at_work("Sato", RESPONDER)
        page = f"/lender/members/{one.id}"
        await browser.get(page)
        await browser.submit(f"{page}/holds", reason=WHY)
        await site.approve_deed(browser, passkey, f"{page}/holds")
        with site.lender.store.read() as connection:
            found = members.find(connection, one.id)
        assert found is not None
        assert found.state is members.MemberState.OPEN
        assert "Nothing is on hold." in browser.page.text
        (act,) = acts(site, "member:hold_lifted")
        assert act.details["kind"] == "self_freeze"
        assert told(site)["notice:account_unfrozen:1"] == 2

    at_the_desks(tmp_path, scene)


def test_a_hold_is_lifted_and_the_member_told_but_not_a_containment_s_or_another_s(tmp_path):
    async def scene(site: DesksSite) -> None:
        one, other = member(site), member(site)

        def place(member_id, reason):
            return site.lender.store.write(
                lambda at: holds.place(
                    at,
                    site.lender,
                    member_id,
                    HoldKind.CONTAINMENT,
                    HoldScope.MONEY_OUT,
                    reason=reason,
                    until_us=None,
                )
            ).result()

        contained, foreign, own = place(one.id, "containment:x"), place(other.id, "y"), place(one.id, "told")
        browser, passkey = await site.at_work("Sato", RESPONDER)
        page = f"/lender/members/{one.id}"
        for hold, status in ((contained, 409), (foreign, 409), (own, 200)):
            await browser.get(page)
            await browser.submit(f"{page}/holds", hold=hold, reason=WHY)
            await site.approve_deed(browser, passkey, f"{page}/holds")
            assert browser.page.status_code == status
        with site.lender.store.read() as connection:
            left = holds.holds_on(connection, one.id, site.clock.now_us())
        assert [each.id for each in left] == [contained]
        assert told(site) == {"notice:hold_lifted:1": 2}

    at_the_desks(tmp_path, scene)
