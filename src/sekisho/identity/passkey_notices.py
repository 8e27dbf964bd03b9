"""What a member hears when something happened to a passkey."""

from sqlalchemy import Connection

from sekisho.identity.arrivals import Arrival
from sekisho.identity.institution import Parts
from sekisho.identity.notifying import facts_of, language_of, notify, warn
from sekisho.identity.passkeys import Passkey
from sekisho.messages.notices import NoticeKind


def tell(connection: Connection, parts: Parts, kind: NoticeKind, passkey: Passkey, arrival: Arrival) -> None:
    """Tell a passkey's member on every channel, in the unit of work of what happened."""
    now_us = parts.clock.now_us()
    language = language_of(connection, passkey.member_id)
    values = facts_of(arrival, now_us, language) | {"passkey": passkey.name}
    dedupe = f"{kind}:{passkey.credential_id.hex()}:{now_us}"
    # That a passkey is suspected stays written down, whatever is broken.
    say = warn if kind is NoticeKind.PASSKEY_SUSPECTED else notify
    say(connection, parts, passkey.member_id, kind, values, dedupe=dedupe)
