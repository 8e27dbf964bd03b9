"""One port, several host names: each request finds its application, and all live and end together."""

import asyncio

import httpx
import pytest

from sekisho.web.hosts import Hosts


class Named:
    """An application that answers with its name and notes its life."""

    def __init__(self, name, *, starts=True):
        self.name = name
        self.starts = starts
        self.life = []

    async def __call__(self, scope, receive, send):
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": self.name.encode()})

    async def _live(self, receive, send):
        for event in ("startup", "shutdown"):
            await receive()
            self.life.append(event)
            ended = "complete" if self.starts else "failed"
            await send({"type": f"lifespan.{event}.{ended}"})
            if not self.starts:
                return


def live(application):
    """Start and stop an application; return what it says to the server."""

    async def through():
        to_it: asyncio.Queue[dict[str, str]] = asyncio.Queue()
        from_it: list[str] = []
        task = asyncio.create_task(application({"type": "lifespan"}, to_it.get, _into(from_it)))
        await to_it.put({"type": "lifespan.startup"})
        await to_it.put({"type": "lifespan.shutdown"})
        await task
        return from_it

    return asyncio.run(through())


def _into(messages):
    async def send(message):
        messages.append(message["type"])

    return send


@pytest.mark.parametrize(
    ("host", "answer"),
    [
        ("console.localhost:8470", "console"),
        ("CONSOLE.localhost", "console"),
        ("guard.localhost:8470", "guard"),
        ("127.0.0.1:8470", "guard"),
        ("[::1]:8470", "guard"),
        ("console.localhost.evil.example", "guard"),
    ],
)
def test_the_host_name_finds_its_application(host, answer):
    """Only the exact name opens the console; a name that another site points at this machine does not."""
    hosts = Hosts({"console.localhost": Named("console")}, otherwise=Named("guard"))

    async def ask():
        async with httpx.AsyncClient(transport=httpx.ASGITransport(hosts)) as client:
            return (await client.get("http://any/", headers={"host": host})).text

    assert asyncio.run(ask()) == answer


def test_all_applications_start_and_stop_together():
    """The server hears one answer for all of them."""
    console, guard = Named("console"), Named("guard")
    assert live(Hosts({"console.localhost": console}, otherwise=guard)) == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
    ]
    assert console.life == guard.life == ["startup", "shutdown"]


def test_one_that_does_not_start_stops_the_others_again():
    """Half a service is none."""
    console, guard = Named("console", starts=False), Named("guard")
    assert live(Hosts({"console.localhost": console}, otherwise=guard)) == ["lifespan.startup.failed"]
    assert guard.life == ["startup", "shutdown"]
