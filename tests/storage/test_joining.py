"""An operator's command works beside the process that serves: both see what the other wrote."""

import pytest
from sqlalchemy import text

from sekisho.storage.engine import StoreInUse, StoreOutdated, join_store, open_store
from sekisho.storage.outbox import Entry, append, last_position


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path / 'sekisho.db'}"


def say(store, subject):
    store.write(lambda at: append(at, [Entry("said", subject, 1, b"{}")])).result()


def count(store):
    with store.read() as connection:
        return last_position(connection)


def test_a_store_that_is_in_use_can_be_joined(url):
    """What one writes, the other reads at once; the second one to open it as its own is still refused."""
    serving = open_store(url)
    joined = join_store(url)
    say(joined, "a")
    say(serving, "b")
    assert (count(serving), count(joined)) == (2, 2)
    with pytest.raises(StoreInUse):
        open_store(url)
    joined.close()
    serving.close()


def test_a_store_that_nobody_has_is_opened_and_held(url):
    """Alone, it is as if it had been opened."""
    joined = join_store(url)
    with pytest.raises(StoreInUse):
        open_store(url)
    say(joined, "a")
    joined.close()
    open_store(url).close()


def test_a_store_of_another_version_is_left_alone(url):
    """Nothing is migrated under a process that runs."""
    serving = open_store(url)
    serving.write(lambda at: at.execute(text("UPDATE alembic_version SET version_num = '0001'"))).result()
    with pytest.raises(StoreOutdated):
        join_store(url)
    serving.close()
