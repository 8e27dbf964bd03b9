"""Files as banks in Japan exchange them: records of 120 single-byte characters, header, data, trailer, end.

Two kinds are here: transfers to be made (総合振込, 21) and debits to be collected with their results
(口座振替, 91). A file is taken whole or not at all: what is short, doubled, added up wrongly or out of order
is refused with the record's number, because a file that is half understood moves the wrong money.
Layouts: https://www.miyagin.co.jp/kfkdown-zengin-help, https://expydoc.com/doc/11700435.
"""

from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from sekisho.kernel.yen import Yen, total

RECORD_OCTETS = 120
LINE_END = b"\r\n"
ENCODING = "shift_jis"
FILE_OCTETS_MAX = 50_000_000
HEADER, DATA, TRAILER, END = "1", "2", "8", "9"


class FileKind(StrEnum):
    """What a file asks for."""

    TRANSFERS = "21"
    DEBITS = "91"


class DebitResult(StrEnum):
    """What came of a debit."""

    DONE = "0"
    """Debited (振替済)."""

    NO_FUNDS = "1"
    """The account did not hold enough (資金不足)."""

    NO_ACCOUNT = "2"
    """There is no such account (取引なし)."""

    DEPOSITOR_STOPPED = "3"
    """The depositor told the bank to stop (預金者の都合): a warning where the mandate is new."""

    NO_MANDATE = "4"
    """The bank holds no mandate (依頼書なし)."""

    COLLECTOR_STOPPED = "8"
    """The collector told the bank to stop (委託者の都合)."""

    OTHER = "9"
    """Anything else (その他)."""


class TransferResult(StrEnum):
    """What came of a transfer.

    The layout has no field for it: the bank sends the file back with a mark in the first of the seven
    characters that are left to it.
    """

    PAID = "0"
    """The payee has it."""

    NO_ACCOUNT = "1"
    """There is no such account; the amount is back."""

    HOLDER_DIFFERS = "2"
    """The account is somebody else's; the amount is back."""

    OTHER = "9"
    """The amount is back for another reason."""


class Party(NamedTuple):
    """Who sends or collects: the code and half-width kana name that the bank knows, and the account there."""

    code: str
    kana: str
    account: "BankAccount"


class BankAccount(NamedTuple):
    """An account at a bank. Codes are digits with their zeros; kinds are 1 普通, 2 当座, 4 貯蓄, 9 その他."""

    bank: str
    branch: str
    kind: str
    number: str
    bank_kana: str = ""
    branch_kana: str = ""


class Row(NamedTuple):
    """One amount for one account. `reference` (20 characters at most) comes back with the result."""

    account: BankAccount
    holder_kana: str
    amount: Yen
    reference: str
    first: bool = False
    result: DebitResult | TransferResult | None = None


class ZenginFile(NamedTuple):
    """A file with everything that its records say; header and trailer agree with the rows."""

    kind: FileKind
    party: Party
    on: date
    rows: tuple[Row, ...]

    @property
    def amount(self) -> Yen:
        """Return the sum of all rows."""
        return total(row.amount for row in self.rows)


class ZenginFault(ValueError):  # noqa: N818 - an answer about a file, and told as one
    """A file that is not taken, or a value that does not fit.

    `record` counts from 1; 0 is the file. `field` names the field where it is one that is wrong.
    """

    def __init__(self, record: int, what: str, field: str = "") -> None:
        self.record = record
        self.what = what
        self.field = field
        where = " ".join(part for part in (f"record {record}" if record else "", field) if part)
        super().__init__(f"{where}: {what}" if where else what)


class _Field(NamedTuple):
    """A field of a record: numbers stand right with zeros, characters left with spaces."""

    name: str
    width: int
    is_number: bool


def _numbers(name: str, width: int) -> _Field:
    return _Field(name, width, is_number=True)


def _characters(name: str, width: int) -> _Field:
    return _Field(name, width, is_number=False)


_ACCOUNT = (
    _numbers("bank", 4),
    _characters("bank_kana", 15),
    _numbers("branch", 3),
    _characters("branch_kana", 15),
)
_HEADER = (
    _numbers("kind", 2),
    _numbers("code_kind", 1),
    _numbers("party_code", 10),
    _characters("party_kana", 40),
    _numbers("day", 4),
    *_ACCOUNT,
    _numbers("account_kind", 1),
    _numbers("number", 7),
    _characters("blank", 17),
)
_ROW_ACCOUNT = (
    *_ACCOUNT,
    _characters("house", 4),
    _numbers("account_kind", 1),
    _numbers("number", 7),
    _characters("holder_kana", 30),
    _numbers("amount", 10),
    _numbers("first", 1),
    _characters("reference", 20),
)
_ROW = {
    FileKind.TRANSFERS: (
        *_ROW_ACCOUNT,
        _numbers("way", 1),
        _characters("edi", 1),
        _characters("result", 1),
        _characters("blank", 6),
    ),
    FileKind.DEBITS: (*_ROW_ACCOUNT, _characters("result", 1), _characters("blank", 8)),
}
_SUMS = (_numbers("count", 6), _numbers("amount", 12))
_TRAILER = {
    FileKind.TRANSFERS: (*_SUMS, _characters("blank", 101)),
    FileKind.DEBITS: (
        *_SUMS,
        _numbers("done_count", 6),
        _numbers("done_amount", 12),
        _numbers("failed_count", 6),
        _numbers("failed_amount", 12),
        _characters("blank", 65),
    ),
}
_WIRE = "7"  # 電信


