"""What only a server brings: other processes on the same store, and a server that goes away."""

from concurrent.futures import TimeoutError as NotYet

import psycopg
import pytest
from tests.conformance.busy import hold_up

from sekisho.kernel.posture import OperationalError
from sekisho.storage import outbox
from sekisho.storage.engine import open_store
from sekisho.storage.outbox import Entry

pytestmark = pytest.mark.server


@pytest.fixture
def two_stores(server_store_url):
    """Give the same store, opened twice, as two processes would."""
    stores = open_store(server_store_url), open_store(server_store_url)
    yield stores
    for store in stores:
        store.close()


def appending(subject):
    return lambda connection: outbox.append(connection, [Entry("kind", subject, 1, b"{}")])


def subjects_in(store):
    with store.read() as connection:
        return [entry.subject for entry in outbox.read_after(connection, 0, limit=100)]


def test_two_processes_write_to_one_store_and_both_see_everything(two_stores):
    one, other = two_stores
    units = [one.write(appending(f"one {number}")) for number in range(50)]
    units += [other.write(appending(f"other {number}")) for number in range(50)]
    for unit in units:
        unit.result()
    assert len(subjects_in(one)) == 100
    assert subjects_in(one) == subjects_in(other)


def test_an_entry_becomes_visible_before_any_with_a_higher_position(two_stores):
    """Else a follower would pass over an entry that was numbered early and committed late."""
    slow, quick = two_stores
    drawn_first = hold_up(slow, before=appending("numbered first"))
    second = quick.write(appending("numbered second"))
    with pytest.raises(NotYet):
        second.result(timeout=0.2)
    assert subjects_in(quick) == []
    drawn_first.set()
    second.result()
    assert subjects_in(quick) == ["numbered first", "numbered second"]


def test_a_store_comes_back_with_its_server(server_store_url):
    """A server that restarts ends every connection; who writes at that moment is told."""
    store = open_store(server_store_url)
    go_on = hold_up(store)
    with psycopg.connect(server_store_url, autocommit=True) as administrator:
        administrator.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
        )
    during = store.write(appending("during"))
    go_on.set()
    during.result()
    assert subjects_in(store) == ["during"]
    store.close()


def test_a_server_that_is_gone_while_somebody_writes_is_an_outage(server_store_url):
    store = open_store(server_store_url)

    def terminated(connection):
        appending("lost")(connection)
        connection.exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")

    with pytest.raises(OperationalError, match="store"):
        store.write(terminated).result()
    store.write(appending("after")).result()
    assert subjects_in(store) == ["after"]
    store.close()
