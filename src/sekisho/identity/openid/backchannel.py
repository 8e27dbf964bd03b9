"""Tell clients that a session ended (Back-Channel Logout 1.0), from server to server, until it arrives.

The queue is the visits themselves, so that a logout that happened is told however often this program is
restarted. An answer of 400 means that the client refuses for good; anything else that is no 200 is an outage
and tried again with growing pauses.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus

import httpx
import structlog
from sqlalchemy import Connection

from sekisho.identity.http_line import on_the_wire
from sekisho.identity.institution import Parts
from sekisho.identity.openid import client_authentication, clients, grants, visits
from sekisho.identity.openid.clients import Client
from sekisho.identity.openid.id_tokens import TokenSigner
from sekisho.identity.openid.settings import OpenIdSettings
from sekisho.identity.openid.signing_keys import SigningKeys
from sekisho.identity.openid.visits import Due
from sekisho.kernel.clock import MINUTE_US, SECOND_US
from sekisho.kernel.posture import OperationalError

log = structlog.get_logger(__name__)

LOOK_EVERY_S = 1.0
TIDY_EVERY_US = 10 * MINUTE_US
AT_ONCE = 20
ANSWER_S_MAX = 5.0
LEASE_US = 30 * SECOND_US
FIRST_PAUSE_US = 5 * SECOND_US
PAUSE_US_MAX = 30 * MINUTE_US
TAKEN = {HTTPStatus.OK, HTTPStatus.NO_CONTENT}


class LogoutCourier:
    """Delivers logout tokens, and does the provider's housekeeping between two looks."""

    def __init__(
        self, parts: Parts, settings: OpenIdSettings, signer: TokenSigner, keys: SigningKeys
    ) -> None:
        self._parts = parts
        self._settings = settings
        self._signer = signer
        self._keys = keys
        self._tidied_us = 0

    @asynccontextmanager
    async def delivering(self) -> AsyncIterator[None]:
        """Deliver while the block runs."""
        running = asyncio.ensure_future(self._run())
        try:
            yield
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running

    async def deliver_due(self) -> int:
        """Tell every client whose time has come, once; return how many heard it."""
        now_us = self._parts.clock.now_us()
        due = await asyncio.wrap_future(
            self._parts.store.write(
                lambda connection: visits.lease_due(
                    connection, now_us=now_us, lease_us=LEASE_US, limit=AT_ONCE
                )
            )
        )
        if not due:
            return 0
        async with httpx.AsyncClient(timeout=ANSWER_S_MAX, follow_redirects=False, trust_env=False) as http:
            return sum(await asyncio.gather(*(self._deliver(http, one) for one in due)))

    async def tidy(self) -> None:
        """Delete what is too old to mean anything, and make signing keys that are due."""
        now_us = self._parts.clock.now_us()

        def work(connection: Connection) -> None:
            grants.forget_expired(connection, now_us=now_us)
            client_authentication.forget_expired(connection, now_us=now_us)

        await asyncio.wrap_future(self._parts.store.write(work))
        await asyncio.to_thread(self._keys.ensure)

    async def _run(self) -> None:
        while True:
            try:
                await self.deliver_due()
                if abs(self._parts.clock.now_us() - self._tidied_us) >= TIDY_EVERY_US:
                    await self.tidy()
                    self._tidied_us = self._parts.clock.now_us()
            except OperationalError as outage:
                log.warning("openid:courier:outage", part=outage.part)
            await asyncio.sleep(LOOK_EVERY_S)

    async def _deliver(self, http: httpx.AsyncClient, due: Due) -> bool:
        client = await asyncio.to_thread(self._client, due.client_id)
        if client is None or not client.settings.backchannel_logout_uri:
            await self._close(due)
            return False
        token = self._signer.logout_token(client, due.member_id, due.session_id)
        status = await _post(http, client.settings.backchannel_logout_uri, token)
        if status in TAKEN:
            await self._close(due)
            return True
        given_up = self._parts.clock.now_us() >= due.ended_at_us + self._settings.logout_s * SECOND_US
        log.info("openid:logout:not_taken", client=due.client_id, status=status, tries=due.tries + 1)
        if status == HTTPStatus.BAD_REQUEST or given_up:
            await self._close(due)
        else:
            await self._postpone(due)
        return False

    def _client(self, client_id: str) -> Client | None:
        with self._parts.store.read() as connection:
            return clients.find(connection, client_id)

    async def _close(self, due: Due) -> None:
        now_us = self._parts.clock.now_us()
        await asyncio.wrap_future(
            self._parts.store.write(lambda connection: visits.closed(connection, due, now_us=now_us))
        )

    async def _postpone(self, due: Due) -> None:
        pause_us = min(PAUSE_US_MAX, FIRST_PAUSE_US << min(due.tries, 20))
        until_us = self._parts.clock.now_us() + pause_us
        await asyncio.wrap_future(
            self._parts.store.write(lambda connection: visits.postponed(connection, due, until_us=until_us))
        )


async def _post(http: httpx.AsyncClient, uri: str, token: str) -> int:
    """Post a logout token and return the status of the answer, 0 where there is none in time."""
    wire, form = on_the_wire(uri), {"logout_token": token}
    try:
        # The answer's body is not read: whatever it says, it may be long.
        async with (
            asyncio.timeout(ANSWER_S_MAX),
            http.stream("POST", wire.url, headers=wire.headers, data=form) as answer,
        ):
            return answer.status_code
    except (httpx.HTTPError, TimeoutError):
        return 0
