"""Whether an account's holder is our verified member: the same name, birth date and phone, or a person looks.

Nothing here is fuzzy. Names are compared in the one form that banks write, and are equal, or equal but for
spaces, or different; a likeness is never a match, because whoever opens a wallet in somebody's name may
choose how like it is.
"""

import datetime as dt
from enum import StrEnum
from typing import NamedTuple

from sekisho.linking.holder_names import HolderNameUnusable, read_holder_name

NAME_OCTETS_MAX = 60


class NameMatch(StrEnum):
    """How two holders' names compare."""

    EXACT = "exact"
    """Equal as banks write them."""

    SPACES = "spaces"
    """Equal when spaces are taken away."""

    DIFFERENT = "different"
    """Anything else, however alike."""


class Verdict(StrEnum):
    """What follows from a comparison."""

    MATCHED = "matched"
    """The holder is the member."""

    REVIEW = "review"
    """Two of three agree, and a person has to look at the third."""

    REFUSED = "refused"
    """The holder is somebody else, as far as anybody can tell."""


class Person(NamedTuple):
    """Who our member was verified to be."""

    name_kana: str
    birth_date: dt.date


class Holder(NamedTuple):
    """Whose account it is by the bank's books; `phone_matches` is None where phones were not compared."""

    name_kana: str
    birth_date: str
    phone_matches: bool | None


class HolderMatch(NamedTuple):
    """A comparison, element by element, and its verdict."""

    name: NameMatch
    birth_date: bool
    phone: bool | None
    verdict: Verdict

    @property
    def in_one_word(self) -> str:
        """Return the comparison as records keep it: `exact/birth/phone`, a `no-` before what differs."""
        birth = "birth" if self.birth_date else "no-birth"
        phone = {True: "phone", False: "no-phone", None: "unasked-phone"}[self.phone]
        return f"{self.name}/{birth}/{phone}"


def match_holder(person: Person, holder: Holder, *, phone_must_match: bool = False) -> HolderMatch:
    """Compare a verified member with an account's holder.

    With `phone_must_match` a bank that says nothing of the phone leaves the account to a review: it stands in
    for a proof that the bank did not ask for.
    """
    name = match_names(person.name_kana, holder.name_kana)
    same_birth = person.birth_date.isoformat() == holder.birth_date
    verdict = _verdict(name, holder.phone_matches, same_birth=same_birth, phone_must_match=phone_must_match)
    return HolderMatch(name, same_birth, holder.phone_matches, verdict)


def match_names(one: str, other: str) -> NameMatch:
    """Compare two names in whatever spelling. A name that no bank can write equals nothing."""
    try:
        ours = read_holder_name(one, octets_max=NAME_OCTETS_MAX)
        theirs = read_holder_name(other, octets_max=NAME_OCTETS_MAX)
    except HolderNameUnusable:
        return NameMatch.DIFFERENT
    if ours == theirs:
        return NameMatch.EXACT
    return NameMatch.SPACES if ours.replace(" ", "") == theirs.replace(" ", "") else NameMatch.DIFFERENT


def _verdict(
    name: NameMatch,
    phone: bool | None,  # noqa: FBT001 - a fact that may be unknown
    *,
    same_birth: bool,
    phone_must_match: bool,
) -> Verdict:
    if not same_birth:
        # No slip of a bank's clerk and no marriage changes it.
        return Verdict.REFUSED
    if name is NameMatch.DIFFERENT:
        # Names change, and are cut short in old books: with the phone beside it a person may look.
        return Verdict.REVIEW if phone else Verdict.REFUSED
    if phone is False or (phone is None and phone_must_match):
        return Verdict.REVIEW
    return Verdict.MATCHED
