"""One question to a bank, and what its silence means.

A question that cannot have arrived may be asked anew; one that may have arrived is asked about. Which of the
two it is decides whether money can move twice, so the error says it.
"""

from collections.abc import Mapping
from typing import NamedTuple, TypeVar

import httpx
import msgspec

from sekisho.identity.http_line import AddressUnfit, HttpLine
from sekisho.kernel.posture import OperationalError

Kind = TypeVar("Kind")

PATIENCE_S = 10.0
"""How long a bank is waited for, in seconds: open an `HttpLine` with it."""

# What goes wrong before a byte of the question has left.
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.InvalidURL)


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
    """An answer as it came; header names are found in any case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def read(self, kind: type[Kind]) -> Kind:
        """Read the body as JSON of a type. Raises msgspec.MsgspecError."""
        return msgspec.json.decode(self.body, type=kind)


class BankLine(NamedTuple):
    """The line to one bank; the caller closes `http`."""

    bank: str
    http: HttpLine

    async def ask(self, question: Question) -> Heard:
        """Send a question and return its answer, whatever its status. Raises BankAway.

        The bank's texts may hold personal data: no error repeats them.
        """
        headers = {"Accept": "application/json", **question.headers}
        if question.body is not None:
            headers["Content-Type"] = "application/json"
        form = None if question.form is None else dict(question.form)
        try:
            answered = await self.http.call(
                question.method, question.url, headers=headers, form=form, content=question.body
            )
        except AddressUnfit as error:
            raise BankAway(self.bank, f"unfit address: {error.known}", maybe_heard=False) from error
        except OperationalError as error:
            sent = not isinstance(error.__cause__, _NEVER_SENT)
            raise BankAway(self.bank, error.detail, maybe_heard=sent) from error
        return Heard(*answered)
