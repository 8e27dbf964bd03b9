"""What stands around an institution when it is opened, and what its opening makes."""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from pathlib import Path
from typing import NamedTuple

from sekisho.cli.played_outside import PlayedOutside
from sekisho.sharing.actions import Handlers, LeadsTo
from sekisho.sharing.announcing import Learner
from sekisho.web.asgi import App

TRUST_FOLDER = "identity-trust"
"""In an institution's folder: the authorities that it trusts for people, and their revocation lists."""


class Around(NamedTuple):
    """An institution's own folder, and who is there besides: a played outside, or partners in a file."""

    folder: Path
    played: PlayedOutside | None = None
    partners: Path | None = None

    @property
    def trust(self) -> Path:
        """Where the authorities lie that are trusted for people."""
        return self.folder / TRUST_FOLDER


class Signals(NamedTuple):
    """What an institution does about signals of partners, beside what it does for all members."""

    handlers: Handlers | None = None
    leads_to: LeadsTo | None = None
    learners: Mapping[str, Learner] | None = None


class Made(NamedTuple):
    """An institution's application, what has to live with it, and what is played beside it, by host name.

    Without `signals` it exchanges none.
    """

    application: App
    living: Callable[[], AbstractAsyncContextManager[None]] = nullcontext
    beside: Mapping[str, App] = {}
    signals: Signals | None = Signals()
