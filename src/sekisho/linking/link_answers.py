"""What a bank answers, as far as it is read: pushed requests, tokens with their link, bookings.

Every value is hostile until it was read into one of these; what does not fit is no answer.
"""

from enum import StrEnum
from typing import Annotated, NamedTuple

import msgspec

from sekisho.linking.link_details import LinkGranted, read_granted

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=4_096)]
Short = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class Declined(NamedTuple):
    """The bank understood and said no: its stable word, and the status of its answer."""

    code: str
    status: int


class Pushed(msgspec.Struct, frozen=True):
    """A request that waits at the bank for its depositor, for so many seconds."""

    request_uri: Short
    expires_in: Annotated[int, msgspec.Meta(gt=0, lt=600)]


class Tokens(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens that a bank gave, with the link where it is a new one. `expires_in` is in seconds."""

    access_token: Text
    token_type: str
    expires_in: Annotated[int, msgspec.Meta(gt=0, le=600)]
    refresh_token: str = ""
    authorization_details: msgspec.Raw = msgspec.Raw(b"[]")

    def __repr__(self) -> str:
        # It stands in tracebacks, and the tokens must not.
        return "Tokens(...)"

    @property
    def granted(self) -> LinkGranted:
        """Return the link that came with the tokens. Raises LinkDetailsUnreadable."""
        return read_granted(msgspec.json.decode(self.authorization_details))


class BookingState(StrEnum):
    """What became of money that the bank was asked to move."""

    DONE = "done"
    """It moved."""

    REFUSED = "refused"
    """It did not, and under this key never will."""


class Booking(msgspec.Struct, frozen=True, kw_only=True):
    """What the bank says of one movement. `result` is its word for it (a Zengin code or a stable word)."""

    id: str
    state: BookingState
    result: str
    booked_at: str


class BankOff(msgspec.Struct, frozen=True, kw_only=True):
    """A function that a bank has switched off for us: a word for why, and people's text by language."""

    reason: str
    told: dict[str, str] = {}
    until: str = ""


class ServiceStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What a bank has switched off for us, by function: `register`, `change`, `debit`, `credit`."""

    off: dict[str, str] = {}
    details: dict[str, BankOff] = {}

    def off_for(self, function: str) -> BankOff | None:
        """Return why a function is off; None where it is not."""
        if function not in self.off:
            return None
        return self.details.get(function) or BankOff(reason=self.off[function])
