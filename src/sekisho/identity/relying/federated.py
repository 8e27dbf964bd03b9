"""Whose login with an ID opens which member's account, and which session here came of which one there."""

import hashlib
from typing import NamedTuple

from sqlalchemy import Connection, delete, insert, select, update

from sekisho.identity import sessions
from sekisho.identity.institution import Parts
from sekisho.identity.relying.id_tokens import Asserted, LogoutAsked
from sekisho.identity.sessions import Ended
from sekisho.kernel.clock import SECOND_US
from sekisho.kernel.ids import MemberId, SessionId
from sekisho.messages.queue import insert_once
from sekisho.storage.tables.sessions import session
from sekisho.storage.tables.wallets import federated_login, federated_logout, federated_session


class FederatedLogin(NamedTuple):
    """A login with an ID that opens an account: its issuer and subject, first and last use."""

    issuer: str
    subject: str
    first_at_us: int
    last_at_us: int


def member_of(connection: Connection, issuer: str, subject: str) -> MemberId | None:
    """Return whose account a login with an ID opens, None where it opens none."""
    its = select(federated_login.c.member_id).where(
        federated_login.c.issuer == issuer, federated_login.c.subject == subject
    )
    found = connection.execute(its).scalar_one_or_none()
    return None if found is None else MemberId(found)


def login_of(connection: Connection, member_id: MemberId) -> FederatedLogin | None:
    """Return the login with an ID that opens a member's account."""
    columns = (getattr(federated_login.c, name) for name in FederatedLogin._fields)
    row = connection.execute(select(*columns).where(federated_login.c.member_id == member_id)).one_or_none()
    return None if row is None else FederatedLogin(*row)


def tie(connection: Connection, asserted: Asserted, member_id: MemberId, now_us: int) -> bool:
    """Let a login with an ID open a new member's account; False where it opens another one already."""
    values = {"issuer": asserted.issuer, "subject": asserted.subject, "member_id": member_id}
    return insert_once(connection, federated_login, values | {"first_at_us": now_us, "last_at_us": now_us})


def used(connection: Connection, asserted: Asserted, session_id: SessionId, now_us: int) -> None:
    """Write down that a session here came of a login there."""
    its = (federated_login.c.issuer == asserted.issuer) & (federated_login.c.subject == asserted.subject)
    connection.execute(update(federated_login).where(its).values(last_at_us=now_us))
    row = {"session_id": session_id, "issuer": asserted.issuer, "subject": asserted.subject}
    connection.execute(insert(federated_session), {**row, "sid": asserted.sid, "at_us": now_us})


def end_sessions(connection: Connection, parts: Parts, asked: LogoutAsked) -> int:
    """End the sessions here that the ID says are over, and return how many were live.

    A logout token that came before ends nothing again.
    """
    now_us = parts.clock.now_us()
    connection.execute(delete(federated_logout).where(federated_logout.c.expires_at_us <= now_us))
    row = {
        "digest": hashlib.sha256(f"{asked.issuer}\n{asked.jti}".encode()).digest(),
        "expires_at_us": (asked.expires_at_s + 60) * SECOND_US,
    }
    if not insert_once(connection, federated_logout, row):
        return 0
    those = select(federated_session.c.session_id).where(
        federated_session.c.issuer == asked.issuer, federated_session.c.subject == asked.subject
    )
    if asked.sid:
        those = those.where(federated_session.c.sid == asked.sid)
    live = select(session.c.id).where(session.c.id.in_(those), session.c.ended_at_us.is_(None))
    ids = [SessionId(each) for each in connection.execute(live).scalars()]
    return sum(sessions.end(connection, parts, each, Ended.ID_LOGOUT) for each in ids)
