"""A bank on loopback for programs and browsers that we did not write."""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import uvicorn
from tests.bank.mandate_at_hand import BANK
from tests.web.bank_site import BankSite, open_bank_site

from sekisho.bank.authorisation.settings import LinkPolicy
from sekisho.kernel.clock import SystemClock
from sekisho.web.server import listening_socket

Result = TypeVar("Result")


def beside(work: Coroutine[Any, Any, Result]) -> Result:
    """Do something in a loop of its own thread: a browser that is driven from this one has a loop here."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


@contextmanager
def served_bank(
    folder: Path, *, policy: LinkPolicy = LinkPolicy.ACCOUNT_PIN, host: str = "127.0.0.1"
) -> Iterator[BankSite]:
    """Serve a bank's pages and endpoints while the block runs; its origin is that of the institution."""
    listener = listening_socket("127.0.0.1", 0)
    origin = f"http://{host}:{listener.getsockname()[1]}"
    institution = msgspec.structs.replace(BANK, origin=origin)
    site = open_bank_site(folder, SystemClock(), policy=policy, institution=institution)
    server = uvicorn.Server(uvicorn.Config(site.app, log_config=None))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield site
    finally:
        server.should_exit = True
        thread.join()
        site.site.desks.hasher.close()
        site.bank.store.close()
