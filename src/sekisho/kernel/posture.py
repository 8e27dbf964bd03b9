"""What to do when a part is down: a decision that the caller states, and never a default."""

from enum import StrEnum


class Posture(StrEnum):
    """What an outage means at the place where it is met."""

    OPEN = "open"
    """Go on without the part: the honest member is let through, and so is the attacker."""

    CLOSED = "closed"
    """Refuse until the part is back: nobody is let through."""


class OperationalError(Exception):
    """A part that we stand on is down, slow or full: counted and met with a posture, and nobody's bug."""

    def __init__(self, part: str, detail: str) -> None:
        self.part = part
        self.detail = detail
        super().__init__(f"{part}: {detail}")
