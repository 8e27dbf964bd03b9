"""What a network of machines asks of the lender: JSON over TLS, both sides with certificates.

The name in the network's certificate says for which machines it speaks. Every request that changes something
carries an `Idempotency-Key`. docs/reference/atm.md has the routes.
"""

import re
from collections.abc import Awaitable, Callable
from traceback import format_exc

import msgspec
import structlog

from sekisho.kernel.posture import OperationalError
from sekisho.kernel.refusals import Refusal
from sekisho.kernel.yen import Yen
from sekisho.lender.atm_machines import MachineDesk, Typed
from sekisho.lender.atm_network import CashAnswer, CashState
from sekisho.web.asgi import (
    JSON,
    NO_STORE,
    Answer,
    ClientGone,
    Receive,
    Scope,
    Send,
    read_body,
    refusal_answer,
    send_answer,
)
from sekisho.web.mutual_tls import peer_of
from sekisho.web.problems import Internal, Malformed, MethodNotAllowed, NotFound

log = structlog.get_logger(__name__)

BODY_OCTETS_MAX = 4_096
KEY = re.compile(r"[\x21-\x7e]{1,80}")

_PART = r"(?P<about>[0-9A-Za-z_-]{1,60})"


class AtmPeerUnknown(Refusal):
    """The caller's certificate names nobody."""

    code = "atm_peer_unknown"
    status = 403
    told = "Your certificate names nobody that we know."


class StoreAway(Refusal):
    """A part that the answer stands on is down; the same request may come again."""

    code = "atm_away"
    status = 503
    told = "We can't answer at the moment. Send the same request again."


class EntryBody(msgspec.Struct, frozen=True):
    """What was typed at a machine."""

    company_number: str
    pin: str = ""


class CountBody(msgspec.Struct, frozen=True):
    """What a machine has counted."""

    company_number: str
    amount_yen: int


class ConfirmationBody(msgspec.Struct, frozen=True):
    """What became of an order."""

    state: CashState
    moved_yen: int = 0


class Call(msgspec.Struct, frozen=True):
    """One request: who asks, about what, under which key, and with which body."""

    network: str
    about: str
    key: str
    body: bytes


class AtmNetworkApp:
    """Routes the machines' requests to their desk."""

    def __init__(self, desk: MachineDesk) -> None:
        self._desk = desk
        self._routes: tuple[tuple[str, re.Pattern[str], Callable[[Call], Awaitable[object]]], ...] = (
            ("POST", re.compile(f"/v1/machines/{_PART}/sessions"), self._show),
            ("GET", re.compile(f"/v1/sessions/{_PART}"), self._look),
            ("POST", re.compile(f"/v1/sessions/{_PART}/entry"), self._enter),
            ("POST", re.compile(f"/v1/sessions/{_PART}/count"), self._count),
            ("POST", re.compile(f"/v1/orders/{_PART}/confirmation"), self._confirm),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        try:
            answered = await self._answer(scope, receive)
            answer = Answer(200, (JSON, NO_STORE), msgspec.json.encode(answered))
        except Refusal as refusal:
            log.info("atm_network:request:refused", code=refusal.code, known=refusal.known)
            answer = refusal_answer(refusal)
        except OperationalError as outage:
            log.warning("atm_network:request:away", part=outage.part)
            answer = refusal_answer(StoreAway(known=outage.part))
        except ClientGone:
            return
        except Exception:  # noqa: BLE001 - whatever it was, the machine gets problem details
            trace = format_exc()
            log.error("atm_network:request:failed", trace=trace)  # noqa: TRY400 - rendered, an exception shows local variables, and with them a PIN
            answer = refusal_answer(Internal())
        await send_answer(answer, send)

    async def _answer(self, scope: Scope, receive: Receive) -> object:
        network = peer_of(scope)
        if not network:
            raise AtmPeerUnknown
        method, take, about = self._route(scope["path"])
        if scope["method"] != method:
            raise MethodNotAllowed((method,))
        headers: dict[bytes, bytes] = dict(scope["headers"])
        key = headers.get(b"idempotency-key", b"").decode("latin-1")
        if method == "POST" and not KEY.fullmatch(key):
            raise Malformed(told="An Idempotency-Key of 1 to 80 visible characters is needed.")
        body = await read_body(headers, receive, BODY_OCTETS_MAX) if method == "POST" else b""
        try:
            return await take(Call(network, about, key, body))
        except msgspec.MsgspecError as error:
            # What was sent may hold a PIN: neither it nor the decoder's words about it are told or kept.
            raise Malformed(known=type(error).__name__) from None

    def _route(self, path: str) -> tuple[str, Callable[[Call], Awaitable[object]], str]:
        for method, pattern, take in self._routes:
            found = pattern.fullmatch(path)
            if found is not None:
                return method, take, found["about"]
        raise NotFound(known=path[:100])

    async def _show(self, call: Call) -> object:
        return await self._desk.show(call.network, call.about, call.key)

    async def _look(self, call: Call) -> object:
        return await self._desk.at_machine(call.network, call.about)

    async def _enter(self, call: Call) -> object:
        body = msgspec.json.decode(call.body, type=EntryBody)
        return await self._desk.enter(
            call.network, call.about, Typed(call.key, body.company_number, body.pin)
        )

    async def _count(self, call: Call) -> object:
        body = msgspec.json.decode(call.body, type=CountBody)
        typed = Typed(call.key, body.company_number)
        return await self._desk.count(call.network, call.about, typed, Yen(body.amount_yen))

    async def _confirm(self, call: Call) -> object:
        body = msgspec.json.decode(call.body, type=ConfirmationBody)
        if body.moved_yen < 0:
            raise Malformed(told="An amount of cash is 0 or more.")
        answer = CashAnswer(order_id=call.about, state=body.state, moved_yen=body.moved_yen)
        order = await self._desk.confirm(call.network, answer)
        return {"order_id": order.id, "state": order.state}
