"""Everything in one process on one port: the guard, its service, the console, the range's login."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager
from pathlib import Path
from socket import socket
from types import FrameType
from typing import NamedTuple, TypeVar

import httpx

from sekisho.cli.checkpoint import open_checkpoint
from sekisho.cli.guard_options import GuardOptions
from sekisho.cli.keys import FILE_NAME
from sekisho.console.live_tally import LiveTally
from sekisho.guard.guard import Guard
from sekisho.kernel.chance import Chance
from sekisho.kernel.clock import Clock
from sekisho.kernel.posture import Posture
from sekisho.storage.engine import open_store
from sekisho.storage.history.worker import moving_to_history
from sekisho.storage.keys import persistent_key
from sekisho.web.asgi import App
from sekisho.web.console.app import create_console, hear
from sekisho.web.guard_api.api_keys import ApiKeys, Scope
from sekisho.web.guard_api.app import create_guard_app
from sekisho.web.guard_api.desk import Listener
from sekisho.web.guard_api.settings import ForwardAuthSettings, GuardServiceSettings
from sekisho.web.hosts import Fronted, Hosts
from sekisho.web.proxies import ProxyTrust
from sekisho.web.server import serve

LOOPBACK = "127.0.0.1"
CONSOLE_HOST = "console.localhost"
GUARD_HOST = "guard.localhost"
LIVE_PATHS = ("/", "/live")
"""What of the console anybody on this machine may see: counts and masked ids. The rest is behind a login."""

FIRST_ANSWER_S_MAX = 30.0
Result = TypeVar("Result")
SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Embedded(NamedTuple):
    """The parts of one process: serve `application` within `living`, and call `close` when that has ended.

    `listener` tells the live page what any other desk of this process decides.
    """

    guard: Guard
    keys: ApiKeys
    listener: Listener
    application: Callable[[Mapping[str, App]], App]
    living: Callable[[], AbstractAsyncContextManager[None]]
    close: Callable[[], None]


def open_embedded(
    data: Path,
    *,
    clock: Clock,
    chance: Chance,
    closing: Callable[[], bool],
    adding: GuardOptions | None = None,
) -> Embedded:
    """Open the data folder and put the parts together.

    Raises StoreInUse where another process has the folder, and what else the store raises.
    """
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    with ExitStack() as parts:
        store = open_store(f"sqlite:///{data / 'sekisho.db'}")
        parts.callback(store.close)
        checkpoint = open_checkpoint(
            store, data, Posture.CLOSED, clock=clock, chance=chance, adding=adding or GuardOptions()
        )
        parts.enter_context(moving_to_history(store, data / "history", clock=clock))
        # Whatever asks from this machine may be a proxy: nobody else reaches the port.
        settings = GuardServiceSettings(
            forward_auth=ForwardAuthSettings(
                trusted_proxies=ProxyTrust.parse([LOOPBACK]),
                secret_key=persistent_key(data / "secrets.key", chance),
            )
        )
        keys = ApiKeys(clock=clock, path=data / FILE_NAME)
        tally = LiveTally()
        listener = hear(tally)
        checkpoint.desk.listeners.append(listener)

        def application(others: Mapping[str, App]) -> App:
            console = create_console(tally, clock=clock, closing=closing)
            guard = create_guard_app(checkpoint.desk, keys=keys, settings=settings, ready=checkpoint.is_ready)
            desks = others.get(CONSOLE_HOST, console)
            at_console = Fronted(console, LIVE_PATHS, otherwise=desks)
            return Hosts({**others, CONSOLE_HOST: at_console}, otherwise=guard)

        return Embedded(
            checkpoint.memory.guard, keys, listener, application, checkpoint.living, parts.pop_all().close
        )


def new_key(keys: ApiKeys, name: str, chance: Chance) -> str:
    """Make the API key of a name, in place of one that there may be."""
    keys.remove(name)
    return keys.add(name, (Scope.ASSESS, Scope.METRICS), chance)


class Stopping:
    """Says that the server was asked to end, so that open streams let it go."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()

    def __bool__(self) -> bool:
        return self.asked.is_set()

    def hear(self, *, tell: Callable[[int, FrameType | None], object] | None = None) -> None:
        """Take SIGINT and SIGTERM from whoever has them now; `tell` hears of them as well."""
        loop = asyncio.get_running_loop()

        def heard(number: int, frame: FrameType | None) -> None:
            loop.call_soon_threadsafe(self.asked.set)
            if tell is not None:
                tell(number, frame)

        for number in SIGNALS:
            signal.signal(number, heard)

    async def unless_asked(self, work: Coroutine[None, None, Result]) -> Result | None:
        """Do a piece of work, or leave it and return None as soon as somebody asks to stop."""
        working, asked = asyncio.ensure_future(work), asyncio.ensure_future(self.asked.wait())
        await asyncio.wait({working, asked}, return_when=asyncio.FIRST_COMPLETED)
        asked.cancel()
        if not working.cancel():
            return working.result()
        await asyncio.wait({working})
        return None


@asynccontextmanager
async def serving(application: App, listener: socket, stopping: Stopping) -> AsyncIterator[str]:
    """Serve while the block runs, and end when it is over; give the URL on this machine."""
    url = f"http://{LOOPBACK}:{listener.getsockname()[1]}"
    # The server hands a signal on when it has ended, to us who are ending already: the system would kill us.
    before = [(number, signal.getsignal(number)) for number in SIGNALS]
    stopping.hear()
    server = asyncio.ensure_future(serve(application, listener))
    try:
        async with httpx.AsyncClient(timeout=FIRST_ANSWER_S_MAX) as client:
            await client.get(f"{url}/healthz")
        servers = signal.getsignal(signal.SIGINT)
        stopping.hear(tell=servers if callable(servers) else None)
        yield url
    finally:
        if not stopping:
            signal.raise_signal(signal.SIGINT)
        await server
        for number, handler in before:
            signal.signal(number, handler)
