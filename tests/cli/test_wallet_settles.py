"""A wallet that is served with a bank of its own pays registered shops out, in files to that bank."""

import asyncio

import pytest
from tests.cli.test_serve_institution import WALLET_PARTNERS
from tests.wallet.money_at_hand import SHOP

from sekisho.cli.around import Around
from sekisho.cli.guard_options import GuardOptions
from sekisho.cli.institutions import WALLET, Machine, open_institution
from sekisho.cli.partner_files import PartnersUnreadable
from sekisho.kernel.chance import SeededChance
from sekisho.kernel.clock import SystemClock
from sekisho.kernel.japan import day_in_japan
from sekisho.kernel.posture import Posture
from sekisho.kernel.yen import Yen
from sekisho.ledger.transfers import Booked, Transfer, post
from sekisho.linking.zengin import read_file
from sekisho.wallet.house import open_house
from sekisho.wallet.merchants import register_merchant
from sekisho.web.proxies import ProxyTrust

OWN_BANK = """
[bank]
party_code = "0000003330"
party_kana = "ｶﾓﾒｳｵﾚﾂﾄ"
bank = "9901"
branch = "001"
kind = "1"
number = "0003330"
send_to = "FOLDER/out"
results_from = "FOLDER/in"
every_s = 0.1
"""
PATIENCE_S = 20


def served(folder, text):
    """Open a wallet with the partners of a file and a shop that is owed something; let it live a while."""
    file = folder / "partners.toml"
    file.write_text(WALLET_PARTNERS + text.replace("FOLDER", str(folder)), encoding="utf-8")
    machine = Machine(SystemClock(), SeededChance(1), GuardOptions(), Posture.CLOSED, ProxyTrust())
    wallet = open_institution(
        WALLET.on_port(8470), WALLET.make, Around(folder / "wallet", partners=file), machine
    )
    try:
        owe(open_house(wallet.parts), 10_000)
        return asyncio.run(_seen(wallet, folder / "out"))
    finally:
        wallet.desks.hasher.close()
        wallet.close()


async def _seen(wallet, out):
    """Return the first file that goes out while the wallet lives; None where none does."""
    async with wallet.made.living():
        for _ in range(PATIENCE_S * 10 if out.exists() else 10):
            if files := sorted(out.glob("*.txt")):
                return files[0].read_bytes()
            await asyncio.sleep(0.1)
    return None


def owe(house, yen):
    def work(connection):
        shop = register_merchant(connection, house, "shop", SHOP)
        owed = Transfer(
            key="sold",
            kind="wallet:payment",
            debit=house.accounts.bank_receivable,
            credit=shop.account,
            amount=Yen(yen),
            effective_on=house.today(),
        )
        assert isinstance(post(connection, owed, clock=house.clock, chance=house.chance), Booked)

    house.store.write(work).result()


def test_what_a_shop_is_owed_goes_to_the_bank_of_the_file(tmp_path):
    octets = served(tmp_path, OWN_BANK)
    assert octets is not None
    file = read_file(octets, near=day_in_japan(SystemClock().now_us()))
    (row,) = file.rows
    assert (file.party.code, row.amount, row.account.number) == ("0000003330", Yen(9_800), "7654321")


def test_without_a_bank_shops_stay_owed(tmp_path):
    assert served(tmp_path, "") is None


@pytest.mark.parametrize("line", ['party_code = "0000003330"', 'kind = "1"'])
def test_a_bank_that_is_not_exactly_right_is_refused(tmp_path, line):
    with pytest.raises(PartnersUnreadable):
        served(tmp_path, OWN_BANK.replace(line, ""))
