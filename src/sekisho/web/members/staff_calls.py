"""Where the desk's own program writes a call down before it is made: over HTTP, with an API key.

The code that comes back is what the caller says, and what the member sees in the logged-in site. That
the call is to be made is an act of whom the program names, under the name of its key.
"""

from typing import Any

import msgspec
from litestar import Response, post

from sekisho.identity import calls, members
from sekisho.identity.calls import CallUnrecordable, OutboundCall
from sekisho.kernel.clock import rfc3339
from sekisho.response import audit
from sekisho.response.audit import Act
from sekisho.storage.unit_of_work import Connection
from sekisho.web.guard_api.api_keys import Scope
from sekisho.web.json_bodies import read_json
from sekisho.web.members.programs import for_programs, require_key, told
from sekisho.web.members.roles import ROLE, Role
from sekisho.web.members.visits import AnyRequest, visit_of

CREATED = 201


class CallOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whom to call and why: the member's number, the purpose in words for the member, and who will call."""

    member: str
    purpose: str
    staff: str


@post("/v1/calls", opt={ROLE: Role.CLIENT})
@for_programs
async def record_call(request: AnyRequest) -> Response[Any]:
    """Write a call down, and give the code that the caller must say."""
    visit, key = visit_of(request), require_key(request, Scope.CALLS)
    order = await read_json(request, CallOrder)
    parts = visit.site.parts
    with parts.store.read() as connection:
        found = members.find_by_name(connection, parts.keyring, order.member)
    if found is None or not order.staff.strip():
        raise CallUnrecordable
    staff, member_id = f"{key.name}:{order.staff.strip()[:60]}", found.id

    def work(connection: Connection) -> OutboundCall:
        made = calls.record(connection, parts, staff, member_id, order.purpose)
        act = Act(
            actor=staff,
            act="call:announced",
            subject=member_id,
            reason=made.purpose,
            details={"call": made.id},
        )
        audit.record(connection, act, at_us=made.recorded_at_us)
        return made

    call = await parts.written(work)
    answer = {"id": call.id, "code": call.code, "expires_at": rfc3339(call.expires_at_us)}
    return told(answer, status=CREATED)


ROUTES = (record_call,)
