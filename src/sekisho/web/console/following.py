"""What a page gets that keeps itself up to date: its parts as they are now, by the ids of their elements."""

from collections.abc import Mapping
from typing import Any

from litestar import Response

from sekisho.web.members.visits import NO_STORE


def told(parts: Mapping[str, str], *, said: str = "") -> Response[Any]:
    """Answer a page that asks by itself. Without parts what it follows is over, and it shows itself anew.

    `said` is the state in words, which the page says aloud where it is another one than before.
    """
    return Response({"parts": dict(parts), "over": not parts, "said": said}, headers=NO_STORE)
