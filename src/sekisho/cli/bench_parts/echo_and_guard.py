"""The guard's service with its echo endpoint, over a fresh SQLite record. Run as a module with a folder.

Prints its port and an API key as one JSON object, then serves until SIGTERM.
"""

import sys
from pathlib import Path

import msgspec
import structlog

from sekisho.guard.guard import Guard
from sekisho.kernel.chance import SystemChance
from sekisho.kernel.clock import SystemClock
from sekisho.kernel.posture import Posture
from sekisho.storage.attempts import AttemptStore
from sekisho.storage.engine import open_store
from sekisho.storage.history.worker import moving_to_history
from sekisho.web.guard_api.api_keys import ApiKeys, Scope
from sekisho.web.guard_api.app import create_guard_app
from sekisho.web.guard_api.desk import GuardDesk
from sekisho.web.guard_api.settings import GuardServiceSettings
from sekisho.web.server import listening_socket, run, serve

WARNING = 30


def main(folder: Path) -> None:
    """Serve as `sekisho serve` does: whatever is answered is on record, and the record moves to history."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(WARNING))
    clock, chance = SystemClock(), SystemChance()
    store = open_store(f"sqlite:///{folder / 'bench.db'}")
    try:
        desk = GuardDesk(
            Guard(key=chance.octets(32)),
            clock=clock,
            chance=chance,
            recorder=AttemptStore(store, clock=clock),
            on_outage=Posture.CLOSED,
        )
        keys = ApiKeys(clock=clock)
        key = keys.add("bench", (Scope.ASSESS,), chance)
        app = create_guard_app(desk, keys=keys, settings=GuardServiceSettings(echo=True))
        listener = listening_socket("127.0.0.1", 0)
        hello = {"port": listener.getsockname()[1], "key": key}
        sys.stdout.write(msgspec.json.encode(hello).decode() + "\n")
        sys.stdout.flush()
        with moving_to_history(store, folder / "history", clock=clock):
            run(lambda: serve(app, listener))
    finally:
        store.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
