"""Alembic's way in: it runs the steps on the connection that it was handed."""

from alembic import context

from sekisho.storage.tables import every_table, metadata

# It is what registers them with the metadata.
every_table()

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
