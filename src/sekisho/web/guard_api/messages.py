"""What is said over HTTP: the attempt record's names as JSON, the answer and the outcome."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from sekisho.guard.attempts import Attempt, ChallengeResult, Gate, Outcome
from sekisho.guard.decisions import Action

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

MEMBER_CHARS_MAX = 256
TEXT_CHARS_MAX = 512
LONG_CHARS_MAX = 2_048
ASN_MAX = 2**32 - 1
SIGNS_MAX = 32
YEN_MAX = 10**15

Text = Annotated[str, Meta(max_length=TEXT_CHARS_MAX)]
Flag = bool | Literal[0, 1, ""] | None
GateName = Literal["", "login", "bank_link", "atm_withdrawal", "transfer", "code_entry", "contact_change"]
OutcomeName = Literal["success", "wrong_secret", "no_such_member", "refused", "challenged"]


class AttemptMessage(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An attempt as the caller knows it; null and empty mean that a fact is not known."""

    member: Annotated[
        str,
        Meta(min_length=1, max_length=MEMBER_CHARS_MAX, description="The claimed id: whose proof is tried."),
    ]
    ip: Annotated[
        str,
        Meta(
            min_length=2,
            max_length=45,
            description="The client's address, IPv4 or IPv6.",
            examples=["192.0.2.7"],
            extra_json_schema={"anyOf": [{"format": "ipv4"}, {"format": "ipv6"}]},
        ),
    ]
    time: Annotated[datetime, Meta(tz=True, description="RFC 3339; now where it is absent.")] | None = None
    gate: Annotated[GateName | None, Meta(description="Where the proof is asked for; login if empty.")] = None
    actor: Annotated[Text | None, Meta(description="Who acts, where that is not the member.")] = None
    client: Annotated[
        Text | None, Meta(description="An authenticated partner; empty for browsers and apps.")
    ] = None
    known: Annotated[Flag, Meta(description="Whether that id exists.")] = None
    asn: Annotated[
        Annotated[int, Meta(ge=0, le=ASN_MAX)] | Literal[""] | None,
        Meta(description="The autonomous system of the address."),
    ] = None
    country: Annotated[Text | None, Meta(description="The country of the address.")] = None
    user_agent: Annotated[str, Meta(max_length=LONG_CHARS_MAX)] | None = None
    tls: Annotated[Text | None, Meta(description="JA4 or any client fingerprint.")] = None
    device: Annotated[
        Annotated[str, Meta(max_length=LONG_CHARS_MAX)] | None,
        Meta(description="The token of a device cookie."),
    ] = None
    device_valid: Annotated[
        Flag, Meta(description="Whether the device token was verified for this member.")
    ] = None
    secret: Annotated[
        Text | None,
        Meta(description="An opaque token, equal for equal secrets; never the secret itself."),
    ] = None
    leaked: Annotated[Flag, Meta(description="Whether the pair stands on a breach list.")] = None
    amount_yen: Annotated[
        Annotated[int, Meta(ge=0, le=YEN_MAX)] | Literal[""] | None, Meta(description="Yen.")
    ] = None
    target: Annotated[Text | None, Meta(description="The bank, payee or cash machine.")] = None
    session: Annotated[Text | None, Meta(description="The session in which the proof is asked for.")] = None
    signs: Annotated[
        Annotated[tuple[Text, ...], Meta(max_length=SIGNS_MAX)] | Literal[""] | None,
        Meta(description="At code entry: what speaks for a relayed code."),
    ] = None


class StrictAttemptMessage(AttemptMessage, frozen=True, kw_only=True, gc=False, forbid_unknown_fields=True):
    """The same, but a name that is not known is refused."""


class AnswerMessage(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The decision about an attempt, and the id under which its outcome is told."""

    id: str
    action: Action
    probability: Annotated[float, Meta(ge=0, le=1)]
    before_hash: bool
    reasons: tuple[str, ...]
    policy: str
    policy_revision: int
    campaign: str
    label_wanted: bool


class OutcomeMessage(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What came of an attempt, told once, when it is over."""

    outcome: Annotated[
        OutcomeName,
        Meta(description="What the password check or the gate's own proof said."),
    ]
    challenge: Annotated[
        ChallengeResult | None,
        Meta(description="How an additional proof ended; empty where none was asked for."),
    ] = None
    issue_device: Annotated[
        bool | None,
        Meta(description="After a success: give a device token, to be kept as a cookie."),
    ] = None


class StrictOutcomeMessage(OutcomeMessage, frozen=True, kw_only=True, gc=False, forbid_unknown_fields=True):
    """The same, but a name that is not known is refused."""


class SettledMessage(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """The outcome as it is kept."""

    id: str
    outcome: Outcome
    challenge: ChallengeResult
    device_token: Annotated[
        str,
        Meta(description="Present where it was asked for and the member was proven."),
    ] = ""


def microseconds(moment: datetime) -> int:
    """Return whole microseconds since the epoch."""
    return (moment - EPOCH) // MICROSECOND


def attempt_of(message: AttemptMessage, now_us: int) -> Attempt:
    """Make the guard's attempt of a message; the time is now where the caller names none."""
    return Attempt(
        time_us=now_us if message.time is None else microseconds(message.time),
        member=message.member,
        ip=message.ip,
        gate=message.gate or Gate.LOGIN,
        actor=message.actor or "",
        client=message.client or "",
        known=flag(message.known),
        asn=message.asn or 0,
        country=message.country or "",
        user_agent=message.user_agent or "",
        tls=message.tls or "",
        device=message.device or "",
        device_valid=flag(message.device_valid),
        secret=message.secret or "",
        leaked=flag(message.leaked),
        amount_yen=None if message.amount_yen == "" else message.amount_yen,
        target=message.target or "",
        session=message.session or "",
        signs=message.signs or (),
    )


def flag(value: bool | str | int | None) -> bool | None:  # noqa: FBT001 - a value of the record, not a switch
    """Read a yes, a no or an unknown in any of the ways in which a record writes them."""
    return None if value is None or value == "" else bool(value)
