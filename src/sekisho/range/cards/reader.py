"""The page that stands for a card and its reader: it asks whose card it is, and signs."""

import asyncio
import datetime as dt
from pathlib import Path

from sekisho.identity.card_answers import CardAnswerUnreadable, from_text, written
from sekisho.identity.certificates import Person
from sekisho.range.cards.authority import PlayedAuthority
from sekisho.range.small_pages import (
    CSS,
    Receive,
    Scope,
    Send,
    answer,
    fields_of,
    form_of,
    is_own,
    live,
    template_in,
)

_HERE = Path(__file__).parent
FIELDS = ("challenge", "name", "born_on", "address")
CHARS_MAX = 300


class ReaderSite:
    """`GET /` asks, `POST /` signs. `?challenge=TEXT` fills in what is to be signed."""

    def __init__(self, authority: PlayedAuthority) -> None:
        self._authority = authority
        self._page = template_in(_HERE, "reader.html")
        self._style = (_HERE / "reader.css").read_bytes()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the life of the application."""
        if scope["type"] != "http":
            await live(receive, send)
            return
        match scope["method"], scope["path"]:
            case "GET", "/reader.css":
                await answer(send, 200, self._style, CSS)
            case "GET", "/":
                await answer(send, 200, self._render(_query(scope)))
            case "POST", "/" if is_own(scope):
                status, page = await self._sign(await form_of(receive))
                await answer(send, status, page)
            case _:
                await answer(send, 404)

    async def _sign(self, form: dict[str, str]) -> tuple[int, bytes]:
        typed = {name: form.get(name, "").strip()[:CHARS_MAX] for name in FIELDS}
        try:
            challenge = from_text(typed["challenge"])
            person = Person(typed["name"], dt.date.fromisoformat(typed["born_on"]), typed["address"])
        except (CardAnswerUnreadable, ValueError):
            return 422, self._render(typed, wrong=True)
        if not (person.name and person.address):
            return 422, self._render(typed, wrong=True)
        presented = await asyncio.to_thread(self._authority.sign, person, challenge)
        return 200, self._render(typed, signed=written(presented))

    def _render(self, typed: dict[str, str], *, wrong: bool = False, signed: str = "") -> bytes:
        filled = {name: typed.get(name, "")[:CHARS_MAX] for name in FIELDS}
        return self._page.render(typed=filled, wrong=wrong, signed=signed).encode()


def _query(scope: Scope) -> dict[str, str]:
    try:
        return fields_of(scope.get("query_string", b"").decode("ascii"))
    except ValueError:
        return {}