def write_file(file: ZenginFile) -> bytes:
    """Write a file. Raises ZenginFault where a value does not fit its field."""
    records = [_record(0, HEADER, _HEADER, _header_values(file))]
    for number, row in enumerate(file.rows, start=2):
        records.append(_record(number, DATA, _ROW[file.kind], _row_values(file.kind, row)))
    records.append(_record(0, TRAILER, _TRAILER[file.kind], _sums(file)))
    records.append(END.encode() + b" " * (RECORD_OCTETS - 1))
    return b"".join(record + LINE_END for record in records)


def read_file(octets: bytes, *, near: date) -> ZenginFile:
    """Read a file, with or without line ends. Its day has no year: the one nearest to `near` is taken.

    Raises ZenginFault for anything that is not exactly a file of either kind.
    """
    records = _records(octets)
    kind, header = _read_header(records[0])
    rows, trailer = [], None
    for number, record in enumerate(records[1:-1], start=2):
        if trailer is not None:
            raise ZenginFault(number, "stands behind the trailer")
        if record[:1] == DATA:
            rows.append(_read_row(number, kind, record))
        elif record[:1] == TRAILER:
            trailer = _values(number, record, _TRAILER[kind])
        else:
            raise ZenginFault(number, f"is neither data nor trailer: {record[:1]!r}")
    if trailer is None or records[-1][:1] != END:
        raise ZenginFault(len(records), "the file is cut off: trailer and end are missing")
    account = _account(header)
    party = Party(code=header["party_code"], kana=header["party_kana"], account=account)
    file = ZenginFile(kind=kind, party=party, on=_day(header["day"], near), rows=tuple(rows))
    _require_sums(file, trailer, len(records) - 1)
    return file


def trailer_of(file: ZenginFile) -> dict[str, int]:
    """Return what a file's trailer says: counts of rows, and amounts in yen, by the fields' names.

    Debits with results are also added up as done and as failed.
    """
    return {name: int(value) for name, value in _sums(file).items()}


