"""Recovery from partners at the desks: asked, entered, booked and given up, by two people with passkeys."""

from functools import partial

import pytest
from sqlalchemy import select
from tests.lender.lender_at_hand import LenderAtHand, open_lender
from tests.response.recoveries_at_hand import FULL, GROUND
from tests.response.test_cases import opening
from tests.web.desks_site import DesksSite, at_the_desks

from sekisho.console.rights import StaffRole
from sekisho.kernel.clock import DAY_US, MINUTE_US, SECOND_US
from sekisho.response import audit, cases
from sekisho.response.cases import CaseKind
from sekisho.response.claims import Claim
from sekisho.storage.tables.lender import loan_event
from sekisho.web.console.typed import as_typed

DESK = {"lender": (StaffRole.DESK,)}
APPROVER = {"lender": (StaffRole.APPROVER,)}
BOTH = {"lender": (StaffRole.DESK, StaffRole.APPROVER)}
ALL, PARTNER = "/lender/recoveries", "/lender/recoveries/partner?of=0125"
ASK, CAME, GIVE_UP = (f"{ALL}/{what}" for what in ("ask", "came", "give-up"))


@pytest.fixture(name="lent")
def _lent(tmp_path):
    """Give a lender of whose member's line a thief borrowed twice, by transfer."""
    lent = open_lender(tmp_path)
    lent.register()
    lent.clock.advance(4 * DAY_US)
    for number, yen in enumerate((100_000, 50_000)):
        lent.lend(yen, f"order-{number}")
    return lent


async def paid_for(site: DesksSite, lent: LenderAtHand, *which: int) -> list[Claim]:
    """Make borrowings good, as two others decided."""
    borrowed = select(loan_event.c.id).where(loan_event.c.kind == "borrowed").order_by(loan_event.c.id)
    with lent.house.store.read() as connection:
        losses = connection.execute(borrowed).scalars().all()
    desk, paid = site.desks.claims, []
    assert desk is not None
    for loss in (losses[number] for number in which):
        of = opening(loss, member_id=lent.member_id, kind=CaseKind.LOAN_DRAWN, campaign="cmp_1", partner="x")
        case = await site.lender.written(partial(cases.open_case, parts=site.lender, opening=of, by="abe"))
        claimed = (await desk.claimable(lent.member_id))[loss].yen
        made = await desk.make(case.id, loss, claimed, by="abe")
        await desk.assess(made.id, FULL, by="abe")
        paid.append(await desk.decide(made.id, pay=True, by="kato"))
    return paid


async def asked(site: DesksSite, browser, passkey, share: str = "100") -> None:
    await browser.get(PARTNER)
    await browser.submit(ASK, share=share, ground=GROUND)
    await site.approve_deed(browser, passkey, ASK)
    assert browser.page.status_code == 200, browser.page.text


async def entered(site: DesksSite, browser, passkey, yen: str, number: str = "B-1") -> str:
    """Enter money that came, and return the receipt's page."""
    await browser.get(PARTNER)
    await browser.submit(CAME, number=number, yen=yen, way="transfer", campaign="any")
    await site.approve_deed(browser, passkey, CAME)
    assert browser.path.startswith(f"{ALL}/prc_"), browser.page.text
    return str(browser.path)


def acts(site: DesksSite):
    with site.lender.store.read() as connection:
        return [each.act for each in audit.search(connection, act="recovery:")]


