"""Bank links and lost movements at the wallet's desk: compared, decided, stopped; by passkey, on record."""

import pytest
from sqlalchemy import select
from tests.linking.bank_double import MUTE
from tests.wallet.links_at_hand import LinksAtHand, within
from tests.wallet.test_bank_moves import DEBITS, Move
from tests.web.desks_of_wallet import wallet_desks
from tests.web.desks_site import DesksSite, desks_site

from sekisho.console.rights import StaffRole
from sekisho.kernel.clock import HOUR_US
from sekisho.ledger.statements import find_transfer
from sekisho.response import audit
from sekisho.storage.tables.personal_data import reveal
from sekisho.wallet import link_rows
from sekisho.wallet.bank_moves import find as find_move
from sekisho.wallet.wallets import freeze_wallet, wallet_of

DESK = {"wallet": (StaffRole.DESK,)}
RESPONDER = {"wallet": (StaffRole.RESPONDER,)}
LINKS = "/wallet/links"
OURS, THEIRS = "シチジユウシチ タロウ", "ヤマダ タロウ"
BY_THE_BANK = "ﾔﾏﾀﾞ ﾀﾛｳ"
WHY = "married in June; her register was sent to us"


def played(tmp_path, scene):
    """Play a scene at desks of a wallet whose bank is there."""

    async def use(there: LinksAtHand) -> None:
        desks = tmp_path / "desks"
        desks.mkdir()
        async with desks_site(desks, also={"wallet": wallet_desks(there.wallet.house, desks)}) as site:
            await scene(there, site)

    return within(tmp_path, use)


async def waiting_link(there: LinksAtHand):
    """Link an account whose holder has another name, by the bank's books."""
    there.bank.holder["name_kana"] = BY_THE_BANK
    return await there.link(there.wallet.add_verified())


async def lost_move(there: LinksAtHand, *, out: bool = False):
    """Let a movement be lost: the bank heard it, was mute, and took the link back."""
    one = await Move.of(there)
    if out:
        there.wallet.give(one.member, 50_000)
    there.bank.moods["/v1/credits" if out else DEBITS] = [MUTE]
    wished = await one.go(10_000, out=out)
    there.bank.is_revoked = True
    there.clock.advance(HOUR_US)
    await there.booked_orders.carry_out_due()
    return one, wished


def acts(there: LinksAtHand):
    with there.parts.store.read() as connection:
        return [(one.act, one.subject, one.reason) for one in audit.all_acts(connection)]


def secrets(there: LinksAtHand, link):
    return there.wallet.look(lambda at: link_rows.secrets_of(at, there.parts.keyring, link.id))


def test_a_waiting_link_is_found_compared_and_made_active(tmp_path):
    """No name stands on any page before a passkey approved the reason; afterwards nobody keeps it."""

    async def scene(there: LinksAtHand, site: DesksSite) -> None:
        link = await waiting_link(there)
        browser, passkey = await site.at_work("Sato", DESK)
        page = f"{LINKS}/{link.id}"
        assert page in (await browser.get(LINKS)).text
        assert "name differs" in browser.page.text
        await browser.get(page)
        for text in ("タロウ", "ﾀﾛｳ"):
            assert text not in browser.page.text
        await browser.submit(f"{page}/names", reason="x")
        assert browser.page.status_code == 422
        await browser.submit(f"{page}/names", reason=WHY)
        assert THEIRS not in browser.page.text
        await site.approve_deed(browser, passkey, f"{page}/names")
        assert OURS in browser.page.text
        assert THEIRS in browser.page.text
        await browser.submit(f"{page}/review", what="approve", reason=WHY)
        await site.approve_deed(browser, passkey, f"{page}/review")
        assert browser.path == LINKS
        assert "No link waits." in browser.page.text
        assert there.find(link.id).state is link_rows.LinkState.ACTIVE
        assert secrets(there, link).holder_kana == ""
        assert acts(there) == [("link:names_seen", link.id, WHY), ("link:approved", link.id, WHY)]
        seen = there.wallet.look(
            lambda at: at.execute(select(reveal.c.member_id, reveal.c.item, reveal.c.reason)).all()
        )
        assert seen == [(link.member_id, "name_kana", WHY)]
        await browser.get(page)
        assert f'action="{page}/names"' not in browser.page.text
        assert f'action="{page}/review"' not in browser.page.text

    played(tmp_path, scene)


