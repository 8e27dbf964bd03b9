"""The history of logins, as a member sees it: when, how, from where, and with what result."""

from enum import StrEnum

import msgspec
from sqlalchemy import Connection, Row, insert, select, update

from sekisho.identity.arrivals import Arrival
from sekisho.identity.institution import Parts
from sekisho.kernel.ids import SIGN_IN, MemberId, SignInId
from sekisho.storage.tables.sessions import sign_in

SHOWN_MAX = 50
WRONG_SHOWN_MAX = 15
"""Wrong passwords are shown up to so many: whoever types many of them must not push out of sight what a
right one opened.
"""


class LoginWay(StrEnum):
    """By which way somebody came, or tried to."""

    PASSWORD = "password"  # noqa: S105 - a way's name, not a secret
    """Password on a trusted device."""

    CODE = "code"
    """Password and one-time code."""

    PASSKEY = "passkey"
    """Passkey."""

    SIGN_UP = "sign_up"
    """The account was opened."""

    RECOVERY = "recovery"
    """A recovery was completed."""

    ID = "id"
    """Login with the ID, at another institution."""


class LoginResult(StrEnum):
    """What came of it."""

    OPENED = "opened"
    """A session was opened."""

    WRONG_PASSWORD = "wrong_password"  # noqa: S105 - a result, not a secret
    """The password was wrong."""

    CODE_ASKED = "code_asked"
    """The password was right, and the code has not come: the member has to know."""

    CODE_WRONG = "code_wrong"
    """The password was right, and a wrong code was entered."""

    STOPPED = "stopped"
    """The proof was good, and the account was not open."""


class SignIn(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the history. `session_id` is empty where no session came of it."""

    id: SignInId
    member_id: MemberId
    at_us: int
    way: LoginWay
    result: LoginResult
    ip: str
    country: str
    user_agent: str
    device_id: str
    session_id: str
    attempt_id: str
    disowned_at_us: int | None


class Came(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be written down of one login."""

    way: LoginWay
    result: LoginResult
    device_id: str = ""
    session_id: str = ""
    attempt_id: str = ""


def record(
    connection: Connection, parts: Parts, member_id: MemberId, arrival: Arrival, came: Came
) -> SignInId:
    """Write a line into a member's history."""
    sign_in_id = SIGN_IN.new(parts.clock, parts.chance)
    connection.execute(
        insert(sign_in),
        {
            "id": sign_in_id,
            "member_id": member_id,
            "at_us": parts.clock.now_us(),
            "ip": arrival.ip,
            "country": arrival.country,
            "user_agent": arrival.user_agent,
            "disowned_at_us": None,
            **msgspec.structs.asdict(came),
        },
    )
    return sign_in_id


def complete(connection: Connection, sign_in_id: SignInId, came: Came) -> None:
    """Write down what a login came to that had begun before."""
    own = update(sign_in).where(sign_in.c.id == sign_in_id)
    connection.execute(own.values(**msgspec.structs.asdict(came)))


def mark_code_wrong(connection: Connection, sign_in_id: SignInId) -> None:
    """Write down that somebody had the password, and entered a code that was not right."""
    own = update(sign_in).where(sign_in.c.id == sign_in_id)
    connection.execute(own.values(result=LoginResult.CODE_WRONG))


def of_member(connection: Connection, member_id: MemberId, *, limit: int = SHOWN_MAX) -> list[SignIn]:
    """Return the newest lines of a member's history, the newest first, few of them wrong passwords."""
    newest = select(sign_in).where(sign_in.c.member_id == member_id).order_by(sign_in.c.at_us.desc())
    was_wrong = sign_in.c.result == LoginResult.WRONG_PASSWORD.value
    wrong = connection.execute(newest.where(was_wrong).limit(min(limit, WRONG_SHOWN_MAX)))
    others = connection.execute(newest.where(~was_wrong).limit(limit))
    lines = [_of(row) for rows in (others, wrong) for row in rows]
    return sorted(lines, key=lambda line: line.at_us, reverse=True)[:limit]


def find(connection: Connection, member_id: MemberId, sign_in_id: str) -> SignIn | None:
    """Return one line of this member's history; another member's is not found."""
    own = select(sign_in).where(sign_in.c.id == sign_in_id, sign_in.c.member_id == member_id)
    row = connection.execute(own).one_or_none()
    return None if row is None else _of(row)


def mark_disowned(connection: Connection, sign_in_id: SignInId, now_us: int) -> bool:
    """Keep that the member said "this wasn't me" and tell whether it is news."""
    first = update(sign_in).where(sign_in.c.id == sign_in_id, sign_in.c.disowned_at_us.is_(None))
    return bool(connection.execute(first.values(disowned_at_us=now_us)).rowcount)


def _of(row: Row[tuple[object, ...]]) -> SignIn:
    return msgspec.convert(row, SignIn, from_attributes=True)
