"""The few words of ASGI that our bare routes use: read a body within a limit, send one answer."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, NamedTuple

import msgspec

from sekisho.kernel.refusals import Refusal
from sekisho.web.problems import CONTENT_TYPE, MethodNotAllowed, TooLarge, problem_of

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

JSON = (b"content-type", b"application/json")
PROBLEM = (b"content-type", CONTENT_TYPE.encode())
NO_STORE = (b"cache-control", b"no-store")
RETRY_SOON = (b"retry-after", b"1")

STATUS_UNAUTHORISED = 401
STATUS_UNAVAILABLE = 503


class Answer(NamedTuple):
    """One whole answer; the length header is added when it is sent."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


class ClientGone(Exception):  # noqa: N818 - nobody is left to be answered
    """The client hung up before its request was complete."""


async def read_body(scope_headers: dict[bytes, bytes], receive: Receive, octets_max: int) -> bytes:
    """Return the whole body. Refuses with `too_large` as soon as more than `octets_max` are known to come."""
    announced = scope_headers.get(b"content-length")
    if announced is not None and len(announced) > len(str(octets_max)):
        raise TooLarge(known=f"announced {announced[:20]!r} octets")
    message = await receive()
    body: bytes = message.get("body", b"")
    if message["type"] == "http.disconnect":
        raise ClientGone
    if not message.get("more_body") and len(body) <= octets_max:
        return body
    parts = [body]
    octets = len(body)
    while message.get("more_body"):
        if octets > octets_max:
            break
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        part: bytes = message.get("body", b"")
        parts.append(part)
        octets += len(part)
    if octets > octets_max:
        raise TooLarge(known=f"at least {octets} octets")
    return b"".join(parts)


async def send_answer(answer: Answer, send: Send) -> None:
    """Send one whole answer."""
    status, headers, body = answer
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [*headers, (b"content-length", b"%d" % len(body))],
        },
    )
    await send({"type": "http.response.body", "body": body})


def refusal_answer(refusal: Refusal) -> Answer:
    """Say a refusal as problem details, with the headers that its status calls for."""
    headers = [PROBLEM, NO_STORE]
    if refusal.status == STATUS_UNAVAILABLE:
        headers.append(RETRY_SOON)
    if refusal.status == STATUS_UNAUTHORISED:
        headers.append((b"www-authenticate", b'Bearer realm="sekisho"'))
    if isinstance(refusal, MethodNotAllowed):
        headers.append((b"allow", ", ".join(refusal.allowed).encode()))
    return Answer(refusal.status, tuple(headers), msgspec.json.encode(problem_of(refusal)))


def cookie_value(header: str, name: str) -> str:
    """Return a cookie's value out of a Cookie header, empty where it is not there.

    One cookie that breaks the grammar, as applications set them, must not hide the others.
    """
    for part in header.split(";"):
        key, _, value = part.strip().partition("=")
        if key == name:
            return value.strip('"')
    return ""
