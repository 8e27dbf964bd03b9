"""A partner over HTTP on the loopback, which answers, keeps silent, or breaks off."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

import httpx

from sekisho.lender.json_ports import Partner

Answering = Callable[[bytes], bytes | None]
"""From a request to what goes back; None for a partner that says nothing until we leave."""


def http(status: str, body: bytes, *extra: str) -> bytes:
    """Return a whole answer."""
    head = "\r\n".join((f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *extra))
    return head.encode() + b"\r\n\r\n" + body


@contextlib.asynccontextmanager
async def serving(answering: Answering, key: str = "") -> AsyncIterator[tuple[Partner, list[bytes]]]:
    """Serve, and yield the partner and the requests that came: heads with their bodies."""
    came: list[bytes] = []

    at_work: set[asyncio.Task[None] | None] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        at_work.add(asyncio.current_task())
        head = await reader.readuntil(b"\r\n\r\n")
        lengths = [
            line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")
        ]
        request = head + await reader.readexactly(int(lengths[0]))
        came.append(request)
        answer = answering(request)
        with contextlib.suppress(ConnectionError):
            if answer is None:
                await reader.read()
            else:
                writer.write(answer)
                await writer.drain()
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        try:
            async with httpx.AsyncClient() as client:
                yield Partner("credit bureau", client, f"http://127.0.0.1:{port}/v1/query", key), came
        finally:
            await asyncio.gather(*(task for task in at_work if task is not None))
