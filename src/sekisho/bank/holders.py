"""Depositors: who holds an account, what of that is on file, and how the bank reaches them.

Name, birth date and telephone are one sealed datum: they are only ever compared together. A holder who uses
the online bank is a member as well, and is then told on the member's channels too.
"""

import hmac
from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, insert, select, update

from sekisho.bank import deposits
from sekisho.bank.house import BankParts
from sekisho.identity.names import NameUnusable, read_kana
from sekisho.identity.notifying import Address, notify_at, warn
from sekisho.identity.people import BirthDateUnusable
from sekisho.identity.personal_data import Item, read_for_use
from sekisho.identity.recipients import mobile_number
from sekisho.kernel.ids import DEPOSITOR, DepositorId, MemberId
from sekisho.kernel.refusals import Refusal
from sekisho.messages.message import Channel
from sekisho.messages.notices import NoticeKind
from sekisho.storage import outbox
from sekisho.storage.keyring import Unsealable
from sekisho.storage.sealed_columns import context_of
from sekisho.storage.tables.deposits import depositor

_LANGUAGES = ("ja", "en")


class HolderTiedOtherwise(Refusal):
    """The member has another holder's accounts, or the holder another member. Only staff read this."""

    code = "holder_tied_otherwise"
    status = 409
    told = "This customer of the online bank belongs to another depositor."


class Holder(msgspec.Struct, frozen=True):
    """What is on file: the name in banks' kana, the birth date (ISO 8601), a mobile number (E.164).

    Where there is no number, no code can be sent, and nothing that needs one can be done.
    """

    name_kana: str
    birth_date: str
    phone: str


class Depositor(NamedTuple):
    """A holder, opened."""

    id: DepositorId
    member_id: MemberId | None
    language: str
    holder: Holder


class NewHolder(NamedTuple):
    """A holder as the counter takes one on: kana in any writing, the phone as people write it, or empty."""

    name_kana: str
    birth_date: date
    phone: str
    language: str = "ja"


def take_on(connection: Connection, bank: BankParts, new: NewHolder) -> DepositorId:
    """Write a holder down. Raises NameUnusable, NumberNotServed and BirthDateUnusable."""
    if not date(1900, 1, 1) <= new.birth_date <= bank.today():
        raise BirthDateUnusable
    phone = mobile_number(new.phone) if new.phone else ""
    holder = Holder(read_kana(new.name_kana), new.birth_date.isoformat(), phone)
    depositor_id, now_us = DEPOSITOR.new(bank.clock, bank.chance), bank.clock.now_us()
    values = {
        "id": depositor_id,
        "member_id": None,
        "sealed": bank.keyring.seal(msgspec.json.encode(holder), context=_context(depositor_id)),
        "language": new.language if new.language in _LANGUAGES else _LANGUAGES[0],
        "taken_on_at_us": now_us,
    }
    connection.execute(insert(depositor), values)
    outbox.append(connection, [outbox.Entry("bank:depositor:taken_on", depositor_id, now_us, b"{}")])
    return depositor_id


def find(connection: Connection, bank: BankParts, depositor_id: str) -> Depositor | None:
    """Return a holder by id, opened. Raises Unsealable."""
    return _opened(connection, bank, depositor.c.id == depositor_id)


def find_by_member(connection: Connection, bank: BankParts, member_id: str) -> Depositor | None:
    """Return the holder who is this customer of the online bank. Raises Unsealable."""
    return _opened(connection, bank, depositor.c.member_id == member_id)


def tie(connection: Connection, bank: BankParts, depositor_id: str, member_id: MemberId) -> bool:
    """Make a member the holder's access to the online bank, and tell whether that is new.

    Raises HolderTiedOtherwise.
    """
    there = select(depositor.c.id, depositor.c.member_id)
    own = connection.execute(there.where(depositor.c.id == depositor_id).with_for_update()).one_or_none()
    other = connection.execute(there.where(depositor.c.member_id == member_id)).one_or_none()
    if own is None or own.member_id not in {None, member_id} or (other and other.id != depositor_id):
        raise HolderTiedOtherwise(known=f"{depositor_id} and {member_id}")
    if own.member_id is not None:
        return False
    its = update(depositor).where(depositor.c.id == depositor_id)
    connection.execute(its.values(member_id=member_id))
    now_us = bank.clock.now_us()
    event = outbox.Entry("bank:depositor:tied", depositor_id, now_us, b"{}")
    outbox.append(connection, [event])
    return True


