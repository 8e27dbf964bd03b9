"""Whatever a log contains, it is counted and named, and the records around it are read."""

import bz2
import gzip
import json
import zlib

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.logs.whole_log import read_logs

from sekisho.campaigns.logs.blocks import LINE_BYTES_MAX
from sekisho.campaigns.logs.faults import BROKEN_KEPT, UnusableLog

HEADER = "time,member,ip,user_agent,known,asn,outcome\n"
FINE = "2026-01-02T03:04:05Z,mika,192.0.2.7,Browser,1,64500,success\n"


@pytest.fixture
def read(tmp_path):
    def read(content, name="a.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_logs([path], key=b"k" * 16)

    return read


def broken(log):
    return [(record.row, record.line, record.why) for record in log.broken]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("2026-02-30T00:00:00Z,mika,192.0.2.7,,,,", "time_impossible"),
        ("1026-01-01T00:00:00Z,mika,192.0.2.7,,,,", "time_impossible"),
        (",mika,192.0.2.7,,,,", "time_impossible"),
        ("1767323045,mika,192.0.2.7,,,,", "time_impossible"),
        ("2026-01-02T03:04:05Z,mika,192.0.2.256,,,,", "address_invalid"),
        ("2026-01-02T03:04:05Z,mika,,,,,", "address_invalid"),
        ("2026-01-02T03:04:05Z,,192.0.2.7,,,,", "member_missing"),
        (f"2026-01-02T03:04:05Z,{'m' * 5000},192.0.2.7,,,,", "member_too_long"),
        ("2026-01-02T03:04:05Z,mika", "fields_missing"),
        ("2026-01-02T03:04:05Z,mika,192.0.2.7,,,,,,,", "fields_too_many"),
        ('2026-01-02T03:04:05Z,"mika,192.0.2.7,,,,', "quotes_unbalanced"),
    ],
)
def test_a_broken_line_is_named_and_the_lines_around_it_are_read(read, line, why):
    log = read(HEADER + FINE + line + "\n" + FINE)
    assert log.table["row"].to_pylist() == [0, 2]
    assert broken(log) == [(1, 3, why)]


def test_two_lines_with_a_stray_quote_swallow_nothing_between_them(read):
    """Taken together, two unclosed quotes would make one long field of all the lines between."""
    stray = '2026-01-02T03:04:05Z,"mika,192.0.2.7,,,,\n'
    log = read(HEADER + stray + FINE * 3 + stray + FINE)
    assert log.table["row"].to_pylist() == [1, 2, 3, 5]
    assert [why for _, _, why in broken(log)] == ["quotes_unbalanced"] * 2


def test_a_line_end_inside_quotes_belongs_to_the_field(read):
    """People do press return inside a name field."""
    log = read(HEADER + '2026-01-02T03:04:05Z,"mi\nka",192.0.2.7,"a ""b""",,,\n' + FINE)
    assert log.table["member"].to_pylist() == ["mi\nka", "mika"]
    assert log.table["user_agent"].to_pylist()[0] == 'a "b"'
    assert log.table["row"].to_pylist() == [0, 1]


def test_values_that_are_not_understood_are_left_out_and_counted(read):
    log = read(HEADER + "2026-01-02T03:04:05Z,mika,192.0.2.7,,maybe,many,exploded\n" + FINE)
    first = log.table.to_pylist()[0]
    assert (first["known"], first["asn"], first["outcome"]) == (-1, 0, "")
    assert log.faults.notes == {"known_unknown": 1, "asn_unknown": 1, "outcome_unknown": 1}


def test_an_unknown_gate_is_broken_and_an_empty_one_is_the_login(read):
    """An attempt at a gate that nobody knows cannot be judged as if it were a login."""
    text = "time,member,ip,gate\n" + "".join(
        f"2026-01-02T03:04:05Z,mika,192.0.2.7,{gate}\n" for gate in ("", "Transfer", "window")
    )
    log = read(text)
    assert log.table["gate"].to_pylist() == ["login", "transfer"]
    assert broken(log) == [(2, 4, "gate_unknown")]


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("::FFFF:c000:0207", "192.0.2.7"),
        ("2001:0DB8:0000:0000:0000:0000:0000:0001", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        (" 192.0.2.7 ", "192.0.2.7"),
    ],
)
def test_an_address_has_one_spelling(read, written, normal):
    log = read(HEADER + f"2026-01-02T03:04:05Z,mika,{written},,,,\n")
    assert log.table["ip"].to_pylist() == [normal]


