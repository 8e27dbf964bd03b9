"""The login house's door on HTTP: one form, one step after it, plain ASGI."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import msgspec

from sekisho.kernel.posture import OperationalError
from sekisho.range.arrivals import Arrival
from sekisho.range.login_house import LoginHouse, Reply

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

BODY_OCTETS_MAX = 4_096
COOKIE = "device"
MARK = b"x-range-mark"
"""Only the range's auditor reads this header; a real login has nothing like it."""


class LoginForm(msgspec.Struct, frozen=True):
    """What is typed."""

    name: str
    password: str


class StepForm(msgspec.Struct, frozen=True):
    """What is given when one more step was asked for."""

    token: str
    given: str


class LoginSite:
    """`POST /login` and `POST /login/step`. A proxy tells the address and the TLS fingerprint."""

    def __init__(self, house: LoginHouse) -> None:
        self._house = house

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await _live(receive, send)
            return
        try:
            status, reply = await self._answer(scope, await _body(receive))
        except (msgspec.MsgspecError, ValueError):
            status, reply = 400, Reply(next="again")
        except OperationalError:
            status, reply = 503, Reply(next="later")
        headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
        if reply.cookie:
            cookie = f"{COOKIE}={reply.cookie}; Path=/login; HttpOnly; SameSite=Lax; Max-Age=34560000"
            headers.append((b"set-cookie", cookie.encode()))
            reply = msgspec.structs.replace(reply, cookie="")
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": msgspec.json.encode(reply)})

    async def _answer(self, scope: Scope, body: bytes) -> tuple[int, Reply]:
        if (scope["method"], scope["path"]) == ("POST", "/login"):
            form = msgspec.json.decode(body, type=LoginForm)
            headers: dict[bytes, bytes] = dict(scope["headers"])
            arrival = self._arrival(form, headers)
            reply = await self._house.log_in(arrival, headers.get(MARK, b"").decode())
        elif (scope["method"], scope["path"]) == ("POST", "/login/step"):
            step = msgspec.json.decode(body, type=StepForm)
            reply = await self._house.take_step(step.token, step.given)
        else:
            return 404, Reply(next="again")
        return (200 if reply.next == "welcome" else 401), reply

    def _arrival(self, form: LoginForm, headers: dict[bytes, bytes]) -> Arrival:
        text = {name: value.decode("latin-1") for name, value in headers.items()}
        name, _, cookie = text.get(b"cookie", "").partition("=")
        return Arrival(
            at_us=self._house.clock.now_us(),
            name=form.name,
            password=form.password,
            ip=text.get(b"x-forwarded-for", ""),
            user_agent=text.get(b"user-agent", ""),
            tls=text.get(b"x-client-tls", ""),
            cookie=cookie if name == COOKIE else "",
        )


async def _body(receive: Receive) -> bytes:
    """Return the whole body. Raises ValueError where it is too large for a login form."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > BODY_OCTETS_MAX:
            raise ValueError("a login form is smaller")
    return body


async def _live(receive: Receive, send: Send) -> None:
    while True:
        event = (await receive())["type"]
        await send({"type": f"{event}.complete"})
        if event == "lifespan.shutdown":
            return
