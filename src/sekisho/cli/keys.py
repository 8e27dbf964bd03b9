"""`sekisho keys`: make, list and remove the API keys of the guard's service, also while it runs."""

from pathlib import Path

import click

from sekisho.kernel.chance import SystemChance
from sekisho.kernel.clock import SystemClock
from sekisho.web.guard_api.api_keys import ApiKeyName, ApiKeys, Scope

FILE_NAME = "api-keys.json"


@click.group("keys")
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("var"),
    show_default=True,
    help="The data folder of the service.",
)
@click.pass_context
def command(context: click.Context, *, data: Path) -> None:
    """Make, list and remove API keys; a running service follows within a second."""
    context.obj = ApiKeys(clock=SystemClock(), path=data / FILE_NAME)


@command.command("add")
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    type=click.Choice([scope.value for scope in Scope]),
    multiple=True,
    default=[Scope.ASSESS.value],
    show_default=True,
    help="What the key allows; may be given more than once.",
)
@click.pass_obj
def add(keys: ApiKeys, *, name: str, scopes: tuple[str, ...]) -> None:
    """Make a key and print it: it is kept as a hash and cannot be shown again."""
    try:
        click.echo(keys.add(name, tuple(Scope(scope) for scope in scopes), SystemChance()))
    except ApiKeyName as failure:
        raise click.ClickException(str(failure)) from failure


@command.command("list")
@click.pass_obj
def list_keys(keys: ApiKeys) -> None:
    """Print each key's name, scopes and time of making."""
    for key in keys.all():
        click.echo(f"{key.name}\t{','.join(key.scopes)}\t{key.made_at}")


@command.command("remove")
@click.argument("name")
@click.pass_obj
def remove(keys: ApiKeys, *, name: str) -> None:
    """Take a key away; whoever holds it is refused from then on."""
    if not keys.remove(name):
        raise click.ClickException(f"There is no key of this name: {name}")