def test_a_10_mb_field_is_cut_and_its_attempt_is_kept(read):
    """An attacker must not be able to hide an attempt behind a huge header."""
    log = read(HEADER + FINE + f"2026-01-02T03:04:05Z,ken,192.0.2.8,{'x' * 10_000_000},,,\n" + FINE)
    assert log.table["member"].to_pylist() == ["mika", "ken", "mika"]
    assert [len(text) for text in log.table["user_agent"].to_pylist()] == [7, 4096, 7]
    assert log.faults.notes == {"user_agent_cut": 1}


def test_a_line_without_end_is_passed_over(read):
    log = read(HEADER.encode() + FINE.encode() + b"x" * (LINE_BYTES_MAX + 9_000_000) + b"\n" + FINE.encode())
    assert log.table["row"].to_pylist() == [0, 2]
    assert broken(log) == [(1, 3, "line_too_long")]


def test_mixed_encodings_are_read_and_counted(read):
    """UTF-8, Shift JIS and Latin-1 in one file: three different names stay three."""
    lines = [
        "2026-01-02T03:04:05Z,花子,192.0.2.7,,,,\n".encode(),
        "2026-01-02T03:04:05Z,太郎,192.0.2.7,,,,\n".encode("cp932"),
        b"2026-01-02T03:04:05Z,Z\xfc\xff,192.0.2.7,,,,\n",
    ]
    log = read(HEADER.encode() + b"".join(lines))
    assert log.table["member"].to_pylist() == ["花子", "太郎", "Züÿ"]
    assert log.faults.notes == {"not_utf8": 2}


def test_a_clock_that_goes_backwards_is_no_fault(read):
    """Input order and times stay as they are; who needs time order sorts."""
    log = read(HEADER + FINE + FINE.replace("2026", "2025"))
    first, second = log.table["time_us"].to_pylist()
    assert first > second
    assert broken(log) == []


def test_only_the_first_broken_records_are_kept_and_all_are_counted(read):
    log = read(HEADER + FINE + "x\n" * (BROKEN_KEPT + 5))
    assert len(log.broken) == BROKEN_KEPT
    assert log.broken_by_reason == {"fields_missing": BROKEN_KEPT + 5}


@pytest.mark.parametrize(
    "pack", [gzip.compress, bz2.compress, lambda data: pa.compress(data, "zstd", asbytes=True)]
)
def test_packed_logs_are_unpacked_whatever_their_name(read, pack):
    assert len(read(pack((HEADER + FINE).encode()), "log").table) == 1


def test_a_packed_log_that_breaks_off_is_read_as_far_as_it_goes(read):
    """Nothing is lost that can still be unpacked, but for the last, incomplete line."""
    packed = gzip.compress((HEADER + FINE * 200_000).encode(), compresslevel=1)
    half = packed[: len(packed) // 2]
    whole_lines = zlib.decompressobj(wbits=31).decompress(half).count(b"\n") - 1
    log = read(half, "a.csv.gz")
    assert whole_lines > 50_000
    assert len(log.table) in {whole_lines, whole_lines + 1}
    ((_, why),) = log.faults.files
    assert why.startswith("breaks off: ")


def test_ndjson_that_is_partly_not_json(read):
    """Numbers and truth values are taken for what they say; what is no object is broken."""
    record = {
        "time": "2026-01-02T03:04:05Z",
        "member": "mika",
        "ip": "192.0.2.7",
        "known": True,
        "extra": [1],
    }
    lines = [
        json.dumps(record),
        "{oops",
        "[1]",
        "",
        json.dumps(record | {"member": 42, "known": "0", "gate": None}),
    ]
    log = read("\n".join(lines), "a.ndjson")
    assert log.table["member"].to_pylist() == ["mika", "42"]
    assert log.table["known"].to_pylist() == [1, 0]
    assert log.table["row"].to_pylist() == [0, 3]
    assert broken(log) == [(1, 2, "not_json"), (2, 3, "not_an_object")]
    assert log.aside == ["extra"]


def test_one_json_array_is_read_like_lines(read):
    record = {"time": "2026-01-02T03:04:05Z", "member": "mika", "ip": "192.0.2.7"}
    log = read(json.dumps([record, record, 7]), "a.json")
    assert log.table["row"].to_pylist() == [0, 1]
    assert broken(log) == [(2, 1, "not_an_object")]


def parquet(tmp_path, **columns):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table(columns), path, row_group_size=10)
    return path


