"""Which clients a session was used to log in to: they are told when it ends.

Whatever ended the session (the member, a freeze, a containment), its end is read off the session itself, so
that no way of ending one can forget its clients.
"""

from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, Exists, and_, or_, select, update

from sekisho.identity.openid.grants import Granted
from sekisho.identity.sessions import Ended
from sekisho.kernel.ids import MemberId, SessionId
from sekisho.messages.queue import insert_once
from sekisho.storage.tables.openid import openid_visit
from sekisho.storage.tables.sessions import session


class Due(NamedTuple):
    """A client that has yet to hear of a session's end, and how often it was tried in vain."""

    session_id: SessionId
    client_id: str
    member_id: MemberId
    ended_at_us: int
    tries: int


def began(connection: Connection, granted: Granted, *, now_us: int) -> None:
    """Note that a session was used for a client."""
    values = {
        "session_id": granted.session_id,
        "client_id": granted.client_id,
        "member_id": granted.member_id,
        "began_at_us": now_us,
        "tries": 0,
        "next_try_us": 0,
        "closed_at_us": None,
    }
    insert_once(connection, openid_visit, values)


def lease_due(connection: Connection, *, now_us: int, lease_us: int, limit: int) -> list[Due]:
    """Take up to `limit` clients that have to be told now, and leave them to nobody else for `lease_us`.

    The lease counts as a try: who dies in the middle of one has not delivered it.
    """
    due = (
        select(
            openid_visit.c.session_id,
            openid_visit.c.client_id,
            openid_visit.c.member_id,
            session.c.ended_at_us,
            openid_visit.c.tries,
        )
        .join(session, session.c.id == openid_visit.c.session_id)
        .where(
            openid_visit.c.closed_at_us.is_(None),
            openid_visit.c.next_try_us <= now_us,
            session.c.ended_at_us.is_not(None),
            or_(session.c.ended_for != Ended.REPLACED.value, ~_lives_on()),
        )
        .order_by(openid_visit.c.next_try_us, openid_visit.c.session_id, openid_visit.c.client_id)
        .limit(limit)
    )
    found = [
        Due(SessionId(row.session_id), row.client_id, MemberId(row.member_id), row.ended_at_us, row.tries)
        for row in connection.execute(due)
    ]
    return [one for one in found if _leased(connection, one, until_us=now_us + lease_us)]


def closed(connection: Connection, due: Due, *, now_us: int) -> None:
    """Note that a client heard of the end, or never will."""
    connection.execute(update(openid_visit).where(_is(due)).values(closed_at_us=now_us))


def postponed(connection: Connection, due: Due, *, until_us: int) -> None:
    """Note when a client is to be told again."""
    connection.execute(update(openid_visit).where(_is(due)).values(next_try_us=until_us))


def _leased(connection: Connection, due: Due, *, until_us: int) -> bool:
    # Of two processes that found the same row, the one whose count still fits has it.
    mine = and_(_is(due), openid_visit.c.tries == due.tries, openid_visit.c.closed_at_us.is_(None))
    taken = update(openid_visit).where(mine).values(tries=due.tries + 1, next_try_us=until_us)
    return connection.execute(taken).rowcount == 1


def _is(due: Due) -> ColumnElement[bool]:
    return and_(openid_visit.c.session_id == due.session_id, openid_visit.c.client_id == due.client_id)


def _lives_on() -> Exists:
    """Say whether a session was followed by another of the member on the same device.

    A member who only proved more has not left; the clients of the first login hear of the end of the last.
    """
    later = session.alias("later")
    return (
        select(later.c.id)
        .where(later.c.device_id == session.c.device_id, later.c.ended_at_us.is_(None))
        .correlate(session)
        .exists()
    )
