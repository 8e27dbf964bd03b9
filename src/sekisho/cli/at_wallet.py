"""The options of command groups that work on a wallet's record, also while the wallet is serving."""

import functools
from collections.abc import Callable
from pathlib import Path

import click

from sekisho.cli.at_institution import Place


def at_wallet(group: Callable[[], None]) -> Callable[..., None]:
    """Give a group the options that name a wallet's record; its commands get it as a `Place`."""

    @click.option(
        "--data",
        type=click.Path(file_okay=False, path_type=Path),
        default=Path("var/wallet"),
        show_default=True,
        help="The wallet's folder.",
    )
    @click.option("--store", "store_url", default="", help="Its store's URL, where not in the folder.")
    @click.option(
        "--institution",
        "file",
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        help="Who the wallet is, in TOML; the demo's if not given.",
    )
    @click.pass_context
    @functools.wraps(group)
    def placed(context: click.Context, *, data: Path, store_url: str, file: Path | None) -> None:
        context.obj = Place(data, store_url, "wallet", file)

    return placed
