"""The options of every command that runs a guard for others: its policies, and what an operator adds."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import click

from sekisho.guard.address_lists import AddressLists, BadAddressList, load_address_list
from sekisho.guard.geography import BadGeography, Geography
from sekisho.guard.policy import Policy, default_policy, load_policy, require_told_apart
from sekisho.guard.policy_faults import BadPolicy

BROKEN_SHOWN = 5
LISTS = "--address-list"
LIST_FILES = "sekisho.address_lists"
"""Where the command's context keeps what was named with it."""


class GuardOptions(NamedTuple):
    """What an operator adds to a guard; without a policy the default one is in force.

    `list_files` are the address lists as they were named, for another process that is to read the same.
    """

    policy: Policy | None = None
    shadows: tuple[Policy, ...] = ()
    lists: AddressLists | None = None
    geography: Geography | None = None
    list_files: tuple[str, ...] = ()

    @property
    def in_the_shadow(self) -> str:
        """What runs beside the policy in force, in words; empty where nothing does."""
        if not self.shadows:
            return ""
        names = ", ".join(shadow.name for shadow in self.shadows)
        return f"{(self.policy or default_policy()).name} decides; in its shadow: {names}"


_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


def read_policy(_: click.Context, __: click.Parameter, path: Path | None) -> Policy | None:
    """Read the file of a policy option; refuse the option where it cannot be used."""
    try:
        return None if path is None else load_policy(path)
    except BadPolicy as refusal:
        raise click.BadParameter(str(refusal)) from refusal


def _read_shadows(_: click.Context, __: click.Parameter, paths: tuple[Path, ...]) -> tuple[Policy, ...]:
    try:
        return tuple(load_policy(path) for path in paths)
    except BadPolicy as refusal:
        raise click.BadParameter(str(refusal)) from refusal


def read_lists(context: click.Context, __: click.Parameter, given: tuple[str, ...]) -> AddressLists | None:
    """Read the files of an address-list option, and say on stderr what of them cannot be read."""
    context.meta[LIST_FILES] = given
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
_SHADOW = "--shadow"
_shadows_option = click.option(
    _SHADOW,
    "shadows",
    type=_FILE,
    multiple=True,
    callback=_read_shadows,
    help="A policy to run in the shadow: what it would have done is kept. May be given more than once.",
)
lists_option = click.option(
    LISTS,
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
        shadows: tuple[Policy, ...],
        lists: AddressLists | None,
        geography: Geography | None,
        **others: Any,  # noqa: ANN401 - likewise
    ) -> None:
        try:
            require_told_apart(policy or default_policy(), shadows)
        except BadPolicy as refusal:
            raise click.BadParameter(str(refusal), param_hint=_SHADOW) from refusal
        list_files = click.get_current_context().meta[LIST_FILES]
        command(*args, adding=GuardOptions(policy, shadows, lists, geography, list_files), **others)

    return policy_option(_shadows_option(lists_option(_geography_option(wrapped))))
