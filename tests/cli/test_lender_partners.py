"""The lender's partners in a file: read strictly, and what they open."""

import asyncio
from contextlib import contextmanager

import httpx
import pytest
from tests.lender.atm_certificates import Authority

from sekisho.cli.around import Around
from sekisho.cli.guard_options import GuardOptions
from sekisho.cli.institutions import LENDER, Machine, open_institution
from sekisho.cli.lender_partners import read_partners
from sekisho.cli.partner_files import PartnersUnreadable
from sekisho.kernel.chance import SeededChance
from sekisho.kernel.clock import SystemClock
from sekisho.kernel.posture import OperationalError, Posture
from sekisho.lender.atm_sessions import Shown
from sekisho.range.atm.lender_line import Declined, HttpsLenderLine
from sekisho.web.proxies import ProxyTrust
from sekisho.web.server import listening_socket

NETWORK, LENDER_NAME = "hoshizora.example", "lender.example"
WHOLE = """
[bureau]
url = "https://bureau.example/v1"
key_file = "{folder}/bureau.key"
[incomes]
url = "https://incomes.example/v1"
key_file = "{folder}/bureau.key"
[bank]
party_code = "0000008470"
party_kana = "ｱｻｷﾞﾘﾛ-ﾝ"
bank = "0009"
branch = "100"
kind = "1"
number = "0008470"
send_to = "{folder}/out"
results_from = "{folder}/results"
[network]
name = "hoshizora.example"
url = "https://127.0.0.1:1"
authority = "{folder}/authority.pem"
certificate = "{folder}/lender.example.pem"
key = "{folder}/lender.example.key"
listen_port = {port}
machines = [{{ id = "0042", place = "北町一丁目 1号機" }}]
limits = {{ withdrawal_yen_max = 100000 }}
"""


def free_port() -> int:
    """Return a port that nobody has at this moment."""
    with listening_socket("127.0.0.1", 0) as door:
        return int(door.getsockname()[1])


def written(folder, text=WHOLE, port=1):
    """Write the file, and the key that it names."""
    (folder / "bureau.key").write_text("secret\n")
    file = folder / "partners.toml"
    file.write_text(text.format(folder=folder, port=port), encoding="utf-8")
    return file


@contextmanager
def opened(folder, partners):
    """Open a lender with the partners of a file."""
    machine = Machine(SystemClock(), SeededChance(1), GuardOptions(), Posture.CLOSED, ProxyTrust())
    around = Around(folder / "lender", partners=partners)
    lender = open_institution(LENDER.on_port(8470), LENDER.make, around, machine)
    try:
        yield lender
    finally:
        lender.desks.hasher.close()
        lender.close()


@pytest.mark.parametrize(
    ("line", "instead"),
    [
        ('url = "https://bureau.example/v1"', 'url = "http://bureau.example/v1"'),
        ('url = "https://127.0.0.1:1"', 'url = "http://127.0.0.1:1"'),
        ('branch = "100"', "branch = 100"),
        ('number = "0008470"', ""),
        ("[incomes]", "[income]"),
        ("withdrawal_yen_max", "withdrawal_max"),
        ("[bank]", "[bank"),
    ],
)
def test_a_file_that_is_not_exactly_right_is_refused(tmp_path, line, instead):
    """Before anything is opened, and over a line that others can hear nobody is asked."""
    assert line in WHOLE
    assert read_partners(written(tmp_path)).bank is not None
    with pytest.raises(PartnersUnreadable):
        read_partners(written(tmp_path, WHOLE.replace(line, instead)))


def test_a_machine_of_the_network_finds_its_door_and_no_other_does(tmp_path):
    """Mutual TLS on the port of the file; another network of the same authority has no such machine."""
    authority = Authority(tmp_path)
    authority.certify(LENDER_NAME)
    port = free_port()

    async def shown(name: str) -> Shown:
        async with httpx.AsyncClient(verify=authority.certify(name).for_client()) as client:
            return await HttpsLenderLine(client, f"https://127.0.0.1:{port}").show("0042", "k1")

    with opened(tmp_path, written(tmp_path, port=port)) as lender:

        async def scene() -> None:
            async with lender.made.living():
                assert (await shown(NETWORK)).qr.startswith("SEKISHO-ATM/1/0042/")
                with pytest.raises(Declined):
                    await shown("another.example")

        asyncio.run(scene())
        assert not lender.made.beside
    with pytest.raises(OperationalError):
        asyncio.run(shown(NETWORK))


def test_without_partners_a_lender_opens_and_waits(tmp_path):
    """Nothing is screened, sent or paid; the pages are there."""
    with opened(tmp_path, None) as lender:

        async def scene() -> None:
            async with lender.made.living():
                await asyncio.sleep(0)

        asyncio.run(scene())
