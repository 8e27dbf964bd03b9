"""Consents: what a member allowed a client to learn, remembered until the member takes it back."""

from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, delete, select, update

from sekisho.identity.openid import grants, scopes
from sekisho.identity.openid.scopes import Scope
from sekisho.kernel.ids import MemberId
from sekisho.messages.queue import insert_once
from sekisho.storage.tables.openid import openid_consent


class Consent(NamedTuple):
    """What a member allowed a client, and when last."""

    client_id: str
    scopes: tuple[Scope, ...]
    given_at_us: int


def given(connection: Connection, member_id: MemberId, client_id: str) -> set[Scope]:
    """Return the scopes to which a member consented for a client."""
    found = select(openid_consent.c.scopes).where(_is(member_id, client_id))
    row = connection.execute(found).first()
    return scopes.parse(row.scopes) if row is not None else set()


def give(
    connection: Connection, member_id: MemberId, client_id: str, asked: tuple[Scope, ...], *, now_us: int
) -> None:
    """Remember a consent, beside what the member allowed this client before."""
    together = given(connection, member_id, client_id) | set(asked)
    values = {"scopes": scopes.write(scopes.in_order(together)), "given_at_us": now_us}
    key = {"member_id": member_id, "client_id": client_id}
    if not insert_once(connection, openid_consent, key | values):
        connection.execute(update(openid_consent).where(_is(member_id, client_id)).values(values))


def revoke(connection: Connection, member_id: MemberId, client_id: str, *, now_us: int) -> bool:
    """Take a consent back, and with it every token that the client holds; say whether there was one."""
    grants.revoke_for(connection, member_id, client_id, now_us=now_us)
    return _forget(connection, member_id, client_id)


def of_member(connection: Connection, member_id: MemberId) -> list[Consent]:
    """Return all that a member allowed, the newest first."""
    found = (
        select(openid_consent)
        .where(openid_consent.c.member_id == member_id)
        .order_by(openid_consent.c.given_at_us.desc(), openid_consent.c.client_id)
    )
    return [
        Consent(row.client_id, scopes.in_order(scopes.parse(row.scopes)), row.given_at_us)
        for row in connection.execute(found)
    ]


def _forget(connection: Connection, member_id: MemberId, client_id: str) -> bool:
    gone = delete(openid_consent).where(_is(member_id, client_id))
    return connection.execute(gone).rowcount == 1


def _is(member_id: MemberId, client_id: str) -> ColumnElement[bool]:
    return and_(openid_consent.c.member_id == member_id, openid_consent.c.client_id == client_id)