def test_parquet_columns_may_have_any_sensible_type(tmp_path):
    """Timestamps of any unit, numbers as member ids, truth values, dictionaries with nulls."""
    path = parquet(
        tmp_path,
        time=pa.array([1_767_323_045_678, None], pa.timestamp("ms")),
        member=pa.array([17, 18]),
        ip=pa.array(["192.0.2.7", "192.0.2.7"]).dictionary_encode(),
        known=pa.array([True, None]),
        leaked=pa.array([1.0, 0.0]),
        asn=pa.array(["AS7", "8"]),
        amount_yen=pa.array([5_000, -1]),
        country=pa.array(["JP", None]).dictionary_encode(),
    )
    log = read_logs([path], key=b"k" * 16)
    (first,) = log.table.to_pylist()
    assert (first["time_us"], first["member"]) == (1_767_323_045_678_000, "17")
    assert (first["known"], first["leaked"], first["asn"], first["amount_yen"]) == (1, 1, 7, 5_000)
    assert broken(log) == [(1, 2, "time_impossible")]


def test_whole_microseconds_may_stand_for_the_time(tmp_path):
    """What our own history writes."""
    path = parquet(tmp_path, time_us=pa.array([5]), member=pa.array(["m"]), ip=pa.array(["::1"]))
    assert read_logs([path], key=b"k" * 16).table["time_us"].to_pylist() == [5]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "is empty"),
        (b"PAR1", "is not a whole Parquet file"),
        (b"\x00\x01\x02\x03" * 100, "is not text"),
        (b"\xff\xfet\x00i\x00", "is not text"),
        (b"once upon a time\nthere was a log\n", "has a format that no reader knows"),
        (gzip.compress(b"", mtime=0)[:12], "cannot be unpacked"),
    ],
)
def test_a_file_that_is_no_log_is_refused_in_one_sentence(read, content, why):
    with pytest.raises(UnusableLog, match=rf"^No attempt could be read: \S+ {why}.*\.$"):
        read(content)


def test_a_truncated_parquet_file_does_not_spoil_its_neighbours(tmp_path):
    whole = parquet(tmp_path, time=["2026-01-02T03:04:05Z"], member=["mika"], ip=["192.0.2.7"])
    (tmp_path / "b.parquet").write_bytes(whole.read_bytes()[:-20])
    paths = [tmp_path / "b.parquet", tmp_path, tmp_path / "missing.csv", whole]
    log = read_logs(paths, key=b"k" * 16)
    assert len(log.table) == 1
    assert [file for file, _ in log.faults.files] == [str(path) for path in paths[:3]]


NASTY = (
    HEADER
    + FINE
    + '2026-01-02T03:04:05Z,"mi\nka",192.0.2.7,"a ""b""",,,"suc\ncess"\r\n'
    + '2026-01-02T03:04:05Z,"mika,192.0.2.7,,,,\n'
    + FINE * 2
    + "\n"
    + "2026-01-02T03:04:05Z,ken,192.0.2.8,a,,,success\r\n"
    + '2026-01-02T03:04:05Z,mika,192.0.2.7,,,,"success'
)


@pytest.mark.parametrize("octets", [1, 7, 40, 64, 100, 333, 10_000])
def test_where_blocks_end_makes_no_difference(read, monkeypatch, octets):
    """Records are the same whether the file is read in one block or byte by byte."""
    monkeypatch.setattr("sekisho.campaigns.logs.blocks.BLOCK_BYTES", octets)
    monkeypatch.setattr("sekisho.campaigns.logs.delimited.PIECE_OCTETS", octets)
    log = read(NASTY)
    assert log.table["row"].to_pylist() == [0, 1, 3, 4, 5]
    assert log.table["member"].to_pylist() == ["mika", "mi\nka", "mika", "mika", "ken"]
    assert broken(log) == [(2, 6, "quotes_unbalanced"), (6, 11, "quotes_unbalanced")]


def test_a_table_without_one_column_of_the_record_is_named(tmp_path):
    """Its rows are no records."""
    (tmp_path / "a.csv").write_text("x,y\n1,2\n")
    (tmp_path / "b.csv").write_text(HEADER + FINE)
    log = read_logs([tmp_path / "a.csv", tmp_path / "b.csv"], log_format="csv", key=b"k" * 16)
    assert log.table["row"].to_pylist() == [0]
    assert log.faults.files[0][1].startswith("has none of the columns actor, amount_yen, ")
