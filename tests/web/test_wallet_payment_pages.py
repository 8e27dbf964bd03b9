"""A payment on its member's pages, whatever became of the shop."""

from tests.wallet.money_at_hand import SHOP
from tests.web.test_wallet_identity import MOBILE, book
from tests.web.wallet_site import play

from sekisho.kernel.yen import Yen
from sekisho.ledger.transfers import Booked
from sekisho.wallet.merchants import register_merchant, stop_merchant
from sekisho.wallet.payments import Order, Payer, PaymentWay, pay_within


def test_a_payment_can_be_read_after_its_shop_was_stopped(tmp_path):
    async def scene(site):
        person = site.person()
        await person.open_wallet()
        await person.prove_phone(site, MOBILE)
        (wallet,), house = site.wallets(), site.desks.house
        assert isinstance(book(site, wallet, 1_000), Booked)

        def buy(connection):
            shop = register_merchant(connection, house, "shop", SHOP)
            payer = Payer(wallet.member_id, "s", "", PaymentWay.SCANNED)
            return pay_within(connection, house, payer, Order("k", shop.id, Yen(650)))

        paid = house.store.write(buy).result()
        path = f"/payments/{paid.id}"
        assert "Cafe Todai" in (await person.at_wallet.get(path)).text
        house.store.write(lambda at: stop_merchant(at, house, paid.merchant_id, by="aoki")).result()
        page = await person.at_wallet.get(path)
        assert (page.status_code, "Cafe Todai" in page.text) == (200, True)

    play(tmp_path, scene)
