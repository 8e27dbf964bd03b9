"""`sekisho serve lender` and `id`: who an institution is, and one member site in a process of its own."""

import re
import signal
import subprocess
from datetime import date

import httpx
import pytest
from tests.end_to_end.serving import SEKISHO

from sekisho.cli.partner_files import PartnersUnreadable
from sekisho.cli.serve_institution import InstitutionUnreadable, read_institution
from sekisho.cli.wallet_partners import wallet_ties
from sekisho.identity.person_checks import NobodyTrusted
from sekisho.kernel.yen import Yen
from sekisho.linking.link_partners import BankNotLinkable, Strength

WHOLE = """
key = "lender"
host = "member.asagiri.example"
origin = "https://member.asagiri.example"
telephone = "0120-000-111"
names = { ja = "あさぎりローン", en = "Asagiri Loan" }
desk_hours = { ja = "平日9:00〜18:00", en = "weekdays 9:00 to 18:00" }
"""

WALLET_PARTNERS = """
[id]
issuer = "https://id.kasasagi.example"
client_id = "kamome-wallet"
[[banks]]
bank = "9901"
issuer = "https://link.misaki.example"
client_id = "kamome-wallet"
strength = 2
from = 2026-04-01
"""
BANK_PARTNERS = """
files_from = "FOLDER/in"
results_to = "FOLDER/out"
through_clearing = false
"""


def test_an_institution_is_read_from_its_file(tmp_path):
    """As the reference has it."""
    file = tmp_path / "lender.toml"
    file.write_text(WHOLE, encoding="utf-8")
    read = read_institution(file)
    assert (read.name("en"), read.origin) == ("Asagiri Loan", "https://member.asagiri.example")


@pytest.mark.parametrize(
    ("line", "instead"),
    [
        ('host = "member.asagiri.example"', ""),
        ('host = "member.asagiri.example"', 'host = "another.example"'),
        ('key = "lender"', "key = 1"),
        ('key = "lender"', "key = "),
        (', en = "Asagiri Loan"', ""),
        (', en = "weekdays 9:00 to 18:00"', ""),
    ],
)
def test_a_file_that_lacks_something_is_refused(tmp_path, line, instead):
    """Before anything is opened: passkeys made for a wrong host would be worth nothing."""
    file = tmp_path / "lender.toml"
    assert line in WHOLE
    file.write_text(WHOLE.replace(line, instead), encoding="utf-8")
    with pytest.raises(InstitutionUnreadable):
        read_institution(file)


def test_a_wallet_is_read_with_its_banks_and_refused_where_anybody_could_listen(tmp_path):
    """The agreements as they stand in the file; an issuer in the clear ends the start."""
    file = tmp_path / "wallet.toml"
    file.write_text(WALLET_PARTNERS, encoding="utf-8")
    ties = wallet_ties(file, NobodyTrusted(), "https://wallet.example")
    assert ties.bank is None
    read = ties.outside
    assert read.id.redirect_uri == "https://wallet.example/login/id/callback"
    bank = read.partners.on("9901", date(2026, 4, 1))
    assert (bank.strength, bank.once_max) == (Strength.POSSESSION, Yen(100_000))
    with pytest.raises(BankNotLinkable):
        read.partners.on("9901", date(2026, 3, 31))
    for line, instead in (
        ("https://link.misaki", "http://link.misaki"),
        ("strength = 2", "strength = 4"),
        ("[id]", "[ids]"),
    ):
        file.write_text(WALLET_PARTNERS.replace(line, instead), encoding="utf-8")
        with pytest.raises(PartnersUnreadable):
            wallet_ties(file, NobodyTrusted(), "https://wallet.example")


@pytest.mark.server
@pytest.mark.parametrize(
    ("what", "name", "partners"),
    [
        ("lender", "あさぎりローン", ""),
        ("id", "かささぎID", ""),
        ("wallet", "かもめウォレット", WALLET_PARTNERS),
        ("bank", "みさき銀行", BANK_PARTNERS),
    ],
)
def test_one_institution_is_served_alone(tmp_path, what, name, partners):
    """Its pages answer at its host name; the post of the demo is nowhere; it ends when it is told to."""
    command = [SEKISHO, "serve", what, "--on-outage", "closed", "--port", "0", "--data", str(tmp_path)]
    if partners:
        file = tmp_path / "partners.toml"
        file.write_text(partners.replace("FOLDER", str(tmp_path)), encoding="utf-8")
        command += ["--partners", str(file)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        assert process.stdout is not None
        said = process.stdout.readline()
        listens = re.search(rf"{what} listens on http://127\.0\.0\.1:(\d+)", said)
        assert listens, said
        port = listens[1]
        hosts = {"Host": f"{what}.localhost:{port}"}
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=hosts, timeout=30) as client:
            page = client.get("/login")
            assert (page.status_code, name in page.text) == (200, True)
            assert client.get("/messages").status_code == 404
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.communicate()
