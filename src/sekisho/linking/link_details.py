"""What a wallet asks a bank for when it links an account, and what the bank grants (RFC 9396).

Both sides read and write the same structures, in JSON: one `account_link` in a list of one.
"""

import re
from datetime import date
from enum import StrEnum
from typing import Annotated, Final, Literal

import msgspec

from sekisho.kernel.yen import Yen

TYPE: Final = "account_link"
JSON_CHARACTERS_MAX = 2_048
YEN_MAX = 10_000_000
_PHONE = re.compile(r"\+[1-9][0-9]{6,14}")
_USER_REF = re.compile(r"[A-Za-z0-9._~-]{8,128}")


class Action(StrEnum):
    """What a partner may do with a linked account."""

    DEBIT = "debit"
    """Take money from it, up to the ceilings."""

    CREDIT = "credit"
    """Pay money to it."""


class LinkDetailsUnreadable(ValueError):  # noqa: N818 - says what is wrong with them
    """The details name no link that anybody could grant. The text says which part, never its value."""


_Kana = Annotated[str, msgspec.Meta(min_length=1, max_length=60)]
_Ceiling = Annotated[int, msgspec.Meta(ge=1, le=YEN_MAX)]


class HolderClaim(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Who the partner says the holder is: its verified member. `phone` (E.164) may be left out."""

    name_kana: _Kana
    birth_date: str
    phone: str = ""


class LinkRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a partner asks for. `user_ref` is its own pseudonym of the member, the same at each request."""

    type: Literal["account_link"]
    actions: Annotated[tuple[Action, ...], msgspec.Meta(min_length=1, max_length=len(Action))]
    ceiling_yen: _Ceiling
    month_ceiling_yen: _Ceiling
    holder: HolderClaim
    user_ref: str

    @property
    def ceiling(self) -> Yen:
        """By how much an account may be debited at once."""
        return Yen(self.ceiling_yen)

    @property
    def month_ceiling(self) -> Yen:
        """By how much an account may be debited in a calendar month."""
        return Yen(self.month_ceiling_yen)


class LinkedAccount(msgspec.Struct, frozen=True, kw_only=True):
    """The account as its bank tells a partner: enough to show it, and a `ref` that is equal for equal ones.

    `ref` differs by partner, so that partners cannot compare their customers.
    """

    bank: str
    branch: str
    kind: str
    last4: str
    ref: str


class LinkedHolder(msgspec.Struct, frozen=True, kw_only=True):
    """The holder as the bank has it on file; `phone_matches` is None where no phone was asked about."""

    name_kana: str
    birth_date: str
    phone_matches: bool | None


class LinkGranted(msgspec.Struct, frozen=True, kw_only=True):
    """What was granted: what was asked for, with the mandate, the account and the holder."""

    type: Literal["account_link"]
    actions: tuple[Action, ...]
    ceiling_yen: int
    month_ceiling_yen: int
    user_ref: str
    mandate_id: str
    account: LinkedAccount
    holder: LinkedHolder


def read_request(text: str) -> LinkRequest:
    """Read the details of a request. Raises LinkDetailsUnreadable."""
    if len(text) > JSON_CHARACTERS_MAX:
        raise LinkDetailsUnreadable("too long")
    try:
        asked = msgspec.json.decode(text, type=tuple[LinkRequest])[0]
    except (msgspec.DecodeError, UnicodeEncodeError) as error:
        # msgspec names the field and the type that was expected, and repeats no value.
        raise LinkDetailsUnreadable(str(error)[:200]) from error
    if len(set(asked.actions)) != len(asked.actions):
        raise LinkDetailsUnreadable("an action stands there twice")
    if asked.month_ceiling_yen < asked.ceiling_yen:
        raise LinkDetailsUnreadable("the month's ceiling is below that of one debit")
    if not _USER_REF.fullmatch(asked.user_ref):
        raise LinkDetailsUnreadable("user_ref has 8 to 128 letters, digits and -._~")
    if asked.holder.phone and not _PHONE.fullmatch(asked.holder.phone):
        raise LinkDetailsUnreadable("the phone is not written as in E.164")
    if not is_day(asked.holder.birth_date):
        raise LinkDetailsUnreadable("the birth date is no day")
    return asked


def write_request(asked: LinkRequest) -> str:
    """Write the details of a request, as `authorization_details` carries them."""
    return msgspec.json.encode([asked]).decode()


def read_granted(details: object) -> LinkGranted:
    """Read what a bank granted, from the decoded token response. Raises LinkDetailsUnreadable."""
    try:
        return msgspec.convert(details, tuple[LinkGranted])[0]
    except msgspec.ValidationError as error:
        raise LinkDetailsUnreadable(str(error)[:200]) from error


def is_day(text: str) -> bool:
    """Say whether a text is a day as ISO 8601 writes it: `1980-01-31`."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
