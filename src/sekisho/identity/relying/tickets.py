"""Tickets: a login that was begun, sealed, in the browser that began it.

Nothing is kept here for whoever only knocks, and an answer of the ID counts in the one browser that holds its
ticket. State, nonce and verifier are drawn for each login.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode

import msgspec

from sekisho.identity.assurance import Level
from sekisho.identity.relying.refusals import SignInOver
from sekisho.kernel.clock import MINUTE_US
from sekisho.storage.keyring import Keyring, Unsealable

CONTEXT = "relying:ticket"
LASTS_US = 30 * MINUTE_US
CHARACTERS_MAX = 3_900


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What a login is for.

    `next_path` is the page where it goes on. `opening` says that an account may be opened by it. `fresh` asks
    for a login here and now, `levels` for one of these. `session_id` and `purpose` are there where a member
    confirms something within a session: which one, and the purpose's key. `challenged` says that the guard
    wanted this login to be proven anew.
    """

    next_path: str = "/"
    language: str = "ja"
    opening: bool = False
    fresh: bool = False
    levels: tuple[Level, ...] = ()
    session_id: str = ""
    purpose: str = ""
    challenged: bool = False


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """A login under way, and when it began, in microseconds since the epoch."""

    issuer: str
    state: str
    nonce: str
    verifier: str
    wanted: Wanted
    began_at_us: int


def seal(ticket: Ticket, keyring: Keyring) -> str:
    """Return a ticket as text that fits a cookie."""
    sealed = keyring.seal(msgspec.json.encode(ticket), context=CONTEXT)
    return urlsafe_b64encode(sealed).rstrip(b"=").decode()


def unseal(text: str, keyring: Keyring, *, state: str, now_us: int) -> Ticket:
    """Open the ticket that a state belongs to. Raises SignInOver where it is none, or too old."""
    try:
        sealed = urlsafe_b64decode(text[:CHARACTERS_MAX] + "=" * (-len(text) % 4))
        ticket = msgspec.json.decode(keyring.open(sealed, context=CONTEXT), type=Ticket)
    except (ValueError, Unsealable) as error:
        raise SignInOver(known=type(error).__name__) from error
    if not hmac.compare_digest(ticket.state.encode(), state.encode("utf-8", "surrogatepass")):
        raise SignInOver(known="another state")
    if not 0 <= now_us - ticket.began_at_us < LASTS_US:
        raise SignInOver(known="too old")
    return ticket
