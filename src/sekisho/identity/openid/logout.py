"""Logout that a client asks for (RP-Initiated Logout 1.0): the member confirms, and goes back if safe."""

import asyncio
from typing import NamedTuple

from sekisho.identity.institution import Parts
from sekisho.identity.openid import clients
from sekisho.identity.openid.claims import session_name
from sekisho.identity.openid.clients import Client
from sekisho.identity.openid.id_tokens import TokenSigner
from sekisho.identity.openid.parameters import Parameters
from sekisho.identity.openid.redirects import with_parameters
from sekisho.identity.openid.refusals import InvalidRequest, RequestUnreadable
from sekisho.identity.openid.requests import STATE_CHARACTERS_MAX
from sekisho.identity.sessions import Session


class LogoutRequest(NamedTuple):
    """What a client asks for. `back_to` is empty unless registered; `client` None: nobody known asks."""

    client: Client | None
    back_to: str


class LogoutDesk:
    """Reads what a client asks for when it sends a member to log out."""

    def __init__(self, parts: Parts, signer: TokenSigner) -> None:
        self._parts = parts
        self._signer = signer

    async def read(self, parameters: Parameters, session: Session | None) -> LogoutRequest:
        """Find out who asks and where the member may go afterwards. Raises RequestUnreadable.

        A hint that is not ours, or about another login, names nobody: the member may still log out here.
        """
        try:
            return await asyncio.to_thread(self._read, parameters, session)
        except InvalidRequest as refusal:
            raise RequestUnreadable(known=refusal.told) from refusal

    def _read(self, parameters: Parameters, session: Session | None) -> LogoutRequest:
        client_id, hint = parameters.get("client_id"), parameters.get("id_token_hint")
        if hint:
            read = self._signer.read_hint(hint)
            if read is None or (client_id and client_id != read.client_id):
                return LogoutRequest(None, "")
            keyring = self._parts.keyring
            if session is not None and read.sid != session_name(keyring, read.client_id, session.id):
                return LogoutRequest(None, "")
            client_id = read.client_id
        with self._parts.store.read() as connection:
            client = clients.find(connection, client_id)
        if client is None:
            return LogoutRequest(None, "")
        return LogoutRequest(client, _back_to(client, parameters))


def _back_to(client: Client, parameters: Parameters) -> str:
    uri, state = parameters.get("post_logout_redirect_uri"), parameters.get("state")
    if uri not in client.settings.post_logout_redirect_uris:
        return ""
    return with_parameters(uri, {"state": state} if state and len(state) <= STATE_CHARACTERS_MAX else {})
