"""Start the real service as a process of its own, and end it."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx

SEKISHO = str(Path(sys.executable).with_name("sekisho"))
LISTENS = re.compile(r"listens on (http://\S+)")


class Service(NamedTuple):
    """A running service: where it listens, a key that it takes, and its process."""

    url: str
    key: str
    data: Path
    process: subprocess.Popen[str]

    def client(self, **options: float) -> httpx.Client:
        """Return a client that holds the key."""
        return httpx.Client(
            base_url=self.url,
            headers={"Authorization": f"Bearer {self.key}"},
            timeout=options.get("timeout", 10),
        )


def sekisho(*arguments: str) -> str:
    """Run a command to its end and return what it printed."""
    done = subprocess.run([SEKISHO, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@contextmanager
def service(data: Path, *arguments: str, key: str = "login") -> Iterator[Service]:
    """Serve from a data folder until the block ends; `key` names the API key that is made."""
    secret = sekisho("keys", "--data", str(data), "add", key)
    command = [SEKISHO, "serve", "--data", str(data), "--port", "0"]
    with (data / "log").open("w+") as log:
        process = subprocess.Popen(
            [*command, "--on-outage", "closed", *arguments], stdout=subprocess.PIPE, stderr=log, text=True
        )
        try:
            assert process.stdout is not None
            said = LISTENS.search(process.stdout.readline())
            assert said, (data / "log").read_text()
            yield Service(said[1], secret, data, process)
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            process.wait(20)
            process.stdout.close()  # type: ignore[union-attr] # it is a pipe
