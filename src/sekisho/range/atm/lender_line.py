"""The machine's line to the lender: over HTTPS with certificates, or to a desk in the same process."""

import asyncio
import ssl
from collections.abc import Awaitable
from typing import Protocol, TypeVar

import httpx
import msgspec

from sekisho.kernel.posture import OperationalError
from sekisho.kernel.refusals import Refusal
from sekisho.kernel.yen import Yen
from sekisho.lender.atm_machines import AtMachine, Entered, MachineDesk, Typed
from sekisho.lender.atm_network import PATIENCE_S, CashAnswer
from sekisho.lender.atm_sessions import Shown

Answer = TypeVar("Answer")

PART = "lender_line"
_REFUSED = range(400, 500)


class _Problem(msgspec.Struct):
    code: str = ""


class Declined(Exception):  # noqa: N818 - an answer that was foreseen
    """The lender said no, with the code of its refusal."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


class LenderLine(Protocol):
    """What a machine asks of the lender. It raises Declined, or OperationalError where no answer came."""

    async def show(self, machine_id: str, key: str) -> Shown:
        """Ask for a code to show."""
        ...

    async def look(self, session_id: str) -> AtMachine:
        """Ask how far a session has come."""
        ...

    async def enter(self, session_id: str, typed: Typed) -> Entered:
        """Pass on what was typed."""
        ...

    async def count(self, session_id: str, typed: Typed, yen: int) -> Entered:
        """Say what was counted."""
        ...

    async def confirm(self, answer: CashAnswer) -> None:
        """Say what became of an order."""
        ...


class HttpsLenderLine:
    """The line over HTTPS. The caller closes `client`, which has `Certificates.for_client`."""

    def __init__(self, client: httpx.AsyncClient, url: str, *, patience_s: float = 3 * PATIENCE_S) -> None:
        # The lender answers an entry when it has told us to pay: it waits for us, and we for it.
        self._client = client
        self._url = url.rstrip("/")
        self._patience_s = patience_s

    async def show(self, machine_id: str, key: str) -> Shown:
        """Ask for a code to show."""
        return await self._ask("POST", f"/v1/machines/{machine_id}/sessions", Shown, {}, key)

    async def look(self, session_id: str) -> AtMachine:
        """Ask how far a session has come."""
        return await self._ask("GET", f"/v1/sessions/{session_id}", AtMachine)

    async def enter(self, session_id: str, typed: Typed) -> Entered:
        """Pass on what was typed."""
        body = {"company_number": typed.company_number, "pin": typed.pin}
        return await self._ask("POST", f"/v1/sessions/{session_id}/entry", Entered, body, typed.key)

    async def count(self, session_id: str, typed: Typed, yen: int) -> Entered:
        """Say what was counted."""
        body = {"company_number": typed.company_number, "amount_yen": yen}
        return await self._ask("POST", f"/v1/sessions/{session_id}/count", Entered, body, typed.key)

    async def confirm(self, answer: CashAnswer) -> None:
        """Say what became of an order."""
        body = {"state": answer.state, "moved_yen": answer.moved_yen}
        path = f"/v1/orders/{answer.order_id}/confirmation"
        await self._ask("POST", path, dict[str, str], body, f"{answer.order_id}:{answer.state}")

    async def _ask(
        self, method: str, path: str, kind: type[Answer], body: object = None, key: str = ""
    ) -> Answer:
        headers = {"Content-Type": "application/json"} | ({"Idempotency-Key": key} if key else {})
        content = None if body is None else msgspec.json.encode(body)
        try:
            async with asyncio.timeout(self._patience_s):
                answer = await self._client.request(
                    method, self._url + path, content=content, headers=headers, follow_redirects=False
                )
            if answer.is_success:
                return msgspec.json.decode(answer.content, type=kind)
            if answer.status_code in _REFUSED:
                raise Declined(msgspec.json.decode(answer.content, type=_Problem).code)
        except TimeoutError as error:
            raise OperationalError(PART, "no answer in time") from error
        except (httpx.HTTPError, ssl.SSLError, msgspec.MsgspecError) as error:
            raise OperationalError(PART, type(error).__name__) from error
        raise OperationalError(PART, f"HTTP {answer.status_code}")


class DeskLine:
    """The line to a lender in the same process, for trying the program."""

    def __init__(self, desk: MachineDesk, network: str) -> None:
        self._desk = desk
        self._network = network

    async def show(self, machine_id: str, key: str) -> Shown:
        """Ask for a code to show."""
        return await _or_declined(self._desk.show(self._network, machine_id, key))

    async def look(self, session_id: str) -> AtMachine:
        """Ask how far a session has come."""
        return await _or_declined(self._desk.at_machine(self._network, session_id))

    async def enter(self, session_id: str, typed: Typed) -> Entered:
        """Pass on what was typed."""
        return await _or_declined(self._desk.enter(self._network, session_id, typed))

    async def count(self, session_id: str, typed: Typed, yen: int) -> Entered:
        """Say what was counted."""
        return await _or_declined(self._desk.count(self._network, session_id, typed, Yen(yen)))

    async def confirm(self, answer: CashAnswer) -> None:
        """Say what became of an order."""
        await _or_declined(self._desk.confirm(self._network, answer))


async def _or_declined(asking: Awaitable[Answer]) -> Answer:
    try:
        return await asking
    except Refusal as refusal:
        raise Declined(refusal.code) from refusal
