"""The register of banks and branches, by code and day: which bank a code named then, and who took it over.

Codes outlive banks on cards, in passbooks and in old records. A code that ended is still understood, and
leads to its successor; that a branch kept its number under another bank is never assumed.
"""

import datetime as dt
import importlib.metadata
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

import msgspec
import zengin_code

from sekisho.kernel.refusals import Refusal
from sekisho.linking.holder_names import read_holder_name

TABLE = "zengin-code"
_FULL_WIDTH_HYPHEN = "\uff0d"
_SUCCESSORS_MAX = 10


class BankUnknown(Refusal):
    """No bank has this code."""

    code = "bank_unknown"
    status = 404
    told = "There is no bank with this code."


class Bank(NamedTuple):
    """A bank as it was called on a day. `until` is its last day, `successor` the code of who took over."""

    code: str
    name: str
    kana: str
    until: dt.date | None = None
    successor: str = ""

    def is_open(self, on: dt.date) -> bool:
        """Say whether the code still named a bank of its own on a day."""
        return self.until is None or on <= self.until


class Branch(NamedTuple):
    """A branch of a bank."""

    code: str
    name: str
    kana: str


class _Ended(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    code: str
    name: str
    kana: str
    until: dt.date
    successor: str


class _Renamed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    code: str
    name: str
    kana: str
    until: dt.date


class _NamedBranch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    kana: str


class _Invented(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    code: str
    name: str
    kana: str
    branches: dict[str, _NamedBranch]


class _History(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    ended: list[_Ended]
    renamed: list[_Renamed]
    invented: list[_Invented]


class BankRegister:
    """All banks of a table, with what history and the demo add to it."""

    def __init__(self, table: Mapping[str, "zengin_code.Bank"], history: _History, edition: str) -> None:
        self._table = table
        self._ended = {one.code: one for one in history.ended}
        self._renamed = {one.code: one for one in history.renamed}
        self._invented = {one.code: one for one in history.invented}
        self.edition = edition

    def bank(self, code: str, on: dt.date) -> Bank:
        """Return the bank that a code named on a day, also where its last day has passed by then.

        Raises BankUnknown.
        """
        ended = self._ended.get(code)
        if ended is not None:
            return Bank(code, ended.name, ended.kana, ended.until, ended.successor)
        renamed = self._renamed.get(code)
        if renamed is not None and on <= renamed.until:
            return Bank(code, renamed.name, renamed.kana)
        invented = self._invented.get(code)
        if invented is not None:
            return Bank(code, invented.name, invented.kana)
        row = self._table.get(code)
        if row is None:
            raise BankUnknown(known=code[:8])
        return Bank(code, row.name, _kana(row.kana))

    def in_charge(self, code: str, on: dt.date) -> Bank:
        """Return the bank that holds the accounts of a code on a day: itself, or who took it over.

        Raises BankUnknown.
        """
        bank = self.bank(code, on)
        for _ in range(_SUCCESSORS_MAX):
            if bank.is_open(on):
                return bank
            bank = self.bank(bank.successor, on)
        raise BankUnknown(known=f"{code[:8]}: a circle of successors")

    def branch(self, bank_code: str, branch_code: str) -> Branch | None:
        """Return a branch as the table has it today; None where the bank has none of this number.

        Of banks that ended no branches are known. Raises BankUnknown.
        """
        invented = self._invented.get(bank_code)
        if invented is not None:
            own = invented.branches.get(branch_code)
            return None if own is None else Branch(branch_code, own.name, own.kana)
        if bank_code in self._ended:
            return None
        row = self._table.get(bank_code)
        if row is None:
            raise BankUnknown(known=bank_code[:8])
        found = row.branches.get(branch_code)
        return None if found is None else Branch(branch_code, found.name, _kana(found.kana))

    def codes(self) -> Iterator[str]:
        """Yield all codes that are known, those that ended included."""
        yield from {**self._table, **self._ended, **self._invented}


_OF_BANKS = ("0", "99")


@cache
def published_register() -> BankRegister:
    """Return the register of the installed table; it is read once."""
    text = Path(__file__).with_suffix(".toml").read_text(encoding="utf-8")
    history = msgspec.convert(tomllib.loads(text), _History)
    version = importlib.metadata.version(TABLE)
    return BankRegister(zengin_code.Bank.all, history, f"{TABLE} {version}")


def bank_in_words(code: str, on: dt.date) -> str:
    """Return what people call the bank of a code, the code where nobody knows it.

    The table names banks without the word for a bank, and everybody else with theirs (信金, 農協).
    """
    try:
        name = published_register().bank(code, on).name
    except BankUnknown:
        return code
    is_bank = code.startswith(_OF_BANKS) and not name.endswith("銀行")
    return f"{name}銀行" if is_bank else name


def _kana(full_width: str) -> str:
    return read_holder_name(full_width.replace(_FULL_WIDTH_HYPHEN, "ー"), octets_max=60)
