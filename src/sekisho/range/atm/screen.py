"""The machine's screen for the person before it: one page, a few buttons, plain ASGI."""

from pathlib import Path

import segno
from markupsafe import Markup

from sekisho.kernel.yen import Yen
from sekisho.range.atm.teller import Screen, Teller, View
from sekisho.range.small_pages import CSS, Receive, Scope, Send, answer, form_of, is_own, live, template_in

_HERE = Path(__file__).parent
_WAITS = frozenset({View.CODE, View.WAITING})


class ScreenSite:
    """`GET /` shows the screen; `POST /begin`, `/entry`, `/cash` and `/leave` are its keys."""

    def __init__(self, teller: Teller, place: str) -> None:
        """Take the place in words, as the label on the machine says it."""
        self._teller = teller
        self._place = place
        self._page = template_in(_HERE, "screen.html")
        self._style = (_HERE / "screen.css").read_bytes()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the life of the application."""
        if scope["type"] != "http":
            await live(receive, send)
            return
        match scope["method"], scope["path"]:
            case "GET", "/screen.css":
                await answer(send, 200, self._style, CSS)
            case "GET", "/":
                await answer(send, 200, self._render(await self._teller.look()))
            case "POST", path if is_own(scope):
                await self._press(path, await form_of(receive))
                await answer(send, 303, to=b"/")
            case _:
                await answer(send, 404)

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
