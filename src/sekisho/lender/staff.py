"""Who of the staff did something: an id for the record, and four eyes where one pair is not enough."""

import re

from sekisho.kernel.refusals import Refusal

_ID = re.compile(r"[a-z0-9][a-z0-9_.-]{0,39}")


class SamePersonTwice(Refusal):
    """The one who decides must not be the one who checked."""

    code = "same_person_twice"
    status = 403
    told = "Somebody else has to decide this: you recorded the identity check."


def require_staff(staff_id: str) -> str:
    """Return the id of a member of staff. Raises ValueError where it can't be one."""
    if not _ID.fullmatch(staff_id):
        raise ValueError(f"not the id of a member of staff: {staff_id[:40]!r}")
    return staff_id
