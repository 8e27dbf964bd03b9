"""What happened, for the outbox: which client learnt what, in which session. No secret, no personal datum."""

from sqlalchemy import Connection

from sekisho.identity.openid.grants import AccessToken, Granted, digest_of
from sekisho.identity.openid.scopes import write
from sekisho.kernel.chain import canonical
from sekisho.kernel.ids import MemberId
from sekisho.storage import outbox


def consent_given(connection: Connection, granted: Granted, *, now_us: int) -> None:
    """Tell that a member allowed a client to learn something."""
    body = {**_who(granted), "scopes": write(granted.scopes)}
    _tell(
        connection, "openid:consent:given", f"{granted.session_id}:{granted.client_id}:{now_us}", now_us, body
    )


def consent_revoked(connection: Connection, member_id: MemberId, client_id: str, *, now_us: int) -> None:
    """Tell that a member took a consent back."""
    body = {"member_id": member_id, "client_id": client_id}
    _tell(connection, "openid:consent:revoked", f"{member_id}:{client_id}:{now_us}", now_us, body)


def login_completed(connection: Connection, code: str, granted: Granted, *, now_us: int) -> None:
    """Tell that a client learnt who logged in."""
    body = {**_who(granted), "scopes": write(granted.scopes), "level": granted.level.value}
    _tell(connection, "openid:login:completed", digest_of(code).hex(), now_us, body)


def code_reused(connection: Connection, code: str, client_id: str, *, now_us: int) -> None:
    """Tell that a code came a second time, so that one of the two who had it has stolen it."""
    body = {"client_id": client_id}
    _tell(connection, "openid:code:reused", digest_of(code).hex(), now_us, body)


def claims_released(connection: Connection, token: str, access: AccessToken, *, now_us: int) -> None:
    """Tell that a client read personal data."""
    body = {**_who(access), "scopes": write(access.scopes)}
    _tell(connection, "openid:claims:released", digest_of(token).hex(), now_us, body)


def _who(what: Granted | AccessToken) -> dict[str, str]:
    return {"member_id": what.member_id, "session_id": what.session_id, "client_id": what.client_id}


def _tell(connection: Connection, kind: str, subject: str, at_us: int, body: dict[str, str]) -> None:
    outbox.append(connection, [outbox.Entry(kind, subject, at_us, canonical(body))])
