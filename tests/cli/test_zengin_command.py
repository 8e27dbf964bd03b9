"""`sekisho zengin read`: header, records and trailer, or which record and field is wrong."""

import json

import pytest
from click.testing import CliRunner
from tests.linking.test_zengin import LINE, file_of

from sekisho.cli.main import main
from sekisho.linking.zengin import DebitResult, FileKind, write_file


def read(tmp_path, octets, *options):
    path = tmp_path / "file.txt"
    path.write_bytes(octets)
    return CliRunner().invoke(main, ["zengin", "read", str(path), *options])


def test_a_file_is_shown_to_programs(tmp_path):
    octets = write_file(file_of(FileKind.DEBITS, DebitResult.DONE, DebitResult.NO_FUNDS))
    done = read(tmp_path, octets, "--json", "--near", "2026-11-22")
    assert done.exit_code == 0
    told = json.loads(done.stdout)
    assert told["kind"] == "91"
    assert told["header"]["party_code"] == "1234567890"
    assert told["header"]["on"] == "2026-11-22"
    first, second = told["records"]
    assert (first["record"], first["amount_yen"], first["result"], first["result_name"]) == (
        *(2, 1_000, "0"),
        "done",
    )
    assert (second["holder_kana"], second["number"]) == ("ﾔﾏﾀﾞ ﾊﾅｺ", "0012345")
    assert told["trailer"] == {
        "count": 2,
        "amount": 3_000,
        "done_count": 1,
        "done_amount": 1_000,
        "failed_count": 1,
        "failed_amount": 2_000,
    }


def test_a_file_is_shown_to_people(tmp_path):
    done = read(tmp_path, write_file(file_of(FileKind.TRANSFERS)))
    assert done.exit_code == 0
    assert "21 (transfers) of" in done.stdout
    assert "2 records, ¥3,000 in all" in done.stdout


FAULTS = {
    "amount": (LINE + 80, b"12x", 2, "amount"),
    "result": (2 * LINE + 111, b"7", 3, "result"),
    "kind": (1, b"11", 1, "kind"),
    "day": (54, b"1332", 1, "day"),
    "count": (3 * LINE + 1, b"000009", 4, "count"),
    "letter": (LINE + 50, b"\x80", 2, ""),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_wrong_is_named(tmp_path, fault):
    at, text, record, field = FAULTS[fault]
    octets = write_file(file_of())
    octets = octets[:at] + text + octets[at + len(text) :]
    done = read(tmp_path, octets, "--json")
    assert done.exit_code == 2
    found = json.loads(done.stdout)["fault"]
    assert (found["record"], found["field"]) == (record, field)
    assert f"record {record}" in done.stderr
    if fault == "letter":
        assert "octet 51" in found["what"]


def test_no_file_at_all_is_refused(tmp_path):
    done = read(tmp_path, b"")
    assert done.exit_code == 2
    assert done.stdout == ""
