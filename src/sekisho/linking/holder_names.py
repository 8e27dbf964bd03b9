"""Holders' names as banks write them: half-width katakana capitals, and what else their files have room for.

One person types しちじゅうしち, another シチジュウシチ, a bank writes ｼﾁｼﾞﾕｳｼﾁ: they are one name. What has no
form in the banks' set of characters is refused and named, never left out: a name that lost a character would
be somebody else's.
"""

import re
import tomllib
import unicodedata
from pathlib import Path
from typing import NamedTuple

from sekisho.identity.names import as_banks_write
from sekisho.kernel.refusals import Refusal

OCTETS_MAX = 30
"""The room for a holder's name in a record of a bank file; a voiced mark takes one octet more."""

TYPED_MAX = 240
_ALLOWED = re.compile(r"[ｱ-ﾝﾞﾟA-Z0-9()\-./ ｢｣\\]")
_YEN_SIGNS = str.maketrans({"¥": "\\", "￥": "\\"})


class HolderNameUnusable(Refusal):
    """A name that no bank can write. `character` is the one that stands in the way, empty where none does."""

    code = "holder_name_unusable"
    status = 422
    told = "The holder's name has a character that banks don't write, or is too long."

    def __init__(self, character: str, known: str) -> None:
        self.character = character
        super().__init__(known=known)


def read_holder_name(typed: str, *, octets_max: int = OCTETS_MAX) -> str:
    """Return a holder's name as banks write it. Raises HolderNameUnusable.

    What comes out is taken again and stays what it is.
    """
    if len(typed) > TYPED_MAX:
        raise HolderNameUnusable("", "too long to be read")
    name = as_banks_write(typed.translate(_YEN_SIGNS))
    for character in name:
        if not _ALLOWED.fullmatch(character):
            raise HolderNameUnusable(_as_typed(typed, character), "a character outside the banks' set")
    if not name:
        raise HolderNameUnusable("", "empty")
    if len(name) > octets_max:
        raise HolderNameUnusable("", f"longer than {octets_max} octets")
    return name


def read_corporate_name(typed: str, *, octets_max: int = OCTETS_MAX) -> str:
    """Return the name of a company or other body, its kind abbreviated as banks do: `ｶ)ｻｸﾗ`, `ｻｸﾗ(ｶ`.

    A bracket closes the abbreviation towards the name: one at its beginning or end, two in its middle.
    Raises HolderNameUnusable.
    """
    if len(typed) > TYPED_MAX:
        raise HolderNameUnusable("", "too long to be read")
    plain = unicodedata.normalize("NFKC", typed)
    for written in (plain, as_banks_write(plain)):
        for form in _FORMS:
            before, found, after = written.partition(form.written)
            if found:
                return read_holder_name(_joined(before, form.short, after), octets_max=octets_max)
    return read_holder_name(plain, octets_max=octets_max)


def _joined(before: str, short: str, after: str) -> str:
    before, after = before.strip(), after.strip()
    opening, closing = "(" if before else "", ")" if after else ""
    return f"{before}{opening}{short}{closing}{after}"


def _as_typed(typed: str, character: str) -> str:
    """Return the character as the person typed it, whom its normal form would tell nothing."""
    return next((one for one in typed if character in as_banks_write(one)), character)


class _Form(NamedTuple):
    written: str
    short: str


def _forms() -> tuple[_Form, ...]:
    """Read the kinds of bodies, the longest way of writing first: 一般社団法人 before 社団法人."""
    kinds = tomllib.loads(Path(__file__).with_name("corporate_kinds.toml").read_text(encoding="utf-8"))
    forms = (
        _Form(as_banks_write(written) if kind["reading"] == written else written, kind["short"])
        for kind in kinds["kind"]
        for written in (*kind["written"], kind["reading"])
    )
    return tuple(sorted(forms, key=lambda form: -len(form.written)))


_FORMS = _forms()
