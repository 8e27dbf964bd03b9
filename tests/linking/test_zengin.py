"""Zengin files: written to the byte, read back, and refused where anything is wrong."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.kernel.yen import Yen
from sekisho.linking.zengin import (
    BankAccount,
    DebitResult,
    FileKind,
    Party,
    Row,
    TransferResult,
    ZenginFault,
    ZenginFile,
    read_file,
    write_file,
)

TODAY = date(2026, 11, 22)
OURS = Party(
    code="1234567890",
    kana="ｱｻｷﾞﾘﾛ-ﾝ",
    account=BankAccount("0001", "100", "1", "7654321", "ﾐｽﾞﾎ", "ﾄｳｷﾖｳ"),
)
THEIRS = BankAccount("0125", "100", "1", "0012345", "ｼﾁｼﾞﾕｳｼﾁ", "ﾎﾝﾃﾝ")


def rows(*results):
    return tuple(
        Row(THEIRS, "ﾔﾏﾀﾞ ﾊﾅｺ", Yen(1_000 * number), f"WDR{number:017d}", result=result)
        for number, result in enumerate(results, start=1)
    )


def file_of(kind=FileKind.DEBITS, *results):
    return ZenginFile(kind, OURS, TODAY, rows(*(results or (None, None))))


def test_a_transfer_file_to_the_byte():
    """Header, data, trailer and end, each of 120 characters and a line end."""
    octets = write_file(file_of(FileKind.TRANSFERS))
    lines = octets.split(b"\r\n")
    assert [len(line) for line in lines] == [120] * 5 + [0]
    header, first = lines[0].decode("shift_jis"), lines[1].decode("shift_jis")
    assert header.startswith("12101234567890ｱｻｷﾞﾘﾛ-ﾝ")
    assert header[54:62] == "11220001"
    assert first[:5] == "20125"
    assert first[38:50] == "    10012345"
    assert first[50:61] == "ﾔﾏﾀﾞ ﾊﾅｺ   "
    assert first[80:91] == "00000010000"
    assert first[111] == "7"
    assert lines[3] == b"8000002000000003000" + b" " * 101
    assert lines[4] == b"9" + b" " * 119


def test_a_debit_file_with_its_results():
    octets = write_file(file_of(FileKind.DEBITS, DebitResult.DONE, DebitResult.NO_FUNDS, DebitResult.DONE))
    trailer = octets.split(b"\r\n")[4]
    assert trailer.startswith(b"8000003000000006000" + b"000002000000004000" + b"000001000000002000")
    assert [row.result for row in read_file(octets, near=TODAY).rows] == ["0", "1", "0"]


def test_a_transfer_file_comes_back_with_its_results():
    """The mark stands in the first of the seven characters that the layout leaves to the bank."""
    results = (TransferResult.PAID, TransferResult.HOLDER_DIFFERS)
    octets = write_file(file_of(FileKind.TRANSFERS, *results))
    assert octets.split(b"\r\n")[2][111:] == b"7 2      "
    assert tuple(row.result for row in read_file(octets, near=TODAY).rows) == results


KANA = st.text("ｱｲｳｴｵｶﾀﾅﾊﾏﾔﾗﾜﾝﾞﾟABCXYZ0129()-./", max_size=12).map(str.strip)
DIGITS = st.integers(0, 9_999_999).map("{:07d}".format)
ACCOUNTS = st.builds(
    BankAccount,
    bank=st.integers(0, 9_999).map("{:04d}".format),
    branch=st.integers(0, 999).map("{:03d}".format),
    kind=st.sampled_from(["1", "2", "4", "9"]),
    number=DIGITS,
    bank_kana=KANA,
    branch_kana=KANA,
)


@given(
    kind=st.sampled_from(FileKind),
    on=st.dates(date(2026, 6, 1), date(2027, 5, 1)),
    code=st.integers(0, 9_999_999_999).map("{:010d}".format),
    details=st.lists(
        st.tuples(
            ACCOUNTS, KANA, st.integers(1, 9_999_999_999), KANA, st.booleans(), st.sampled_from(DebitResult)
        ),
        max_size=6,
    ),
    line_ends=st.booleans(),
)
def test_what_was_written_is_read_back(kind, on, code, details, line_ends):
    made = tuple(
        Row(account, holder, Yen(amount), reference, first, result if kind is FileKind.DEBITS else None)
        for account, holder, amount, reference, first, result in details
    )
    file = ZenginFile(kind, Party(code, "ｶ)ｱｻｷﾞﾘ", OURS.account), on, made)
    octets = write_file(file)
    assert read_file(octets if line_ends else octets.replace(b"\r\n", b""), near=TODAY) == file


def replaced(position, text):
    octets = write_file(file_of())
    return octets[:position] + text + octets[position + len(text) :]


LINE = 122
FAULTS = {
    "nothing": b"",
    "cut in a record": write_file(file_of())[:300],
    "no end": write_file(file_of())[: 4 * LINE],
    "no trailer": write_file(file_of())[: 3 * LINE] + write_file(file_of())[4 * LINE :],
    "doubled": write_file(file_of()) * 2,
    "a row twice": write_file(file_of())[: 2 * LINE] + write_file(file_of())[LINE:],
    "a row less": write_file(file_of())[:LINE] + write_file(file_of())[2 * LINE :],
    "no header": write_file(file_of())[LINE:],
    "another kind": replaced(1, b"11"),
    "an amount that is none": replaced(LINE + 80, b"12x"),
    "another amount": replaced(LINE + 89, b"9"),
    "a result that is none": replaced(LINE + 111, b"7"),
    "a kanji": replaced(LINE + 50, "山".encode("shift_jis")),
    "no JIS": replaced(LINE + 50, b"\x80"),
    "a control character": replaced(LINE + 50, b"\x00"),
    "line feeds alone": write_file(file_of()).replace(b"\r\n", b"\n"),
    "no day": replaced(54, b"1332"),
    "a row behind the trailer": write_file(file_of())[: 4 * LINE]
    + write_file(file_of())[LINE : 2 * LINE]
    + write_file(file_of())[4 * LINE :],
}


@pytest.mark.parametrize("octets", FAULTS.values(), ids=FAULTS.keys())
def test_what_is_wrong_is_refused_whole(octets):
    with pytest.raises(ZenginFault):
        read_file(octets, near=TODAY)


@given(octets=st.binary(max_size=600))
def test_any_bytes_are_read_or_refused(octets):
    with pytest.raises(ZenginFault):
        read_file(octets, near=TODAY)


@given(at=st.integers(0, 5 * 122 - 1), octet=st.integers(0, 255))
def test_a_changed_octet_is_refused_or_changes_no_sum(at, octet):
    octets = write_file(file_of())
    changed = octets[:at] + bytes([octet]) + octets[at + 1 :]
    try:
        file = read_file(changed, near=TODAY)
    except ZenginFault:
        return
    assert (len(file.rows), file.amount) == (2, Yen(3_000))


@pytest.mark.parametrize(
    "row",
    [
        Row(THEIRS, "ﾔﾏﾀﾞ ﾊﾅｺ", Yen(10_000_000_000), "1"),
        Row(THEIRS, "ﾔﾏﾀﾞ ﾊﾅｺ", Yen(0), "1"),
        Row(THEIRS, "山田花子", Yen(1), "1"),
        Row(THEIRS, "ｱ" * 31, Yen(1), "1"),
        Row(THEIRS._replace(number="12345678"), "ｱ", Yen(1), "1"),
        Row(THEIRS._replace(number="12a"), "ｱ", Yen(1), "1"),
        Row(THEIRS, "ｱ", Yen(1), "1\r\n2"),
        Row(THEIRS, "ｱ", Yen(1), "é"),
    ],
)
def test_what_does_not_fit_is_not_written(row):
    with pytest.raises(ZenginFault):
        write_file(ZenginFile(FileKind.DEBITS, OURS, TODAY, (row,)))


@pytest.mark.parametrize(
    ("near", "on"),
    [(date(2027, 1, 2), date(2026, 12, 31)), (date(2026, 12, 31), date(2026, 12, 31))],
)
def test_a_day_without_a_year_is_the_nearest(near, on):
    octets = write_file(ZenginFile(FileKind.DEBITS, OURS, date(2026, 12, 31), rows(None)))
    assert read_file(octets, near=near).on == on


def test_the_29th_of_february_is_in_a_leap_year():
    octets = write_file(ZenginFile(FileKind.DEBITS, OURS, date(2028, 2, 29), rows(None)))
    assert read_file(octets, near=date(2027, 12, 1)).on == date(2028, 2, 29)