def _records(octets: bytes) -> list[str]:
    if len(octets) > FILE_OCTETS_MAX:
        raise ZenginFault(0, "the file is too large")
    step = RECORD_OCTETS + (len(LINE_END) if octets[RECORD_OCTETS : RECORD_OCTETS + 2] == LINE_END else 0)
    if not octets or len(octets) % step:
        raise ZenginFault(len(octets) // step + 1, "the file ends in the middle of a record")
    records = [octets[start : start + step] for start in range(0, len(octets), step)]
    for number, record in enumerate(records, start=1):
        if record[RECORD_OCTETS:] not in {b"", LINE_END} or b"\r" in record[:RECORD_OCTETS]:
            raise ZenginFault(number, "a record has 120 characters, and all end alike")
    return [_text(number, record[:RECORD_OCTETS]) for number, record in enumerate(records, start=1)]


def _text(number: int, record: bytes) -> str:
    text = record.decode(ENCODING, errors="replace")
    if len(text) != RECORD_OCTETS or "\N{REPLACEMENT CHARACTER}" in text or not text.isprintable():
        raise ZenginFault(number, f"octet {_unread(record)} is no single byte of JIS")
    return text


def _unread(record: bytes) -> int:
    """Return where in a record the first octet stands that is no character by itself, counted from 1."""
    single = (bytes([octet]).decode(ENCODING, errors="ignore").isprintable() for octet in record)
    whole = (len(bytes([octet]).decode(ENCODING, errors="ignore")) == 1 for octet in record)
    fine = [known and printable for known, printable in zip(whole, single, strict=True)]
    return fine.index(False) + 1 if False in fine else len(record)


def _read_header(record: str) -> tuple[FileKind, dict[str, str]]:
    if record[:1] != HEADER:
        raise ZenginFault(1, "the file does not begin with a header")
    header = _values(1, record, _HEADER)
    try:
        return FileKind(header["kind"]), header
    except ValueError as error:
        raise ZenginFault(1, f"no file of kind {header['kind']} is read here", "kind") from error


def _read_row(number: int, kind: FileKind, record: str) -> Row:
    values = _values(number, record, _ROW[kind])
    return Row(
        account=_account(values),
        holder_kana=values["holder_kana"],
        amount=Yen(int(values["amount"])),
        reference=values["reference"],
        first=values["first"] == "1",
        result=_result(number, kind, values["result"]),
    )


def _result(number: int, kind: FileKind, code: str) -> DebitResult | TransferResult | None:
    if not code:
        return None
    try:
        return TransferResult(code) if kind is FileKind.TRANSFERS else DebitResult(code)
    except ValueError as error:
        raise ZenginFault(number, f"no result code: {code!r}", "result") from error


def _account(values: dict[str, str]) -> BankAccount:
    return BankAccount(
        bank=values["bank"],
        branch=values["branch"],
        kind=values["account_kind"],
        number=values["number"],
        bank_kana=values["bank_kana"],
        branch_kana=values["branch_kana"],
    )


def _values(number: int, record: str, fields: Sequence[_Field]) -> dict[str, str]:
    values, start = {}, 1
    for field in fields:
        text = record[start : start + field.width]
        start += field.width
        if field.is_number and not (text.isascii() and text.isdigit()):
            raise ZenginFault(number, f"is no number: {text!r}", field.name)
        values[field.name] = text if field.is_number else text.rstrip(" ")
    return values


def _record(number: int, kind: str, fields: Sequence[_Field], values: dict[str, str]) -> bytes:
    text = kind
    for field in fields:
        value = values.get(field.name, "")
        if field.is_number and value and not (value.isascii() and value.isdigit()):
            raise ZenginFault(number, f"is no number: {value!r}", field.name)
        filled = value.rjust(field.width, "0") if field.is_number else value.ljust(field.width)
        if len(filled) != field.width or not filled.isprintable():
            raise ZenginFault(number, f"does not fit its {field.width} characters: {value!r}", field.name)
        text += filled
    try:
        octets = text.encode(ENCODING)
    except UnicodeEncodeError as error:
        raise ZenginFault(number, "has a character that JIS does not know") from error
    if len(octets) != RECORD_OCTETS:
        raise ZenginFault(number, "has a character of two bytes; names are written in half-width kana")
    return octets


def _header_values(file: ZenginFile) -> dict[str, str]:
    account = file.party.account
    return {
        "kind": file.kind.value,
        "code_kind": "0",
        "party_code": file.party.code,
        "party_kana": file.party.kana,
        "day": file.on.strftime("%m%d"),
        **_account_values(account),
    }


def _account_values(account: BankAccount) -> dict[str, str]:
    return {
        "bank": account.bank,
        "bank_kana": account.bank_kana,
        "branch": account.branch,
        "branch_kana": account.branch_kana,
        "account_kind": account.kind,
        "number": account.number,
    }


def _row_values(kind: FileKind, row: Row) -> dict[str, str]:
    if row.amount <= Yen(0):
        raise ZenginFault(0, f"must be above zero: {row.amount}", "amount")
    values = {
        **_account_values(row.account),
        "holder_kana": row.holder_kana,
        "amount": str(row.amount.amount),
        "first": "1" if row.first else "0",
        "reference": row.reference,
    }
    values["result"] = row.result.value if row.result is not None else " "
    return {**values, "way": _WIRE} if kind is FileKind.TRANSFERS else values


def _sums(file: ZenginFile) -> dict[str, str]:
    sums = {"count": str(len(file.rows)), "amount": str(file.amount.amount)}
    decided = [row for row in file.rows if row.result is not None]
    if file.kind is FileKind.DEBITS and decided:
        done = [row for row in decided if row.result is DebitResult.DONE]
        failed = [row for row in decided if row.result is not DebitResult.DONE]
        for name, rows in (("done", done), ("failed", failed)):
            sums[f"{name}_count"] = str(len(rows))
            sums[f"{name}_amount"] = str(total(row.amount for row in rows).amount)
    return sums


def _require_sums(file: ZenginFile, trailer: dict[str, str], number: int) -> None:
    for name, value in _sums(file).items():
        if int(trailer[name]) != int(value):
            said = int(trailer[name])
            raise ZenginFault(number, f"says {said}, the rows add up to {value}", name)


def _day(text: str, near: date) -> date:
    days = []
    for year in (near.year - 1, near.year, near.year + 1):
        try:
            days.append(date(year, int(text[:2]), int(text[2:])))
        except ValueError:
            continue  # 29 February is in some years only
    if not days:
        raise ZenginFault(1, f"no day of any year: {text}", "day")
    return min(days, key=lambda day: abs((day - near).days))
