"""The endpoints that clients call themselves, without HTTP: token, userinfo, revocation."""

import asyncio
import re
from typing import NamedTuple

from sqlalchemy import Connection, select

from sekisho.identity.institution import Parts
from sekisho.identity.openid import client_authentication, clients, events, grants, scopes, visits
from sekisho.identity.openid.claims import ITEMS, personal, subject
from sekisho.identity.openid.clients import Client
from sekisho.identity.openid.grants import AccessToken, Granted, Unusable
from sekisho.identity.openid.id_tokens import TokenSigner
from sekisho.identity.openid.jose import Claims
from sekisho.identity.openid.metadata import TOKEN_PATH
from sekisho.identity.openid.parameters import Parameters
from sekisho.identity.openid.refusals import InvalidGrant, InvalidRequest, InvalidToken, UnsupportedGrantType
from sekisho.identity.openid.settings import OpenIdSettings
from sekisho.identity.personal_data import read_for_use
from sekisho.identity.reveals import told
from sekisho.kernel.ids import MemberId
from sekisho.storage.tables.members import member

GRANT_TYPE = "authorization_code"
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


class Tokens(NamedTuple):
    """What a code buys."""

    access_token: str
    id_token: str
    expires_s: int
    scope: str


class _Bought(NamedTuple):
    client: Client
    granted: Granted
    access_token: str


class TokenDesk:
    """Exchanges codes, opens userinfo and revokes."""

    def __init__(self, parts: Parts, settings: OpenIdSettings, signer: TokenSigner) -> None:
        self._parts = parts
        self._settings = settings
        self._signer = signer
        issuer = parts.institution.origin
        self._audiences = (issuer, issuer + TOKEN_PATH)

    async def exchange(self, parameters: Parameters, authorization: str) -> Tokens:
        """Exchange a code. Raises InvalidRequest, UnsupportedGrantType, InvalidClient or InvalidGrant."""
        presented = client_authentication.read(parameters, authorization)
        _refuse_repetition(parameters)
        if parameters.need("grant_type") != GRANT_TYPE:
            raise UnsupportedGrantType
        code, verifier = parameters.need("code"), parameters.need("code_verifier")
        redirect_uri = parameters.need("redirect_uri")
        if not _VERIFIER.fullmatch(verifier):
            raise InvalidRequest(told="The code_verifier has 43 to 128 letters, digits and -._~")
        client = await self._authenticated(presented)
        shown = grants.Presented(client.client_id, code, redirect_uri, verifier)
        bought = await asyncio.wrap_future(
            self._parts.store.write(lambda connection: self._buy(connection, client, shown))
        )
        if isinstance(bought, Unusable):
            raise InvalidGrant(known=f"{client.client_id}: {bought.why}")
        id_token = self._signer.id_token(client, bought.granted, bought.access_token)
        scope = scopes.write(bought.granted.scopes)
        return Tokens(bought.access_token, id_token, self._settings.access_token_s, scope)

    async def userinfo(self, token: str) -> Claims:
        """Return the claims that a token opens. Raises InvalidToken."""
        access, client = await asyncio.to_thread(self._opened, token)
        found = {"sub": subject(self._parts.keyring, client.sector, access.member_id)}
        if not any(ITEMS[scope] for scope in access.scopes):
            return found
        released = await asyncio.wrap_future(
            self._parts.store.write(lambda connection: self._release(connection, token))
        )
        return found | released

    async def revoke(self, parameters: Parameters, authorization: str) -> None:
        """Revoke a client's own token (RFC 7009). Raises InvalidClient; an unknown token is no error."""
        presented = client_authentication.read(parameters, authorization)
        _refuse_repetition(parameters)
        token = parameters.need("token")
        client = await self._authenticated(presented)
        now_us = self._parts.clock.now_us()
        await asyncio.wrap_future(
            self._parts.store.write(
                lambda connection: grants.revoke_token(connection, token, client.client_id, now_us=now_us)
            )
        )

    async def _authenticated(self, presented: client_authentication.Presented) -> Client:
        """Return the client that proved itself. Only a statement that was believed costs a write."""
        client, statement = await asyncio.to_thread(self._proven, presented)
        if statement is not None:
            await asyncio.wrap_future(
                self._parts.store.write(
                    lambda connection: client_authentication.use_up(connection, statement)
                )
            )
        return client

    def _proven(self, presented: client_authentication.Presented) -> client_authentication.Proven:
        now_us = self._parts.clock.now_us()
        with self._parts.store.read() as connection:
            return client_authentication.authenticate(
                connection, presented, audiences=self._audiences, now_us=now_us
            )

    def _buy(self, connection: Connection, client: Client, shown: grants.Presented) -> _Bought | Unusable:
        """Use the code up and make the token, or take back what it made: one unit of work in each case."""
        now_us = self._parts.clock.now_us()
        granted = grants.redeem(connection, shown, now_us=now_us)
        if isinstance(granted, Unusable):
            if granted.reused:
                events.code_reused(connection, shown.code, client.client_id, now_us=now_us)
            return granted
        token_s, chance = self._settings.access_token_s, self._parts.chance
        token = grants.new_token(
            connection, shown.code, granted, now_us=now_us, token_s=token_s, chance=chance
        )
        visits.began(connection, granted, now_us=now_us)
        events.login_completed(connection, shown.code, granted, now_us=now_us)
        return _Bought(client, granted, token)

    def _opened(self, token: str) -> tuple[AccessToken, Client]:
        with self._parts.store.read() as connection:
            return self._live(connection, token)

    def _live(self, connection: Connection, token: str) -> tuple[AccessToken, Client]:
        found = None
        if _TOKEN.fullmatch(token):
            found = grants.find_token(connection, token, now_us=self._parts.clock.now_us())
        client = clients.find(connection, found.client_id) if found is not None else None
        if found is None or client is None:
            raise InvalidToken
        return found, client

    def _release(self, connection: Connection, token: str) -> Claims:
        """Read the personal data that a token opens, and write down that they left, in one unit of work."""
        access, _ = self._live(connection, token)
        items = [item for scope in access.scopes for item in ITEMS[scope]]
        values = read_for_use(connection, self._parts.keyring, access.member_id, items)
        now_us = self._parts.clock.now_us()
        if grants.first_use(connection, token, now_us=now_us):
            events.claims_released(connection, token, access, now_us=now_us)
            actor = f"client:{access.client_id}"
            told(connection, self._parts, access.member_id, access.session_id, values, actor=actor)
        return personal(access.scopes, values, _language(connection, access.member_id))


def _language(connection: Connection, member_id: MemberId) -> str:
    found = select(member.c.language).where(member.c.id == member_id)
    return str(connection.execute(found).scalar_one())


def _refuse_repetition(parameters: Parameters) -> None:
    for name in sorted(parameters.repeated):
        raise InvalidRequest(told="A parameter is repeated.", known=name[:40])
