"""Looking at somebody's record: only here, only with a reason, and each look is an act in the audit.

Break-glass is for the hour when the one who may is not there: it opens what the role does not, and says so
loudly, in the log, as an event, and first in the auditor's list (`glass`).
"""

from collections.abc import Iterable

import msgspec
from sqlalchemy import Connection

from sekisho.identity.institution import Parts
from sekisho.identity.personal_data import Item
from sekisho.identity.reveals import note_for_staff, shown_to_staff
from sekisho.kernel.ids import MemberId
from sekisho.kernel.refusals import Refusal
from sekisho.response import audit, cases
from sekisho.response.audit import Act
from sekisho.response.cases import Entry, Report
from sekisho.response.glass import Glass, record_loudly
from sekisho.response.staff import require_staff

REASON_MIN = 8


class ReasonMissing(Refusal):
    """Nobody looks at somebody's record without saying why."""

    code = "reason_missing"
    status = 422
    told = "Say why you have to see this, in a few words."


def access_member(  # noqa: PLR0913 - who looks at what of whom, and why
    connection: Connection,
    parts: Parts,
    member_id: MemberId,
    items: Iterable[Item],
    *,
    by: str,
    reason: str,
    glass: Glass = Glass.ROLE,
) -> dict[Item, str]:
    """Return items of a member in full, after writing down who sees which of them and why.

    Raises ReasonMissing, StaffIdUnusable and Unsealable.
    """
    wanted = sorted(set(items))
    details = {"items": [item.value for item in wanted], "glass": glass.value}
    _record(
        connection, parts, Act(actor=by, act="member:seen", subject=member_id, reason=reason, details=details)
    )
    return shown_to_staff(connection, parts, member_id, wanted, actor=f"staff:{by}", reason=reason)


def access_case(  # noqa: PLR0913 - as above
    connection: Connection,
    parts: Parts,
    case_id: str,
    *,
    by: str,
    reason: str,
    glass: Glass = Glass.ROLE,
) -> tuple[Report, list[Entry]]:
    """Return what was reported in a case and its record, after writing down who reads it and why.

    Raises ReasonMissing, StaffIdUnusable, CaseUnknown and Unsealable.
    """
    cases.require(connection, case_id)
    details = {"glass": glass.value}
    _record(
        connection, parts, Act(actor=by, act="case:seen", subject=case_id, reason=reason, details=details)
    )
    keyring = parts.keyring
    return cases.report_of(connection, keyring, case_id), cases.entries(connection, keyring, case_id)


def access_elsewhere(
    connection: Connection, parts: Parts, act: Act, member_id: MemberId, items: Iterable[Item]
) -> None:
    """Write down who sees items of a member that a room keeps for itself, and why; the room shows them then.

    The items stand in the act's details. Raises ReasonMissing and StaffIdUnusable.
    """
    seen = sorted(set(items))
    details = {**act.details, "items": [item.value for item in seen], "glass": Glass.ROLE.value}
    _record(connection, parts, msgspec.structs.replace(act, details=details))
    note_for_staff(connection, parts, member_id, seen, actor=f"staff:{act.actor}", reason=act.reason)


def _record(connection: Connection, parts: Parts, act: Act) -> None:
    require_staff(act.actor)
    if len(act.reason.strip()) < REASON_MIN:
        raise ReasonMissing(known=act.act)
    now_us = parts.clock.now_us()
    if act.details.get("glass") == Glass.BROKEN.value:
        record_loudly(connection, act, at_us=now_us)
    else:
        audit.record(connection, act, at_us=now_us)
