"""A shop's till over HTTP: it acts for its own merchant alone, and asks twice for one thing safely."""

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, NamedTuple, cast

import httpx
import pytest
from tests.identity.login_house import SaidGuard
from tests.wallet.money_at_hand import ARRIVAL, Money, open_money
from tests.wallet.wallet_at_hand import KAMOME

from sekisho.kernel.chance import SeededChance
from sekisho.range.shop.site import ShopSite
from sekisho.range.shop.till import Till
from sekisho.wallet.outside import Outside, client_at
from sekisho.wallet.payment_codes import ShownCode, showing
from sekisho.wallet.payments import Order, purpose_of
from sekisho.web.guard_api.api_keys import ApiKeys, Scope
from sekisho.web.members.desks import open_desks
from sekisho.web.members.site import Site
from sekisho.web.wallet.app import create_wallet_app
from sekisho.web.wallet.desks import desks_in

if TYPE_CHECKING:
    from sekisho.web.asgi import App

NOWHERE = "http://id.localhost:9"


class Shop(NamedTuple):
    """A wallet with a shop, its key, and a line to the wallet."""

    money: Money
    key: str
    keys: ApiKeys
    client: httpx.AsyncClient

    async def post(self, path, body, *, once="k1", key=None):
        headers = {"Authorization": f"Bearer {self.key if key is None else key}"}
        if once:
            headers["Idempotency-Key"] = once
        return await self.client.post(path, json=body, headers=headers)

    async def get(self, path):
        return await self.client.get(path, headers={"Authorization": f"Bearer {self.key}"})

    def till(self):
        return Till(self.client, self.key, SeededChance(3))

    async def shown(self, member_id):
        """Let a member show a code."""
        present = self.money.prove(self.money.enter(member_id), showing("o1"))
        code = await self.money.codes.show(present, ARRIVAL, "o1")
        assert isinstance(code, ShownCode)
        return code.text

    async def pay(self, payload):
        """Let a member scan a code and pay."""
        money = self.money
        scanned = await money.payments.scan(payload)
        assert scanned.amount is not None
        order = Order("p1", scanned.merchant.id, scanned.amount, request_id=scanned.request_id)
        present = money.prove(money.enter(money.rich()), purpose_of(order, money.shop))
        return await money.payments.pay(present, ARRIVAL, order)


@asynccontextmanager
async def shop(folder):
    money, chance = open_money(folder), SeededChance(23)
    parts, guard = money.wallet.parts, SaidGuard()
    keys = ApiKeys(clock=parts.clock)
    key = keys.add(money.shop.id, (Scope.TILL,), chance)
    members = open_desks(parts, guard)
    site = Site(parts, members, staff_keys=keys)
    app = create_wallet_app(site, Outside(client_at(NOWHERE, "kamome", KAMOME.origin)))
    transport = httpx.ASGITransport(cast("App", app), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=KAMOME.origin) as client:
        yield Shop(money, key, keys, client)
    await desks_in(app).line.close()
    await members.logins.close()
    members.hasher.close()
    money.wallet.audit()
    money.wallet.house.store.close()


def play(folder, scene):
    async def opened():
        async with shop(folder) as at:
            await scene(at)

    asyncio.run(opened())


def test_a_code_for_a_purchase_is_shown_paid_and_told_of(tmp_path):
    async def scene(at):
        asked = await at.post("/v1/till/requests", {"amount_yen": 650, "reference": "T-7"})
        again = await at.post("/v1/till/requests", {"amount_yen": 650, "reference": "T-7"})
        assert (asked.status_code, asked.json()) == (201, again.json())
        path = f"/v1/till/requests/{asked.json()['request_id']}"
        assert (await at.get(path)).json() == {"state": "waiting"}
        paid = await at.pay(asked.json()["payload"])
        told = (await at.get(path)).json()
        assert (told["state"], told["payment"]["payment_id"], at.money.owed()) == ("paid", paid.id, 650)

    play(tmp_path, scene)


def test_a_shown_code_is_taken_once_under_one_key(tmp_path):
    async def scene(at):
        code = await at.shown(at.money.rich())
        body = {"code": code, "amount_yen": 650}
        first, again = await at.post("/v1/till/payments", body), await at.post("/v1/till/payments", body)
        assert (first.status_code, first.json()) == (201, again.json())
        other = await at.post("/v1/till/payments", body, once="k2")
        assert (other.status_code, other.json()["code"]) == (409, "payment_code_not_usable")
        assert at.money.owed() == 650

    play(tmp_path, scene)


