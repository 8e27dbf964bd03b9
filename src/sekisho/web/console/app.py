"""The console as an application: the live page, its pushes, and the files it is made of."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from litestar import Litestar, Request, Response, get
from litestar.datastructures import CacheControlHeader, Cookie
from litestar.response import Redirect, Stream
from litestar.static_files import create_static_files_router
from litestar.types import Message, Scope

from sekisho.console.live_tally import LiveTally
from sekisho.kernel.clock import SECOND_US, Clock
from sekisho.web.asgi import App
from sekisho.web.console.pushes import Screen, pushes
from sekisho.web.console.rendering import SPANS_MIN, Renderer
from sekisho.web.console.words import Language, chosen, preferred
from sekisho.web.guard_api.desk import Assessed, Event

STATIC = Path(__file__).resolve().parent.parent / "static"
YEAR_S = 365 * 24 * 3_600
POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
    b"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
SEALS = [
    (b"content-security-policy", POLICY),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
]


async def seal(message: Message, scope: Scope) -> None:
    """Put the headers that keep everything foreign out on each answer: pages, files and errors alike."""
    del scope
    if message["type"] == "http.response.start":
        message["headers"] = [*message["headers"], *SEALS]


def hear(tally: LiveTally) -> Callable[[Event], None]:
    """Return the listener that gives the desk's events to the tally."""

    def listener(event: Event) -> None:
        if isinstance(event, Assessed):
            tally.decided(event.attempt, event.decision, event.at_us)
        else:
            tally.settled(event.attempt, event.decision, event.outcome, event.challenge, event.at_us)

    return listener


def create_console(tally: LiveTally, *, clock: Clock, closing: Callable[[], bool]) -> App:
    """Make the console's application. `closing` says when the server ends, so that open pages let it go."""
    screen = Screen(tally, clock, Renderer())

    async def next_second() -> None:
        await asyncio.sleep(1 - clock.now_us() % SECOND_US / SECOND_US)

    @get("/", sync_to_thread=False)
    def live_page(request: Request[Any, Any, Any]) -> Response[str] | Redirect:
        asked = chosen(request.query_params.get("lang", ""))
        minutes = next(
            (span for span in SPANS_MIN if request.query_params.get("span") == str(span)), SPANS_MIN[0]
        )
        if asked is not None:
            remembered = Cookie(key="lang", value=asked, max_age=YEAR_S, samesite="lax", httponly=True)
            return Redirect(f"/?span={minutes}", cookies=[remembered])
        page = screen.renderer.page(screen.picture(), _language(request), minutes)
        return Response(page, media_type="text/html; charset=utf-8", headers={"Cache-Control": "no-store"})

    @get("/live", sync_to_thread=False)
    def live_pushes(request: Request[Any, Any, Any]) -> Stream:
        language = chosen(request.query_params.get("lang", "")) or _language(request)
        return Stream(
            pushes(screen, language, next_second, closing),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )

    files = create_static_files_router(
        path="/static", directories=[STATIC], cache_control=CacheControlHeader(no_cache=True)
    )
    console = Litestar(
        [live_page, live_pushes, files],
        logging_config=None,
        openapi_config=None,
        before_send=[seal],
    )
    return cast("App", console)


def _language(request: Request[Any, Any, Any]) -> Language:
    return chosen(request.cookies.get("lang", "")) or preferred(request.headers.get("accept-language", ""))
