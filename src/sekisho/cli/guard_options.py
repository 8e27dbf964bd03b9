"""The options of every command that runs a guard for others: its policy, and what an operator adds to it."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import click

from sekisho.guard.address_lists import AddressLists, BadAddressList, load_address_list
from sekisho.guard.geography import BadGeography, Geography
from sekisho.guard.policy import BadPolicy, Policy, load_policy

BROKEN_SHOWN = 5


class GuardOptions(NamedTuple):
    """What an operator adds to a guard."""

    policy: Policy | None = None
    lists: AddressLists | None = None
    geography: Geography | None = None


_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


def read_policy(_: click.Context, __: click.Parameter, path: Path | None) -> Policy | None:
    """Read the file of a policy option; refuse the option where it cannot be used."""
    try:
        return None if path is None else load_policy(path)
    except BadPolicy as refusal:
        raise click.BadParameter(str(refusal)) from refusal


def read_lists(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> AddressLists | None:
    """Read the files of an address-list option, and say on stderr what of them cannot be read."""
    lists = []
    for text in given:
        name, equals, file = text.partition("=")
        if not (name and equals and file):
            raise click.BadParameter(f"{text} is not NAME=FILE.")
        try:
            found = load_address_list(name, Path(file))
        except (OSError, BadAddressList) as refusal:
            raise click.BadParameter(str(refusal)) from refusal
        lists.append(found)
        if found.broken_count:
            click.echo(f"{file}: {found.broken_count} lines name no address.", err=True)
            for line in found.broken[:BROKEN_SHOWN]:
                click.echo(f"  line {line.number}: {line.text}", err=True)
    return AddressLists(lists) if lists else None


def _open_geography(_: click.Context, __: click.Parameter, files: tuple[Path, ...]) -> Geography | None:
    try:
        return Geography(files) if files else None
    except (OSError, BadGeography) as refusal:
        raise click.BadParameter(str(refusal)) from refusal


policy_option = click.option(
    "--policy",
    type=_FILE,
    callback=read_policy,
    help="The policy to decide by; the default policy if not given.",
)
lists_option = click.option(
    "--address-list",
    "lists",
    metavar="NAME=FILE",
    multiple=True,
    callback=read_lists,
    help="A list of addresses for the rule listed_address; may be given more than once.",
)
_geography_option = click.option(
    "--mmdb",
    "geography",
    type=_FILE,
    multiple=True,
    callback=_open_geography,
    help="An MMDB file that knows providers or countries; may be given more than once.",
)


def guard_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command these options; it receives them as `adding: GuardOptions`."""

    @functools.wraps(command)
    def wrapped(
        *args: Any,  # noqa: ANN401 - whatever the command itself takes
        policy: Policy | None,
        lists: AddressLists | None,
        geography: Geography | None,
        **others: Any,  # noqa: ANN401 - likewise
    ) -> None:
        command(*args, adding=GuardOptions(policy, lists, geography), **others)

    return policy_option(lists_option(_geography_option(wrapped)))
