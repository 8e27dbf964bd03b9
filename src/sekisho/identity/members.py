"""Members: who has an account, under which number, and in which state it is."""

from collections.abc import Collection
from enum import StrEnum

import msgspec
from sqlalchemy import Connection, Row, insert, select, update

from sekisho.identity import contacts, member_numbers
from sekisho.identity.contacts import ContactKind, EmailUnusable
from sekisho.identity.institution import Parts
from sekisho.kernel.ids import MEMBER, MemberId
from sekisho.storage import outbox
from sekisho.storage.keyring import Keyring
from sekisho.storage.tables.members import member

LANGUAGES = ("ja", "en")
NUMBERS_AT_ONCE = 400


class MemberState(StrEnum):
    """What state a member's account is in."""

    OPEN = "open"
    """Everything works."""

    FROZEN = "frozen"
    """The member stopped everything; a passkey opens it again, or the telephone desk."""

    INVALIDATED = "invalidated"
    """We took the credentials away after an incident; the member has to set new ones."""

    CLOSED = "closed"
    """The account was given up; what the law demands is kept."""


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A member, without any personal item: those are sealed and shown one by one."""

    id: MemberId
    number: str
    state: MemberState
    language: str
    opened_at_us: int

    @property
    def may_log_in(self) -> bool:
        """Whether a right password opens a session."""
        return self.state is MemberState.OPEN


def open_account(connection: Connection, parts: Parts, *, language: str) -> Member:
    """Make a member with a number of its own."""
    now_us = parts.clock.now_us()
    number = member_numbers.draw(parts.chance)
    while connection.execute(select(member.c.id).where(member.c.number == number)).first() is not None:
        number = member_numbers.draw(parts.chance)
    opened = Member(
        id=MEMBER.new(parts.clock, parts.chance),
        number=number,
        state=MemberState.OPEN,
        language=language if language in LANGUAGES else LANGUAGES[0],
        opened_at_us=now_us,
    )
    connection.execute(insert(member), msgspec.structs.asdict(opened))
    outbox.append(connection, [outbox.Entry("member:account:opened", opened.id, now_us, b"{}")])
    return opened


def find(connection: Connection, member_id: MemberId, *, for_update: bool = False) -> Member | None:
    """Return a member by id; `for_update` keeps others from changing the state until this work is over."""
    found = select(member).where(member.c.id == member_id)
    row = connection.execute(found.with_for_update() if for_update else found).one_or_none()
    return None if row is None else _of(row)


def ids_by_number(connection: Connection, numbers: Collection[str]) -> dict[str, MemberId]:
    """Return the members of these numbers by their number; who has none of them is left out."""
    found: dict[str, MemberId] = {}
    wanted = sorted(numbers)
    for start in range(0, len(wanted), NUMBERS_AT_ONCE):
        some = wanted[start : start + NUMBERS_AT_ONCE]
        rows = connection.execute(select(member.c.number, member.c.id).where(member.c.number.in_(some)))
        found |= {row.number: MemberId(row.id) for row in rows}
    return found


def find_by_name(connection: Connection, keyring: Keyring, typed: str) -> Member | None:
    """Return the member of a login name: a member number, or a verified e-mail address.

    It takes two look-ups for every name, so that its time says little about what was found.
    """
    number = member_numbers.read(typed)
    by_number = connection.execute(select(member).where(member.c.number == (number or ""))).one_or_none()
    try:
        email = contacts.read_email(typed)
    except EmailUnusable:
        email = ""
    owner = contacts.holder(connection, keyring, ContactKind.EMAIL, email)
    if by_number is not None:
        return _of(by_number)
    return None if owner is None else find(connection, owner)


def set_state(connection: Connection, parts: Parts, member_id: MemberId, state: MemberState) -> bool:
    """Change the state of an account and tell whether it was another one before."""
    changed = connection.execute(
        update(member).where(member.c.id == member_id, member.c.state != state).values(state=state)
    ).rowcount
    if changed:
        now_us = parts.clock.now_us()
        event = outbox.Entry(f"member:account:{state}", f"{member_id}:{now_us}", now_us, b"{}")
        outbox.append(connection, [event])
    return bool(changed)


def set_language(connection: Connection, member_id: MemberId, language: str) -> None:
    """Keep in which language a member wants to be written to; what we do not speak changes nothing."""
    if language in LANGUAGES:
        connection.execute(update(member).where(member.c.id == member_id).values(language=language))


def _of(row: Row[tuple[object, ...]]) -> Member:
    return msgspec.convert(row, Member, from_attributes=True)
