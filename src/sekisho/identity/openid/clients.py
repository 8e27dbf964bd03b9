"""Clients: the services that may ask who a member is, as the operator registered them."""

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode
from enum import StrEnum
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, insert, select, update

from sekisho.identity.openid.jose import ALGORITHMS, CLIENT_ALGORITHMS, Algorithm, UnusableKey, public_keys
from sekisho.identity.openid.redirects import Unregistrable, check_redirect_uri, check_web_uri, host_of
from sekisho.identity.openid.scopes import Scope
from sekisho.kernel.chance import Chance
from sekisho.storage.tables.openid import openid_client

SECRET_OCTETS = 32
NO_SECRET = b""
CLIENT_ID = re.compile(r"[a-z0-9][a-z0-9._-]{1,62}[a-z0-9]")
NAME_CHARACTERS_MAX = 60
URIS_MAX = 20
KEY_SET_CHARACTERS_MAX = 16_384


class Proof(StrEnum):
    """How a client proves that it is itself when it exchanges a code."""

    NONE = "none"
    """It cannot keep a secret (an app): PKCE alone ties the code to whoever asked for it."""

    SECRET_BASIC = "client_secret_basic"  # noqa: S105 - the method's name
    """A shared secret in the Authorization header."""

    SECRET_POST = "client_secret_post"  # noqa: S105 - the method's name
    """A shared secret in the form."""

    PRIVATE_KEY_JWT = "private_key_jwt"
    """A short statement signed with a key of which we know the public half (RFC 7523)."""


class ClientSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the operator says about a client.

    `names` by language are shown to members. `redirect_uris` and `post_logout_redirect_uris` are compared
    character for character; `native` lets the port of a loopback address differ, and allows a scheme of the
    app's own. `backchannel_logout_uri` takes logout tokens. `key_set` is the client's JWK set, in JSON, for
    private_key_jwt. `scopes` are those that it may ask for. Clients of one `sector` know a member by the same
    subject; empty, it is the redirect URIs' host. `consent` False is for the institution's own services,
    whose use the member agreed to when the account was opened.
    """

    names: dict[str, str]
    redirect_uris: tuple[str, ...]
    post_logout_redirect_uris: tuple[str, ...] = ()
    backchannel_logout_uri: str = ""
    native: bool = False
    proof: Proof = Proof.SECRET_BASIC
    key_set: str = ""
    signed_with: Algorithm = "ES256"
    scopes: tuple[Scope, ...] = tuple(Scope)
    sector: str = ""
    consent: bool = True


class Client(msgspec.Struct, frozen=True, kw_only=True):
    """A registered client."""

    client_id: str
    secret_digest: bytes
    settings: ClientSettings
    added_at_us: int

    @property
    def sector(self) -> str:
        """The name under which its subjects are made: clients of one sector see the same ones."""
        return self.settings.sector or host_of(self.settings.redirect_uris[0])

    def name(self, language: str) -> str:
        """Return the name for people, in their language where there is one."""
        names = self.settings.names
        return names.get(language) or names.get("ja") or next(iter(names.values()))

    def knows_secret(self, presented: str) -> bool:
        """Say, in constant time, whether this is the client's secret."""
        # No secret hashes to zeros: a client without one is as slow to say no, and never says yes.
        return hmac.compare_digest(_digest(presented), self.secret_digest or bytes(32))


class ClientUnfit(ValueError):  # noqa: N818 - says what is wrong with the registration
    """A registration that would be unsafe or could never work, or an id that is taken."""


