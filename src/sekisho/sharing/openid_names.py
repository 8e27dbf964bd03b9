"""At an OpenID provider: whoever logs in to a partner is known to it by the pairwise subject.

That name is agreed by the login itself, so that nothing has to be exchanged beside it.
"""

import msgspec
from sqlalchemy import Connection, select

from sekisho.identity.institution import Parts
from sekisho.identity.openid import clients
from sekisho.identity.openid.claims import subject
from sekisho.kernel.ids import MemberId
from sekisho.sharing.agreed_subjects import MEMBER, About, agree_within
from sekisho.sharing.subjects import IssSub
from sekisho.storage.tables.openid import openid_visit
from sekisho.storage.tables.signals import signal_partner

LOGIN_COMPLETED = "openid:login:completed"


class _Login(msgspec.Struct, frozen=True):
    member_id: str
    client_id: str


def learn_login(connection: Connection, parts: Parts, body: bytes) -> bool:
    """Agree on a name by a login of which the outbox tells, and tell whether that is new."""
    login = msgspec.json.decode(body, type=_Login)
    return _agree(connection, parts, login)


def learn_earlier_logins(connection: Connection, parts: Parts, client_id: str) -> int:
    """Agree on the names of all who logged in to a partner before it was one; return how many are new."""
    visits = select(openid_visit.c.member_id).where(openid_visit.c.client_id == client_id).distinct()
    found = list(connection.execute(visits).scalars())
    return sum(_agree(connection, parts, _Login(member_id, client_id)) for member_id in found)


def _agree(connection: Connection, parts: Parts, login: _Login) -> bool:
    partner = select(signal_partner.c.issuer).where(signal_partner.c.client_id == login.client_id)
    issuer = connection.execute(partner).scalars().first()
    client = clients.find(connection, login.client_id)
    if issuer is None or client is None:
        return False
    name = subject(parts.keyring, client.sector, MemberId(login.member_id))
    known_as = IssSub(parts.institution.origin, name)
    return agree_within(connection, parts, issuer, known_as, About(MEMBER, login.member_id))
