import pytest
from sqlalchemy import text
from tests.conformance.busy import hold_up

from sekisho.kernel.posture import OperationalError
from sekisho.storage import outbox
from sekisho.storage.engine import open_store
from sekisho.storage.outbox import Entry
from sekisho.storage.unit_of_work import Statements


def appending(*subjects):
    return lambda connection: outbox.append(
        connection, [Entry("kind", subject, 1, b"{}") for subject in subjects]
    )


def subjects_in(store):
    with store.read() as connection:
        return [entry.subject for entry in outbox.read_after(connection, 0, limit=10_000)]


def test_what_was_written_is_there_after_the_store_was_opened_again(store_url):
    first = open_store(store_url)
    first.write(appending("a")).result()
    first.close()
    second = open_store(store_url)
    second.write(appending("b")).result()
    assert subjects_in(second) == ["a", "b"]
    second.close()


def test_a_unit_returns_what_its_work_returned(store):
    assert store.write(lambda connection: connection.execute(text("SELECT 42")).scalar_one()).result() == 42


@pytest.mark.parametrize("neighbours", [0, 3], ids=["alone", "among others"])
def test_a_unit_that_fails_leaves_nothing_and_takes_nobody_along(store, neighbours):
    def half_done(connection):
        appending("lost")(connection)
        raise LookupError("on purpose")

    go_on = hold_up(store)
    before = [store.write(appending(f"before {number}")) for number in range(neighbours)]
    failed = store.write(half_done)
    after = [store.write(appending(f"after {number}")) for number in range(neighbours)]
    go_on.set()
    with pytest.raises(LookupError, match="on purpose"):
        failed.result()
    for unit in before + after:
        unit.result()
    expected = [f"before {number}" for number in range(neighbours)] + [
        f"after {number}" for number in range(neighbours)
    ]
    assert subjects_in(store) == expected


def test_a_lost_connection_is_an_outage_for_all_who_share_it_and_for_nobody_after(store):
    go_on = hold_up(store)
    shared = [store.write(appending("a")), store.write(lambda c: c.invalidate()), store.write(appending("b"))]
    go_on.set()
    for unit in shared:
        with pytest.raises(OperationalError, match="store"):
            unit.result()
    store.write(appending("c")).result()
    assert subjects_in(store) == ["c"]


def test_units_are_committed_in_the_order_in_which_they_came(store):
    units = [store.write(appending(f"{number:03}")) for number in range(300)]
    for unit in units:
        unit.result()
    assert subjects_in(store) == [f"{number:03}" for number in range(300)]


def test_closing_commits_what_was_submitted_and_takes_no_more(store_url):
    store = open_store(store_url)
    units = [store.write(appending(str(number))) for number in range(100)]
    store.close()
    assert all(unit.done() and unit.exception() is None for unit in units)
    with pytest.raises(OperationalError, match="closed"):
        store.write(appending("late"))
    store.close()


def test_an_entry_that_is_there_already_is_left_as_it_is(store):
    store.write(
        lambda c: outbox.append(c, [Entry("kind", "a", 1, b"first"), Entry("other", "a", 1, b"too")])
    ).result()
    store.write(
        lambda c: outbox.append(c, [Entry("kind", "a", 2, b"second"), Entry("kind", "b", 2, b"new")])
    ).result()
    with store.read() as connection:
        entries = outbox.read_after(connection, 0, limit=10)
    assert [(entry.kind, entry.subject, entry.at_us, entry.body) for entry in entries] == [
        ("kind", "a", 1, b"first"),
        ("other", "a", 1, b"too"),
        ("kind", "b", 2, b"new"),
    ]


@pytest.mark.parametrize("count", [1, 7, 63, 64, 65, 128, 129, 500])
def test_any_number_of_entries_goes_in_whole_and_in_order(store, count):
    store.write(appending(*(f"{number:03}" for number in range(count)))).result()
    assert subjects_in(store) == [f"{number:03}" for number in range(count)]


def test_reading_goes_on_after_a_position_and_stops_at_a_limit(store):
    store.write(appending("a", "b", "c", "d")).result()
    with store.read() as connection:
        first, second, *_ = outbox.read_after(connection, 0, limit=10)
        assert 0 < first.position < second.position
        assert [entry.subject for entry in outbox.read_after(connection, second.position, limit=1)] == ["c"]
        assert outbox.last_position(connection) == outbox.read_after(connection, 0, limit=10)[-1].position


def test_a_reader_cannot_write_to_a_file(tmp_path):
    store = open_store(f"sqlite:///{tmp_path}/sekisho.db")
    with pytest.raises(OperationalError, match="readonly"), store.read() as connection:
        connection.execute(text("DELETE FROM outbox"))
    store.close()


def statements(store, *subjects, then=()):
    def make():
        entries = [Entry("kind", subject, 1, b"{}") for subject in subjects]
        return [*outbox.appending(entries, postgresql=store.is_postgresql), *then]

    return Statements(make)


@pytest.mark.parametrize("neighbours", [0, 2], ids=["alone", "among others"])
@pytest.mark.parametrize("count", [1, 65], ids=["one statement", "several"])
def test_statements_are_a_unit_like_any_other(store, neighbours, count):
    subjects = [f"{number:03}" for number in range(count)]
    go_on = hold_up(store)
    units = [store.write(appending(f"other {number}")) for number in range(neighbours)]
    units.append(store.write(statements(store, *subjects)))
    go_on.set()
    for unit in units:
        unit.result()
    assert subjects_in(store) == [f"other {number}" for number in range(neighbours)] + subjects


@pytest.mark.parametrize("subjects", [(), ("lost",)], ids=["alone", "after another"])
def test_a_statement_that_fails_leaves_nothing_and_does_no_harm(store, subjects):
    go_on = hold_up(store)
    failed = store.write(statements(store, *subjects, then=[("INSERT INTO nowhere VALUES (1)", ())]))
    go_on.set()
    with pytest.raises(Exception, match="nowhere") as failure:
        failed.result()
    assert store.is_postgresql or isinstance(failure.value, OperationalError)
    store.write(statements(store, "kept")).result()
    assert subjects_in(store) == ["kept"]


def test_what_a_database_complains_about_names_no_value(store):
    """A complaint goes to the log, and what was to be written may be somebody's."""
    with pytest.raises(Exception, match="no_such_table") as complaint:
        store.write(
            lambda connection: connection.execute(
                text("INSERT INTO no_such_table VALUES (:value)"), {"value": "personal"}
            )
        ).result()
    assert "personal" not in str(complaint.value)
