"""Members: who has an account, under which number, and in which state it is."""

from enum import StrEnum

import msgspec

from sekisho.kernel.ids import MemberId


class MemberState(StrEnum):
    """What state a member's account is in."""

    OPEN = "open"
    """Everything works."""

    FROZEN = "frozen"
    """The member stopped everything; a passkey or a recovery opens it again."""

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
