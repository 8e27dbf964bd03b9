"""The till's page: type an amount, show a code or take one, see what was sold. Plain ASGI, no script."""

from pathlib import Path

import segno
from markupsafe import Markup

from sekisho.kernel.yen import Yen
from sekisho.range.shop.till import Till
from sekisho.range.small_pages import CSS, Receive, Scope, Send, answer, form_of, is_own, live, template_in

_HERE = Path(__file__).parent
AMOUNT_MAX = 1_000_000


class ShopSite:
    """`GET /` shows the till; `POST /ask`, `/take`, `/back` and `/leave` are its keys."""

    def __init__(self, till: Till, name: str) -> None:
        """Take the shop's name as its sign says it."""
        self._till = till
        self._name = name
        self._page = template_in(_HERE, "till.html")
        self._style = (_HERE / "till.css").read_bytes()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the life of the application."""
        if scope["type"] != "http":
            await live(receive, send)
            return
        match scope["method"], scope["path"]:
            case "GET", "/till.css":
                await answer(send, 200, self._style, CSS)
            case "GET", "/":
                await self._till.look()
                await answer(send, 200, self._render())
            case "POST", path if is_own(scope):
                await self._press(path, await form_of(receive))
                await answer(send, 303, to=b"/")
            case _:
                await answer(send, 404)

    async def _press(self, path: str, form: dict[str, str]) -> None:
        typed = form.get("yen", "")
        yen = int(typed) if typed.isascii() and typed.isdigit() and len(typed) <= len(str(AMOUNT_MAX)) else 0
        match path:
            case "/ask" if yen:
                await self._till.ask(yen)
            case "/take" if yen:
                await self._till.take(form.get("code", "").replace(" ", ""), yen)
            case "/back":
                await self._till.give_back(form.get("payment", ""))
            case "/leave":
                self._till.leave()
            case _:
                pass

    def _render(self) -> bytes:
        asking = self._till.asking
        # The payload is the wallet's, drawn as a picture and written as text, which is escaped.
        qr = Markup(segno.make(asking.payload, error="m").svg_inline(scale=5, border=4)) if asking else ""  # noqa: S704 - as said above
        page = self._page.render(
            name=self._name,
            asking=asking,
            qr=qr,
            sold=self._till.sold,
            trouble=self._till.trouble,
            yen=lambda amount: Yen(amount).in_japanese(),
        )
        return page.encode()
