"""Run an ASGI application on uvicorn with uvloop and httptools, within limits.

uvicorn reads headers of any length and waits for a request for any time. Here a request's head is bounded,
the time in which a request must have arrived is too, and both are refused with problem details.
"""

import asyncio
import gc
import socket
from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

import msgspec
import uvicorn
import uvloop
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from sekisho.kernel.refusals import Refusal
from sekisho.web.asgi import App
from sekisho.web.problems import CONTENT_TYPE, HeadersTooLarge, Malformed, TooSlow, problem_of

if TYPE_CHECKING:
    from uvicorn._types import ASGIApplication

HEAD_OCTETS_MAX = 32_768
REQUEST_S_MAX = 10.0
KEEP_ALIVE_S = 75
SHUTDOWN_S = 10
BACKLOG = 2_048
LINGER_S = 2.0
HEAD_END = b"\r\n\r\n"


class BoundedHttp(HttpToolsProtocol):
    """uvicorn's HTTP/1.1 with a bounded head and a bounded time for a request to arrive."""

    request_s_max = REQUEST_S_MAX

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """Start the clock: a connection that never says anything is slow as well."""
        super().connection_made(transport)
        self._head_octets = 0
        self._in_head = True
        self._refused = False
        self._arriving_since: float | None = self.loop.time()

    def data_received(self, data: bytes) -> None:
        """Take octets in; refuse where a head does not end in time."""
        if self._refused:
            return
        if self._in_head and len(data) > HEAD_OCTETS_MAX and HEAD_END not in data[:HEAD_OCTETS_MAX]:
            self._refuse(HeadersTooLarge())
            return
        super().data_received(data)
        if self._in_head:
            self._head_octets += len(data)
            if self._head_octets > HEAD_OCTETS_MAX:
                self._refuse(HeadersTooLarge())

    def on_message_begin(self) -> None:
        """Note when a request begins."""
        super().on_message_begin()
        if self._arriving_since is None:
            self._arriving_since = self.loop.time()

    def on_headers_complete(self) -> None:
        """Note that the head is over."""
        self._in_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Note that the request has arrived; what comes now is the next one's head."""
        self._arriving_since = None
        self._in_head = True
        self._head_octets = 0
        super().on_message_complete()

    def refuse_if_slow(self, now: float) -> None:
        """Refuse with `too_slow` where a request has been arriving for too long."""
        if self._arriving_since is not None and now - self._arriving_since > self.request_s_max:
            self._refuse(TooSlow())

    def send_400_response(self, msg: str) -> None:
        """Say what is not HTTP as problem details, where uvicorn would say it as text."""
        self._refuse(Malformed(told=msg))

    def _refuse(self, refusal: Refusal) -> None:
        if self._refused or self.transport.is_closing():
            return
        self._refused = True
        if not self._unanswered():
            self.transport.close()
            return
        body = msgspec.json.encode(problem_of(refusal))
        self.transport.write(
            f"HTTP/1.1 {refusal.status} {HTTPStatus(refusal.status).phrase}\r\n"
            f"content-type: {CONTENT_TYPE}\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n".encode()
            + body,
        )
        # Closed at once, the connection is reset while the client still writes, and it never reads why.
        self.transport.write_eof()
        self.loop.call_later(LINGER_S, self.transport.close)
        if self.cycle is not None:
            self.cycle.disconnected = True
            self.cycle.message_event.set()

    def _unanswered(self) -> bool:
        """Say whether what is written now can only be taken for the answer to what is arriving."""
        if self._in_head:
            return self.cycle is None or self.cycle.response_complete
        return not self.cycle.response_started


def listening_socket(host: str, port: int) -> socket.socket:
    """Return a socket that listens; port 0 takes a free one. Raises OSError where the address is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.listen(BACKLOG)
    listener.setblocking(False)
    return listener


async def serve(app: App, listener: socket.socket, *, request_s_max: float = REQUEST_S_MAX) -> None:
    """Serve until SIGINT or SIGTERM, then let running requests end. Call it through `run`."""
    protocol = type("BoundedHttp", (BoundedHttp,), {"request_s_max": request_s_max})
    config = uvicorn.Config(
        cast("ASGIApplication", app),
        http=protocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=SHUTDOWN_S,
    )
    server = uvicorn.Server(config)
    watch = asyncio.ensure_future(_refuse_slow_requests(server))
    try:
        await server.serve(sockets=[listener])
    finally:
        watch.cancel()


def run(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a coroutine on uvloop. What lives at the start stays: the collector need not look at it again."""
    gc.collect()
    gc.freeze()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())


async def _refuse_slow_requests(server: uvicorn.Server) -> None:
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(1)
        now = loop.time()
        for connection in tuple(server.server_state.connections):
            cast("BoundedHttp", connection).refuse_if_slow(now)
