"""What ties a lender to the world outside: whom it asks, its bank, its machines."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import NamedTuple

from sekisho.cli.bank_ties import BankTie
from sekisho.lender.outside import Outside
from sekisho.storage.rounds import Round
from sekisho.web.asgi import App
from sekisho.web.lender.desks import LenderDesks


class StandingMachine(NamedTuple):
    """A machine for cash: its id, its network's name, and where it stands, in words for members."""

    id: str
    network: str
    place: str


class Beside(NamedTuple):
    """What goes on beside the pages: applications by host name, rounds, and whatever else has to live."""

    applications: Mapping[str, App] = {}
    rounds: Sequence[Round] = ()
    living: Callable[[], AbstractAsyncContextManager[None]] = nullcontext


def _nothing(desks: LenderDesks) -> Beside:
    del desks
    return Beside()


class LenderTies(NamedTuple):
    """All ties of one lender. `open` is called once its desks stand."""

    outside: Outside = Outside()
    bank: BankTie | None = None
    machines: Sequence[StandingMachine] = ()
    open: Callable[[LenderDesks], Beside] = _nothing
