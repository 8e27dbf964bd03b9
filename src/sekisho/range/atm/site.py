"""The machine's door for the lender: orders, questions and the day's report, plain ASGI behind mutual TLS."""

import re
from collections.abc import Callable
from datetime import date

import msgspec

from sekisho.kernel.ids import ATM_ORDER
from sekisho.lender.atm_network import PayOut
from sekisho.range.atm.machine import Machine
from sekisho.range.small_pages import Receive, Scope, Send, body_of

_MACHINE = r"/v1/machines/(?P<machine>[0-9A-Za-z-]{1,32})"
_ORDER = re.compile(_MACHINE + r"/orders/(?P<order>ato_[0-9a-f]{32})(?P<reversal>/reversal)?")
_DAY = re.compile(_MACHINE + r"/days/(?P<day>\d{4}-\d\d-\d\d)")


class MachineSite:
    """`POST /v1/orders`, `GET .../orders/{order}`, `POST .../reversal` and `GET .../days/{day}`.

    `peer_of` tells by whose certificate a request came; only `lender` is listened to.
    """

    def __init__(self, machine: Machine, lender: str, peer_of: Callable[[Scope], str]) -> None:
        self._machine = machine
        self._lender = lender
        self._peer_of = peer_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        try:
            status, answer = self._answer(scope, await body_of(receive))
        except (msgspec.MsgspecError, ValueError):
            status, answer = 400, {"code": "malformed"}
        headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": msgspec.json.encode(answer)})

    def _answer(self, scope: Scope, body: bytes) -> tuple[int, object]:
        if self._peer_of(scope) != self._lender:
            return 403, {"code": "not_our_lender"}
        method, path = scope["method"], scope["path"]
        if (method, path) == ("POST", "/v1/orders"):
            order = msgspec.json.decode(body, type=PayOut)
            ATM_ORDER.parse(order.order_id)
            return 200, self._machine.pay_out(order)
        about, day = _ORDER.fullmatch(path), _DAY.fullmatch(path)
        found = about or day
        if found is None or found["machine"] != self._machine.machine_id:
            return 404, {"code": "not_found"}
        if day is not None:
            return 200, self._machine.report(date.fromisoformat(day["day"]))
        assert about is not None  # noqa: S101 - one of the two was found
        if about["reversal"]:
            done = self._machine.reverse if method == "POST" else None
        else:
            done = self._machine.query if method == "GET" else None
        return (405, {"code": "method_not_allowed"}) if done is None else (200, done(about["order"]))
