"""`sekisho signing-keys`: see and change the keys with which the ID signs."""

from pathlib import Path

import click

from sekisho.cli.at_institution import BY, REASON
from sekisho.cli.provider_options import DATA, STORE, Place, Provider
from sekisho.identity.openid import signing_keys
from sekisho.identity.openid.settings import OpenIdSettings
from sekisho.kernel.clock import rfc3339
from sekisho.response.staff import Deed
from sekisho.storage.keyring import Keyring
from sekisho.storage.unit_of_work import Connection


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
    with place.provider() as its, its.store.read() as connection:
        for key in signing_keys.stored_keys(connection, now_us=its.clock.now_us()):
            until = "" if key.shown_until_us is None else rfc3339(key.shown_until_us)
            click.echo("\t".join((key.kid, key.algorithm, rfc3339(key.signs_from_us), until)))


@command.command("rotate")
@BY
@REASON
@click.pass_obj
def rotate(place: Place, *, by: str, reason: str) -> None:
    """Make new keys that sign when every client has had time to read them; nothing fails meanwhile."""

    def work(connection: Connection, its: Provider, keyring: Keyring) -> None:
        now_us = its.clock.now_us()
        signing_keys.rotate(connection, keyring, OpenIdSettings(), now_us=now_us)
        its.on_record(connection, Deed(by, reason), "openid:signing_keys_rotated")

    with place.provider() as its:
        keyring = its.keyring()
        its.store.write(lambda at: work(at, its, keyring)).result()


@command.command("replace")
@BY
@REASON
@click.pass_obj
def replace(place: Place, *, by: str, reason: str) -> None:
    """Make new keys that sign at once and show the old ones no more: for keys that were stolen."""

    def work(connection: Connection, its: Provider, keyring: Keyring) -> None:
        signing_keys.replace(connection, keyring, now_us=its.clock.now_us())
        its.on_record(connection, Deed(by, reason), "openid:signing_keys_replaced")

    with place.provider() as its:
        keyring = its.keyring()
        its.store.write(lambda at: work(at, its, keyring)).result()
