"""Member numbers: eleven digits drawn at random and a check digit, shown in groups of four.

The check digit is that of ISO/IEC 7064, MOD 11,10: it finds every single mistyped digit, and nearly every
pair that was swapped. Numbers are drawn and not counted up, so that nobody can walk along them.
"""

import unicodedata

from sekisho.kernel.chance import Chance

DIGITS = 12
_GROUP = 4
_SEPARATORS = str.maketrans("", "", " -\N{HYPHEN}\N{NON-BREAKING HYPHEN}\N{MINUS SIGN}\N{EN DASH}ー")


def draw(chance: Chance) -> str:
    """Draw a number; whether it is free is for the table to say. The first digit is never 0."""
    body = str(chance.below(9 * 10 ** (DIGITS - 2)) + 10 ** (DIGITS - 2))
    return body + check_digit(body)


def check_digit(body: str) -> str:
    """Return the digit that goes behind these digits."""
    product = 10
    for digit in body:
        product = 2 * ((product + int(digit)) % 10 or 10) % 11
    return str((11 - product) % 10)


def read(typed: str) -> str | None:
    """Read a number as people type it, full-width and with spaces or hyphens; None where it is none."""
    plain = unicodedata.normalize("NFKC", typed).strip().translate(_SEPARATORS)
    if len(plain) != DIGITS or not (plain.isascii() and plain.isdecimal()):
        return None
    return plain if check_digit(plain[:-1]) == plain[-1] else None


def grouped(number: str) -> str:
    """Write a number in groups of four, as it is shown."""
    return " ".join(number[start : start + _GROUP] for start in range(0, len(number), _GROUP))
