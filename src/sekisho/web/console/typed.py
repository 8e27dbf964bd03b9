"""What is typed into the forms of the desks: times, yen, and choices among few words."""

import re
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from sekisho.kernel.japan import in_japan, japanese_us
from sekisho.kernel.refusals import Refusal

YEN_MAX = 10**12
_YEN = re.compile(r"[0-9]{1,13}")

Choice = TypeVar("Choice", bound=StrEnum)


class TypedUnusable(Refusal):
    """A field holds something that cannot be; `known` is the key of the words that say which."""

    code = "typed_unusable"
    status = 422
    told = "Something in the form cannot be."


def read_yen(text: str, *, words: str) -> int:
    """Read a sum of yen, with or without commas. Raises TypedUnusable."""
    plain = text.replace(",", "").replace("\N{IDEOGRAPHIC COMMA}", "").strip()
    if not _YEN.fullmatch(plain) or not plain.isascii() or int(plain) > YEN_MAX:
        raise TypedUnusable(known=words)
    return int(plain)


def read_moment(text: str, *, words: str) -> int:
    """Read a day and time of Japan, as browsers send it. Raises TypedUnusable."""
    try:
        at_us = japanese_us(datetime.fromisoformat(text.strip()).replace(tzinfo=None))
        # What begins before the first year elsewhere could not be written again.
        in_japan(at_us)
    except (ValueError, OverflowError) as error:
        raise TypedUnusable(known=words) from error
    return at_us


def read_choice(kind: type[Choice], text: str, *, words: str) -> Choice:
    """Read one of few words. Raises TypedUnusable."""
    try:
        return kind(text)
    except ValueError as error:
        raise TypedUnusable(known=words) from error


def as_typed(at_us: int) -> str:
    """Write a moment as a form's field holds it."""
    return f"{in_japan(at_us):%Y-%m-%dT%H:%M}"
