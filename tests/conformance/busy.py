"""A store that is busy for as long as a test wants."""

import threading


def hold_up(store, *, before=None):
    """Keep the writer busy until the event is set, so that what comes is committed together.

    `before` is work that is done first in the transaction that is held open.
    """
    go_on = threading.Event()
    started = threading.Event()

    def wait(connection):
        if before is not None:
            before(connection)
        started.set()
        assert go_on.wait(10)

    store.write(wait)
    assert started.wait(10)
    return go_on
