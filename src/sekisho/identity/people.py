"""Who somebody is, as typed at sign-up, in the forms in which it is kept."""

import unicodedata
from datetime import UTC, date, datetime

import msgspec

from sekisho.identity.names import NAME_MAX, read_kana, read_name
from sekisho.kernel.clock import SECOND_US
from sekisho.kernel.refusals import Refusal

ADDRESS_MAX = 200
AGE_YEARS_MAX = 120


class BirthDateUnusable(Refusal):
    """What was typed is no day on which somebody who lives was born."""

    code = "birth_date_unusable"
    status = 422
    told = "This is not a date of birth. Write it as year, month and day."


class AddressUnusable(Refusal):
    """The postal address is empty, too long, or has characters that cannot be seen."""

    code = "address_unusable"
    status = 422
    told = "We can't send a letter to this address. Please check it."


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """A person who opens an account: kanji name, reading, date of birth (YYYY-MM-DD) and home address."""

    name: str
    kana: str
    birth_date: str
    home_address: str


def read_person(typed: Person, now_us: int) -> Person:
    """Return a person in the forms that are kept.

    Raises NameUnusable, BirthDateUnusable and AddressUnusable.
    """
    return Person(
        name=read_name(typed.name),
        kana=read_kana(typed.kana),
        birth_date=read_birth_date(typed.birth_date, now_us),
        home_address=read_address(typed.home_address),
    )


def read_birth_date(typed: str, now_us: int) -> str:
    """Return a date of birth as YYYY-MM-DD. Raises BirthDateUnusable."""
    plain = unicodedata.normalize("NFKC", typed[:NAME_MAX]).strip()
    try:
        born = date(*(int(part) for part in plain.replace("/", "-").split("-", 2)))
    except (OverflowError, TypeError, ValueError) as error:
        raise BirthDateUnusable from error
    today = datetime.fromtimestamp(now_us // SECOND_US, UTC).date()
    if not (born <= today and today.year - born.year <= AGE_YEARS_MAX):
        raise BirthDateUnusable
    return born.isoformat()


def read_address(typed: str) -> str:
    """Return a postal address in one line. Raises AddressUnusable."""
    line = unicodedata.normalize("NFC", " ".join(typed[: 4 * ADDRESS_MAX].split()))
    if not line or len(line) > ADDRESS_MAX:
        raise AddressUnusable
    if any(unicodedata.category(character).startswith("C") for character in line):
        raise AddressUnusable(known="a control, unseen or private character")
    return line
