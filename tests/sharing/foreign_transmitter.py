"""A transmitter and receiver of another make, on loopback: it shows keys, takes streams, pushes by hand."""

import asyncio
import json
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from tests.sharing.by_hand import HandKey, claims
from tests.sharing.two_houses import NOON_US, QUICK, House, open_house, serving

from sekisho.kernel.clock import SetClock
from sekisho.sharing import partners
from sekisho.sharing.agreed_subjects import MEMBER, About
from sekisho.sharing.streams import POLL, PUSH
from sekisho.sharing.subjects import IssSub
from sekisho.sharing.subscribing import Wish
from sekisho.web.server import listening_socket

TOKEN = "the-token-that-they-gave-us"  # noqa: S105 - made up


@dataclass
class Foreign:
    """What the other make is made of. `answers` are the statuses of its ear, the last one for good."""

    origin: str
    keys: list[HandKey]
    stream: dict[str, Any] = field(default_factory=dict)
    asked: list[dict[str, Any]] = field(default_factory=list)
    answers: list[tuple[int, bytes, dict[str, str]]] = field(default_factory=lambda: [(202, b"", {})])
    heard: list[str] = field(default_factory=list)
    headers: list[dict[str, Any]] = field(default_factory=list)
    polls: list[dict[str, Any]] = field(default_factory=list)
    waiting: dict[str, str] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    shows_keys: int = 200

    async def __call__(self, scope, receive, send):
        body = b""
        while (message := await receive()).get("more_body"):
            body += message["body"]
        body += message.get("body", b"")
        status, answer, headers = self.answer(scope["path"], body, dict(scope["headers"]))
        listed = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": listed})
        await send({"type": "http.response.body", "body": answer})

    def answer(self, path, body, headers):
        if path == "/.well-known/ssf-configuration":
            return 200, json.dumps(self.configuration()).encode(), {}
        if path == "/keys":
            shown = {"keys": [key.public() for key in self.keys]}
            return self.shows_keys, json.dumps(shown).encode(), {}
        if path == "/streams":
            self.stream = json.loads(body)
            delivery = {"method": self.stream["delivery"]["method"], "endpoint_url": f"{self.origin}/poll"}
            said = {"stream_id": "s1", "iss": self.origin, "aud": "us", "delivery": delivery}
            return 201, json.dumps(said).encode(), {"content-type": "application/json"}
        if path == "/verify":
            self.asked.append(json.loads(body))
            return 204, b"", {}
        if path == "/poll":
            return self.answer_poll(json.loads(body))
        self.heard.append(body.decode())
        self.headers.append({name.decode(): value.decode() for name, value in headers.items()})
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def configuration(self):
        said = {
            "spec_version": "1_0",
            "issuer": self.origin,
            "jwks_uri": f"{self.origin}/keys",
            "configuration_endpoint": f"{self.origin}/streams",
            "verification_endpoint": f"{self.origin}/verify",
        }
        return said | self.metadata

    def answer_poll(self, asked):
        self.polls.append(asked)
        for jti in (*asked["ack"], *asked["setErrs"]):
            self.waiting.pop(jti, None)
        sets = dict(list(self.waiting.items())[:2])
        answer = {"sets": sets, "moreAvailable": len(self.waiting) > len(sets)}
        return 200, json.dumps(answer).encode(), {}


@dataclass
class Meeting:
    """A house of ours, and the other make; `person` is the other's name of our user."""

    house: House
    foreign: Foreign
    clock: SetClock
    user: str
    person: dict[str, Any]

    def token(self, *, key=None, header=None, **more):
        """Return a token about the person, as the other make would sign it."""
        said = claims(self.foreign.origin, "us", self.clock.now_us(), self.person, **more)
        return (key or self.foreign.keys[0]).sign(said, **(header or {}))

    async def push(self, token, **headers):
        """Push a token to the house, and return the answer."""
        sent = {
            "content-type": "application/secevent+jwt",
            "authorization": self.foreign.stream["delivery"]["authorization_header"],
            "host": self.house.origin.partition("//")[2],
            **headers,
        }
        port = self.house.origin.rpartition(":")[2]
        url = f"http://127.0.0.1:{port}/ssf/events"
        async with httpx.AsyncClient(trust_env=False) as http:
            return await http.post(url, content=token, headers={k: v for k, v in sent.items() if v})


@asynccontextmanager
async def meeting(folder: Path, *, method=PUSH, settings=QUICK, keys=None, **options):
    """Let a house of ours subscribe to the other make."""
    listener = listening_socket("127.0.0.1", 0)
    origin = f"http://foreign.localhost:{listener.getsockname()[1]}"
    foreign = Foreign(origin, keys or [HandKey()])
    server = uvicorn.Server(uvicorn.Config(foreign, log_config=None, lifespan="off"))
    clock = SetClock(NOON_US)
    async with AsyncExitStack() as ending:
        running = asyncio.create_task(server.serve(sockets=[listener]))
        ending.push_async_callback(lambda: running)
        ending.callback(lambda: setattr(server, "should_exit", True))
        house = await ending.enter_async_context(
            serving(await open_house(folder, "wallet", clock, settings, **options))
        )
        house.write(lambda at: partners.admit(at, house.parts, origin))
        await house.exchange.subscriber.subscribe(Wish(origin, TOKEN, method))
        user = house.add_member()
        house.agree(origin, IssSub(origin, "p-1"), About(MEMBER, user))
        person = {"format": "iss_sub", "iss": origin, "sub": "p-1"}
        yield Meeting(house, foreign, clock, user, person)


__all__ = ["POLL", "Foreign", "Meeting", "meeting"]
