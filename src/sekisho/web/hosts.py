"""Several applications on one port, told apart by the host name that the browser asks for."""

import asyncio
from collections.abc import Collection, Mapping

from sekisho.web.asgi import App, Message, Receive, Scope, Send


class Hosts:
    """An ASGI application that hands each request to the application of its host name.

    What asks for no name in `by_name` goes to `otherwise`. All of them start and stop together.
    """

    def __init__(self, by_name: Mapping[str, App], *, otherwise: App) -> None:
        self._by_name = dict(by_name)
        self._otherwise = otherwise

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the life of the whole server."""
        if scope["type"] == "lifespan":
            await self._live(scope, receive, send)
            return
        await self._by_name.get(_host_name(scope), self._otherwise)(scope, receive, send)

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        lives = [_Life(application, scope) for application in (self._otherwise, *self._by_name.values())]
        started: list[_Life] = []
        try:
            for life in lives:
                await life.start()
                started.append(life)
        except Exception as failure:  # noqa: BLE001 - the protocol has a message of its own for any failure
            await _stopped(started)
            await send({"type": "lifespan.startup.failed", "message": str(failure)})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await _stopped(started)
        await send({"type": "lifespan.shutdown.complete"})


class Fronted:
    """An ASGI application that hands some paths, each as it stands, to another one before it."""

    def __init__(self, front: App, paths: Collection[str], *, otherwise: App) -> None:
        self._front = front
        self._paths = frozenset(paths)
        self._otherwise = otherwise

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the life of the application behind; the one before it lives by itself."""
        fronted = scope["type"] == "http" and scope["path"] in self._paths
        await (self._front if fronted else self._otherwise)(scope, receive, send)


class _Life:
    """The lifespan of one application: a task that is told to start, and later to stop."""

    def __init__(self, application: App, scope: Scope) -> None:
        self._to_application: asyncio.Queue[Message] = asyncio.Queue()
        self._from_application: asyncio.Queue[Message] = asyncio.Queue()
        own = {**scope, "state": scope.get("state", {})}
        self._task = asyncio.ensure_future(
            application(own, self._to_application.get, self._from_application.put)
        )

    async def start(self) -> None:
        """Start the application. Raises RuntimeError where it says that it cannot."""
        answer = await self._ask("lifespan.startup")
        if answer["type"] == "lifespan.startup.failed":
            raise RuntimeError(answer.get("message", "the application did not start"))

    async def stop(self) -> None:
        """Stop the application and wait until it has."""
        await self._ask("lifespan.shutdown")
        await self._task

    async def _ask(self, event: str) -> Message:
        await self._to_application.put({"type": event})
        answer = asyncio.ensure_future(self._from_application.get())
        await asyncio.wait({answer, self._task}, return_when=asyncio.FIRST_COMPLETED)
        if answer.done():
            return answer.result()
        answer.cancel()
        self._task.result()
        return {"type": f"{event}.complete"}


async def _stopped(lives: list[_Life]) -> None:
    for life in reversed(lives):
        await life.stop()


def _host_name(scope: Scope) -> str:
    """Return the host name of a request without its port, in lower case; empty where it sends none."""
    for name, value in scope.get("headers", ()):
        if name == b"host":
            host: str = value.decode("latin-1").lower()
            return host.rpartition(":")[0] if ":" in host and not host.endswith("]") else host
    return ""
