"""The cookies of the member pages: what each is for, and how it is set and taken away.

All but the language's are `__Host-` cookies: a browser takes them only over a secure connection (or from
`*.localhost`, which it holds to be as good), only for exactly this host, and shows them to no script.
"""

from typing import Any

from litestar import Request
from litestar.datastructures import Cookie

from sekisho.kernel.clock import MINUTE_US, SECOND_US

SESSION = "__Host-session"
"""The token of a live session."""

DEVICE = "__Host-device"
"""What tells this browser from every other; says nothing of who uses it."""

STEP = "__Host-step"
"""The step that follows a login form or a step of the sign-up."""

NEXT = "__Host-next"
"""The page that is opened after the login."""

VISIT = "__Host-visit"
"""A random value of this visit, to which forms are bound before there is a session."""

LANGUAGE = "lang"

DEVICE_S = 400 * 86_400
"""The longest that a browser keeps a cookie."""

LANGUAGE_S = 365 * 86_400
STEP_S = 10 * MINUTE_US // SECOND_US
VALUE_LENGTH_MAX = 2_048


def read(request: Request[Any, Any, Any], name: str) -> str:
    """Return a cookie's value; empty where it was not sent, or is longer than any of ours."""
    value = request.cookies.get(name, "")
    return value if len(value) <= VALUE_LENGTH_MAX else ""


def hosted(name: str, value: str, *, max_age_s: int | None = None) -> Cookie:
    """Return a `__Host-` cookie to set; without an age it ends with the browser."""
    return Cookie(
        key=name, value=value, max_age=max_age_s, path="/", secure=True, httponly=True, samesite="lax"
    )


def gone(name: str) -> Cookie:
    """Return the cookie that takes another away."""
    return hosted(name, "", max_age_s=0)


def language(value: str) -> Cookie:
    """Return the cookie that remembers a chosen language."""
    return Cookie(key=LANGUAGE, value=value, max_age=LANGUAGE_S, path="/", httponly=True, samesite="lax")