def test_a_partner_bears_what_two_people_say_that_it_paid(tmp_path, lent):
    """From what was paid to the books: seen, asked, entered by one, booked by the other."""

    async def scene(site: DesksSite) -> None:
        browser, passkey = await site.at_work("Sato", DESK)
        empty = (await browser.get(ALL)).text
        assert "Nothing that was paid can be recovered" in empty
        first, _ = await paid_for(site, lent, 0, 1)
        lost = lent.balance("fraud_loss")
        page = (await browser.get(ALL)).text
        assert "/lender/recoveries/partner?of=0125" in page
        assert "150,000 yen" in page
        assert "not asked yet" in (await browser.get(f"/lender/claims/{first.id}")).text
        await asked(site, browser, passkey, "50")
        assert "75,000 yen" in browser.page.text
        receipt = await entered(site, browser, passkey, "60,000")
        assert lent.balance("fraud_loss") == lost
        assert f'action="{receipt}/book"' not in browser.page.text
        second, seal = await site.at_work("Ito", APPROVER)
        assert receipt in (await second.get(ALL)).text
        await second.get(receipt)
        await second.submit(f"{receipt}/book")
        assert "cmp_1: 2 claims, 60,000 yen" in second.page.text
        await site.approve_deed(second, seal, f"{receipt}/book")
        assert "booked" in second.page.text
        assert lent.balance("fraud_loss") == lost - 60_000
        assert "Come in 50,000 yen" in (await browser.get(f"/lender/claims/{first.id}")).text
        assert acts(site) == ["recovery:booked", "recovery:entered", "recovery:asked"]
        lent.audit()

    at_the_desks(tmp_path, scene, lent.house.parts)


def test_one_person_with_both_roles_does_not_book_what_they_entered(tmp_path, lent):
    """Nor past the page; and does not give up what they asked for."""

    async def scene(site: DesksSite) -> None:
        await paid_for(site, lent, 0)
        browser, passkey = await site.at_work("Sato", BOTH)
        await asked(site, browser, passkey)
        await browser.get(PARTNER)
        await browser.submit(GIVE_UP, why="the partner refuses")
        await site.approve_deed(browser, passkey, GIVE_UP)
        assert browser.page.status_code == 403
        assert "Somebody else has to decide" in browser.page.text
        receipt = await entered(site, browser, passkey, "100,000")
        lost = lent.balance("fraud_loss")
        assert "You entered this yourself" in browser.page.text
        other, seal = await site.at_work("Ito", BOTH)
        await other.get(receipt)
        await other.submit(f"{receipt}/turn-down", why="another day")
        await site.approve_deed(other, seal, f"{receipt}/turn-down")
        assert "turned down" in other.page.text
        again = await entered(site, other, seal, "100,000")
        await browser.get(again)
        await browser.submit(f"{again}/book")
        await site.approve_deed(browser, passkey, f"{again}/book")
        assert "booked" in browser.page.text
        assert lent.balance("fraud_loss") == lost - 100_000

    at_the_desks(tmp_path, scene, lent.house.parts)


def test_what_is_entered_is_what_the_passkey_approved(tmp_path, lent):
    """A field that was changed, a number that was used, more than is open, and nonsense."""

    async def scene(site: DesksSite) -> None:
        await paid_for(site, lent, 0)
        browser, passkey = await site.at_work("Sato", DESK)
        await browser.get(PARTNER)
        await browser.submit(ASK, share="60", ground=GROUND)
        await site.approve_deed(browser, passkey, ASK, share="100")
        assert browser.page.status_code == 401
        for wrong in ({"share": "0"}, {"share": "101"}, {"share": "５０"}, {"ground": " "}):  # noqa: RUF001 - full-width, as people type it
            await browser.get(PARTNER)
            await browser.submit(ASK, **({"share": "60", "ground": GROUND} | wrong))
            assert browser.page.status_code == 422, wrong
        await asked(site, browser, passkey, "60")
        sane = {"number": "B-1", "yen": "10,000", "way": "transfer", "campaign": "any"}
        wrongs = (
            {"number": "B 1"},
            {"number": ""},
            {"yen": "0"},
            {"yen": "-5"},
            {"day": "2099-01-01"},
            {"day": "yesterday"},
            {"way": "set_off"},
            {"way": "cash"},
        )
        for wrong in wrongs:
            await browser.get(PARTNER)
            await browser.submit(CAME, **(sane | wrong))
            assert browser.page.status_code == 422, wrong
            assert "deed=" not in browser.page.text
        await browser.get(PARTNER)
        assert (await browser.submit(CAME, **(sane | {"yen": "60,001"}))).status_code == 409
        await entered(site, browser, passkey, "10,000")
        await browser.get(PARTNER)
        await browser.submit(CAME, **sane)
        await site.approve_deed(browser, passkey, CAME)
        assert browser.page.status_code == 409
        assert "entered before" in browser.page.text
        assert acts(site) == ["recovery:entered", "recovery:asked"]

    at_the_desks(tmp_path, scene, lent.house.parts)


