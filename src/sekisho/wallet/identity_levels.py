"""Identity levels: what is proven of a member, and what each level may do, dated.

`identity_levels.toml` holds the ceilings with their sources. Without a proof a wallet can do nothing with
money, so that one that was opened in somebody else's name is worth nothing.
"""

import datetime as dt
import tomllib
from enum import StrEnum
from functools import cache
from pathlib import Path

import msgspec

from sekisho.kernel.refusals import Refusal
from sekisho.kernel.yen import Yen
from sekisho.wallet.switches import Function

_FILE = Path(__file__).with_suffix(".toml")


class IdentityLevel(StrEnum):
    """What is proven of a member, in rising order."""

    NONE = "none"
    """Somebody has logged in with the ID: nothing is proven to the wallet."""

    PHONE = "phone"
    """A mobile number takes text messages here, and is this wallet's alone."""

    VERIFIED = "verified"
    """Who the member is was established in a lawful way, beside the phone."""


class LevelTooLow(Refusal):
    """The level does not allow this at all; a proof more, and it would."""

    code = "identity_level_too_low"
    status = 403
    told = "Please confirm who you are first. You find how under “Identity”."


class Ceiling(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much one function may move: at once, in a day and in a month of the Japanese calendar, in yen."""

    once_yen: int
    day_yen: int
    month_yen: int


class LevelRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a level may do. `hold_yen` is the highest balance; `may` the functions, some with a ceiling.

    `receives` says whether money that others send may be accepted.
    """

    hold_yen: int
    may: tuple[Function, ...] = ()
    receives: bool = False
    ceilings: dict[Function, Ceiling] = {}


class LevelBook(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The rules of all levels from a day on."""

    from_: dt.date = msgspec.field(name="from")
    source: str
    levels: dict[IdentityLevel, LevelRule]

    def rule(self, level: IdentityLevel) -> LevelRule:
        """Return what a level may do."""
        return self.levels[level]


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    books: tuple[LevelBook, ...]


@cache
def level_books() -> tuple[LevelBook, ...]:
    """Return every book, oldest first. Raises msgspec.ValidationError where one is not whole."""
    books = msgspec.convert(tomllib.loads(_FILE.read_text(encoding="utf-8")), _File).books
    for book in books:
        if set(book.levels) != set(IdentityLevel):
            raise msgspec.ValidationError(f"the book of {book.from_} lacks a level")
        for rule in book.levels.values():
            if not set(rule.ceilings) <= set(rule.may):
                raise msgspec.ValidationError(f"the book of {book.from_} limits what it does not allow")
    if [book.from_ for book in books] != sorted({book.from_ for book in books}):
        raise msgspec.ValidationError("the books are not in the order of their days")
    return books


def rules_on(day: dt.date) -> LevelBook:
    """Return the book of a day. Raises LookupError before the first."""
    found = [book for book in level_books() if book.from_ <= day]
    if not found:
        raise LookupError(f"no identity levels were in force on {day}")
    return found[-1]


def require_may(level: IdentityLevel, function: Function, day: dt.date) -> LevelRule:
    """Return the rule of a level that may use a function. Raises LevelTooLow."""
    rule = rules_on(day).rule(level)
    if function not in rule.may:
        raise LevelTooLow(known=f"{function} at level {level}")
    return rule


def lowest_for(function: Function, day: dt.date) -> IdentityLevel | None:
    """Return the lowest level that may use a function; None where none may."""
    book = rules_on(day)
    return next((level for level in IdentityLevel if function in book.rule(level).may), None)


def hold_max(level: IdentityLevel, day: dt.date) -> Yen:
    """Return the highest balance of a wallet of a level."""
    return Yen(rules_on(day).rule(level).hold_yen)
