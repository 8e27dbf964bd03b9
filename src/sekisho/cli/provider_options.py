"""The options of commands that work on an OpenID Connect provider's folder, and what they open there."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import click

from sekisho.cli.at_institution import told
from sekisho.kernel.chance import Chance, SystemChance
from sekisho.kernel.clock import Clock, SystemClock
from sekisho.kernel.posture import OperationalError
from sekisho.kernel.refusals import Refusal
from sekisho.response import audit
from sekisho.response.staff import Deed
from sekisho.storage.engine import Store, open_store
from sekisho.storage.keyring import Keyring
from sekisho.storage.keyring_files import open_keyring
from sekisho.storage.kms import key_wrapper
from sekisho.storage.unit_of_work import Connection

DATA = click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("var/id"),
    show_default=True,
    help="The provider's folder.",
)
STORE = click.option(
    "--store", "store_url", default="", help="Its store's URL, where that is not SQLite in the folder."
)


class Provider(NamedTuple):
    """A provider's record, open, and what changes of it are made with."""

    store: Store
    clock: Clock
    chance: Chance
    data: Path

    def keyring(self) -> Keyring:
        """Open its keyring. Raises OSError and OperationalError."""
        wrapper = key_wrapper(self.data, os.environ, self.chance)
        return open_keyring(self.data, wrapper, clock=self.clock, chance=self.chance)

    def on_record(self, connection: Connection, deed: Deed, act: str, subject: str = "") -> None:
        """Write a deed down in the unit of work that does it. Raises StaffIdUnusable."""
        audit.record_deed(connection, deed, act, subject, at_us=self.clock.now_us())


class Place(NamedTuple):
    """Where a provider keeps what it knows."""

    data: Path
    store_url: str

    @contextmanager
    def provider(self) -> Iterator[Provider]:
        """Open the provider's record. Raises ClickException in the words that a person needs."""
        try:
            store = open_store(self.store_url or f"sqlite:///{self.data / 'sekisho.db'}")
        except Refusal as refusal:
            raise click.ClickException(refusal.told) from refusal
        except OperationalError as outage:
            raise click.ClickException(f"A part is down: {outage}") from outage
        try:
            with told():
                yield Provider(store, SystemClock(), SystemChance(), self.data)
        finally:
            store.close()