def check(settings: ClientSettings) -> None:
    """Raise ClientUnfit where a registration would be unsafe or could never work."""
    _check_names(settings.names)
    if not 0 < len(settings.redirect_uris) <= URIS_MAX or len(settings.post_logout_redirect_uris) > URIS_MAX:
        raise ClientUnfit(
            f"a client has 1 to {URIS_MAX} redirect URIs, and at most {URIS_MAX} for the logout"
        )
    try:
        for uri in (*settings.redirect_uris, *settings.post_logout_redirect_uris):
            check_redirect_uri(uri, native=settings.native)
        if settings.backchannel_logout_uri:
            check_web_uri(settings.backchannel_logout_uri)
        keys = public_keys(settings.key_set, CLIENT_ALGORITHMS) if settings.key_set else None
    except (Unregistrable, UnusableKey) as error:
        raise ClientUnfit(str(error)) from error
    if len(settings.key_set) > KEY_SET_CHARACTERS_MAX:
        raise ClientUnfit(f"the key set is longer than {KEY_SET_CHARACTERS_MAX} characters")
    if (settings.proof is Proof.PRIVATE_KEY_JWT) != bool(keys):
        raise ClientUnfit("a key set belongs to private_key_jwt, and private_key_jwt needs one")
    if settings.signed_with not in ALGORITHMS:
        raise ClientUnfit(f"ID tokens are signed with {' or '.join(ALGORITHMS)}")
    if Scope.OPENID not in settings.scopes:
        raise ClientUnfit("every client needs the scope openid")
    if not settings.sector and len({host_of(uri) for uri in settings.redirect_uris}) > 1:
        raise ClientUnfit("redirect URIs on several hosts need a sector that names whose they are")


def _check_names(names: dict[str, str]) -> None:
    if not names:
        raise ClientUnfit("a client has a name")
    for name in names.values():
        if not name.strip() or len(name) > NAME_CHARACTERS_MAX or not name.isprintable():
            raise ClientUnfit(f"a name has 1 to {NAME_CHARACTERS_MAX} characters that can be seen")


def add(
    connection: Connection, client_id: str, settings: ClientSettings, *, now_us: int, chance: Chance
) -> str:
    """Register a client and return its secret, empty where it has none: the only time that it can be seen.

    Raises ClientUnfit. An id that was removed is not given out again: old consents must not count for it.
    """
    if not CLIENT_ID.fullmatch(client_id):
        raise ClientUnfit(f"a client's id matches {CLIENT_ID.pattern}: {client_id[:80]!r}")
    check(settings)
    taken = select(openid_client.c.client_id).where(openid_client.c.client_id == client_id)
    if connection.execute(taken).first():
        raise ClientUnfit(f"there is or was a client of this id: {client_id!r}")
    secret = ""
    if settings.proof in {Proof.SECRET_BASIC, Proof.SECRET_POST}:
        secret = urlsafe_b64encode(chance.octets(SECRET_OCTETS)).rstrip(b"=").decode()
    connection.execute(
        insert(openid_client),
        {
            "client_id": client_id,
            "secret_digest": _digest(secret) if secret else NO_SECRET,
            "settings": msgspec.json.encode(settings),
            "added_at_us": now_us,
            "removed_at_us": None,
        },
    )
    return secret


def change(connection: Connection, client_id: str, settings: ClientSettings) -> bool:
    """Replace what is known of a client, keys too; its secret stays. Say whether there is one.

    Raises ClientUnfit.
    """
    check(settings)
    its = update(openid_client).where(
        openid_client.c.client_id == client_id, openid_client.c.removed_at_us.is_(None)
    )
    return connection.execute(its.values(settings=msgspec.json.encode(settings))).rowcount == 1


def remove(connection: Connection, client_id: str, *, now_us: int) -> bool:
    """Take a client away; say whether there was one. Its tokens and consents count no more."""
    taken = (
        update(openid_client)
        .where(openid_client.c.client_id == client_id, openid_client.c.removed_at_us.is_(None))
        .values(removed_at_us=now_us)
    )
    return connection.execute(taken).rowcount == 1


def find(connection: Connection, client_id: str) -> Client | None:
    """Return the client of an id, None where there is none."""
    if not CLIENT_ID.fullmatch(client_id):
        return None
    found = select(openid_client).where(
        openid_client.c.client_id == client_id, openid_client.c.removed_at_us.is_(None)
    )
    row = connection.execute(found).first()
    return _read(row) if row is not None else None


def all_clients(connection: Connection) -> list[Client]:
    """Return all clients by their id."""
    live = select(openid_client).where(openid_client.c.removed_at_us.is_(None))
    return [_read(row) for row in connection.execute(live.order_by(openid_client.c.client_id))]


def _read(row: Row[Any]) -> Client:
    return Client(
        client_id=row.client_id,
        secret_digest=row.secret_digest,
        settings=msgspec.json.decode(row.settings, type=ClientSettings),
        added_at_us=row.added_at_us,
    )


def _digest(secret: str) -> bytes:
    # 256 random bits need no slow hash: there is nothing to guess.
    return hashlib.sha256(secret.encode()).digest()
