"""Notices to a member about the account, on every channel that we have, in the same unit of work."""

from collections.abc import Mapping
from typing import NamedTuple

import msgspec
import structlog
from sqlalchemy import Connection

from sekisho.identity import members
from sekisho.identity.arrivals import Arrival
from sekisho.identity.browser_names import browser_in_words
from sekisho.identity.institution import Parts
from sekisho.identity.personal_data import Item, changes_of, read_for_use
from sekisho.identity.places import place_in_words
from sekisho.kernel.ids import MemberId
from sekisho.messages.message import Channel, Message
from sekisho.messages.notices import NoticeKind, notice
from sekisho.messages.queue import queue
from sekisho.storage import outbox
from sekisho.storage.keyring import Unsealable

log = structlog.get_logger(__name__)

_CHANNELS = {Item.MOBILE_PHONE: Channel.SMS, Item.EMAIL: Channel.EMAIL}


def facts_of(arrival: Arrival, now_us: int, language: str) -> dict[str, str | int]:
    """Return what a notice tells of a deed: when, on which device, from where."""
    return {
        "when": now_us,
        "device": browser_in_words(arrival.user_agent),
        "place": place_in_words(arrival.country, language),
    }


def language_of(connection: Connection, member_id: MemberId) -> str:
    """Return the language in which a member is written to."""
    found = members.find(connection, member_id)
    return "ja" if found is None else found.language


class Address(NamedTuple):
    """Where a notice goes: by which channel, to whom, in which language, and whose account it is about."""

    channel: Channel
    to: str
    language: str
    member_id: str = ""


def notify(  # noqa: PLR0913 - a notice is about somebody, of a kind, with values, once
    connection: Connection,
    parts: Parts,
    member_id: MemberId,
    kind: NoticeKind,
    values: Mapping[str, str | int],
    *,
    dedupe: str,
) -> None:
    """Queue a notice to the member's mobile number and e-mail address, whichever there are.

    `dedupe` names the occasion; the same occasion again sends nothing. Raises Unsealable, and KeyError where
    a fact of the notice is missing.
    """
    found = read_for_use(connection, parts.keyring, member_id, _CHANNELS)
    language = language_of(connection, member_id)
    for item, channel in _CHANNELS.items():
        if to := found.get(item):
            address = Address(channel, to, language, member_id)
            notify_at(connection, parts, address, kind, values, dedupe=dedupe)


def warn(  # noqa: PLR0913 - as above
    connection: Connection,
    parts: Parts,
    member_id: MemberId,
    kind: NoticeKind,
    values: Mapping[str, str | int],
    *,
    dedupe: str,
) -> None:
    """Queue the notice of a deed that protects the member, or that must not depend on a contact: it is done
    also where a contact does not open.

    Such a contact is passed over, which is written down as an event; the other one is told. A deed that
    somebody else could gain by goes through `notify`, and is not done in silence.
    """
    language, now_us = language_of(connection, member_id), parts.clock.now_us()
    for item, channel in _CHANNELS.items():
        try:
            to = read_for_use(connection, parts.keyring, member_id, (item,)).get(item)
        except Unsealable as unsealable:
            log.warning("notice:contact:unsealable", member=member_id, detail=unsealable.detail)
            body = msgspec.json.encode({"kind": kind, "channel": channel})
            subject = f"{member_id}:{dedupe}:{channel}:{now_us}"
            outbox.append(connection, [outbox.Entry("member:notice:undeliverable", subject, now_us, body)])
            continue
        if to:
            address = Address(channel, to, language, member_id)
            notify_at(connection, parts, address, kind, values, dedupe=dedupe)


def notify_unchanged(  # noqa: PLR0913 - as above
    connection: Connection,
    parts: Parts,
    member_id: MemberId,
    kind: NoticeKind,
    values: Mapping[str, str | int],
    *,
    since_us: int,
    dedupe: str,
) -> tuple[Channel, ...]:
    """Queue a notice where a thief who came at a time cannot read it, and return by which channels it goes.

    Contacts that were changed since then are passed over, as are those that do not open. Where none is left
    a letter goes home, unless that address was changed as well; then nothing goes, and somebody has to call.
    """
    changed = _changed_since(connection, member_id, since_us)
    language = language_of(connection, member_id)
    reached: list[Channel] = []
    for item, channel in _CHANNELS.items():
        to = "" if item in changed else _opened(connection, parts, member_id, item)
        if to:
            address = Address(channel, to, language, member_id)
            notify_at(connection, parts, address, kind, values, dedupe=dedupe)
            reached.append(channel)
    if not reached and Item.HOME_ADDRESS not in changed:
        home = _opened(connection, parts, member_id, Item.HOME_ADDRESS)
        name = _opened(connection, parts, member_id, Item.NAME)
        if home and name:
            to = f"{home}\n{name} 様" if language == "ja" else f"{home}\n{name}"
            address = Address(Channel.LETTER, to, language, member_id)
            notify_at(connection, parts, address, kind, values, dedupe=dedupe)
            reached.append(Channel.LETTER)
    return tuple(reached)


def home_unchanged(connection: Connection, member_id: MemberId, since_us: int) -> bool:
    """Say whether the address to which letters go is the one of before a time."""
    return Item.HOME_ADDRESS not in _changed_since(connection, member_id, since_us)


def _changed_since(connection: Connection, member_id: MemberId, since_us: int) -> set[Item]:
    # What an account was opened with is no change of it.
    opened = members.find(connection, member_id)
    opened_at_us = 0 if opened is None else opened.opened_at_us
    return {
        change.item
        for change in changes_of(connection, member_id)
        if change.at_us >= since_us and change.at_us > opened_at_us
    }


def is_reachable(connection: Connection, parts: Parts, member_id: MemberId) -> bool:
    """Say whether the contacts that a member has can be opened, so that a notice can go to them."""
    try:
        read_for_use(connection, parts.keyring, member_id, _CHANNELS)
    except Unsealable:
        return False
    return True


def _opened(connection: Connection, parts: Parts, member_id: MemberId, item: Item) -> str:
    """Return an item of a member for our own use; empty where there is none, or it does not open."""
    try:
        return read_for_use(connection, parts.keyring, member_id, (item,)).get(item, "")
    except Unsealable as unsealable:
        log.warning("notice:contact:unsealable", member=member_id, detail=unsealable.detail)
        return ""


def notify_at(  # noqa: PLR0913 - as above
    connection: Connection,
    parts: Parts,
    address: Address,
    kind: NoticeKind,
    values: Mapping[str, str | int],
    *,
    dedupe: str,
) -> None:
    """Queue a notice to one address alone."""
    institution = parts.institution
    text = notice(kind, address.language, institution.name(address.language), institution.telephone, values)
    is_sms = address.channel is Channel.SMS
    message = Message(
        dedupe=f"{dedupe}:{address.channel}",
        member_id=address.member_id,
        channel=address.channel,
        kind=text.kind,
        to=address.to,
        subject="" if is_sms else text.subject,
        text=text.sms_text if is_sms else text.text,
        language=address.language,
    )
    queue(connection, message, keyring=parts.keyring, clock=parts.clock, chance=parts.chance)
