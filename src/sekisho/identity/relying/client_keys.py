"""The key by which we prove to an ID that we are its client: made once, sealed, its public half shown."""

from typing import NamedTuple

from sqlalchemy import Connection, select

from sekisho.identity.institution import Parts
from sekisho.identity.openid.jose import Algorithm, SigningKey, new_key_pair, read_private
from sekisho.messages.queue import insert_once
from sekisho.storage.sealed_columns import context_of
from sekisho.storage.tables.wallets import federated_client_key

ALGORITHM: Algorithm = "ES256"


class ClientKey(NamedTuple):
    """Our key towards an ID: ready to sign, and its public half as a JWK in JSON."""

    signing: SigningKey
    public: bytes

    @property
    def key_set(self) -> str:
        """The JWK set that the ID registers us with."""
        return f'{{"keys":[{self.public.decode()}]}}'


def client_key(connection: Connection, parts: Parts, issuer: str) -> ClientKey:
    """Return our key towards an ID, and make it where there is none."""
    its = select(federated_client_key).where(federated_client_key.c.issuer == issuer)
    row = connection.execute(its).one_or_none()
    if row is None:
        pair = new_key_pair(ALGORITHM)
        sealed = parts.keyring.seal(pair.private, context=_context(issuer))
        values = {"issuer": issuer, "kid": pair.kid, "sealed": sealed, "public": pair.public}
        insert_once(connection, federated_client_key, values | {"made_at_us": parts.clock.now_us()})
        row = connection.execute(its).one()
    private = parts.keyring.open(row.sealed, context=_context(issuer))
    return ClientKey(read_private(private, ALGORITHM), bytes(row.public))


def _context(issuer: str) -> str:
    return context_of(federated_client_key.c.sealed, issuer=issuer)
