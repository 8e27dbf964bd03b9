"""The lawful ways of establishing who somebody is, dated: `identity_methods.toml` holds them.

A check keeps our code, which never changes, and the ordinance's letter of its day, where the letter is known.
"""

import datetime as dt
import tomllib
from enum import StrEnum
from functools import cache
from pathlib import Path

import msgspec

from sekisho.kernel.refusals import Refusal

_FILE = Path(__file__).with_suffix(".toml")


class Method(StrEnum):
    """A way of establishing who somebody is without meeting."""

    PHOTO_ID_SELFIE = "PHOTO_ID_SELFIE"
    """Images of a photo ID and of the face, taken in our software."""

    IC_SELFIE = "IC_SELFIE"
    """The chip of a photo ID, and an image of the face."""

    ID_PLUS_BANK_API = "ID_PLUS_BANK_API"
    """An ID, and a bank or card company that has established the same person."""

    ID_PLUS_MICRO_TRANSFER = "ID_PLUS_MICRO_TRANSFER"
    """An ID, and a small transfer to the person's own account."""

    ID_PLUS_MAIL = "ID_PLUS_MAIL"
    """An ID, and registered mail to the address on it."""

    JPKI = "JPKI"
    """A signature by the certificate on the public identity card."""

    CARD_SUBSTITUTE_RECORD = "CARD_SUBSTITUTE_RECORD"
    """The record on a telephone that stands for the card."""


class MethodNotAllowed(Refusal):
    """The law does not let this way be used for a new check on this day, or it is not recorded like this."""

    code = "identity_method_not_allowed"
    status = 422
    told = "We can't use this way of identity check. Please choose another."


class Lettered(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the ordinance calls a way from a day on, up to and without another one."""

    letter: str
    from_: dt.date = msgspec.field(name="from", default=dt.date.min)
    until: dt.date = dt.date.max


class LawfulMethod(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A way and the days between which a new check may use it: from the first, up to and without the last.

    `by_certificate` says whether the program verifies it by itself; the others are recorded by staff.
    """

    code: Method
    name: dict[str, str]
    by_certificate: bool
    letters: tuple[Lettered, ...]
    source: str
    from_: dt.date = msgspec.field(name="from", default=dt.date.min)
    until: dt.date = dt.date.max

    def is_allowed_on(self, day: dt.date) -> bool:
        """Say whether a new check may use it on a day."""
        return self.from_ <= day < self.until

    def letter_on(self, day: dt.date) -> str:
        """Return what the ordinance calls it on a day; empty where we do not know."""
        found = [each.letter for each in self.letters if each.from_ <= day < each.until]
        return found[0] if found else ""


class _Book(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    methods: tuple[LawfulMethod, ...]


@cache
def lawful_methods() -> dict[Method, LawfulMethod]:
    """Return every way by its code. Raises msgspec.ValidationError where the book lacks one."""
    book = msgspec.convert(tomllib.loads(_FILE.read_text(encoding="utf-8")), _Book)
    found = {method.code: method for method in book.methods}
    if set(found) != set(Method) or len(found) != len(book.methods):
        raise msgspec.ValidationError("each way stands in the book once")
    return found


def allowed_on(day: dt.date) -> tuple[LawfulMethod, ...]:
    """Return the ways that a new check may use on a day, in the book's order."""
    return tuple(method for method in lawful_methods().values() if method.is_allowed_on(day))


def require_allowed(code: Method, day: dt.date, *, by_certificate: bool) -> LawfulMethod:
    """Return a way that may be used on a day. Raises MethodNotAllowed.

    What the program verifies by itself can't be written down by hand, and the other way round.
    """
    method = lawful_methods()[code]
    if method.is_allowed_on(day) and method.by_certificate is by_certificate:
        return method
    others = [each.code for each in allowed_on(day) if each.by_certificate is by_certificate]
    raise MethodNotAllowed(
        known=f"{code} on {day}", told=f"This way can't be used on {day}. These can: {', '.join(others)}."
    )
