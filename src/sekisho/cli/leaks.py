"""`sekisho leaks`: make a list of leaked pairs or passwords that logins and sign-ups are checked against."""

from collections.abc import Iterator
from pathlib import Path

import click

from sekisho.identity.leaked_dumps import read_dump
from sekisho.identity.leaked_lists import LeakKind, write_list


@click.command("leaks")
@click.argument(
    "dumps", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option(
    "--out",
    "out",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The list. Its name ends in .pairs or in .passwords, which says what the lines are.",
)
def command(dumps: tuple[Path, ...], out: Path) -> None:
    """Make a list of what has leaked from DUMPS: text, one pair `id:password` or one password a line.

    Of a password, its SHA-1 in hexadecimal will do. A line that cannot be read is counted and named by its
    place, never shown.
    """
    kinds = {f".{kind}": kind for kind in LeakKind}
    if out.suffix not in kinds:
        raise click.BadParameter("the name ends in .pairs or in .passwords", param_hint="--out")
    broken: list[str] = []
    try:
        count = write_list(out, kinds[out.suffix], _digests(dumps, kinds[out.suffix], broken))
    except OSError as error:
        raise click.ClickException(f"{out}: {error.strerror}") from error
    click.echo(f"{count:,} entries in {out}")
    for place in broken[:10]:
        click.echo(f"cannot be read: {place}", err=True)
    if broken:
        click.echo(f"{len(broken):,} lines could not be read", err=True)


def _digests(dumps: tuple[Path, ...], kind: LeakKind, broken: list[str]) -> Iterator[bytes]:
    for dump in dumps:
        with dump.open(encoding="utf-8", errors="surrogateescape", newline="\n") as lines:
            for line in read_dump(lines, kind):
                yield from line.digests
                if not line.digests:
                    broken.append(f"{dump}, line {line.number}")
