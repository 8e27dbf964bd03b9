"""`sekisho holder-name TEXT`: a holder's name as banks write it."""

import click

from sekisho.linking.holder_names import (
    OCTETS_MAX,
    HolderNameUnusable,
    read_corporate_name,
    read_holder_name,
)


@click.command("holder-name")
@click.argument("text")
@click.option("--corporate", is_flag=True, help="Abbreviate the kind of a company, as banks do.")
@click.option(
    "--octets",
    type=click.IntRange(1, 120),
    default=OCTETS_MAX,
    show_default=True,
    help="The room for the name; some records have 40.",
)
def command(text: str, *, corporate: bool, octets: int) -> None:
    """Write TEXT as banks write a holder's name: half-width katakana capitals.

    Exits with 2 where a character has no such form, and names it.
    """
    read = read_corporate_name if corporate else read_holder_name
    try:
        click.echo(read(text, octets_max=octets))
    except HolderNameUnusable as refused:
        click.echo(_in_words(refused), err=True)
        raise SystemExit(2) from refused


def _in_words(refused: HolderNameUnusable) -> str:
    if not refused.character:
        return f"Not a name that banks can write: {refused.known}."
    point = f"U+{ord(refused.character[0]):04X}"
    shown = f"{refused.character} ({point})" if refused.character.isprintable() else point
    return f"Not a name that banks can write: {shown}."
