"""Personal data at rest: sealed item by item, each bound to its member, every change on record.

Looking at them is another matter, and stands in `reveals`.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, insert, select, update

from sekisho.kernel.chain import canonical
from sekisho.kernel.ids import MemberId
from sekisho.storage import outbox
from sekisho.storage.keyring import Keyring, Unsealable
from sekisho.storage.sealed_columns import context_of
from sekisho.storage.tables.personal_data import personal_change, personal_item

MEMBER_ACTOR = "member"
# At rest each item fills whole blocks, so that its length tells little about it.
BLOCK_BYTES = 64
_END = b"\x80"


class Item(StrEnum):
    """A kind of personal datum. The first thirteen are those of the lender's member page."""

    NAME = "name"
    MEMBER_NUMBER = "member_number"
    HOME_ADDRESS = "home_address"
    HOME_PHONE = "home_phone"
    EMPLOYER_NAME = "employer_name"
    EMPLOYER_ADDRESS = "employer_address"
    EMPLOYER_PHONE = "employer_phone"
    MOBILE_PHONE = "mobile_phone"
    EMAIL = "email"
    PAYOUT_ACCOUNT = "payout_account"
    TRANSACTION_HISTORY = "transaction_history"
    LOAN_BALANCE = "loan_balance"
    PAYMENT_INFORMATION = "payment_information"
    NAME_KANA = "name_kana"
    BIRTH_DATE = "birth_date"


FROM_SOURCES = frozenset({Item.TRANSACTION_HISTORY, Item.LOAN_BALANCE, Item.PAYMENT_INFORMATION})
KEPT = frozenset(Item) - FROM_SOURCES - {Item.MEMBER_NUMBER}


class Change(NamedTuple):
    """That an item changed: whose, which, when, in which session (empty: in none) and by whom."""

    member_id: MemberId
    item: Item
    at_us: int
    session_id: str
    actor: str


def store(  # noqa: PLR0913 - who changed it, and in which session, is known to few callers
    connection: Connection,
    keyring: Keyring,
    member_id: MemberId,
    items: Mapping[Item, str],
    now_us: int,
    *,
    session_id: str = "",
    actor: str = MEMBER_ACTOR,
) -> None:
    """Keep items sealed, in the place of those that were there, and record which of them changed.

    Raises ValueError for an item that is not kept here (the member's number, and what the institution's
    sources hold), and Unsealable where an item that was there does not open.
    """
    if strange := set(items) - KEPT:
        raise ValueError(f"not kept here: {', '.join(sorted(strange))}")
    rows = _rows(connection, member_id, items)
    for item, value in items.items():
        before = rows.get(item)
        if before is not None and _opened(keyring, member_id, item, before.sealed) == value:
            continue
        # Two changes are two, also where the clock stands still or was set back.
        at_us = now_us if before is None else max(now_us, before.changed_at_us + 1)
        sealed = keyring.seal(_padded(value), context=_context(member_id, item))
        values = {"sealed": sealed, "changed_at_us": at_us}
        if before is None:
            connection.execute(insert(personal_item), {"member_id": member_id, "item": item.value, **values})
        else:
            connection.execute(update(personal_item).where(_at(member_id, item.value)).values(**values))
        _record(connection, Change(member_id, item, at_us, session_id, actor))


def read_for_use(
    connection: Connection, keyring: Keyring, member_id: MemberId, items: Iterable[Item]
) -> dict[Item, str]:
    """Return those of the items that there are, for the program's own use: to send a message, to pay out.

    Nobody sees what is read here, so nothing is recorded. Raises Unsealable.
    """
    rows = _rows(connection, member_id, items)
    return {item: _opened(keyring, member_id, item, row.sealed) for item, row in rows.items()}


def changes_of(connection: Connection, member_id: MemberId) -> list[Change]:
    """Return every change of a member's items in order of time."""
    of_member = select(personal_change).where(personal_change.c.member_id == member_id)
    found = connection.execute(of_member.order_by(personal_change.c.at_us, personal_change.c.item))
    return [
        Change(MemberId(row.member_id), Item(row.item), row.at_us, row.session_id, row.actor) for row in found
    ]


def _at(member_id: str, item: str) -> ColumnElement[bool]:
    return (personal_item.c.member_id == member_id) & (personal_item.c.item == item)


def _rows(
    connection: Connection, member_id: MemberId, items: Iterable[Item]
) -> dict[Item, Row[tuple[object, ...]]]:
    wanted = personal_item.c.item.in_([item.value for item in items])
    found = select(personal_item).where(personal_item.c.member_id == member_id, wanted)
    return {Item(row.item): row for row in connection.execute(found)}


def _record(connection: Connection, change: Change) -> None:
    connection.execute(insert(personal_change), {**change._asdict(), "item": change.item.value})
    subject = f"{change.member_id}:{change.item}:{change.at_us}"
    body = canonical(change._asdict())
    outbox.append(connection, [outbox.Entry("member:item:changed", subject, change.at_us, body)])


def _context(member_id: MemberId, item: Item) -> str:
    return context_of(personal_item.c.sealed, member_id=member_id, item=item)


def _opened(keyring: Keyring, member_id: MemberId, item: Item, sealed: bytes) -> str:
    plain, end, _ = keyring.open(sealed, context=_context(member_id, item)).rpartition(_END)
    if not end:
        raise Unsealable(f"the item {item} has no end")
    return plain.decode()


def _padded(value: str) -> bytes:
    plain = value.encode() + _END
    return plain + bytes(-len(plain) % BLOCK_BYTES)
