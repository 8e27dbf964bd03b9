"""Where the desk's own program writes a call down before it is made: over HTTP, with an API key.

The code that comes back is what the caller says, and what the member sees in the logged-in site.
"""

from typing import Any

import msgspec
from litestar import Response, post

from sekisho.identity import members
from sekisho.identity.calls import CallUnrecordable
from sekisho.kernel.clock import rfc3339
from sekisho.kernel.refusals import Refusal
from sekisho.web.guard_api.api_keys import Scope
from sekisho.web.guard_api.refusals import NoKey, WrongScope
from sekisho.web.members.roles import ROLE, Role
from sekisho.web.members.visits import NO_STORE, AnyRequest, Visit, visit_of
from sekisho.web.problems import CONTENT_TYPE, Malformed, problem_of

CREATED = 201


class CallOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whom to call and why: the member's number, the purpose in words for the member, and who will call."""

    member: str
    purpose: str
    staff: str


@post("/v1/calls", opt={ROLE: Role.CLIENT})
async def record_call(request: AnyRequest) -> Response[Any]:
    """Write a call down, and give the code that the caller must say."""
    try:
        return await _recorded(visit_of(request), await request.body())
    except Refusal as refusal:
        return Response(
            msgspec.json.encode(problem_of(refusal)),
            status_code=refusal.status,
            media_type=CONTENT_TYPE,
            headers=NO_STORE,
        )


async def _recorded(visit: Visit, body: bytes) -> Response[Any]:
    keys = visit.site.staff_keys
    authorization = visit.request.headers.get("authorization", "").encode("latin-1", "replace")
    key = None if keys is None else keys.holder(authorization)
    if key is None:
        raise NoKey
    if Scope.CALLS not in key.scopes:
        raise WrongScope
    try:
        order = msgspec.json.decode(body, type=CallOrder)
    except (msgspec.MsgspecError, UnicodeDecodeError) as failure:
        raise Malformed from failure
    parts = visit.site.parts
    with parts.store.read() as connection:
        found = members.find_by_name(connection, parts.keyring, order.member)
    if found is None or not order.staff.strip():
        raise CallUnrecordable
    staff = f"{key.name}:{order.staff.strip()[:60]}"
    call = await visit.site.desks.calls.record(staff, found.id, order.purpose)
    told = {"id": call.id, "code": call.code, "expires_at": rfc3339(call.expires_at_us)}
    return Response(
        msgspec.json.encode(told), status_code=CREATED, media_type="application/json", headers=NO_STORE
    )


ROUTES = (record_call,)
