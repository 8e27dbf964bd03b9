"""`sekisho up` as a process of its own: the lender, the ID and the post, and a look into what it keeps."""

import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Connection, create_engine

SEKISHO = Path(sys.executable).with_name("sekisho")
PORT = re.compile(r"http://lender\.localhost:(\d+)/login")
END_S_MAX = 20
UP = "Ctrl-C ends it."
Found = TypeVar("Found")


class Running(NamedTuple):
    """A running program: its port, the folder that it keeps everything in, and its process."""

    port: int
    data: Path
    pid: int

    def kill(self) -> None:
        """End the program as a power cut does."""
        os.kill(self.pid, signal.SIGKILL)

    def origin(self, name: str) -> str:
        """Return the origin of `lender`, `id`, `post` or another of its hosts."""
        return f"http://{name}.localhost:{self.port}"

    def read(self, work: Callable[[Connection], Found], *, institution: str = "lender") -> Found:
        """Read what an institution has on record, while the program goes on."""
        path = self.data / institution / "sekisho.db"
        engine = create_engine(f"sqlite:///file:{path}?mode=ro&uri=true")
        try:
            with engine.connect() as connection:
                return work(connection)
        finally:
            engine.dispose()

    def set_back(self, table: str, columns: tuple[str, ...], seconds: int) -> None:
        """Let what the lender wrote into a table have happened so much earlier: time passes at once."""
        changes = ", ".join(f"{column} = {column} - :us" for column in columns)
        with closing(sqlite3.connect(self.data / "lender" / "sekisho.db", timeout=10)) as connection:
            connection.execute(f"UPDATE {table} SET {changes}", {"us": seconds * 1_000_000})  # noqa: S608 - our own names
            connection.commit()


def run(*arguments: str | Path) -> str:
    """Run a command to its end and return what it printed."""
    done = subprocess.run([SEKISHO, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@contextmanager
def running(data: Path) -> Iterator[Running]:
    """Run `sekisho up` while the block runs. Afterwards, nothing may have failed in it."""
    with (data.parent / f"{data.name}.log").open("w+") as log:
        process = subprocess.Popen(
            [SEKISHO, "up", "--port", "0", "--data", data], stdout=subprocess.PIPE, stderr=log, text=True
        )
        try:
            yield Running(_port_of(process, Path(log.name)), data, process.pid)
        finally:
            process.terminate()
            try:
                process.communicate(timeout=END_S_MAX)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
                raise
        said = Path(log.name).read_text(encoding="utf-8")
        assert "Traceback" not in said, said


def _port_of(process: "subprocess.Popen[str]", log: Path) -> int:
    said = ""
    for line in process.stdout or ():
        said += line
        if UP in line:
            break
    port = PORT.search(said)
    assert port, said + log.read_text(encoding="utf-8")
    return int(port[1])


def column(statement: Any) -> Callable[[Connection], list[Any]]:
    """Return what reads the first column of a statement's rows."""
    return lambda connection: list(connection.execute(statement).scalars())
