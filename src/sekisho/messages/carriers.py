"""Carriers: what takes a message out of the house, and what it may answer."""

from typing import NamedTuple, Protocol

from sekisho.kernel.ids import MessageId
from sekisho.messages.message import Channel

PATIENCE_S = 15.0
"""How long one try may take, all its waiting together."""


class Parcel(NamedTuple):
    """A message opened for its carrier. Its id is the same at every try."""

    message_id: MessageId
    channel: Channel
    kind: str
    to: str
    subject: str
    text: str
    language: str
    made_at_us: int


class Taken(NamedTuple):
    """The other side has the message now and answers for it; `reference` is its name for it."""

    reference: str


class Later(NamedTuple):
    """Not taken this time, or it is not known whether: try again, no sooner than after `wait_us`."""

    reason: str
    wait_us: int = 0


class Declined(NamedTuple):
    """Turned down for good: trying again would change nothing."""

    reason: str


Handover = Taken | Later | Declined


class Carrier(Protocol):
    """Carries messages of one channel.

    The same parcel may come again although it was taken: where the process died in between, or the answer
    was lost. A carrier makes the second time harmless with the message's id. A reason names no recipient,
    for it is kept in the clear and logged.
    """

    async def carry(self, parcel: Parcel) -> Handover:
        """Hand one message over. What it raises counts as `Later`."""
        ...
