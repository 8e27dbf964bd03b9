"""Pages of things outside, a machine's screen or a card reader's: plain ASGI, one folder, no script."""

from collections.abc import Callable, MutableMapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Any]
Send = Callable[[Message], Any]

BODY_OCTETS_MAX = 4_096
FIELDS_MAX = 8
HTML, CSS = b"text/html; charset=utf-8", b"text/css"
_SEALS = (
    (b"cache-control", b"no-store"),
    (
        b"content-security-policy",
        b"default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
)


def template_in(folder: Path, name: str) -> Template:
    """Return a page's template, which escapes what is put into it."""
    environment = Environment(loader=FileSystemLoader(folder), autoescape=True, undefined=StrictUndefined)
    return environment.get_template(name)


async def answer(send: Send, status: int, body: bytes = b"", kind: bytes = HTML, *, to: bytes = b"") -> None:
    """Send one whole answer; `to` is where the browser goes next."""
    headers = [*_SEALS, (b"content-type", kind), (b"content-length", b"%d" % len(body))]
    if to:
        headers.append((b"location", to))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def live(receive: Receive, send: Send) -> None:
    """Say yes to whatever the server tells of its life."""
    while True:
        event = (await receive())["type"]
        await send({"type": f"{event}.complete"})
        if event == "lifespan.shutdown":
            return


async def body_of(receive: Receive) -> bytes:
    """Return the whole body. Raises ValueError where it is too large for anything that is sent here."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > BODY_OCTETS_MAX:
            raise ValueError("what is sent here is smaller")
    return body


async def form_of(receive: Receive) -> dict[str, str]:
    """Return the fields of a form, none where it can't be read."""
    try:
        return fields_of((await body_of(receive)).decode("utf-8"))
    except ValueError:
        return {}


def fields_of(text: str) -> dict[str, str]:
    """Return the fields of a form or a query. Raises ValueError where there are more than any page has."""
    return {name: values[0] for name, values in parse_qs(text, max_num_fields=FIELDS_MAX).items()}


def is_own(scope: Scope) -> bool:
    """Say whether a key was pressed on this page, and not by another site that is open in the browser."""
    headers = dict(scope["headers"])
    origin, host = headers.get(b"origin", b""), headers.get(b"host", b"")
    return not origin or bool(origin.partition(b"://")[2] == host)
