"""`sekisho partners`: register, list, rekey and remove the services that may ask depositors for a link."""

from pathlib import Path

import click
import msgspec

from sekisho.bank.authorisation import partners
from sekisho.bank.authorisation.partners import PartnerSettings, PartnerUnfit
from sekisho.bank.house import BankParts
from sekisho.cli.at_institution import BY, REASON
from sekisho.cli.bank_options import DATA, INSTITUTION, STORE, BankPlace
from sekisho.kernel.clock import rfc3339
from sekisho.response import audit
from sekisho.response.staff import Deed
from sekisho.storage.unit_of_work import Connection

KEY_SET = click.option(
    "--key-set",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    required=True,
    help="A file with the partner's public keys, a JWK set.",
)


@click.group("partners")
@DATA
@STORE
@INSTITUTION
@click.pass_context
def command(context: click.Context, *, data: Path, store_url: str, file: Path | None) -> None:
    """Register, list, rekey and remove the services that may ask depositors for a link."""
    context.obj = BankPlace(data, store_url, file)


@command.command("add")
@click.argument("client_id")
@click.option("--name", required=True, help="The partner's name, as depositors read it in Japanese.")
@click.option("--name-en", default="", help="The name in English, where it is another.")
@click.option("--redirect-uri", "redirect_uris", multiple=True, required=True, help="Where codes go.")
@KEY_SET
@click.option("--ceiling-yen", default=300_000, show_default=True, help="The most it may ask for, a debit.")
@click.option(
    "--month-ceiling-yen", default=1_000_000, show_default=True, help="The most it may ask for, a month."
)
@BY
@REASON
@click.pass_obj
def add(  # noqa: PLR0913 - each is an option
    place: BankPlace,
    /,
    *,
    client_id: str,
    name: str,
    name_en: str,
    redirect_uris: tuple[str, ...],
    key_set: Path,
    ceiling_yen: int,
    month_ceiling_yen: int,
    by: str,
    reason: str,
) -> None:
    """Register a partner. It proves who it is with its own key: there is no secret to hand over."""
    settings = PartnerSettings(
        names={"ja": name} | ({"en": name_en} if name_en else {}),
        redirect_uris=redirect_uris,
        key_set=key_set.read_text(encoding="utf-8"),
        ceiling_yen=ceiling_yen,
        month_ceiling_yen=month_ceiling_yen,
    )

    def work(connection: Connection, bank: BankParts) -> None:
        partners.register(connection, bank, client_id, settings)
        _on_record(connection, bank, "bank:partner_registered", client_id, Deed(by, reason))

    with place.bank() as bank:
        try:
            bank.store.write(lambda at: work(at, bank)).result()
        except PartnerUnfit as failure:
            raise click.ClickException(str(failure)) from failure
    click.echo(f"registered: {client_id}")


@command.command("list")
@click.pass_obj
def list_partners(place: BankPlace) -> None:
    """Print each partner's id, name, ceilings, first redirect URI and time of registration."""
    with place.bank() as bank, bank.store.read() as connection:
        for partner in partners.all_partners(connection):
            said = partner.settings
            ceilings = f"{said.ceiling_yen}/{said.month_ceiling_yen}"
            row = (
                partner.client_id,
                partner.name("ja"),
                ceilings,
                said.redirect_uris[0],
                rfc3339(partner.registered_at_us),
            )
            click.echo("\t".join(row))


@command.command("rekey")
@click.argument("client_id")
@KEY_SET
@BY
@REASON
@click.pass_obj
def rekey(place: BankPlace, *, client_id: str, key_set: Path, by: str, reason: str) -> None:
    """Put other keys in the place of a partner's: it proves itself with these from then on."""
    keys = key_set.read_text(encoding="utf-8")

    def work(connection: Connection, bank: BankParts) -> None:
        known = partners.find(connection, client_id)
        if known is None:
            raise click.ClickException(f"There is no partner of this id: {client_id}")
        partners.change(connection, client_id, msgspec.structs.replace(known.settings, key_set=keys))
        _on_record(connection, bank, "bank:partner_rekeyed", client_id, Deed(by, reason))

    with place.bank() as bank:
        try:
            bank.store.write(lambda at: work(at, bank)).result()
        except PartnerUnfit as failure:
            raise click.ClickException(str(failure)) from failure


@command.command("remove")
@click.argument("client_id")
@BY
@REASON
@click.pass_obj
def remove(place: BankPlace, *, client_id: str, by: str, reason: str) -> None:
    """Take a partner away: it is refused from then on, and its tokens open nothing."""

    def work(connection: Connection, bank: BankParts) -> None:
        if not partners.remove(connection, bank, client_id):
            raise click.ClickException(f"There is no partner of this id: {client_id}")
        _on_record(connection, bank, "bank:partner_removed", client_id, Deed(by, reason))

    with place.bank() as bank:
        bank.store.write(lambda at: work(at, bank)).result()


def _on_record(connection: Connection, bank: BankParts, act: str, client_id: str, deed: Deed) -> None:
    audit.record_deed(connection, deed, act, client_id, at_us=bank.clock.now_us())