def test_a_link_is_turned_down_and_its_names_are_gone(tmp_path):
    async def scene(there: LinksAtHand, site: DesksSite) -> None:
        link = await waiting_link(there)
        assert secrets(there, link).holder_kana == BY_THE_BANK
        browser, passkey = await site.at_work("Sato", DESK)
        page = f"{LINKS}/{link.id}"
        await browser.get(page)
        for typed in ({"what": "approve", "reason": "x"}, {"what": "perhaps", "reason": WHY}):
            assert (await browser.submit(f"{page}/review", **typed)).status_code == 422
            await browser.get(page)
        await browser.submit(f"{page}/review", what="turn_down", reason=WHY)
        await site.approve_deed(browser, passkey, f"{page}/review", what="approve")
        assert browser.page.status_code == 401
        await browser.get(page)
        late = await browser.submit(f"{page}/names", reason=WHY)
        await browser.get(page)
        await browser.submit(f"{page}/review", what="turn_down", reason=WHY)
        again = browser.page
        await site.approve_deed(browser, passkey, f"{page}/review")
        ended = there.find(link.id)
        assert (ended.state, ended.ended_for) == (link_rows.LinkState.ENDED, "review")
        assert secrets(there, link).holder_kana == ""
        for shown, action in ((late, "names"), (again, "review")):
            browser.page = shown
            await site.approve_deed(browser, passkey, f"{page}/{action}")
            assert browser.page.status_code == 409
            assert THEIRS not in browser.page.text
        assert [act for act, *_ in acts(there)] == ["link:turned_down"]

    played(tmp_path, scene)


def test_a_link_of_a_stopped_wallet_is_not_made_active(tmp_path):
    """It waits on, and the page says why."""

    async def scene(there: LinksAtHand, site: DesksSite) -> None:
        link = await waiting_link(there)
        its = there.wallet.look(lambda at: wallet_of(at, link.member_id))
        there.wallet.write(lambda at: freeze_wallet(at, there.parts, its.id, reason="staff", by="abe"))
        browser, passkey = await site.at_work("Sato", DESK)
        page = f"{LINKS}/{link.id}"
        await browser.get(page)
        await browser.submit(f"{page}/review", what="approve", reason=WHY)
        await site.approve_deed(browser, passkey, f"{page}/review")
        assert browser.page.status_code == 409
        assert "not open" in browser.page.text
        assert there.find(link.id).state is link_rows.LinkState.CONFIRMED
        assert secrets(there, link).holder_kana == BY_THE_BANK
        assert acts(there) == []

    played(tmp_path, scene)


def test_a_responder_stops_resumes_and_ends_a_link_from_the_member_s_page(tmp_path):
    """A desk sees it and can't; as fraud the bank hears of it, in English."""

    async def scene(there: LinksAtHand, site: DesksSite) -> None:
        link = await there.old_link(there.wallet.add_verified())
        talker, _ = await site.at_work("Ito", DESK)
        page = f"{LINKS}/{link.id}"
        assert f'href="{page}"' in (await talker.get(f"/wallet/members/{link.member_id}")).text
        assert f'action="{page}/stand"' not in (await talker.get(page)).text
        browser, passkey = await site.at_work("Sato", RESPONDER)
        assert f'href="{page}"' in (await browser.get(f"/wallet/members/{link.member_id}")).text

        async def done(what, reason="the depositor called us", **typed):
            await browser.get(page)
            await browser.submit(f"{page}/stand", what=what, reason=reason, **typed)
            if browser.page.status_code == 200:
                await site.approve_deed(browser, passkey, f"{page}/stand")
            return browser.page.status_code

        assert await done("stop", "x") == 422
        assert await done("break") == 422
        assert await done("stop", "預金者から電話があった", fraud="1") == 422
        assert await done("stop", fraud="1") == 200
        assert there.find(link.id).stopped_for == ("disputed",)
        assert "a charge that was not theirs" in browser.page.text
        assert await done("stop", fraud="1") == 409
        assert await done("resume") == 200
        assert there.find(link.id).state is link_rows.LinkState.ACTIVE
        assert await done("end") == 200
        assert there.find(link.id).state is link_rows.LinkState.ENDED
        assert f'action="{page}/stand"' not in browser.page.text
        assert [act for act, *_ in acts(there) if act.startswith("link:")] == [
            "link:stopped",
            "link:resumed",
            "link:ended",
        ]

    played(tmp_path, scene)


