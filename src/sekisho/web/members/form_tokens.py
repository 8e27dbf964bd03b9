"""Forms that only our own pages can have sent: a token for each form, and the browser's word on its origin.

A token is a keyed digest of whose form it is and where it goes. Members' forms are bound to their session's
form key; forms that anyone may send are bound to a random cookie of the visit, which no other site can read
or set.
"""

import hmac
from typing import Any, ClassVar

from litestar import Request

from sekisho.kernel.refusals import Refusal

TOKEN_FIELD = "form"  # noqa: S105 - the field's name
OWN_SITES = {"same-origin", "none"}
VISIT_OCTETS = 16


class ForeignForm(Refusal):
    """A form that another site sent, or that is not one of ours."""

    code: ClassVar = "foreign_form"
    status: ClassVar = 403
    told = "This form did not come from one of our pages."


class StaleForm(Refusal):
    """A form of a page that was opened in another session or another visit."""

    code: ClassVar = "stale_form"
    status: ClassVar = 409
    told = "This page was opened too long ago. Open it again."


def visit_token(key: bytes, route: str) -> str:
    """Return the token of a form that anybody may send to a route, under the key of the visit."""
    return hmac.digest(key, b"form:" + route.encode(), "sha256").hex()


def require_own_origin(request: Request[Any, Any, Any], origin: str) -> None:
    """Refuse with `foreign_form` what the browser says that another site sent."""
    site = request.headers.get("sec-fetch-site", "")
    if site and site not in OWN_SITES:
        raise ForeignForm(known=f"sec-fetch-site {site[:20]!r}")
    came_from = request.headers.get("origin", "")
    if came_from and came_from != origin:
        raise ForeignForm(known=f"origin {came_from[:80]!r}")


def require_token(expected: str, sent: str) -> None:
    """Refuse with `stale_form` a form with another token; where none is expected, every form."""
    if not expected or not hmac.compare_digest(expected.encode(), sent.encode()):
        raise StaleForm
