import subprocess
import sys
from pathlib import Path

import pysqlite3
import pytest

from sekisho.kernel.posture import OperationalError
from sekisho.storage import outbox
from sekisho.storage.engine import SqliteUnsafe, StoreInUse, StoreUrlUnknown, open_store, require_safe_sqlite

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("version", [(3, 40, 1), (3, 51, 2), (3, 52, 0), (3, 52, 9)])
def test_a_sqlite_that_can_corrupt_its_wal_is_refused(version):
    with pytest.raises(SqliteUnsafe):
        require_safe_sqlite(version)


@pytest.mark.parametrize(
    "version", [(3, 51, 3), (3, 51, 9), (3, 53, 0), (4, 0, 0), pysqlite3.sqlite_version_info]
)
def test_a_mended_sqlite_is_accepted(version):
    require_safe_sqlite(version)


def test_opening_a_store_looks_at_the_library(tmp_path, monkeypatch):
    monkeypatch.setattr(pysqlite3, "sqlite_version_info", (3, 40, 1))
    with pytest.raises(SqliteUnsafe, match=r"3\.40\.1"):
        open_store(f"sqlite:///{tmp_path}/sekisho.db")
    assert list(tmp_path.iterdir()) == []


def test_a_second_opener_is_refused_until_the_first_lets_go(tmp_path):
    url = f"sqlite:///{tmp_path}/sekisho.db"
    first = open_store(url)
    with pytest.raises(StoreInUse, match=r"sekisho\.db\.lock"):
        open_store(url)
    first.close()
    open_store(url).close()


def test_a_second_process_is_refused_and_a_killed_one_holds_nobody_up(tmp_path):
    url = f"sqlite:///{tmp_path}/sekisho.db"
    with subprocess.Popen(
        [sys.executable, "-m", "tests.storage.recording_process", url], cwd=ROOT, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with pytest.raises(StoreInUse) as refusal:
            open_store(url)
        assert "Another Sekisho process" in refusal.value.told
        other.kill()
        other.stdout.read()
    open_store(url).close()


def test_a_file_of_members_data_is_for_its_owner_alone(tmp_path):
    store = open_store(f"sqlite:///{tmp_path}/data/sekisho.db")
    store.write(lambda connection: connection.exec_driver_sql("SELECT 1")).result()
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "data").iterdir()} == {0o600}
    store.close()


def test_commits_reach_the_disk(tmp_path):
    """In WAL mode with synchronous=FULL (2), so that a power cut loses nothing that was acknowledged."""
    store = open_store(f"sqlite:///{tmp_path}/sekisho.db")

    def pragmas(connection):
        return [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous")
        ]

    assert store.write(pragmas).result() == ["wal", 2]
    store.close()


@pytest.mark.parametrize(
    "url", ["", "sekisho.db", "sqlite://", "mysql://localhost/x", "postgresql+asyncpg://h/x"]
)
def test_a_url_that_names_no_store_is_refused(url):
    with pytest.raises(StoreUrlUnknown):
        open_store(url)


def test_a_refused_url_does_not_give_its_password_away():
    with pytest.raises(StoreUrlUnknown) as refusal:
        open_store("mysql://sekisho:hunter2@db/x")
    assert "hunter2" not in str(refusal.value)


def test_a_server_that_is_not_there_is_an_outage(tmp_path):
    with pytest.raises(OperationalError, match="store"):
        open_store(f"postgresql://nobody@/x?host={tmp_path}")


def test_a_file_that_is_no_database_is_an_outage_or_a_refusal_and_is_left_alone(tmp_path):
    file = tmp_path / "sekisho.db"
    file.write_bytes(b"this is not a database at all, but a note" * 100)
    with pytest.raises(OperationalError, match="not a database"):
        open_store(f"sqlite:///{file}")
    assert file.read_bytes().startswith(b"this is not a database")


def test_a_full_disk_is_an_outage_and_nothing_that_was_kept_is_lost(tmp_path):
    store = open_store(f"sqlite:///{tmp_path}/sekisho.db")

    def append(subject, octets):
        entries = [outbox.Entry("kind", subject, 1, b"x" * octets)]
        return store.write(lambda connection: outbox.append(connection, entries))

    def pages_max(count):
        store.write(lambda connection: connection.exec_driver_sql(f"PRAGMA max_page_count={count}")).result()

    append("before", 10).result()
    pages_max(1)  # SQLite takes no fewer than there are
    with pytest.raises(OperationalError, match="full"):
        append("lost", 1_000_000).result()
    pages_max(1_000_000)
    append("after", 1_000_000).result()
    with store.read() as connection:
        assert [entry.subject for entry in outbox.read_after(connection, 0, limit=10)] == ["before", "after"]
    store.close()
