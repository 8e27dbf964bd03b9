"""Open a store from its URL: `sqlite:///FILE` with nothing to install, or `postgresql://...` on a server."""

import fcntl
import os
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path

import pysqlite3
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.pool import ConnectionPoolEntry

from sekisho.kernel.refusals import Refusal
from sekisho.storage.unit_of_work import Result, Work, Writer, outages_named

MIGRATIONS = "sekisho.storage:migrations"
MIGRATION_LOCK = 0x5E_C1_50_01
SQLITE_BUSY_MS_MAX = 5_000


class SqliteUnsafe(Refusal):
    """The SQLite library at hand can corrupt a database in WAL mode."""

    code = "sqlite_unsafe"
    status = 503
    told = "This SQLite library can lose data. Sekisho needs 3.51.3 or newer, and not 3.52."


class StoreInUse(Refusal):
    """Another process writes to this store."""

    code = "store_in_use"
    status = 503
    told = "Another Sekisho process is using this store. End it first, or use PostgreSQL to share one store."


class StoreOutdated(Refusal):
    """The process that has this store runs another version of Sekisho."""

    code = "store_outdated"
    status = 503
    told = "The process that uses this store runs another version of Sekisho. Restart it, and try again."


class StoreUrlUnknown(Refusal):
    """The URL names no kind of store that we know."""

    code = "store_url_unknown"
    status = 500
    told = "A store's URL starts with sqlite:/// or postgresql://."


def require_safe_sqlite(version: tuple[int, int, int]) -> None:
    """Refuse a SQLite library with the WAL-reset bug (https://sqlite.org/wal.html#walresetbug).

    It was mended in 3.51.3 and 3.53.0; 3.52.0 was withdrawn. Raises SqliteUnsafe.
    """
    if version < (3, 51, 3) or version[:2] == (3, 52):
        raise SqliteUnsafe(known="found " + ".".join(map(str, version)))


class Store:
    """An open store: one writer, any number of readers, tables up to date."""

    def __init__(self, *, writing: Engine, reading: Engine, lock: int | None = None) -> None:
        self._lock = lock
        self._reading = reading
        self._writing = writing
        self._writer = Writer(writing)

    @property
    def is_postgresql(self) -> bool:
        """Whether a server keeps this store, so that other processes may write to it as well."""
        return self._writing.dialect.name == "postgresql"

    def write(self, work: Work[Result]) -> "Future[Result]":
        """Queue a unit of work; see `Writer.submit`."""
        return self._writer.submit(work)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection that sees one state of the store and writes nothing. Raises OperationalError."""
        with outages_named(), self._reading.connect() as connection:
            yield connection

    def close(self) -> None:
        """Commit what was submitted and let the store go. Closing twice changes nothing."""
        self._writer.close()
        self._reading.dispose()
        self._writing.dispose()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def open_store(url: str) -> Store:
    """Open a store, make or migrate its tables, and hold it.

    Raises StoreUrlUnknown, SqliteUnsafe, StoreInUse where another process holds a SQLite file, and
    OperationalError where the database cannot be reached.
    """
    parsed = make_url(url) if "://" in url else None
    with outages_named():
        if parsed is not None and parsed.drivername == "sqlite" and parsed.database:
            return _open_sqlite(Path(parsed.database))
        if parsed is not None and parsed.drivername in {"postgresql", "postgres"}:
            return _open_postgresql(parsed)
    # Only what stands before the "://" is logged: behind it there may be a password.
    raise StoreUrlUnknown(known=url.partition("://")[0][:20])


def join_store(url: str) -> Store:
    """Open a store, also beside a process of ours that has it: for an operator's command that cannot wait.

    SQLite lets one process write at a time; who joins makes each unit of work short. Nothing is migrated
    under a process that runs. Raises what `open_store` does, but StoreOutdated in the place of StoreInUse.
    """
    try:
        return open_store(url)
    except StoreInUse:
        file = Path(make_url(url).database or "")
    store = Store(writing=_sqlite_engine(file, "BEGIN IMMEDIATE"), reading=_reading_engine(file))
    try:
        _require_up_to_date(store)
    except BaseException:
        store.close()
        raise
    return store


def _require_up_to_date(store: Store) -> None:
    with store.read() as connection:
        found = MigrationContext.configure(connection).get_current_heads()
    newest = tuple(ScriptDirectory.from_config(_migrations()).get_heads())
    if found != newest:
        raise StoreOutdated(known=f"{found}, not {newest}")


def _open_sqlite(file: Path) -> Store:
    require_safe_sqlite(pysqlite3.sqlite_version_info)
    file.parent.mkdir(parents=True, exist_ok=True)
    # Members' data are for the owner alone; SQLite gives its side files the mode of the database.
    os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
    lock = _hold(file.with_name(file.name + ".lock"))
    try:
        writing, reading = _sqlite_engine(file, "BEGIN IMMEDIATE"), _reading_engine(file)
        with writing.begin() as connection:
            _migrate(connection)
    except BaseException:
        os.close(lock)
        raise
    return Store(writing=writing, reading=reading, lock=lock)


def _hold(lock_file: Path) -> int:
    # The system releases the lock when the process ends, however it ends; the file stays and means nothing.
    lock = os.open(lock_file, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(lock)
        raise StoreInUse(known=str(lock_file)) from error
    return lock


def _reading_engine(file: Path) -> Engine:
    return _sqlite_engine(file, "BEGIN", "PRAGMA query_only=ON")


def _sqlite_engine(file: Path, begin: str, *pragmas: str) -> Engine:
    engine = create_engine(URL.create("sqlite", database=str(file)), module=pysqlite3, hide_parameters=True)

    def connected(connection: pysqlite3.Connection, _: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, below
        for pragma in (
            "PRAGMA journal_mode=WAL",
            "PRAGMA synchronous=FULL",
            "PRAGMA foreign_keys=ON",
            f"PRAGMA busy_timeout={SQLITE_BUSY_MS_MAX}",
            *pragmas,
        ):
            connection.execute(pragma)

    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    return engine


def _open_postgresql(url: URL) -> Store:
    engine = create_engine(url.set(drivername="postgresql+psycopg"), pool_pre_ping=True, hide_parameters=True)
    try:
        with engine.begin() as connection:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")
            _migrate(connection)
    except BaseException:
        engine.dispose()
        raise
    return Store(writing=engine, reading=engine)


def _migrate(connection: Connection) -> None:
    config = _migrations()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _migrations() -> Config:
    config = Config()
    config.set_main_option("script_location", MIGRATIONS)
    config.set_main_option("path_separator", "os")
    return config
