"""A shop beside a wallet, played on this machine: registered at the first start, with a till to try."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast
from urllib.parse import urlsplit

import httpx

from sekisho.cli.played_outside import PlayedOutside
from sekisho.linking.zengin import BankAccount, Party
from sekisho.range.shop.site import ShopSite
from sekisho.range.shop.till import ANSWER_S_MAX, Till
from sekisho.storage.files import replace_file
from sekisho.storage.private_folders import make_private
from sekisho.storage.rounds import Round
from sekisho.wallet.house import WalletParts
from sekisho.wallet.merchants import NewMerchant, register_merchant
from sekisho.wallet.settlements import Settlements
from sekisho.web.guard_api.api_keys import ApiKeys, Scope

if TYPE_CHECKING:
    from sekisho.web.asgi import App

SHOP_HOST = "shop.localhost"
KEY_FILE = "till.key"
LOOPBACK = "127.0.0.1"
SETTLING_EVERY_S = 30.0
PARTY = Party("0000003330", "ｶﾓﾒｳｵﾚﾂﾄ", BankAccount("0009", "100", "1", "0003330"))
REGISTERED_AS = "played:todai"
TODAI = NewMerchant(
    name_ja="喫茶 灯台",
    name_en="Cafe Todai",
    holder_kana="キッサトウダイ",
    city="Minatomachi",
    account=BankAccount("0009", "100", "1", "7654321"),
    category="5814",
)


class PlayedShop(NamedTuple):
    """A shop's page, the wallet's settlements with merchants, and the till's line. Use it within `living`."""

    application: "App"
    settling: Round
    client: httpx.AsyncClient

    @asynccontextmanager
    async def living(self) -> AsyncIterator[None]:
        """Let the till's line go at the end."""
        async with self.client:
            yield


def play_shop(
    house: WalletParts, keys: ApiKeys, played: PlayedOutside, banks: Mapping[str, str]
) -> PlayedShop:
    """Register the shop where it is new, and open its till. Raises OSError and OperationalError.

    `banks` are those institutions of this program that are banks, by their codes.
    """
    key = _key(house, keys, played.folder / "shop")
    host = urlsplit(played.origin(house.institution.key)).netloc
    # The system's resolver need not know names under localhost.
    client = httpx.AsyncClient(
        base_url=f"http://{LOOPBACK}:{played.port}", headers={"Host": host}, timeout=ANSWER_S_MAX
    )
    till = Till(client, key, house.chance)
    out, results = played.clear(house.institution.key, banks)
    settlements = Settlements(house, PARTY, out, results)
    return PlayedShop(
        application=cast("App", ShopSite(till, TODAI.name_ja)),
        settling=Round("settlements", SETTLING_EVERY_S, settlements.go_round),
        client=client,
    )


def _key(house: WalletParts, keys: ApiKeys, folder: Path) -> str:
    """Return the till's key: the shop's own copy, which is the only one."""
    file = folder / KEY_FILE
    if file.exists():
        return file.read_text(encoding="ascii")
    made = house.store.write(lambda at: register_merchant(at, house, REGISTERED_AS, TODAI)).result()
    # A key of a start that was cut short opens nothing that anybody knows.
    keys.remove(made.id)
    key = keys.add(made.id, (Scope.TILL,), house.chance)
    replace_file(make_private(folder) / KEY_FILE, key.encode("ascii"))
    return key
