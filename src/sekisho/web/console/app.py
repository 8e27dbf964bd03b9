"""The console as an application: the live page, its pushes, and the files it is made of."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from litestar import Litestar, Request, Response, get
from litestar.datastructures import CacheControlHeader, Cookie
from litestar.params import Parameter
from litestar.response import Redirect, Stream
from litestar.static_files import create_static_files_router

from sekisho.console.live_tally import LiveTally
from sekisho.kernel.clock import SECOND_US, Clock
from sekisho.web.console.pushes import Screen, pushes
from sekisho.web.console.rendering import SPANS_MIN, Renderer
from sekisho.web.console.words import LANGUAGES, Language, preferred
from sekisho.web.guard_api.desk import Assessed, Event

STATIC = Path(__file__).resolve().parent.parent / "static"
YEAR_S = 365 * 24 * 3_600
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def hear(tally: LiveTally) -> Callable[[Event], None]:
    """Return the listener that gives the desk's events to the tally."""

    def listener(event: Event) -> None:
        if isinstance(event, Assessed):
            tally.decided(event.attempt, event.decision, event.at_us)
        else:
            tally.settled(event.attempt, event.decision, event.outcome, event.challenge, event.at_us)

    return listener


def create_console(tally: LiveTally, *, clock: Clock, closing: Callable[[], bool]) -> Litestar:
    """Make the console's application. `closing` says when the server ends, so that open pages let it go."""
    screen = Screen(tally, clock, Renderer())

    async def next_second() -> None:
        await asyncio.sleep(1 - clock.now_us() % SECOND_US / SECOND_US)

    @get("/", sync_to_thread=False)
    def live_page(
        request: Request[Any, Any, Any],
        span: int = SPANS_MIN[0],
        lang: Annotated[str, Parameter(query="lang")] = "",
    ) -> Response[str] | Redirect:
        minutes = span if span in SPANS_MIN else SPANS_MIN[0]
        if lang in LANGUAGES:
            remembered = Cookie(key="lang", value=lang, max_age=YEAR_S, samesite="lax", httponly=True)
            return Redirect(f"/?span={minutes}", cookies=[remembered])
        page = screen.renderer.page(screen.picture(), _language(request), minutes)
        return Response(page, media_type="text/html; charset=utf-8", headers={"Cache-Control": "no-store"})

    @get("/live", sync_to_thread=False)
    def live_pushes(lang: Annotated[str, Parameter(query="lang")] = "en") -> Stream:
        language: Language = "ja" if lang == "ja" else "en"
        return Stream(
            pushes(screen, language, next_second, closing),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )

    files = create_static_files_router(
        path="/static", directories=[STATIC], cache_control=CacheControlHeader(max_age=3_600)
    )
    return Litestar(
        [live_page, live_pushes, files],
        logging_config=None,
        openapi_config=None,
        response_headers=HEADERS,
    )


def _language(request: Request[Any, Any, Any]) -> Language:
    remembered = request.cookies.get("lang", "")
    for language in LANGUAGES:
        if remembered == language:
            return language
    return preferred(request.headers.get("accept-language", ""))
