"""The pages that only a wallet's desk has, in a real browser: links, names compared, lost movements."""

import asyncio
from typing import NamedTuple

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped] # it ships no types
from playwright.sync_api import sync_playwright
from tests.linking.bank_double import MUTE
from tests.wallet.links_at_hand import links_at_hand
from tests.wallet.test_bank_moves import DEBITS, Move
from tests.web.desks_of_wallet import wallet_desks
from tests.web.served_members import served
from tests.web.test_desks_looks import enter
from tests.web.test_members_looks import LOOKS, SERIOUS, check

from sekisho.console.rights import StaffRole
from sekisho.identity.people import Person
from sekisho.kernel.clock import HOUR_US
from sekisho.storage.engine import open_store
from sekisho.wallet.house import WalletParts
from sekisho.wallet.link_stops import LinkStopDesk, StaffStop
from sekisho.web.console.staff_app import create_desks_app

pytestmark = pytest.mark.server

HANAKO = Person(name="山田 花子", kana="ﾔﾏﾀﾞ ﾊﾅｺ", birth_date="1980-01-01", home_address="宮城県架空市港町2-2")
THEIRS = "ｻﾄｳ ﾊﾅｺ"


class Lived(NamedTuple):
    """A wallet where something waits for a person, and the paths of its pages."""

    house: WalletParts
    waiting: str
    stopped: str
    lost: str
    member: str


async def live(folder):
    """Link two members' accounts, one under another name; lose a movement of the other, and stop the link."""
    store = open_store(f"sqlite:///{folder}/linked.db")
    async with links_at_hand(folder, store_at=store) as there:
        one = await Move.of(there)
        there.bank.account = dict(there.bank.account) | {"ref": "another"}
        there.bank.holder["name_kana"] = THEIRS
        waiting = await there.link(there.wallet.add_verified(HANAKO))
        there.bank.moods[DEBITS] = [MUTE]
        move = await one.go(10_000)
        there.bank.is_revoked = True
        there.clock.advance(HOUR_US)
        await there.booked_orders.carry_out_due()
        house = there.wallet.house
        await LinkStopDesk(house).stop(
            StaffStop(one.link.id, "abe", "called by the depositor", is_fraud=True)
        )
    return Lived(
        house,
        f"/wallet/links/{waiting.id}",
        f"/wallet/links/{one.link.id}",
        f"/wallet/lost-moves/{move.id}",
        f"/wallet/members/{one.member}",
    )


@pytest.fixture(name="lived", scope="module")
def _lived(tmp_path_factory):
    lived = asyncio.run(live(tmp_path_factory.mktemp("wallet")))
    yield lived
    lived.house.store.close()


@pytest.fixture(name="site", scope="module")
def _site(tmp_path_factory, lived):
    folder = tmp_path_factory.mktemp("desks")

    def with_desks(site):
        return create_desks_app(site, {"wallet": wallet_desks(lived.house, folder)})

    with served(folder, with_desks) as site:
        yield site


@pytest.fixture(name="desk", scope="module")
def _desk(site):
    """Give the browser of somebody who decides links, and contains."""
    roles = {"wallet": (StaffRole.DESK, StaffRole.RESPONDER)}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield enter(site, browser, "佐藤", roles)
        browser.close()


@pytest.mark.parametrize(("size", "scheme", "language"), LOOKS)
def test_the_pages_of_links_are_for_everybody(site, desk, lived, size, scheme, language):
    """The queue, a link that waits, one that was stopped, a lost movement, and the member's page."""
    for path in ("/wallet", "/wallet/links", *lived[1:]):
        check(site, desk, path, size, scheme, language)


def test_the_two_names_stand_side_by_side_once_a_passkey_approved_it(site, desk, lived):
    """In the browser, with its own passkey; on the next look they are gone again."""
    desk.goto(f"{site.url}{lived.waiting}")
    desk.fill("#names-reason", "the register of her marriage was sent to us")
    desk.click("form[action$='/names'] button")
    assert "ハナコ" not in desk.content()
    desk.click("form[data-passkey] button")
    desk.locator(".compared").wait_for()
    assert desk.locator(".compared dd").all_inner_texts() == ["ヤマダ ハナコ", "サトウ ハナコ"]
    findings = Axe().run(desk).response["violations"]
    assert [f["id"] for f in findings if f["impact"] in SERIOUS] == []
    desk.goto(f"{site.url}{lived.waiting}")
    assert "ハナコ" not in desk.content()
