"""What the guard's service refuses, beside what HTTP itself calls for (`sekisho.web.problems`)."""

from typing import ClassVar

from sekisho.kernel.refusals import Refusal


class ImpossibleTime(Refusal):
    """The attempt's time lies ahead of the service's clock by more than is allowed."""

    code: ClassVar = "impossible_time"
    status: ClassVar = 400
    told = "The attempt's time cannot be right."


class NoKey(Refusal):
    """No API key was sent, or one that is not known."""

    code: ClassVar = "no_key"
    status: ClassVar = 401
    told = "A valid API key is needed: Authorization: Bearer sk_..."


class WrongScope(Refusal):
    """The API key is known, and does not allow this."""

    code: ClassVar = "wrong_scope"
    status: ClassVar = 403
    told = "This API key does not allow this."


class UntrustedProxy(Refusal):
    """A forward-auth request came from a peer that is not one of the trusted proxies."""

    code: ClassVar = "untrusted_proxy"
    status: ClassVar = 403
    told = "Forward-auth is answered to trusted proxies only."


class UnreadableLogin(Refusal):
    """A forward-auth question names no member, gate or client: what cannot be judged must not pass.

    The status is one that a proxy takes for a no, where it would take any other for an outage and might be
    open.
    """

    code: ClassVar = "unreadable_login"
    status: ClassVar = 403
    told = "The held request cannot be judged."


class UnknownAttempt(Refusal):
    """No attempt of this id waits for its outcome: it was never decided here, or it is too old."""

    code: ClassVar = "unknown_attempt"
    status: ClassVar = 404
    told = "No attempt of this id can be settled."


class OutcomeConflict(Refusal):
    """Another outcome was told for this attempt before."""

    code: ClassVar = "outcome_conflict"
    status: ClassVar = 409
    told = "Another outcome was told for this attempt before."


class IdempotencyKeyReused(Refusal):
    """The same Idempotency-Key came with another body."""

    code: ClassVar = "idempotency_key_reused"
    status: ClassVar = 422
    told = "This Idempotency-Key was used with another body."


class RecordUnavailable(Refusal):
    """The decision cannot be recorded, and the service is told to answer nothing that is not on record."""

    code: ClassVar = "record_unavailable"
    status: ClassVar = 503
    told = "The decision cannot be recorded now; try again shortly."
