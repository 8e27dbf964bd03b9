"""Names by logins: whoever logs in to a partner with the ID is known to both by the pairwise subject.

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
from sekisho.storage.outbox import StoredEntry
from sekisho.storage.tables.openid import openid_visit
from sekisho.storage.tables.sessions import session
from sekisho.storage.tables.signals import signal_partner
from sekisho.storage.tables.wallets import federated_session

LOGIN_COMPLETED = "openid:login:completed"
SESSION_OPENED = "member:session:opened"


class _Login(msgspec.Struct, frozen=True):
    member_id: str
    client_id: str


def learn_login(connection: Connection, parts: Parts, entry: StoredEntry) -> None:
    """At the ID: agree on a name by a login of which the outbox tells."""
    _agree(connection, parts, msgspec.json.decode(entry.body, type=_Login))


def learn_federated_session(connection: Connection, parts: Parts, entry: StoredEntry) -> None:
    """Where members log in with an ID: agree on the name under which the ID knows whose session it is."""
    its = (
        select(federated_session.c.issuer, federated_session.c.subject, session.c.member_id)
        .join(session, session.c.id == federated_session.c.session_id)
        .where(federated_session.c.session_id == entry.subject)
    )
    row = connection.execute(its).one_or_none()
    if row is not None:
        name = IssSub(row.issuer, row.subject)
        agree_within(connection, parts, row.issuer, name, About(MEMBER, row.member_id))


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
