"""The options that every command has that reads logs, and what it tells about what it could not read."""

import functools
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from sekisho.campaigns.logs.faults import Faults, UnusableLog
from sekisho.campaigns.logs.formats import READERS, ReadingOptions
from sekisho.campaigns.logs.web_access import read_rules

KEY_BYTES_MIN = 16
BROKEN_SHOWN = 5

_OPTIONS = (
    click.option(
        "--format",
        "log_format",
        type=click.Choice(["auto", *READERS]),
        default="auto",
        show_default=True,
        help="The logs' format; auto finds it out.",
    ),
    click.option(
        "--key",
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        help="A file with a key of 16 bytes or more for secrets found in a log; if not given, a new one.",
    ),
    click.option("--year", type=click.IntRange(1970, 2199), help="The year of an OpenSSH log's first line."),
    click.option(
        "--web-access",
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        help="A TOML file that says which requests of a web access log are logins.",
    ),
)


def log_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the reading options; it receives them as `reading: ReadingOptions`."""

    @functools.wraps(command)
    def wrapped(
        *args: Any,  # noqa: ANN401 - whatever the command itself takes
        log_format: str,
        key: Path | None,
        year: int | None,
        web_access: Path | None,
        **others: Any,  # noqa: ANN401 - likewise
    ) -> None:
        try:
            rules = read_rules(web_access) if web_access else None
        except UnusableLog as refusal:
            raise click.BadParameter(str(refusal), param_hint="--web-access") from refusal
        reading = ReadingOptions(log_format=log_format, key=_key(key), year=year, web_access=rules)
        command(*args, reading=reading, **others)

    for option in reversed(_OPTIONS):
        wrapped = option(wrapped)
    return wrapped


def _key(path: Path | None) -> bytes:
    if path is None:
        return secrets.token_bytes(32)
    key = path.read_bytes()
    if len(key) < KEY_BYTES_MIN:
        told = f"{path} holds {len(key)} bytes; a key has {KEY_BYTES_MIN} or more."
        raise click.BadParameter(told, param_hint="--key")
    return key


def tell_faults(faults: Faults) -> None:
    """Say on stderr what could not be read, what was left out and what was set aside."""
    for file, why in faults.files:
        click.echo(f"{file} {why}.", err=True)
    if faults.broken_count:
        reasons = ", ".join(f"{why} {count}" for why, count in faults.broken_by_reason.most_common())
        click.echo(f"{faults.broken_count} of {faults.rows} records are broken: {reasons}.", err=True)
        for record in faults.broken[:BROKEN_SHOWN]:
            click.echo(f"  {record.file}, line {record.line} (row {record.row}): {record.why}", err=True)
    if faults.notes:
        notes = ", ".join(f"{what} {count}" for what, count in faults.notes.most_common())
        click.echo(f"Values that were left out or guessed: {notes}.", err=True)
    if faults.aside:
        click.echo(f"Columns set aside: {', '.join(faults.aside)}.", err=True)
