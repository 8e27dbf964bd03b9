"""What a program sends in JSON, read as one kind of thing or refused."""

from typing import Any, TypeVar

import msgspec
from litestar import Request

from sekisho.web.problems import Malformed

NUL = b"\\u0000"

Read = TypeVar("Read")


async def read_json(request: Request[Any, Any, Any], kind: type[Read]) -> Read:
    """Read a body in JSON. Raises Malformed, also for a zero octet: not every store keeps one in a text."""
    body = await request.body()
    if NUL in body:
        raise Malformed(told="A text holds a zero octet.")
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as fault:
        raise Malformed(told=str(fault)[:200]) from fault
