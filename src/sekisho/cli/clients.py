"""`sekisho clients`: register, list and remove the services that log members in with the ID."""

from pathlib import Path
from typing import Any, cast

import click

from sekisho.cli.at_institution import BY, REASON
from sekisho.cli.provider_options import DATA, STORE, Place, Provider
from sekisho.identity.openid import clients
from sekisho.identity.openid.clients import ClientSettings, ClientUnfit, Proof
from sekisho.identity.openid.jose import ALGORITHMS
from sekisho.identity.openid.scopes import Scope
from sekisho.kernel.clock import rfc3339
from sekisho.response.staff import Deed
from sekisho.storage.unit_of_work import Connection


@click.group("clients")
@DATA
@STORE
@click.pass_context
def command(context: click.Context, *, data: Path, store_url: str) -> None:
    """Register, list and remove the services that log members in with the ID."""
    context.obj = Place(data, store_url)


@command.command("add")
@click.argument("client_id")
@click.option("--name", required=True, help="The service's name, as members read it in Japanese.")
@click.option("--name-en", default="", help="The name in English, where it is another.")
@click.option("--redirect-uri", "redirect_uris", multiple=True, required=True, help="Where codes go.")
@click.option("--post-logout-redirect-uri", "logout_uris", multiple=True, help="Where a logout may end.")
@click.option("--backchannel-logout-uri", default="", help="Where to tell of a session's end.")
@click.option("--native", is_flag=True, help="An app: loopback with any port, or a scheme of its own.")
@click.option(
    "--proof",
    type=click.Choice([proof.value for proof in Proof]),
    default=Proof.SECRET_BASIC.value,
    show_default=True,
    help="How the service proves itself.",
)
@click.option(
    "--key-set",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file with the service's public keys, a JWK set.",
)
@click.option(
    "--signed-with",
    type=click.Choice(ALGORITHMS),
    default=ALGORITHMS[0],
    show_default=True,
    help="The algorithm of its ID tokens.",
)
@click.option(
    "--scope",
    "scopes",
    type=click.Choice([scope.value for scope in Scope]),
    multiple=True,
    default=[Scope.OPENID.value],
    show_default=True,
    help="What it may ask for; may be given more than once.",
)
@click.option("--sector", default="", help="Services of one sector know a member by the same subject.")
@click.option("--no-consent", is_flag=True, help="A service of our own: members are not asked.")
@BY
@REASON
@click.pass_obj
def add(place: Place, /, client_id: str, by: str, reason: str, **options: Any) -> None:  # noqa: ANN401 - click has checked each option
    """Register a service and print its secret: it is kept as a hash and cannot be shown again."""
    settings = _settings(**options)

    def work(connection: Connection, its: Provider) -> str:
        now_us, chance = its.clock.now_us(), its.chance
        secret = clients.add(connection, client_id, settings, now_us=now_us, chance=chance)
        its.on_record(connection, Deed(by, reason), "openid:client_registered", client_id)
        return secret

    try:
        with place.provider() as its:
            secret = its.store.write(lambda at: work(at, its)).result()
    except ClientUnfit as failure:
        raise click.ClickException(str(failure)) from failure
    click.echo(secret or "registered; this service has no secret")


@command.command("list")
@click.pass_obj
def list_clients(place: Place) -> None:
    """Print each service's id, name, proof, scopes, first redirect URI and time of registration."""
    with place.provider() as its, its.store.read() as connection:
        for client in clients.all_clients(connection):
            said = client.settings
            row = (
                client.client_id,
                client.name("ja"),
                said.proof.value,
                ",".join(said.scopes),
                said.redirect_uris[0],
                rfc3339(client.added_at_us),
            )
            click.echo("\t".join(row))


@command.command("remove")
@click.argument("client_id")
@BY
@REASON
@click.pass_obj
def remove(place: Place, *, client_id: str, by: str, reason: str) -> None:
    """Take a service away: it is refused from then on, and its tokens open nothing."""

    def work(connection: Connection, its: Provider) -> None:
        if not clients.remove(connection, client_id, now_us=its.clock.now_us()):
            raise click.ClickException(f"There is no service of this id: {client_id}")
        its.on_record(connection, Deed(by, reason), "openid:client_removed", client_id)

    with place.provider() as its:
        its.store.write(lambda at: work(at, its)).result()


def _settings(**options: Any) -> ClientSettings:  # noqa: ANN401 - click has checked each option
    names = {"ja": options["name"]} | ({"en": options["name_en"]} if options["name_en"] else {})
    key_set = cast("Path | None", options["key_set"])
    return ClientSettings(
        names=names,
        redirect_uris=options["redirect_uris"],
        post_logout_redirect_uris=options["logout_uris"],
        backchannel_logout_uri=options["backchannel_logout_uri"],
        native=options["native"],
        proof=Proof(options["proof"]),
        key_set=key_set.read_text(encoding="utf-8") if key_set is not None else "",
        signed_with=options["signed_with"],
        scopes=tuple(Scope(scope) for scope in options["scopes"]),
        sector=options["sector"],
        consent=not options["no_consent"],
    )
