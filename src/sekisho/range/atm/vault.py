"""The cash in a machine, note by note: what its sensors have counted, whatever its journal knows."""

from collections.abc import Callable
from pathlib import Path

import msgspec

from sekisho.range.atm.lines import Lines

NOTES_YEN = (10_000, 1_000)
FILLED = ""
"""Under this name notes are put in by whoever fills the machine."""


class Note(msgspec.Struct, frozen=True):
    """One note that passed a sensor: in with a positive amount, out with a negative one."""

    order_id: str
    yen: int


class Jam(Exception):  # noqa: N818 - it is what happens, and the machine goes on
    """The notes are stuck: no more comes out."""


class Vault:
    """Cash that is there, and through which orders it came and went. `before_note` may stop the next note."""

    def __init__(self, file: Path, *, before_note: Callable[[int], None] | None = None) -> None:
        """Take a hook that is called with the yen already out before each note; it may raise Jam."""
        self._notes = Lines(file, Note)
        self._before_note = before_note

    @property
    def stock_yen(self) -> int:
        """What is in it."""
        return sum(note.yen for note in self._notes)

    @property
    def given_yen(self) -> int:
        """What left it under orders, less what came in under them."""
        return -sum(note.yen for note in self._notes if note.order_id != FILLED)

    def fill(self, yen: int) -> None:
        """Put cash in."""
        self._notes.add(Note(FILLED, yen))

    def pay(self, order_id: str, yen: int) -> None:
        """Put notes out until the amount is there or they jam. What came out, the sensors know."""
        out = 0
        while out < yen:
            note = next(each for each in NOTES_YEN if each <= yen - out)
            try:
                if self._before_note is not None:
                    self._before_note(out)
            except Jam:
                return
            self._notes.add(Note(order_id, -note))
            out += note

    def take(self, order_id: str, yen: int) -> None:
        """Keep what was put in for an order."""
        self._notes.add(Note(order_id, yen))

    def moved(self, order_id: str) -> int:
        """Return what went out or came in under an order, as an amount without a sign."""
        return abs(sum(note.yen for note in self._notes if note.order_id == order_id))

    def close(self) -> None:
        """Let the file go."""
        self._notes.close()
