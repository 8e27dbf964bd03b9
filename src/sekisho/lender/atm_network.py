"""What the lender and a network of machines say to each other about cash, and the line on which they do.

The lender orders: pay this out, what became of it, give it up, what did the day bring. Each order has an id
of ours that makes it happen once, and a time after which the machine must not begin it any more. A machine
that gives an order up has written down that it never will carry it out; only then what was reserved is free.
"""

import asyncio
import ssl
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple, Protocol, TypeVar

import httpx
import msgspec

from sekisho.kernel.posture import OperationalError

Answer = TypeVar("Answer")

PATIENCE_S = 10.0
"""Longer than this nobody waits for a machine: what it does is then unknown until it is asked again."""

ANSWER_OCTETS_MAX = 4 * 1024 * 1024
PART = "atm_network"


class CashState(StrEnum):
    """What a machine knows of an order."""

    WORKING = "working"
    """It has begun, and it is not known yet how much it moves."""

    DONE = "done"
    """It is over: so much was moved, and none of it will be taken back."""

    NEVER = "never"
    """Nothing was moved, and nothing ever will be under this order."""

    UNHEARD = "unheard"
    """The machine has not heard of it, and may still hear."""


class PayOut(msgspec.Struct, frozen=True, kw_only=True):
    """Pay an amount out, once, and do not begin after a time (microseconds since the epoch)."""

    order_id: str
    machine_id: str
    session_id: str
    amount_yen: int
    not_after_us: int


class CashAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an order. `moved_yen` counts what was given to the member, or kept of a deposit."""

    order_id: str
    state: CashState
    moved_yen: int = 0


class ReportLine(msgspec.Struct, frozen=True, kw_only=True):
    """One order in a machine's day: how much was moved."""

    order_id: str
    moved_yen: int


class DayReport(msgspec.Struct, frozen=True, kw_only=True):
    """All that a machine moved for orders of one day (in Japan), as of the time when the report was made."""

    machine_id: str
    day: str
    made_at_us: int
    lines: tuple[ReportLine, ...] = ()

    @property
    def on(self) -> date:
        """The day. Raises ValueError where it is none."""
        return date.fromisoformat(self.day)


class AtmNetwork(Protocol):
    """Whoever reaches the machines. All of it raises OperationalError where no answer came in time."""

    async def pay_out(self, order: PayOut) -> CashAnswer:
        """Order a machine to pay out. The same order again is answered with what became of it."""
        ...

    async def query(self, machine_id: str, order_id: str) -> CashAnswer:
        """Ask what became of an order."""
        ...

    async def reverse(self, machine_id: str, order_id: str) -> CashAnswer:
        """Give an order up: where it has not begun it never will, otherwise hear what became of it."""
        ...

    async def report(self, machine_id: str, day: date) -> DayReport:
        """Ask for a machine's day."""
        ...


class Certificates(NamedTuple):
    """Files in PEM: whom we trust, who we are, and the key to it."""

    authority: Path
    own: Path
    key: Path

    def for_client(self) -> ssl.SSLContext:
        """Return settings for calling: the other side must be who it says, and hears who we are."""
        context = ssl.create_default_context(cafile=str(self.authority))
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_cert_chain(self.own, self.key)
        return context

    def for_server(self) -> ssl.SSLContext:
        """Return settings for being called: nobody without a certificate of the authority gets an answer."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(self.authority))
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_cert_chain(self.own, self.key)
        return context


class HttpsAtmNetwork:
    """Speaks to a network over HTTPS; each side shows a certificate. The caller closes `client`."""

    def __init__(self, client: httpx.AsyncClient, url: str, *, patience_s: float = PATIENCE_S) -> None:
        """Take a client that has `Certificates.for_client`, and the network's address without a path."""
        self._client = client
        self._url = url.rstrip("/")
        self._patience_s = patience_s

    async def pay_out(self, order: PayOut) -> CashAnswer:
        """Order a machine to pay out."""
        body = msgspec.json.encode(order)
        answer = await self._ask("POST", "/v1/orders", CashAnswer, body, key=order.order_id)
        return _about(answer, order.order_id)

    async def query(self, machine_id: str, order_id: str) -> CashAnswer:
        """Ask what became of an order."""
        path = f"/v1/machines/{machine_id}/orders/{order_id}"
        return _about(await self._ask("GET", path, CashAnswer), order_id)

    async def reverse(self, machine_id: str, order_id: str) -> CashAnswer:
        """Give an order up, or hear what became of it."""
        path = f"/v1/machines/{machine_id}/orders/{order_id}/reversal"
        return _about(await self._ask("POST", path, CashAnswer, b"{}", key=f"{order_id}:reversal"), order_id)

    async def report(self, machine_id: str, day: date) -> DayReport:
        """Ask for a machine's day."""
        report = await self._ask("GET", f"/v1/machines/{machine_id}/days/{day.isoformat()}", DayReport)
        if (report.machine_id, report.day) != (machine_id, day.isoformat()):
            raise OperationalError(PART, "a report of another machine or day")
        return report

    async def _ask(
        self, method: str, path: str, kind: type[Answer], body: bytes | None = None, *, key: str = ""
    ) -> Answer:
        headers = {"Content-Type": "application/json"} | ({"Idempotency-Key": key} if key else {})
        try:
            async with asyncio.timeout(self._patience_s):
                return await self._read(method, path, kind, body, headers)
        except TimeoutError as error:
            raise OperationalError(PART, "no answer in time") from error
        except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError) as error:
            raise OperationalError(PART, type(error).__name__) from error
        except msgspec.MsgspecError as error:
            raise OperationalError(PART, "an answer that can't be read") from error

    async def _read(
        self, method: str, path: str, kind: type[Answer], body: bytes | None, headers: dict[str, str]
    ) -> Answer:
        request = self._client.stream(
            method, self._url + path, content=body, headers=headers, follow_redirects=False
        )
        async with request as response:
            if not response.is_success:
                raise OperationalError(PART, f"HTTP {response.status_code}")
            read = bytearray()
            async for part in response.aiter_bytes():
                read += part
                if len(read) > ANSWER_OCTETS_MAX:
                    raise OperationalError(PART, "an answer without end")
            return msgspec.json.decode(bytes(read), type=kind)


def _about(answer: CashAnswer, order_id: str) -> CashAnswer:
    if answer.order_id != order_id or answer.moved_yen < 0:
        raise OperationalError(PART, "an answer about something else")
    return answer
