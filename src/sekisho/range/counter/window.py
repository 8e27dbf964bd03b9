"""The page that stands for the counter: it asks what a clerk would ask, and shows the account."""

from pathlib import Path

from sekisho.range.counter.opening import CASH, UNUSABLE, Asked, Counter
from sekisho.range.small_pages import (
    CSS,
    Receive,
    Scope,
    Send,
    answer,
    form_of,
    is_own,
    live,
    template_in,
)

_HERE = Path(__file__).parent
FIELDS = ("name_kana", "born_on", "phone", "pin")
CHARS_MAX = 60


class WindowSite:
    """`GET /` asks, `POST /` opens an account. `collector` is a code whose paper can be signed here."""

    def __init__(self, counter: Counter, *, bank_code: str, collector: str) -> None:
        self._counter = counter
        self._bank_code = bank_code
        self._collector = collector
        self._page = template_in(_HERE, "window.html")
        self._style = (_HERE / "window.css").read_bytes()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the life of the application."""
        if scope["type"] != "http":
            await live(receive, send)
            return
        match scope["method"], scope["path"]:
            case "GET", "/window.css":
                await answer(send, 200, self._style, CSS)
            case "GET", "/":
                await answer(send, 200, self._render({}))
            case "POST", "/" if is_own(scope):
                status, page = await self._open(await form_of(receive))
                await answer(send, status, page)
            case _:
                await answer(send, 404)

    async def _open(self, form: dict[str, str]) -> tuple[int, bytes]:
        typed = {name: form.get(name, "").strip()[:CHARS_MAX] for name in FIELDS}
        papers = (self._collector,) if form.get("paper") == "yes" else ()
        try:
            opened = await self._counter.open(Asked(**typed, collectors=papers))
        except UNUSABLE:
            return 422, self._render(typed, wrong=True)
        return 200, self._render(typed, branch=opened.branch, number=opened.number)

    def _render(
        self, typed: dict[str, str], *, wrong: bool = False, branch: str = "", number: str = ""
    ) -> bytes:
        # A PIN is never shown again.
        filled = {name: typed.get(name, "") for name in FIELDS if name != "pin"}
        page = self._page.render(
            typed=filled,
            wrong=wrong,
            bank=self._bank_code,
            branch=branch,
            number=number,
            cash=CASH.in_japanese(),
        )
        return page.encode()