def test_a_till_hears_nothing_of_a_wallet_that_cannot_pay(tmp_path):
    """The same words for a code that is unknown and for one whose wallet is empty."""

    async def scene(at):
        code = await at.shown(at.money.rich(100))
        answers = [
            await at.post("/v1/till/payments", {"code": text, "amount_yen": 650}, once=text)
            for text in (code, "290000000000000000")
        ]
        assert [answer.status_code for answer in answers] == [409, 409]
        assert answers[0].json() == answers[1].json()

    play(tmp_path, scene)


def test_a_refund_is_of_the_shop_s_own_payment(tmp_path):
    async def scene(at):
        code = await at.shown(at.money.rich())
        paid = (await at.post("/v1/till/payments", {"code": code, "amount_yen": 650})).json()
        path = f"/v1/till/payments/{paid['payment_id']}/refunds"
        other = at.keys.add("mer_other", (Scope.TILL,), SeededChance(5))
        assert (await at.post(path, {"amount_yen": 1}, key=other)).status_code == 404
        assert (await at.post(path, {"amount_yen": 650})).json()["refunded_yen"] == 650
        assert (await at.post(path, {"amount_yen": 1}, once="k9")).status_code == 409
        assert at.money.owed() == 0

    play(tmp_path, scene)


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"key": "sk_000000000000_" + "x" * 43}, 401, "no_key"),
        ({"once": ""}, 400, "malformed"),
        ({"once": "k" * 81}, 400, "malformed"),
    ],
)
def test_what_is_missing_is_said(tmp_path, change, status, code):
    async def scene(at):
        answer = await at.post("/v1/till/requests", {"amount_yen": 650}, **change)
        assert (answer.status_code, answer.json()["code"]) == (status, code)

    play(tmp_path, scene)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"amount_yen": 0},
        {"amount_yen": -5},
        {"amount_yen": 10**15},
        {"a": 1},
        [],
        {"amount_yen": 1, "reference": "a\0"},
    ],
)
def test_a_body_that_means_nothing_is_refused(tmp_path, body):
    async def scene(at):
        answer = await at.post("/v1/till/requests", body)
        assert (answer.status_code, answer.json()["code"]) == (400, "malformed")

    play(tmp_path, scene)


def test_a_key_for_something_else_takes_no_payment(tmp_path):
    async def scene(at):
        other = at.keys.add("calls", (Scope.CALLS,), SeededChance(6))
        answer = await at.post("/v1/till/requests", {"amount_yen": 650}, key=other)
        assert answer.status_code == 403

    play(tmp_path, scene)


def test_the_shop_s_page_sells_and_gives_back(tmp_path):
    async def scene(at):
        till = at.till()
        page = httpx.AsyncClient(
            transport=httpx.ASGITransport(ShopSite(till, "喫茶 灯台")),
            base_url="http://shop.localhost",
            follow_redirects=True,
        )
        shown = await page.post("/ask", data={"yen": "650"})
        assert "<svg" in shown.text
        await at.pay(till.asking.payload)
        sold = await page.get("/")
        assert "650円" in sold.text
        assert "<svg" not in sold.text
        back = await page.post("/back", data={"payment": till.sold[0].payment_id})
        assert "返金650円" in back.text
        code = await at.shown(at.money.wallet.add_with_phone())
        refused = await page.post("/take", data={"yen": "100", "code": code})
        assert "payment_code_not_usable" in refused.text
        await page.aclose()

    play(tmp_path, scene)


def test_a_broken_line_asks_for_the_same_again(tmp_path):
    """The answer is lost: the till's next try goes under the same key, and nothing is taken twice."""

    async def scene(at):
        code = await at.shown(at.money.rich())
        sent = []

        async def handler(request):
            sent.append(request.headers["idempotency-key"])
            answer = await at.client.send(
                at.client.build_request(
                    "POST", request.url.path, content=request.content, headers=request.headers
                )
            )
            if len(sent) == 1:
                raise httpx.ReadTimeout("lost", request=request)
            return httpx.Response(answer.status_code, content=answer.content)

        async with httpx.AsyncClient(transport=httpx.MockTransport(handler), base_url=KAMOME.origin) as flaky:
            till = Till(flaky, at.key, SeededChance(3))
            await till.take(code, 650)
            assert till.trouble == "line"
            await till.take(code, 650)
        assert (len(set(sent)), len(till.sold), at.money.owed()) == (1, 1, 650)

    play(tmp_path, scene)