def change_phone(connection: Connection, bank: BankParts, depositor_id: str, typed: str) -> None:
    """Put another number on file, as the counter does. Raises NumberNotServed and LookupError."""
    found = find(connection, bank, depositor_id)
    if found is None:
        raise LookupError(f"no depositor {depositor_id}")
    holder = msgspec.structs.replace(found.holder, phone=mobile_number(typed))
    sealed = bank.keyring.seal(msgspec.json.encode(holder), context=_context(depositor_id))
    connection.execute(update(depositor).where(depositor.c.id == depositor_id).values(sealed=sealed))
    now_us = bank.clock.now_us()
    event = outbox.Entry("bank:depositor:phone_changed", f"{depositor_id}:{now_us}", now_us, b"{}")
    outbox.append(connection, [event])


def is_same_person(holder: Holder, name_kana: str, birth_date: str) -> bool:
    """Say whether a name and a birth date are the holder's: equal in banks' writing, spaces aside.

    Near is not equal: who is nearly right is not the holder. Both are compared whatever the first one says.
    """
    try:
        name = read_kana(name_kana)
    except NameUnusable:
        name = ""
    named = hmac.compare_digest(_plain(name), _plain(holder.name_kana))
    born = hmac.compare_digest(birth_date.encode("utf-8", "replace"), holder.birth_date.encode())
    return named & born


def tell_holder(  # noqa: PLR0913 - a notice is about an account, of a kind, with values, once
    connection: Connection,
    bank: BankParts,
    deposit_id: str,
    kind: NoticeKind,
    values: Mapping[str, str | int],
    *,
    dedupe: str,
) -> None:
    """Queue a notice to an account's holder: to the phone on file, and on the channels of the online bank.

    The same occasion (`dedupe`) again sends nothing. Raises LookupError for an account that is not there.
    """
    one = deposits.find(connection, deposit_id)
    found = None if one is None else find(connection, bank, one.depositor_id)
    if found is None:
        raise LookupError(f"no holder of {deposit_id}")
    # Whoever changed the member's number has not changed the one on file: where they differ, both are told.
    if found.holder.phone and found.holder.phone != _mobile_of(connection, bank, found.member_id):
        address = Address(Channel.SMS, found.holder.phone, found.language, found.member_id or "")
        notify_at(connection, bank.parts, address, kind, values, dedupe=f"{dedupe}:on_file")
    if found.member_id is not None:
        warn(connection, bank.parts, found.member_id, kind, values, dedupe=dedupe)


def language_of(connection: Connection, deposit_id: str) -> str:
    """Return the language in which an account's holder is written to."""
    one = deposits.find(connection, deposit_id)
    its = select(depositor.c.language).where(depositor.c.id == (one.depositor_id if one else ""))
    return connection.execute(its).scalar_one_or_none() or _LANGUAGES[0]


def _mobile_of(connection: Connection, bank: BankParts, member_id: MemberId | None) -> str:
    """Return the number of a customer of the online bank; empty where there is none, or it does not open."""
    try:
        found = read_for_use(connection, bank.keyring, member_id or MemberId(""), (Item.MOBILE_PHONE,))
    except Unsealable:
        return ""
    return found.get(Item.MOBILE_PHONE, "")


def _opened(connection: Connection, bank: BankParts, which: ColumnElement[bool]) -> Depositor | None:
    row: Row[tuple[object, ...]] | None = connection.execute(select(depositor).where(which)).one_or_none()
    if row is None:
        return None
    plain = bank.keyring.open(row.sealed, context=_context(row.id))
    holder = msgspec.json.decode(plain, type=Holder)
    return Depositor(DepositorId(row.id), row.member_id, row.language, holder)


def _plain(name_kana: str) -> bytes:
    return name_kana.replace(" ", "").encode()


def _context(depositor_id: str) -> str:
    return context_of(depositor.c.sealed, id=depositor_id)
