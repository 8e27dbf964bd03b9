"""The services that a member uses with this ID: what each may learn, and the way to stop it."""

import asyncio
from typing import NamedTuple

from sqlalchemy import Connection

from sekisho.identity.institution import Parts
from sekisho.identity.openid import clients, consents, events
from sekisho.identity.openid.scopes import Scope
from sekisho.kernel.ids import MemberId


class Service(NamedTuple):
    """A client that a member allowed something. `names` is empty where it is no longer registered."""

    client_id: str
    names: dict[str, str]
    scopes: tuple[Scope, ...]
    given_at_us: int


class ServiceDesk:
    """Lists what a member allowed, and takes it back."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def of_member(self, member_id: MemberId) -> list[Service]:
        """Return the services that a member allowed something, the newest first."""
        return await asyncio.to_thread(self._read, member_id)

    async def stop(self, member_id: MemberId, client_id: str) -> bool:
        """Take back what a member allowed, with the tokens; say whether there was anything."""
        now_us = self._parts.clock.now_us()

        def work(connection: Connection) -> bool:
            stopped = consents.revoke(connection, member_id, client_id, now_us=now_us)
            if stopped:
                events.consent_revoked(connection, member_id, client_id, now_us=now_us)
            return stopped

        return await asyncio.wrap_future(self._parts.store.write(work))

    def _read(self, member_id: MemberId) -> list[Service]:
        with self._parts.store.read() as connection:
            services = []
            for consent in consents.of_member(connection, member_id):
                client = clients.find(connection, consent.client_id)
                names = client.settings.names if client is not None else {}
                services.append(Service(consent.client_id, names, consent.scopes, consent.given_at_us))
            return services
