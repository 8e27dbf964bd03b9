"""The options of commands that work on an institution's record, also while the institution is serving."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import click

from sekisho.identity.institution import Institution, Parts
from sekisho.kernel.chance import SystemChance
from sekisho.kernel.clock import SystemClock
from sekisho.kernel.posture import OperationalError
from sekisho.kernel.refusals import Refusal
from sekisho.storage.engine import join_store
from sekisho.storage.keyring_files import open_keyring
from sekisho.storage.kms import key_wrapper

Command = TypeVar("Command", bound=Callable[..., Any])

EXIT_REFUSED = 2
"""The exit code of a command that understood what was asked and did not do it."""

UNCHANGED = 3
"""The exit code of a command that found nothing to change."""

BY = click.option("--by", required=True, help="Your staff id, for the record.")
REASON = click.option("--reason", required=True, help="Why, for the record.")
AS_JSON = click.option("--json", "as_json", is_flag=True, help="For programs.")


class Refused(click.ClickException):
    """What was asked was understood and not done."""

    exit_code = EXIT_REFUSED


class Place(NamedTuple):
    """Where an institution keeps its record, and who it is."""

    data: Path
    store_url: str
    what: str
    file: Path | None

    @property
    def history(self) -> Path:
        """The folder of its sealed history."""
        return self.data / "history"

    @contextmanager
    def parts(self, *, telling: bool = True) -> Iterator[Parts]:
        """Open the record, beside the process that serves it where there is one.

        Without `telling` the institution has no names: a command that writes to nobody starts in half the
        time. Raises Refused and ClickException in the words that a person needs.
        """
        own = self._institution if telling else self._nameless
        with opened_parts(self.data, self.store_url, own) as parts:
            yield parts

    def _nameless(self) -> Institution:
        host = f"{self.what}.localhost"
        return Institution(
            key=self.what, names={"ja": ""}, host=host, origin="", telephone="", desk_hours={"ja": ""}
        )

    def _institution(self) -> Institution:
        # The demo's institutions come with every page of theirs, which takes a second to load.
        from sekisho.cli.institutions import KINDS  # noqa: PLC0415 - see above
        from sekisho.cli.serve_institution import read_institution  # noqa: PLC0415 - see above

        if self.file is not None:
            return read_institution(self.file)
        if self.what not in KINDS:
            raise click.UsageError(f"There is no institution {self.what!r}; name its file: --institution")
        return KINDS[self.what].on_port(0)


@contextmanager
def opened_parts(data: Path, store_url: str, institution: Callable[[], Institution]) -> Iterator[Parts]:
    """Open the record in a folder, beside the process that serves it where there is one.

    Raises Refused and ClickException in the words that a person needs.
    """
    with told():
        clock, chance = SystemClock(), SystemChance()
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        store = join_store(store_url or f"sqlite:///{data / 'sekisho.db'}")
        try:
            wrapper = key_wrapper(data, os.environ, chance)
            keyring = open_keyring(data, wrapper, clock=clock, chance=chance)
            yield Parts(institution(), store, keyring, clock, chance)
        finally:
            store.close()


@contextmanager
def told() -> Iterator[None]:
    """Turn refusals and outages into words for a person, and an exit code."""
    try:
        yield
    except Refusal as refusal:
        raise Refused(refusal.told) from refusal
    except OperationalError as outage:
        raise click.ClickException(f"A part is down: {outage}") from outage


def at_institution(command: Command) -> Command:
    """Give a command the options that name an institution's record, and a `Place` as its first argument."""

    def placed(*, data: Path | None, store_url: str, what: str, file: Path | None, **rest: object) -> object:
        return command(Place(data or Path("var") / what, store_url, what, file), **rest)

    placed.__name__, placed.__doc__ = command.__name__, command.__doc__
    # click keeps the options that stand below on the function itself.
    placed.__click_params__ = getattr(command, "__click_params__", [])  # type: ignore[attr-defined] # as click does
    for option in (
        click.option(
            "--institution",
            "file",
            type=click.Path(path_type=Path, exists=True, dir_okay=False),
            help="Who the institution is, in TOML; the demo's if not given.",
        ),
        click.option("--store", "store_url", default="", help="Its store's URL, where not in the folder."),
        click.option("--data", type=click.Path(file_okay=False, path_type=Path), help="Its folder."),
        click.option("--at", "what", default="lender", show_default=True, help="lender, id, wallet or bank."),
    ):
        placed = option(placed)
    return placed  # type: ignore[return-value] # a function of the same kind, with four options more
