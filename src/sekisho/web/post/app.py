"""One page that shows what members' handsets, mailboxes and letter boxes got, of every institution here.

It is for trying the program on one's own machine, and nothing serves it otherwise.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

from jinja2 import Environment, PackageLoader, StrictUndefined
from litestar import Litestar, Request, Response, get
from litestar.datastructures import CacheControlHeader
from litestar.response import Redirect
from litestar.static_files import create_static_files_router
from litestar.types import Message, Scope

from sekisho.identity.institution import Parts
from sekisho.messages.handset import Delivered, delivered
from sekisho.messages.message import Channel
from sekisho.web.asgi import App
from sekisho.web.members import cookies
from sekisho.web.members.app import POLICY, SEALS, STATIC
from sekisho.web.members.rendering import moment
from sekisho.web.words import LANGUAGES, Language, Words, chosen, preferred, read_book

SHOWN_MAX = 30
TRAYS = (Channel.SMS, Channel.EMAIL, Channel.LETTER)

_BOOK = read_book([Path(__file__).with_name("words.toml")])


class Arrived(NamedTuple):
    """One message, and from whom it is."""

    sender: Parts
    message: Delivered


class PostRoom:
    """Reads what was delivered by several institutions, and renders it."""

    def __init__(self, senders: Sequence[Parts]) -> None:
        self._senders = senders
        self._environment = Environment(
            loader=PackageLoader("sekisho.web"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    async def render(self, template: str, language: Language) -> str:
        """Return the page, or the part of it that changes. Raises OperationalError."""
        arrived = await asyncio.to_thread(self._arrived)
        other = next(each for each in LANGUAGES if each != language)
        return self._environment.get_template(template).render(
            w=Words(_BOOK, language),
            other=other,
            trays=[(tray, [one for one in arrived if one.message.channel is tray]) for tray in TRAYS],
            moment=lambda at_us: moment(at_us, language),
        )

    def _arrived(self) -> list[Arrived]:
        found = []
        for sender in self._senders:
            with sender.store.read() as connection:
                found += [
                    Arrived(sender, message)
                    for message in delivered(connection, sender.keyring, limit=SHOWN_MAX)
                ]
        return sorted(found, key=lambda one: one.message.delivered_at_us, reverse=True)[:SHOWN_MAX]


async def _seal(message: Message, scope: Scope) -> None:
    del scope
    if message["type"] == "http.response.start":
        policy = (b"content-security-policy", POLICY)
        message["headers"] = [*message["headers"], policy, *SEALS, (b"cache-control", b"no-store")]


def create_post_app(senders: Sequence[Parts]) -> App:
    """Make the application that shows what these institutions sent."""
    room = PostRoom(senders)

    @get("/")
    async def post_page(request: Request[Any, Any, Any]) -> Response[str] | Redirect:
        asked = chosen(request.query_params.get("lang", ""))
        if asked is not None:
            return Redirect("/", cookies=[cookies.language(asked)])
        page = await room.render("post/post.html", _language(request))
        return Response(page, media_type="text/html")

    @get("/messages")
    async def post_messages(request: Request[Any, Any, Any]) -> Response[str]:
        return Response(await room.render("post/trays.html", _language(request)), media_type="text/html")

    files = create_static_files_router(
        path="/static", directories=[STATIC], cache_control=CacheControlHeader(no_cache=True)
    )
    application = Litestar(
        [post_page, post_messages, files], before_send=[_seal], logging_config=None, openapi_config=None
    )
    return cast("App", application)


def _language(request: Request[Any, Any, Any]) -> Language:
    return chosen(cookies.read(request, cookies.LANGUAGE)) or preferred(
        request.headers.get("accept-language", ""), otherwise="ja"
    )
