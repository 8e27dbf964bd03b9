"""A partner's program that asks a house for its stream, with the words of SSF 1.0."""

import asyncio
from contextlib import asynccontextmanager

import httpx
from tests.sharing.two_houses import NOON_US, QUICK, open_house, serving

from sekisho.kernel.clock import SetClock
from sekisho.sharing import partners

PARTNER = "https://partner.example"
PUSH = "urn:ietf:rfc:8935"
POLL = "urn:ietf:rfc:8936"
EAR = {"method": PUSH, "endpoint_url": f"{PARTNER}/ear", "authorization_header": "Bearer theirs"}


class PartnerClient:
    """Asks one house, with one token."""

    def __init__(self, house, token, http):
        self.house = house
        self.token = token
        self._http = http

    async def __call__(self, method, path, body=None, **headers):
        """Ask, and return the answer."""
        port = self.house.origin.rpartition(":")[2]
        sent = {"authorization": f"Bearer {self.token}", "host": f"id.localhost:{port}", **headers}
        url = f"http://127.0.0.1:{port}{path}"
        content = {"content": body} if isinstance(body, bytes) else {"json": body} if body is not None else {}
        return await self._http.request(method, url, headers=sent, **content)

    async def stream(self, **said):
        """Make a stream and return its configuration."""
        answer = await self("POST", "/ssf/streams", said)
        assert answer.status_code == 201, answer.text
        return answer.json()


@asynccontextmanager
async def partner(folder, *, settings=QUICK, issuer=PARTNER):
    """Open a house that admitted a partner."""
    async with serving(await open_house(folder, "id", SetClock(NOON_US), settings)) as house:
        token = house.write(lambda at: partners.admit(at, house.parts, issuer))
        async with httpx.AsyncClient(trust_env=False, timeout=30) as http:
            yield PartnerClient(house, token, http)


def played(folder, play, **options):
    """Let a partner's program ask a house."""

    async def playing():
        async with partner(folder, **options) as ask:
            return await play(ask)

    return asyncio.run(playing())
