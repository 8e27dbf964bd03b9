"""Problem details (RFC 9457): how every web face tells a refusal, and those that HTTP itself calls for."""

from typing import ClassVar

import msgspec

from sekisho.kernel.refusals import Refusal

CONTENT_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:sekisho:refusal:"


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The body of a refusal: `code` is stable and callers program against it, `detail` is for people."""

    type: str
    title: str
    status: int
    code: str
    detail: str = ""


def problem_of(refusal: Refusal) -> Problem:
    """Say a refusal to the outside: what is told, never what is known."""
    kind = type(refusal)
    return Problem(
        type=TYPE_PREFIX + kind.code,
        title=kind.told,
        status=kind.status,
        code=kind.code,
        detail="" if refusal.told == kind.told else refusal.told,
    )


class Malformed(Refusal):
    """The request cannot be read: no JSON, a wrong type, a missing or impossible value."""

    code: ClassVar = "malformed"
    status: ClassVar = 400
    told = "The request could not be read."


class NotFound(Refusal):
    """There is nothing at this path."""

    code: ClassVar = "not_found"
    status: ClassVar = 404
    told = "There is nothing at this path."


class MethodNotAllowed(Refusal):
    """The path exists, and does not take this method."""

    code: ClassVar = "method_not_allowed"
    status: ClassVar = 405
    told = "This path does not take this method."

    def __init__(self, allowed: tuple[str, ...]) -> None:
        self.allowed = allowed
        super().__init__(told=f"Allowed: {', '.join(allowed)}.")


class TooSlow(Refusal):
    """The request did not arrive in time."""

    code: ClassVar = "too_slow"
    status: ClassVar = 408
    told = "The request did not arrive in time."


class TooLarge(Refusal):
    """The body is larger than this path takes."""

    code: ClassVar = "too_large"
    status: ClassVar = 413
    told = "The body is too large."


class UnsupportedMediaType(Refusal):
    """The body is not of a type that this path reads."""

    code: ClassVar = "unsupported_media_type"
    status: ClassVar = 415
    told = "The body must be application/json."


class HeadersTooLarge(Refusal):
    """The request line and headers are larger than the server takes."""

    code: ClassVar = "headers_too_large"
    status: ClassVar = 431
    told = "The headers are too large."


class Internal(Refusal):
    """The program failed: a bug of ours, told without its cause."""

    code: ClassVar = "internal"
    status: ClassVar = 500
    told = "The request failed; the cause is in the server's log."


class Overloaded(Refusal):
    """More requests wait than can be answered in time; the same request may be sent again."""

    code: ClassVar = "overloaded"
    status: ClassVar = 503
    told = "Too many requests are waiting; try again shortly."