def test_a_claim_that_is_paid_meanwhile_is_not_asked_for_unseen(tmp_path, lent):
    """What the page showed has changed: its approval is for nothing."""

    async def scene(site: DesksSite) -> None:
        await paid_for(site, lent, 0)
        browser, passkey = await site.at_work("Sato", DESK)
        await browser.get(PARTNER)
        await browser.submit(ASK, share="100", ground=GROUND)
        assert "100,000 yen" in browser.page.text
        await paid_for(site, lent, 1)
        await site.approve_deed(browser, passkey, ASK)
        assert browser.page.status_code == 401
        assert acts(site) == []

    at_the_desks(tmp_path, scene, lent.house.parts)


def test_what_a_partner_refuses_is_given_up_by_a_second_person(tmp_path, lent):
    async def scene(site: DesksSite) -> None:
        await paid_for(site, lent, 0)
        browser, passkey = await site.at_work("Sato", DESK)
        await asked(site, browser, passkey)
        second, seal = await site.at_work("Ito", APPROVER)
        await second.get(PARTNER)
        assert f'action="{ASK}"' not in second.page.text
        await second.submit(GIVE_UP, why=" ")
        assert second.page.status_code == 422
        receipt = await entered(site, browser, passkey, "1,000")
        await second.get(PARTNER)
        assert (await second.submit(GIVE_UP, why="it refuses")).status_code == 409
        await second.get(receipt)
        await second.submit(f"{receipt}/book")
        await site.approve_deed(second, seal, f"{receipt}/book")
        await second.get(PARTNER)
        await second.submit(GIVE_UP, why="it refuses")
        await site.approve_deed(second, seal, GIVE_UP)
        assert "gave 99,000 yen up" in second.page.text
        assert f'action="{GIVE_UP}"' not in second.page.text
        assert f'action="{CAME}"' not in (await browser.get(PARTNER)).text

    at_the_desks(tmp_path, scene, lent.house.parts)


def test_a_partner_whom_nobody_knows_and_a_hostile_name(tmp_path, lent):
    async def scene(site: DesksSite) -> None:
        await paid_for(site, lent, 0)
        browser, _ = await site.at_work("Sato", DESK)
        for of in ("", "9999", "%3Cscript%3E", "'%20OR%201"):
            found = await browser.get(f"{ALL}/partner?of={of}")
            assert found.status_code == 404, of
            assert "<script>" not in found.text.replace("<script src", "")
        assert (await browser.get(f"{ALL}/prc_x")).status_code == 404
        past = (await browser.get(f"{ALL}?as_of=2020-01-01T00:00")).text
        assert "Nothing that was paid" in past
        assert "100,000 yen" in (await browser.get(f"{ALL}?as_of=never")).text

    at_the_desks(tmp_path, scene, lent.house.parts)


def test_sums_are_of_the_end_of_the_minute_that_was_typed(tmp_path, lent):
    """A form knows no seconds: what was paid just now stands in the sums of this minute, as in a case's."""

    async def scene(site: DesksSite) -> None:
        browser, _ = await site.at_work("Sato", DESK)
        lent.clock.advance(30 * SECOND_US)
        await paid_for(site, lent, 0)
        page = await browser.get(f"{ALL}?as_of={as_typed(lent.clock.now_us())}")
        assert "100,000 yen" in page.text
        earlier = await browser.get(f"{ALL}?as_of={as_typed(lent.clock.now_us() - MINUTE_US)}")
        assert "100,000 yen" not in earlier.text

    at_the_desks(tmp_path, scene, lent.house.parts)


@pytest.mark.parametrize("typed", ["0001-01-01T00:00", "9999-12-31T23:59", "yesterday"])
def test_a_time_that_no_sums_are_of_is_now(tmp_path, lent, typed):
    async def scene(site: DesksSite) -> None:
        browser, _ = await site.at_work("Sato", DESK)
        await paid_for(site, lent, 0)
        page = await browser.get(f"{ALL}?as_of={typed}")
        assert page.status_code == 200
        assert "100,000 yen" in page.text

    at_the_desks(tmp_path, scene, lent.house.parts)
