"""`sekisho serve lender` and `id`: who an institution is, and one member site in a process of its own."""

import re
import signal
import subprocess

import httpx
import pytest
from tests.end_to_end.serving import SEKISHO

from sekisho.cli.serve_institution import InstitutionUnreadable, read_institution

WHOLE = """
key = "lender"
host = "member.asagiri.example"
origin = "https://member.asagiri.example"
telephone = "0120-000-111"
names = { ja = "あさぎりローン", en = "Asagiri Loan" }
desk_hours = { ja = "平日9:00〜18:00", en = "weekdays 9:00 to 18:00" }
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


@pytest.mark.server
@pytest.mark.parametrize(("what", "name"), [("lender", "あさぎりローン"), ("id", "かささぎID")])
def test_one_institution_is_served_alone(tmp_path, what, name):
    """Its pages answer at its host name; the post of the demo is nowhere; it ends when it is told to."""
    command = [SEKISHO, "serve", what, "--on-outage", "closed", "--port", "0", "--data", str(tmp_path)]
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
