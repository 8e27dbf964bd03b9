"""The live page's pushes: each second the parts that changed and the newest seconds of the timeline."""

from collections.abc import AsyncIterator, Awaitable, Callable

import msgspec

from sekisho.console.live_tally import LiveTally, Picture
from sekisho.kernel.clock import SECOND_US, Clock
from sekisho.web.console.rendering import Renderer, state_of
from sekisho.web.console.words import Language

SECONDS_SENT_AGAIN = 3


class Push(msgspec.Struct, frozen=True, kw_only=True):
    """One message: parts of HTML by element id, rows of the timeline, campaigns as (first, last, live)."""

    now: int
    state: str
    parts: dict[str, str]
    seconds: list[tuple[int, ...]]
    campaigns: list[tuple[float, float, bool]]


class Screen:
    """What the page shows now, worked out once a second however many people look at it."""

    def __init__(self, tally: LiveTally, clock: Clock, renderer: Renderer) -> None:
        self.renderer = renderer
        self._tally = tally
        self._clock = clock
        self._second = -1
        self._picture: Picture | None = None
        self._parts: dict[Language, dict[str, str]] = {}

    def picture(self) -> Picture:
        """Return the tally's picture, at most a second old."""
        second = self._clock.now_us() // SECOND_US
        if self._picture is None or second != self._second:
            self._second = second
            self._picture = self._tally.picture(self._clock.now_us())
            self._parts = {}
        return self._picture

    def parts(self, language: Language) -> dict[str, str]:
        """Return the page's parts in a language."""
        picture = self.picture()
        if language not in self._parts:
            self._parts[language] = self.renderer.parts(picture, language)
        return self._parts[language]


async def pushes(
    screen: Screen,
    language: Language,
    next_second: Callable[[], Awaitable[None]],
    closing: Callable[[], bool],
) -> AsyncIterator[bytes]:
    """Yield server-sent events until the server closes: everything at first, then only what changed."""
    sent: dict[str, str] = {}
    newest_s = 0
    while not closing():
        picture, parts = screen.picture(), screen.parts(language)
        changed = {name: html for name, html in parts.items() if sent.get(name) != html}
        push = Push(
            now=picture.now_us // SECOND_US,
            state=state_of(picture),
            parts=changed,
            seconds=[row for row in picture.seconds if row[0] > newest_s - SECONDS_SENT_AGAIN],
            campaigns=[
                (campaign.noticed_us / SECOND_US, campaign.last_us / SECOND_US, campaign.live)
                for campaign in picture.campaigns
            ],
        )
        yield b"data: " + msgspec.json.encode(push) + b"\n\n"
        sent, newest_s = parts, push.now
        await next_second()
