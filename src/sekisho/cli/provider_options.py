"""The options of commands that work on an OpenID Connect provider's folder, and what they open there."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import click

from sekisho.identity.openid.registry import KeyChanges, Registry
from sekisho.identity.openid.settings import OpenIdSettings
from sekisho.kernel.chance import SystemChance
from sekisho.kernel.clock import SystemClock
from sekisho.kernel.posture import OperationalError
from sekisho.kernel.refusals import Refusal
from sekisho.storage.engine import Store, open_store
from sekisho.storage.keyring_files import open_keyring
from sekisho.storage.kms import key_wrapper

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


class Place(NamedTuple):
    """Where a provider keeps what it knows."""

    data: Path
    store_url: str

    @contextmanager
    def registry(self) -> Iterator[Registry]:
        """Open the provider's clients. Raises ClickException in the words that a person needs."""
        with self._store() as store:
            yield Registry(store, SystemClock(), SystemChance())

    @contextmanager
    def key_changes(self) -> Iterator[KeyChanges]:
        """Open the provider's signing keys. Raises ClickException in the words that a person needs."""
        with self._store() as store:
            clock, chance = SystemClock(), SystemChance()
            wrapper = key_wrapper(self.data, os.environ, chance)
            keyring = open_keyring(self.data, wrapper, clock=clock, chance=chance)
            yield KeyChanges(store, keyring, clock, OpenIdSettings())

    @contextmanager
    def _store(self) -> Iterator[Store]:
        try:
            store = open_store(self.store_url or f"sqlite:///{self.data / 'sekisho.db'}")
        except Refusal as refusal:
            raise click.ClickException(refusal.told) from refusal
        except OperationalError as outage:
            raise click.ClickException(f"A part is down: {outage}") from outage
        try:
            yield store
        finally:
            store.close()
