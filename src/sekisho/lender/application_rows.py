"""Applications in their table: sealed, one under way for each member, each step taken once."""

from typing import Any

import msgspec
from sqlalchemy import Connection, Row, select, update
from sqlalchemy.dialects import postgresql, sqlite

from sekisho.identity.institution import Parts
from sekisho.kernel.ids import APPLICATION, ApplicationId, MemberId
from sekisho.lender.applications import (
    ENDS,
    GIVEN_UP,
    LIVES_US,
    NEXT,
    Application,
    ApplicationKeyReused,
    ApplicationNotFound,
    ApplicationUnderWay,
    Found,
    NotAtThisStep,
    Said,
    State,
    Who,
)
from sekisho.storage import outbox
from sekisho.storage.keyring import Keyring
from sekisho.storage.sealed_columns import context_of
from sekisho.storage.tables.applications import loan_application

_SEALED: dict[str, type[Said | Who | Found]] = {"said": Said, "who": Who, "found": Found}


def draft(connection: Connection, parts: Parts, member_id: MemberId, key: str, said: Said) -> Application:
    """Begin an application. The same key with the same words returns what was begun by it.

    Raises ApplicationKeyReused and ApplicationUnderWay.
    """
    application_id = APPLICATION.new(parts.clock, parts.chance)
    now_us = parts.clock.now_us()
    insert_one = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    values = {
        "id": application_id,
        "key": _own_key(member_id, key),
        "member_id": member_id,
        "live": member_id,
        "state": State.DRAFTED.value,
        "said": _sealed(parts.keyring, application_id, "said", said),
        "drafted_at_us": now_us,
        "changed_at_us": now_us,
        "expires_at_us": now_us + LIVES_US,
        "terms_id": "",
        "limit_yen": 0,
        "rate": 0,
        "free_days": False,
    }
    once = insert_one(loan_application).values(values).on_conflict_do_nothing()
    made = connection.execute(once.execution_options(preserve_rowcount=True))
    if made.rowcount == 1:
        _tell(connection, application_id, State.DRAFTED, now_us)
        return _of(parts.keyring, _row(connection, application_id))
    return _begun_before(connection, parts, member_id, key, said)


def find(connection: Connection, keyring: Keyring, application_id: str) -> Application | None:
    """Return an application. Raises Unsealable."""
    row = connection.execute(
        select(loan_application).where(loan_application.c.id == application_id)
    ).one_or_none()
    return None if row is None else _of(keyring, row)


def require(connection: Connection, keyring: Keyring, application_id: str) -> Application:
    """Return an application that must be there. Raises ApplicationNotFound."""
    found = find(connection, keyring, application_id)
    if found is None:
        raise ApplicationNotFound(known=application_id[:60])
    return found


def of_member(
    connection: Connection, keyring: Keyring, member_id: MemberId, application_id: str
) -> Application:
    """Return a member's own application. Raises ApplicationNotFound, also for somebody else's."""
    found = find(connection, keyring, application_id)
    if found is None or found.member_id != member_id:
        raise ApplicationNotFound(known=application_id[:60])
    return found


def newest_of(connection: Connection, keyring: Keyring, member_id: MemberId) -> Application | None:
    """Return the application that a member goes on with, or that ended last."""
    own = (
        select(loan_application)
        .where(loan_application.c.member_id == member_id)
        .order_by(loan_application.c.id.desc())
        .limit(1)
    )
    row = connection.execute(own).one_or_none()
    return None if row is None else _of(keyring, row)


def in_state(connection: Connection, keyring: Keyring, state: State, limit: int) -> list[Application]:
    """Return applications that wait in a state, those that have waited longest first."""
    waiting = (
        select(loan_application)
        .where(loan_application.c.state == state)
        .order_by(loan_application.c.expires_at_us, loan_application.c.id)
        .limit(limit)
    )
    return [_of(keyring, row) for row in connection.execute(waiting)]


def change_said(connection: Connection, parts: Parts, application: Application, said: Said) -> Application:
    """Put other words in the place of those of a draft. Raises NotAtThisStep."""
    now_us = parts.clock.now_us()
    _update(
        connection,
        application,
        State.DRAFTED,
        {
            "said": _sealed(parts.keyring, application.id, "said", said),
            "changed_at_us": now_us,
            "expires_at_us": now_us + LIVES_US,
        },
    )
    return _of(parts.keyring, _row(connection, application.id))


