from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from sekisho.storage.engine import open_store
from sekisho.storage.tables import history, metadata, outbox


def test_the_migrations_make_exactly_the_tables_that_the_code_reads(store):
    """A table that was changed without a migration, or the other way round, shows here."""
    assert {outbox.outbox, history.seal, history.history_progress} < set(metadata.tables.values())
    with store.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_opening_again_changes_nothing(store_url):
    for _ in range(2):
        store = open_store(store_url)
        with store.read() as connection:
            assert MigrationContext.configure(connection).get_current_revision() == "0032"
        store.close()
