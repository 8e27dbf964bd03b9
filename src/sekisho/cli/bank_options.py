"""The options of commands that work on a bank's record, also while the bank is serving."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import click

from sekisho.bank.house import BankParts, open_house
from sekisho.cli.at_institution import opened_parts, told
from sekisho.identity.institution import Institution

DATA = click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("var/bank"),
    show_default=True,
    help="The bank's folder.",
)
STORE = click.option(
    "--store", "store_url", default="", help="Its store's URL, where that is not SQLite in the folder."
)
INSTITUTION = click.option(
    "--institution",
    "file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Who the bank is, in TOML; the demo's if not given.",
)


class BankPlace(NamedTuple):
    """Where a bank keeps its record, and who it is."""

    data: Path
    store_url: str
    file: Path | None

    @contextmanager
    def bank(self) -> Iterator[BankParts]:
        """Open the bank, beside the process that serves it where there is one.

        Raises Refused and ClickException in the words that a person needs.
        """
        with opened_parts(self.data, self.store_url, self._institution) as parts, told():
            yield open_house(parts)

    def _institution(self) -> Institution:
        # The demo's institutions come with every page of theirs, which takes a second to load.
        from sekisho.cli.institutions import BANK  # noqa: PLC0415 - see above
        from sekisho.cli.serve_institution import read_institution  # noqa: PLC0415 - see above

        return BANK.on_port(0) if self.file is None else read_institution(self.file)