def move(  # noqa: PLR0913 - what each step adds to an application
    connection: Connection,
    parts: Parts,
    application: Application,
    to: State,
    *,
    who: Who | None = None,
    found: Found | None = None,
    **changes: str | int | bool | None,
) -> Application:
    """Take an application to its next state, once, and tell of it. Raises NotAtThisStep.

    Nothing but its withdrawal or end can happen to one that waited too long.
    """
    now_us = parts.clock.now_us()
    if to not in NEXT[application.state] or (application.is_over(now_us) and to not in GIVEN_UP):
        raise NotAtThisStep(known=f"{application.id}: {application.state} to {to}")
    values: dict[str, Any] = {
        **changes,
        "state": to.value,
        "changed_at_us": now_us,
        "expires_at_us": now_us + LIVES_US,
    }
    for name, content in (("who", who), ("found", found)):
        if content is not None:
            values[name] = _sealed(parts.keyring, application.id, name, content)
    if to in ENDS:
        values["live"] = None
    _update(connection, application, application.state, values)
    _tell(connection, application.id, to, now_us)
    return _of(parts.keyring, _row(connection, application.id))


def expire_due(connection: Connection, parts: Parts, *, limit: int = 100) -> int:
    """End applications that waited too long, and return how many there were."""
    now_us = parts.clock.now_us()
    due = (
        select(loan_application)
        .where(
            loan_application.c.state.in_([state.value for state in NEXT if state not in ENDS]),
            loan_application.c.expires_at_us <= now_us,
        )
        .order_by(loan_application.c.expires_at_us)
        .limit(limit)
    )
    waited = [_of(parts.keyring, row) for row in connection.execute(due).all()]
    for application in waited:
        move(connection, parts, application, State.EXPIRED)
    return len(waited)


def _begun_before(
    connection: Connection, parts: Parts, member_id: MemberId, key: str, said: Said
) -> Application:
    """Tell a request that came twice from a second application."""
    same = select(loan_application).where(loan_application.c.key == _own_key(member_id, key))
    row = connection.execute(same).one_or_none()
    if row is None:
        raise ApplicationUnderWay(known=member_id)
    before = _of(parts.keyring, row)
    # A draft that was changed since is what its key began, all the same.
    if before.said != said and before.changed_at_us == before.drafted_at_us:
        raise ApplicationKeyReused(known=before.id)
    return before


def _own_key(member_id: MemberId, key: str) -> str:
    # One member's key says nothing to another.
    return f"{member_id}:{key}"


def _update(connection: Connection, application: Application, state: State, values: dict[str, Any]) -> None:
    at = (loan_application.c.id == application.id) & (loan_application.c.state == state.value)
    if connection.execute(update(loan_application).where(at).values(values)).rowcount != 1:
        raise NotAtThisStep(known=f"{application.id} is no longer {state}")


def _tell(connection: Connection, application_id: ApplicationId, state: State, now_us: int) -> None:
    event = outbox.Entry(f"lender:application:{state}", application_id, now_us, b"{}")
    outbox.append(connection, [event])


def _row(connection: Connection, application_id: ApplicationId) -> Row[tuple[object, ...]]:
    return connection.execute(select(loan_application).where(loan_application.c.id == application_id)).one()


def _sealed(keyring: Keyring, application_id: str, name: str, content: Said | Who | Found) -> bytes:
    return keyring.seal(msgspec.json.encode(content), context=_context(application_id, name))


def _of(keyring: Keyring, row: Row[tuple[object, ...]]) -> Application:
    values = dict(row._mapping)  # noqa: SLF001 - how SQLAlchemy gives a row as a mapping
    application_id = values["id"]
    for name, kind in _SEALED.items():
        if values[name] is not None:
            plain = keyring.open(values[name], context=_context(application_id, name))
            values[name] = msgspec.json.decode(plain, type=kind)
    values["state"] = State(values["state"])
    values.pop("live")
    return Application(**values)


def _context(application_id: str, name: str) -> str:
    return context_of(loan_application.c[name], id=application_id)
