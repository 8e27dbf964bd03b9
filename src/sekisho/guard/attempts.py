"""An attempt to pass a gate, as the guard sees it before anything is decided, and what came of it."""

from enum import StrEnum

import msgspec


class Gate(StrEnum):
    """Where a member's proof is asked for."""

    LOGIN = "login"
    BANK_LINK = "bank_link"
    ATM_WITHDRAWAL = "atm_withdrawal"
    TRANSFER = "transfer"
    CODE_ENTRY = "code_entry"
    CONTACT_CHANGE = "contact_change"


class Outcome(StrEnum):
    """What the password check (or the gate's own proof) said, known only after the decision."""

    SUCCESS = "success"
    WRONG_SECRET = "wrong_secret"  # noqa: S105 - a field's value, not a secret
    NO_SUCH_MEMBER = "no_such_member"
    REFUSED = "refused"
    CHALLENGED = "challenged"
    UNKNOWN = ""


class ChallengeResult(StrEnum):
    """How an additional proof ended; empty where none was asked for."""

    PASSED = "passed"
    FAILED = "failed"
    ABANDONED = "abandoned"
    NONE = ""


class Attempt(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """One attempt, as far as it is known before the decision. The names are those of the attempt record.

    `secret` is an opaque token that is equal for equal secrets, never the secret itself.
    None or an empty text mean that the fact is not known. `signs` names what speaks for a relayed code, by
    the names of `rules/relayed_code.py`, and what partners said, by those of `rules/shared_signal.py`; it is
    no column of the attempt record.
    """

    time_us: int
    member: str
    ip: str
    gate: str = "login"
    actor: str = ""
    client: str = ""
    known: bool | None = None
    asn: int = 0
    country: str = ""
    user_agent: str = ""
    tls: str = ""
    device: str = ""
    device_valid: bool | None = None
    secret: str = ""
    leaked: bool | None = None
    amount_yen: int | None = None
    target: str = ""
    session: str = ""
    signs: tuple[str, ...] = ()
