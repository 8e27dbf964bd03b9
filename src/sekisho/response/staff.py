"""Who of the staff does something: an id for the record, and a second person where one is not enough."""

from typing import NamedTuple

from sekisho.kernel.ids import is_staff_id
from sekisho.kernel.refusals import Refusal


class Deed(NamedTuple):
    """Who of the staff does something, and why; both go on record."""

    by: str
    reason: str


class SecondPersonNeeded(Refusal):
    """The one who decides must be somebody else than the one who asked."""

    code = "second_person_needed"
    status = 403
    told = "Somebody else has to decide this."


class StaffIdUnusable(Refusal):
    """What was given is not the id of a member of staff."""

    code = "staff_id_unusable"
    status = 422
    told = "A staff id has small letters, digits, dots, hyphens and underscores, 40 at most."


def require_staff(staff_id: str) -> str:
    """Return the id of a member of staff. Raises StaffIdUnusable."""
    if not is_staff_id(staff_id):
        raise StaffIdUnusable(known=repr(staff_id[:40]))
    return staff_id


def require_second(staff_id: str, first: str) -> None:
    """Let somebody decide what somebody else asked for. Raises StaffIdUnusable, and SecondPersonNeeded."""
    if require_staff(staff_id) == first:
        raise SecondPersonNeeded(known=staff_id)
