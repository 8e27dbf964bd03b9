"""Serve those who show a certificate: HTTP between institutions, where both sides say who they are."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, cast

import uvicorn

from sekisho.web.asgi import App, Scope
from sekisho.web.server import KEEP_ALIVE_S, BoundedHttp

if TYPE_CHECKING:
    from uvicorn._types import ASGIApplication

EXTENSION = "sekisho.peer"
SHUTDOWN_S = 3
"""A peer keeps its connections open between requests, and need not answer when they are to be closed."""


class PeerHttp(BoundedHttp):
    """HTTP/1.1 that tells the application by whose certificate a request came."""

    def on_message_begin(self) -> None:
        """Put the peer's name beside the request."""
        super().on_message_begin()
        tls = self.transport.get_extra_info("ssl_object")
        name = "" if tls is None else _dns_name(tls)
        scope = cast("Scope", self.scope)
        scope["extensions"] = {**scope.get("extensions", {}), EXTENSION: {"name": name}}


def peer_of(scope: Scope) -> str:
    """Return the name in the certificate of whoever asks; empty where there is none."""
    name: str = scope.get("extensions", {}).get(EXTENSION, {}).get("name", "")
    return name


@asynccontextmanager
async def serving_peers(app: App, listener: socket.socket, context: ssl.SSLContext) -> AsyncIterator[None]:
    """Serve over TLS while the block runs. `context` demands and verifies a certificate.

    Raises ValueError where it does not.
    """
    if context.verify_mode is not ssl.CERT_REQUIRED:
        raise ValueError("peers show certificates")
    config = uvicorn.Config(
        cast("ASGIApplication", app),
        http=PeerHttp,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=SHUTDOWN_S,
    )
    config.load()
    config.ssl = context
    server = _Server(config)
    running = asyncio.ensure_future(server.serve(sockets=[listener]))
    try:
        up = asyncio.ensure_future(server.up.wait())
        await asyncio.wait({up, running}, return_when=asyncio.FIRST_COMPLETED)
        up.cancel()
        yield
    finally:
        server.should_exit = True
        await running


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Say when it is up."""
        await super().startup(sockets)
        self.up.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to whoever runs this beside something else."""
        yield


def _dns_name(tls: ssl.SSLObject) -> str:
    certificate = tls.getpeercert() or {}
    names = cast("tuple[tuple[str, str], ...]", certificate.get("subjectAltName", ()))
    # One certificate, one name: of two we could not say which of them asks.
    found = [value for kind, value in names if kind == "DNS"]
    return found[0] if len(found) == 1 else ""
