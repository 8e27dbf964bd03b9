"""Tickets: a checked request, sealed, that waits in the browser while its member logs in and consents.

Sealed, it cannot be changed, and nothing is kept here for whoever only knocks. It also carries when the
request came, so that a login that was asked for can be told from an older one. It is made to fit a cookie.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode

import msgspec

from sekisho.identity.openid.refusals import InvalidRequest, TicketStale
from sekisho.identity.openid.requests import AuthorisationRequest
from sekisho.kernel.clock import SECOND_US
from sekisho.storage.keyring import Keyring, Unsealable

CONTEXT = "openid:ticket"
CHARACTERS_MAX = 3_900


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """A request and when it came, in microseconds since the epoch."""

    request: AuthorisationRequest
    came_at_us: int


def seal(ticket: Ticket, keyring: Keyring) -> str:
    """Return a ticket as text. Raises InvalidRequest where the request is too long for a cookie."""
    sealed = keyring.seal(msgspec.json.encode(ticket), context=CONTEXT)
    text = urlsafe_b64encode(sealed).rstrip(b"=").decode()
    if len(text) > CHARACTERS_MAX:
        raise InvalidRequest(told="The request is too long.")
    return text


def unseal(text: str, keyring: Keyring, *, now_us: int, ticket_s: int) -> Ticket:
    """Open a ticket that came back. Raises TicketStale where it is none of ours or older than `ticket_s`."""
    try:
        sealed = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        ticket = msgspec.json.decode(keyring.open(sealed, context=CONTEXT), type=Ticket)
    except (ValueError, Unsealable) as error:
        raise TicketStale(known=type(error).__name__) from error
    if not 0 <= now_us - ticket.came_at_us < ticket_s * SECOND_US:
        raise TicketStale(known="too old")
    return ticket
