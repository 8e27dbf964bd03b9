"""Programs that call an institution with an API key: whose key it is, and problem details for what fails."""

import re
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

import msgspec
from litestar import Response

from sekisho.kernel.refusals import Refusal
from sekisho.web.guard_api.api_keys import ApiKey, Scope
from sekisho.web.guard_api.refusals import NoKey, WrongScope
from sekisho.web.members.visits import NO_STORE, AnyRequest, visit_of
from sekisho.web.problems import CONTENT_TYPE, Malformed, problem_of

JSON = "application/json"

_IDEMPOTENCY_KEY = re.compile(r"[!-~]{1,80}")

Handler = Callable[[AnyRequest], Awaitable[Response[Any]]]


def require_key(request: AnyRequest, scope: Scope) -> ApiKey:
    """Return the key that a program calls with. Raises NoKey, and WrongScope."""
    keys = visit_of(request).site.staff_keys
    authorization = request.headers.get("authorization", "").encode("latin-1", "replace")
    key = None if keys is None else keys.holder(authorization)
    if key is None:
        raise NoKey
    if scope not in key.scopes:
        raise WrongScope
    return key


def require_idempotency_key(request: AnyRequest) -> str:
    """Return the key under which something is done once. Raises Malformed where there is none."""
    key = request.headers.get("idempotency-key", "")
    if not _IDEMPOTENCY_KEY.fullmatch(key):
        raise Malformed(told="An Idempotency-Key of 1 to 80 visible ASCII characters is needed.")
    return key


def for_programs(handler: Handler) -> Handler:
    """Let a handler answer refusals as problem details, whatever the caller says that it accepts."""

    @wraps(handler)
    async def answering(request: AnyRequest) -> Response[Any]:
        try:
            return await handler(request)
        except Refusal as refusal:
            return Response(
                msgspec.json.encode(problem_of(refusal)),
                status_code=refusal.status,
                media_type=CONTENT_TYPE,
                headers=NO_STORE,
            )

    return answering


def told(value: object, *, status: int = 200) -> Response[Any]:
    """Answer a program with JSON, which no cache keeps."""
    return Response(msgspec.json.encode(value), status_code=status, media_type=JSON, headers=NO_STORE)
