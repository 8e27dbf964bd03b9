"""What the lender leaves to a person, at the desks: applications, and orders that a machine made doubtful."""

from tests.lender.applicants import open_way_in
from tests.lender.atm_at_hand import open_atm
from tests.lender.test_atm_disputes import disputed
from tests.web.desks_site import DesksSite, at_the_desks

from sekisho.console.rights import StaffRole
from sekisho.lender.applications import State
from sekisho.lender.atm_disputes import DisputeDesk
from sekisho.response import audit

DESK = {"lender": (StaffRole.DESK,)}


def acts(site: DesksSite, act: str):
    with site.lender.store.read() as connection:
        return audit.search(connection, act=act)


def test_a_person_decides_an_application_with_a_reason_and_a_passkey(tmp_path):
    way = open_way_in(tmp_path)
    application = way.screened(way.add_applicant(), employed_months=2)

    async def scene(site: DesksSite) -> None:
        browser, passkey = await site.at_work("Sato", DESK)
        page = f"/lender/applications/{application.id}"
        assert page in (await browser.get("/lender/applications")).text
        await browser.get(page)
        assert "Employed for less than half a year" in browser.page.text
        assert "What the credit bureau says" in browser.page.text
        for typed in (
            {"what": "grant", "reason": ""},
            {"what": "perhaps", "reason": "x"},
            {"what": "grant", "limit": "many", "reason": "x"},
        ):
            assert (await browser.submit(page, **typed)).status_code == 422, typed
            await browser.get(page)
        await browser.submit(page, what="grant", limit="99,000,000", reason="saw the contract")
        await site.approve_deed(browser, passkey, page)
        assert browser.page.status_code == 422
        await browser.get(page)
        await browser.submit(page, what="grant", limit="100,000", reason="saw the contract")
        await site.approve_deed(browser, passkey, page, limit="500,000")
        assert browser.page.status_code == 401
        await browser.get(page)
        await browser.submit(page, what="grant", limit="100,000", reason="saw the contract")
        await site.approve_deed(browser, passkey, page)
        assert "Nothing waits for a person." in browser.page.text
        (one,) = await way.reviews.in_state(State.GRANTED)
        assert one.limit_yen == 100_000
        (act,) = acts(site, "application:granted")
        assert act.details == {"limit_yen": 100_000}
        assert act.reason == ""
        assert acts(site, "application:seen")

    at_the_desks(tmp_path, scene, way.house.parts)


def test_an_application_that_does_not_exist_is_not_found(tmp_path):
    async def scene(site: DesksSite) -> None:
        browser, _ = await site.at_work("Sato", DESK)
        assert (await browser.get("/lender/applications/app_x")).status_code == 404

    at_the_desks(tmp_path, scene)


def test_a_disputed_order_is_booked_as_a_person_found_it(tmp_path):
    """Not above what was ordered, and once."""
    atm = open_atm(tmp_path)
    member_id, order_id = disputed(atm)
    folder = tmp_path / "desks"
    folder.mkdir()

    async def scene(site: DesksSite) -> None:
        browser, passkey = await site.at_work("Sato", DESK)
        orders, decide = "/lender/atm-orders", "/lender/atm-orders/decide"
        await browser.get(orders)
        assert order_id in browser.page.text
        assert (await browser.submit(decide, moved="-1", reason="x")).status_code == 422
        for moved, status in (("90,000", 422), ("10,000", 200)):
            await browser.get(orders)
            await browser.submit(decide, moved=moved, reason="counted the vault")
            await site.approve_deed(browser, passkey, decide)
            assert browser.page.status_code == status, moved
        assert "No order waits for a person." in browser.page.text
        assert atm.principal(member_id) == (10_110, 0)
        (act,) = acts(site, "atm_order:decided")
        assert act.details["moved_yen"] == 10_000
        assert await DisputeDesk(atm.house).findings() == []

    at_the_desks(folder, scene, atm.house.parts)
