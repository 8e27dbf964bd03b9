"""Alembic's way in: it runs the steps on the connection that it was handed."""

from alembic import context

from sekisho.storage.tables import history, metadata, outbox

# Importing the tables is what registers them with the metadata.
assert {outbox.outbox, history.seal} <= set(metadata.tables.values())  # noqa: S101 - a wiring mistake, caught at import

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
