"""The machine's screen for the person before it: one page, a few buttons, plain ASGI."""

from pathlib import Path
from urllib.parse import parse_qs

import segno
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from sekisho.kernel.yen import Yen
from sekisho.range.atm.site import Receive, Scope, Send, body_of
from sekisho.range.atm.teller import Screen, Teller, View

_HERE = Path(__file__).parent
_WAITS = frozenset({View.CODE, View.WAITING})
_HEADERS = [
    (b"cache-control", b"no-store"),
    (
        b"content-security-policy",
        b"default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
]


class ScreenSite:
    """`GET /` shows the screen; `POST /begin`, `/entry`, `/cash` and `/leave` are its keys."""

    def __init__(self, teller: Teller, place: str) -> None:
        """Take the place in words, as the label on the machine says it."""
        self._teller = teller
        self._place = place
        environment = Environment(loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined)
        self._page = environment.get_template("screen.html")
        self._style = (_HERE / "screen.css").read_bytes()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the life of the application."""
        if scope["type"] != "http":
            await live(receive, send)
            return
        path, kind, status = scope["path"], b"text/html; charset=utf-8", 200
        headers = list(_HEADERS)
        if (scope["method"], path) == ("GET", "/screen.css"):
            body, kind = self._style, b"text/css"
        elif (scope["method"], path) == ("GET", "/"):
            body = self._render(await self._teller.look())
        elif scope["method"] == "POST" and _is_own(scope):
            await self._press(path, await _form(receive))
            body, status = b"", 303
            headers.append((b"location", b"/"))
        else:
            body, status = b"", 404
        headers += [(b"content-type", kind), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _press(self, path: str, form: dict[str, str]) -> None:
        number = form.get("company_number", "")
        match path:
            case "/begin":
                await self._teller.begin()
            case "/entry":
                await self._teller.enter(number, form.get("pin", ""))
            case "/cash":
                yen = form.get("yen", "")
                await self._teller.insert(number, int(yen) if yen.isascii() and yen.isdigit() else 0)
            case "/leave":
                self._teller.leave()
            case _:
                pass

    def _render(self, screen: Screen) -> bytes:
        page = self._page.render(
            screen=screen,
            place=self._place,
            machine_id=self._teller.machine.machine_id,
            waits=screen.view in _WAITS,
            # The text is letters, digits and dashes of ours, drawn as a picture.
            qr=Markup(segno.make(screen.qr, error="m").svg_inline(scale=5, border=4)) if screen.qr else "",  # noqa: S704 - as said above
            yen=lambda amount: Yen(amount).in_japanese(),
        )
        return page.encode()


async def live(receive: Receive, send: Send) -> None:
    """Say yes to whatever the server tells of its life."""
    while True:
        event = (await receive())["type"]
        await send({"type": f"{event}.complete"})
        if event == "lifespan.shutdown":
            return


def _is_own(scope: Scope) -> bool:
    """Say whether a key was pressed on this page, and not by another site that is open in the browser."""
    headers = dict(scope["headers"])
    origin, host = headers.get(b"origin", b""), headers.get(b"host", b"")
    return not origin or bool(origin.partition(b"://")[2] == host)


async def _form(receive: Receive) -> dict[str, str]:
    try:
        text = (await body_of(receive)).decode("utf-8")
        return {name: values[0] for name, values in parse_qs(text, max_num_fields=8).items()}
    except ValueError:
        return {}
