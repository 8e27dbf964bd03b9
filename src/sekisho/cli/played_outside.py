"""The outside of all institutions, played on this machine: cards for people, and banks that clear."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

from sekisho.kernel.clock import Clock
from sekisho.linking.exchange import FolderTray, InTray
from sekisho.range.cards.authority import PlayedAuthority
from sekisho.range.cards.reader import ReaderSite
from sekisho.range.clearing import EVERY_S, NAME, Clearing
from sekisho.storage.rounds import Round, going_round
from sekisho.web.asgi import App

CARD_HOST = "card.localhost"
PUBLISH_EVERY_S = 6 * 3600.0


class PlayedOutside:
    """What is played beside the institutions, in a folder of its own. Serve `applications` within `living`.

    `port` is where everything answers. `exchange` has a folder for each who sends to each.
    """

    def __init__(self, folder: Path, port: int, clock: Clock) -> None:
        self.folder = folder
        self.port = port
        self.exchange = folder / "exchange"
        self.clock = clock
        self._cards = PlayedAuthority(folder / "cards", clock)
        self._trusting: list[Path] = []
        self._clearings: list[Clearing] = []

    @property
    def card_page(self) -> str:
        """Where a card signs, as a URL."""
        return f"http://{CARD_HOST}:{self.port}/"

    def origin(self, institution: str) -> str:
        """Return where an institution of this program answers."""
        return f"http://{institution}.localhost:{self.port}"

    def trust_cards(self, folder: Path) -> None:
        """Let an institution trust the cards, and keep its revocation list fresh. Raises OSError."""
        self._cards.publish(folder)
        self._trusting.append(folder)

    def clear(self, sender: str, banks: Mapping[str, str]) -> tuple[FolderTray, InTray]:
        """Clear what an institution sends, and return its folders: out, and for results.

        `banks` are those that play along: the key of each institution by its bank's code.
        """
        self._clearings.append(Clearing(self.exchange, sender, banks, self.clock))
        return FolderTray(self.exchange / sender / NAME), InTray(self.exchange / NAME / sender)

    def applications(self) -> dict[str, App]:
        """Return what answers, by host name."""
        return {CARD_HOST: cast("App", ReaderSite(self._cards))}

    @asynccontextmanager
    async def living(self) -> AsyncIterator[None]:
        """Clear files and keep lists fresh for as long as the block runs."""
        clearing = [Round("clearing", EVERY_S, each.go_round) for each in self._clearings]
        async with going_round([*clearing, Round("cards", PUBLISH_EVERY_S, self._publish)]):
            yield

    async def _publish(self) -> None:
        for folder in self._trusting:
            await asyncio.to_thread(self._cards.publish, folder)
