"""The member pages as an application: shared routes, an institution's own routes, seals, failures."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from litestar import Litestar, Request, Response
from litestar.datastructures import CacheControlHeader, State
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler
from litestar.static_files import create_static_files_router
from litestar.types import Message, Scope

from sekisho.kernel.posture import OperationalError
from sekisho.kernel.refusals import Refusal
from sekisho.web.members import (
    account_pages,
    binding_pages,
    call_pages,
    change_pages,
    device_pages,
    language_page,
    letter_key_pages,
    login_pages,
    notice_pages,
    passkey_pages,
    profile_pages,
    recovery_pages,
    security_page,
    sign_up_pages,
    staff_calls,
    step_up_pages,
)
from sekisho.web.members.admission import admit
from sekisho.web.members.errors import answer_bug, answer_http, answer_outage, answer_refusal
from sekisho.web.members.forms import BODY_OCTETS_MAX
from sekisho.web.members.roles import FILE, ROLE, Role
from sekisho.web.members.site import Site

STATIC = Path(__file__).resolve().parent.parent / "static"
CONTENT_POLICY = b"content-security-policy"
POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
    b"connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
SEALS = (
    # With no-referrer a browser would call its own forms' origin null.
    (b"referrer-policy", b"same-origin"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (
        b"permissions-policy",
        b"publickey-credentials-get=(self), publickey-credentials-create=(self), camera=(), geolocation=()",
    ),
)
TRANSPORT_SECURITY = (b"strict-transport-security", b"max-age=63072000; includeSubDomains")

PAGES = (
    login_pages,
    sign_up_pages,
    passkey_pages,
    step_up_pages,
    profile_pages,
    change_pages,
    security_page,
    device_pages,
    account_pages,
    recovery_pages,
    letter_key_pages,
    call_pages,
    notice_pages,
    language_page,
    binding_pages,
    staff_calls,
)
SHARED = tuple(route for pages in PAGES for route in pages.ROUTES)
Admits = Callable[[Request[Any, Any, Any]], Awaitable[Response[Any] | None]]


def create_member_app(
    site: Site,
    own: Sequence[HTTPRouteHandler],
    *,
    shared: Sequence[HTTPRouteHandler] = SHARED,
    admits: Admits = admit,
) -> Litestar:
    """Make the application of one institution, with its own routes and those `shared` ones that it wants.

    `admits` is what every request passes before its page. Raises LookupError where a route names no role.
    """
    seals = (*SEALS, TRANSPORT_SECURITY) if site.parts.institution.origin.startswith("https:") else SEALS

    async def seal(message: Message, scope: Scope) -> None:
        """Keep everything foreign out of each answer; a page may have set a policy of its own."""
        del scope
        if message["type"] == "http.response.start":
            headers = list(message["headers"])
            has_policy = any(name.lower() == CONTENT_POLICY for name, _ in headers)
            policy = [] if has_policy else [(CONTENT_POLICY, POLICY)]
            message["headers"] = [*headers, *policy, *seals]

    files = create_static_files_router(
        path="/static",
        directories=[STATIC],
        cache_control=CacheControlHeader(no_cache=True),
        opt={ROLE: Role.ANYONE, FILE: True},
    )
    handlers: list[Any] = [*shared, *own, files]
    application = Litestar(
        handlers,
        before_request=admits,
        before_send=[seal],
        exception_handlers={
            Refusal: answer_refusal,
            OperationalError: answer_outage,
            HTTPException: answer_http,
            Exception: answer_bug,
        },
        request_max_body_size=BODY_OCTETS_MAX,
        logging_config=None,
        openapi_config=None,
        state=State({"site": site}),
    )
    site.serve(application)
    return application
