"""`sekisho keyring`: see and change the keys under which an institution's data are sealed."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import click

from sekisho.kernel.chance import SystemChance
from sekisho.kernel.clock import SystemClock, rfc3339
from sekisho.kernel.posture import OperationalError
from sekisho.kernel.refusals import Refusal
from sekisho.storage.engine import Store, open_store
from sekisho.storage.key_holders import held_by
from sekisho.storage.keyring import HeldKeyring, KeyUse
from sekisho.storage.keyring_files import KeyringFile
from sekisho.storage.kms import key_wrapper
from sekisho.storage.sealed_columns import reseal_all

ROTATING = (KeyUse.SEAL, KeyUse.PEPPER)


class Place(NamedTuple):
    """Where an institution keeps its keys and its data."""

    data: Path
    store_url: str

    @contextmanager
    def file(self) -> Iterator[KeyringFile]:
        """Open the keyring. Raises ClickException in the words that a person needs."""
        try:
            yield KeyringFile(self.data, key_wrapper(self.data, os.environ, SystemChance()))
        except Refusal as refusal:
            raise click.ClickException(refusal.told) from refusal
        except FileNotFoundError as missing:
            raise click.ClickException(f"There is no keyring in {self.data}.") from missing
        except OperationalError as outage:
            raise click.ClickException(f"A part is down: {outage}") from outage

    @contextmanager
    def store(self) -> Iterator[Store]:
        """Open the data; within `file`, which has the words for what can go wrong."""
        store = open_store(self.store_url or f"sqlite:///{self.data / 'sekisho.db'}")
        try:
            yield store
        finally:
            store.close()


@click.group("keyring")
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("var/lender"),
    show_default=True,
    help="The institution's folder.",
)
@click.option(
    "--store", "store_url", default="", help="Its store's URL, where that is not SQLite in the folder."
)
@click.pass_context
def command(context: click.Context, *, data: Path, store_url: str) -> None:
    """See and change the keys under which an institution's data are sealed."""
    context.obj = Place(data, store_url)


@command.command("list")
@click.pass_obj
def list_keys(place: Place) -> None:
    """Print each key: its name, use, time of making, and the master key that it is wrapped under."""
    with place.file() as file:
        for entry in file.entries():
            made_at = rfc3339(entry.made_at_us)
            click.echo(f"{entry.name}\t{entry.use}\t{made_at}\t{entry.wrapped_by}")


@command.command("rotate")
@click.option(
    "--use",
    type=click.Choice([use.value for use in ROTATING]),
    default=KeyUse.SEAL.value,
    show_default=True,
    help="Which key to change.",
)
@click.pass_obj
def rotate(place: Place, *, use: str) -> None:
    """Make a key that is used from now on and print its name; the older ones still open what they sealed."""
    with place.file() as file:
        click.echo(file.rotate(KeyUse(use), SystemClock(), SystemChance()).name)


@command.command("reseal")
@click.pass_obj
def reseal_items(place: Place) -> None:
    """Move all sealed data to the newest key; it can be stopped and begun again at any time."""
    resealed, failed = 0, 0
    with place.file() as file, place.store() as store:
        keyring = HeldKeyring(file.read, SystemChance())
        for batch in reseal_all(store, keyring):
            resealed, failed = resealed + batch.resealed, failed + len(batch.unsealable)
            for row in batch.unsealable:
                named = " ".join(each.hex() if isinstance(each, bytes) else str(each) for each in row)
                click.echo(f"does not open: {batch.column} {named}", err=True)
    click.echo(f"{resealed} sealed anew")
    if failed:
        raise click.ClickException(f"{failed} do not open and were left as they are.")


@command.command("retire")
@click.argument("name")
@click.pass_obj
def retire(place: Place, *, name: str) -> None:
    """Take an old key away for good, where nothing is under it any more."""
    with place.file() as file, place.store() as store:
        with store.read() as connection:
            held = held_by(connection, name)
        if held:
            places = ", ".join(f"{where} ({number})" for where, number in held.items())
            raise click.ClickException(f"Still under this key: {places}")
        file.retire(name)


@command.command("rewrap")
@click.pass_obj
def rewrap(place: Place) -> None:
    """Wrap all keys anew, under the first master key of the environment or of the folder."""
    with place.file() as file:
        file.rewrap(key_wrapper(place.data, os.environ, SystemChance()))
