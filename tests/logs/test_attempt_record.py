"""The attempt record is read the same from CSV, NDJSON and Parquet."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.logs.whole_log import read_logs

from sekisho.campaigns.logs.faults import UnusableLog

KEY = b"a run's own key" * 2
HEADER = "time,member,ip,known,asn,device,outcome,colour\n"
FIRST = "2026-01-02T03:04:05.678Z,mika,::ffff:192.0.2.7,1,AS64500,abc,success,blue\n"


def read(tmp_path, text, name="a.csv"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_logs([path], key=KEY)


def test_a_csv_record_becomes_an_attempt(tmp_path):
    """Every column has its value or its way of saying that nothing was recorded."""
    log = read(tmp_path, HEADER + FIRST)
    assert log.table.to_pylist() == [
        {
            "row": 0,
            "time_us": 1_767_323_045_678_000,
            "gate": "login",
            "member": "mika",
            "actor": "",
            "client": "",
            "known": 1,
            "ip": "192.0.2.7",
            "asn": 64_500,
            "country": "",
            "user_agent": "",
            "tls": "",
            "device": "abc",
            "device_valid": -1,
            "secret": "",
            "leaked": -1,
            "outcome": "success",
            "challenge": "",
            "session": "",
            "amount_yen": None,
            "target": "",
        }
    ]
    assert log.aside == ["colour"]
    assert log.broken == []


def test_csv_ndjson_and_parquet_say_the_same(tmp_path):
    """One record, three spellings, one table."""
    values = dict(zip(HEADER.strip().split(","), FIRST.strip().split(","), strict=True))
    pq.write_table(pa.table({name: [value] for name, value in values.items()}), tmp_path / "a.parquet")
    from_parquet = read_logs([tmp_path / "a.parquet"], key=KEY).table
    from_csv = read(tmp_path, HEADER + FIRST).table
    from_ndjson = read(tmp_path, json.dumps(values) + "\n", "a.ndjson").table
    assert from_csv.to_pylist() == from_ndjson.to_pylist() == from_parquet.to_pylist()


def test_rows_count_over_all_files_and_broken_records_keep_their_place(tmp_path):
    """A later file goes on counting where the one before it ended, broken records included."""
    (tmp_path / "a.csv").write_text(HEADER + "never,mika,192.0.2.7,,,,,\n" + FIRST)
    (tmp_path / "b.csv").write_text(HEADER + FIRST)
    log = read_logs([tmp_path / "a.csv", tmp_path / "b.csv"], key=KEY)
    assert log.table["row"].to_pylist() == [1, 2]
    assert log.broken == [(0, str(tmp_path / "a.csv"), 2, "time_impossible")]


def test_a_log_without_one_usable_record_is_refused(tmp_path):
    """The refusal says in one sentence what was wrong most often."""
    with pytest.raises(
        UnusableLog, match=r"^None of 1 records is usable; most often: time_impossible \(1\)\.$"
    ):
        read(tmp_path, HEADER + "2026-02-30T00:00:00Z,mika,192.0.2.7,,,,,\n")
