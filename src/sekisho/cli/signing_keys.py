"""`sekisho signing-keys`: see and change the keys with which the ID signs."""

from pathlib import Path

import click

from sekisho.cli.provider_options import DATA, STORE, Place
from sekisho.kernel.clock import rfc3339


@click.group("signing-keys")
@DATA
@STORE
@click.pass_context
def command(context: click.Context, *, data: Path, store_url: str) -> None:
    """See and change the keys with which the ID signs; a running service follows within a minute."""
    context.obj = Place(data, store_url)


@command.command("list")
@click.pass_obj
def list_keys(place: Place) -> None:
    """Print each key that is shown: its id, algorithm, and from when it signs and until when it is shown."""
    with place.key_changes() as keys:
        for key in keys.shown():
            until = "" if key.shown_until_us is None else rfc3339(key.shown_until_us)
            click.echo("\t".join((key.kid, key.algorithm, rfc3339(key.signs_from_us), until)))


@command.command("rotate")
@click.pass_obj
def rotate(place: Place) -> None:
    """Make new keys that sign when every client has had time to read them; nothing fails meanwhile."""
    with place.key_changes() as keys:
        keys.rotate()


@command.command("replace")
@click.pass_obj
def replace(place: Place) -> None:
    """Make new keys that sign at once and show the old ones no more: for keys that were stolen."""
    with place.key_changes() as keys:
        keys.replace()
