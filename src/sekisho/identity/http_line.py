"""The line to another institution: HTTPS, bounded in time and size, and to nobody else.

On one machine institutions are `*.localhost`, which the system's resolver need not know (RFC 6761 section
6.3): such names go to the loopback here, in the clear. Everything else is https.
"""

import asyncio
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx
import msgspec

from sekisho.kernel.posture import OperationalError
from sekisho.kernel.refusals import Refusal

ANSWER_S_MAX = 5.0
ANSWER_OCTETS_MAX = 512 * 1024
LOOPBACK = "127.0.0.1"
_LOCAL = frozenset({"localhost", LOOPBACK, "::1"})


class AddressUnfit(Refusal):
    """An address is none that another institution may be called at."""

    code = "address_unfit"
    status = 400
    told = "An address is https, without user or fragment, and on the other institution's own origin."


class Answered(NamedTuple):
    """What came back, at most `ANSWER_OCTETS_MAX` of it."""

    status: int
    headers: httpx.Headers
    body: bytes

    def json(self) -> object:
        """Read the body as JSON. Raises OperationalError where it is none."""
        try:
            return msgspec.json.decode(self.body)
        except (msgspec.DecodeError, RecursionError) as error:
            raise OperationalError("institution", "the answer is no JSON") from error


def require_fit(url: str, origin: str = "") -> str:
    """Return an address that may be called, on this origin where one is given. Raises AddressUnfit."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise AddressUnfit(known="no URL") from error
    plain = url.isascii() and url.isprintable() and not {" ", "\\"} & set(url)
    if not plain or parts.username is not None or parts.fragment or not parts.hostname:
        raise AddressUnfit(known="a user, a fragment, or no host")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_local(parts.hostname)):
        raise AddressUnfit(known="not https")
    if origin and f"{parts.scheme}://{parts.netloc}".lower() != origin.lower():
        raise AddressUnfit(known="on another origin")
    return url


def is_local(host: str) -> bool:
    """Say whether a host is this machine by name, which nobody else can claim."""
    return host in _LOCAL or host.endswith(".localhost")


class Wire(NamedTuple):
    """Where an address is really called, and the headers that say who is meant."""

    url: str
    headers: dict[str, str]


def on_the_wire(url: str) -> Wire:
    """Return how an address is called: names of this machine go to the loopback, without a resolver."""
    parts = urlsplit(url)
    if parts.hostname is None or not parts.hostname.endswith(".localhost"):
        return Wire(url, {})
    here = parts._replace(netloc=f"{LOOPBACK}:{parts.port or 80}").geturl()
    return Wire(here, {"host": parts.netloc})


class HttpLine:
    """Calls other institutions. Open it once; close it at the end."""

    def __init__(self, *, answer_s_max: float = ANSWER_S_MAX) -> None:
        self._answer_s_max = answer_s_max
        self._http = httpx.AsyncClient(timeout=answer_s_max, follow_redirects=False, trust_env=False)

    async def close(self) -> None:
        """Let the connections go."""
        await self._http.aclose()

    async def call(
        self,
        method: str,
        url: str,
        *,
        headers: dict[str, str] | None = None,
        form: dict[str, str] | None = None,
        content: bytes | None = None,
    ) -> Answered:
        """Ask and return the answer, whatever its status.

        Raises OperationalError where none comes in time or it is too long, and AddressUnfit.
        """
        wire = on_the_wire(require_fit(url))
        sent = dict(headers or {}) | wire.headers
        try:
            async with (
                asyncio.timeout(self._answer_s_max),
                self._http.stream(method, wire.url, headers=sent, data=form, content=content) as answer,
            ):
                return Answered(answer.status_code, answer.headers, await _bounded(answer))
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            raise OperationalError(
                "institution", f"{urlsplit(url).hostname}: {type(error).__name__}"
            ) from error


async def _bounded(answer: httpx.Response) -> bytes:
    body = bytearray()
    async for chunk in answer.aiter_bytes():
        body += chunk
        if len(body) > ANSWER_OCTETS_MAX:
            raise OperationalError("institution", "the answer is too long")
    return bytes(body)
