"""One question to a bank over HTTP, bounded in time and size, and what its silence means.

A question that cannot have arrived may be asked anew; one that may have arrived is asked about. Which of the
two it is decides whether money can move twice, so the error says it.
"""

import asyncio
import ssl
from collections.abc import Mapping
from typing import NamedTuple, TypeVar

import httpx
import msgspec

from sekisho.kernel.posture import OperationalError

Answer = TypeVar("Answer")

PATIENCE_S = 10.0
ANSWER_OCTETS_MAX = 64 * 1024

# What goes wrong before a byte of the question has left.
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)


class BankAway(OperationalError):  # noqa: N818 - it says where the bank is
    """A bank gave no answer that can be used. `maybe_heard` says whether it may have acted all the same."""

    def __init__(self, bank: str, detail: str, *, maybe_heard: bool) -> None:
        self.maybe_heard = maybe_heard
        super().__init__(f"bank {bank}", detail)


class Question(NamedTuple):
    """What is sent: `form` for OAuth, `body` (JSON) for the bank's own interface, or neither."""

    method: str
    url: str
    headers: Mapping[str, str] = {}
    form: Mapping[str, str] | None = None
    body: bytes | None = None


class Heard(NamedTuple):
    """An answer as it came; header names are in small letters."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def read(self, kind: type[Answer]) -> Answer:
        """Read the body as JSON of a type. Raises msgspec.MsgspecError."""
        return msgspec.json.decode(self.body, type=kind)


class BankLine(NamedTuple):
    """The line to one bank; the caller closes `client`. `patience_s` is how long an answer is waited for."""

    bank: str
    client: httpx.AsyncClient
    patience_s: float = PATIENCE_S

    async def ask(self, question: Question) -> Heard:
        """Send a question and return its answer, whatever its status. Raises BankAway.

        The bank's texts may hold personal data: no error repeats them.
        """
        try:
            async with asyncio.timeout(self.patience_s):
                return await self._exchange(question)
        except TimeoutError as error:
            raise BankAway(self.bank, "no answer in time", maybe_heard=True) from error
        except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError) as error:
            sent = not isinstance(error, _NEVER_SENT)
            raise BankAway(self.bank, type(error).__name__, maybe_heard=sent) from error

    async def _exchange(self, question: Question) -> Heard:
        headers = {"Accept": "application/json", **question.headers}
        if question.body is not None:
            headers["Content-Type"] = "application/json"
        request = self.client.stream(
            question.method,
            question.url,
            headers=headers,
            data=question.form,
            content=question.body,
            follow_redirects=False,
            timeout=self.patience_s,
        )
        async with request as response:
            read = bytearray()
            async for part in response.aiter_bytes():
                read += part
                if len(read) > ANSWER_OCTETS_MAX:
                    raise BankAway(self.bank, "an answer without end", maybe_heard=True)
            return Heard(response.status_code, response.headers, bytes(read))