def test_a_changed_field_of_a_stop_is_not_approved(tmp_path):
    """Neither another deed, nor word to the bank that the page did not show."""

    async def scene(there: LinksAtHand, site: DesksSite) -> None:
        link = await there.old_link(there.wallet.add_verified())
        browser, passkey = await site.at_work("Sato", RESPONDER)
        page = f"{LINKS}/{link.id}"
        for changed in ({"what": "end"}, {"fraud": "1"}, {"reason": "another reason"}):
            await browser.get(page)
            await browser.submit(f"{page}/stand", what="stop", reason="the depositor called us")
            await site.approve_deed(browser, passkey, f"{page}/stand", **changed)
            assert browser.page.status_code == 401, changed
        assert there.find(link.id).state is link_rows.LinkState.ACTIVE
        assert [act for act, *_ in acts(there) if act.startswith("link:")] == []

    played(tmp_path, scene)


@pytest.mark.parametrize("out", [False, True], ids=["charge", "payout"])
@pytest.mark.parametrize("found", ["moved", "not_moved"])
def test_a_lost_movement_is_decided_as_the_bank_says(tmp_path, found, out):
    """The page shows what the books hold; the decision settles or gives up exactly that."""

    async def scene(there: LinksAtHand, site: DesksSite) -> None:
        one, move = await lost_move(there, out=out)
        browser, passkey = await site.at_work("Sato", DESK)
        page = f"/wallet/lost-moves/{move.id}"
        assert page in (await browser.get(LINKS)).text
        text = (await browser.get(page)).text
        kept = there.wallet.look(lambda at: find_move(at, move.id))
        assert kept.transfer_id in text
        assert "reserved, not booked" in text
        assert "10,000 yen" in text
        for typed in ({"found": "perhaps", "reason": WHY}, {"found": found, "reason": "x"}):
            assert (await browser.submit(page, **typed)).status_code == 422
            await browser.get(page)
        await browser.submit(page, found=found, reason=WHY)
        shown = browser.page
        await site.approve_deed(browser, passkey, page)
        assert browser.path == LINKS
        assert "No movement is lost." in browser.page.text
        transfer = there.wallet.look(lambda at: find_transfer(at, kept.transfer_id))
        assert transfer.state == ("posted" if found == "moved" else "voided")
        start = 50_000 if out else 0
        moved = 0 if found == "not_moved" else -10_000 if out else 10_000
        assert one.balance() == start + moved
        browser.page = shown
        await site.approve_deed(browser, passkey, page)
        assert browser.page.status_code == 409
        assert acts(there) == [("bank_move:decided", move.id, WHY)]
        there.wallet.audit()

    played(tmp_path, scene)


def test_what_there_is_not_is_not_found(tmp_path):
    """Nor at an institution that has no links; and a movement that nobody approved was never lost."""

    async def scene(there: LinksAtHand, site: DesksSite) -> None:
        browser, _ = await site.at_work("Sato", {"wallet": (StaffRole.DESK,), "lender": (StaffRole.DESK,)})
        one = await Move.of(there)
        wished = (await one.wish(1_000)).move
        for path in (
            f"{LINKS}/lnk_x",
            "/wallet/lost-moves/bmv_x",
            f"/wallet/lost-moves/{wished.id}",
            "/lender/links",
            "/lender/links/lnk_x",
            "/lender/lost-moves/bmv_x",
        ):
            assert (await browser.get(path)).status_code == 404, path
        assert "Bank links" not in (await browser.get("/lender")).text
        assert "Bank links" in (await browser.get("/wallet")).text

    played(tmp_path, scene)
