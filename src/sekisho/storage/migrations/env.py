"""Alembic's way in: it runs the steps on the connection that it was handed."""

from importlib import import_module
from pkgutil import iter_modules

from alembic import context

from sekisho.storage import tables

# Importing the tables is what registers them with the metadata.
for module in iter_modules(tables.__path__, tables.__name__ + "."):
    import_module(module.name)

context.configure(connection=context.config.attributes["connection"], target_metadata=tables.metadata)
context.run_migrations()
