"""Events of the Risk Incident Sharing and Coordination Profile 1.0.

https://openid.net/specs/openid-risc-1_0-final.html
"""

from typing import Annotated, Literal

import msgspec

from sekisho.sharing.caep_events import SessionRevoked

BASE = "https://schemas.openid.net/secevent/risc/event-type/"

_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=2_048)]
_Reason = dict[Annotated[str, msgspec.Meta(min_length=2, max_length=35)], _Text]
_Seconds = Annotated[int, msgspec.Meta(ge=0, lt=1 << 40)] | Annotated[float, msgspec.Meta(ge=0, lt=1 << 40)]


class RiscEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="kebab"):
    """An event that says all by its type."""


class AccountCredentialChangeRequired(RiscEvent, frozen=True, kw_only=True):
    """The subject has to set a new credential."""


class AccountPurged(RiscEvent, frozen=True, kw_only=True):
    """The account is gone for good."""


class AccountDisabled(RiscEvent, frozen=True, kw_only=True):
    """The account was stopped."""

    reason: Literal["hijacking", "bulk-account"] | None = None


class AccountEnabled(RiscEvent, frozen=True, kw_only=True):
    """The account was opened again."""


class IdentifierChanged(RiscEvent, frozen=True, kw_only=True):
    """The identifier that is the subject was changed."""

    new_value: _Text | None = None


class IdentifierRecycled(RiscEvent, frozen=True, kw_only=True):
    """The identifier that is the subject belongs to somebody else now."""


class CredentialCompromise(RiscEvent, frozen=True, kw_only=True):
    """A credential of the subject is known to somebody else."""

    credential_type: Annotated[str, msgspec.Meta(min_length=1, max_length=64)] = msgspec.field(
        name="credential_type"
    )
    event_timestamp: _Seconds | None = msgspec.field(default=None, name="event_timestamp")
    reason_admin: _Reason | _Text | None = msgspec.field(default=None, name="reason_admin")
    reason_user: _Reason | _Text | None = msgspec.field(default=None, name="reason_user")


class OptIn(RiscEvent, frozen=True, kw_only=True):
    """The subject takes part in the exchange again."""


class OptOutInitiated(RiscEvent, frozen=True, kw_only=True):
    """The subject wants to leave the exchange."""


class OptOutCancelled(RiscEvent, frozen=True, kw_only=True):
    """The subject stays in the exchange after all."""


class OptOutEffective(RiscEvent, frozen=True, kw_only=True):
    """The subject has left the exchange."""


class RecoveryActivated(RiscEvent, frozen=True, kw_only=True):
    """Somebody began to recover the account."""


class RecoveryInformationChanged(RiscEvent, frozen=True, kw_only=True):
    """How the account is recovered was changed."""


_NAMED: dict[str, type[RiscEvent] | type[SessionRevoked]] = {
    "account-credential-change-required": AccountCredentialChangeRequired,
    "account-purged": AccountPurged,
    "account-disabled": AccountDisabled,
    "account-enabled": AccountEnabled,
    "identifier-changed": IdentifierChanged,
    "identifier-recycled": IdentifierRecycled,
    "credential-compromise": CredentialCompromise,
    "opt-in": OptIn,
    "opt-out-initiated": OptOutInitiated,
    "opt-out-cancelled": OptOutCancelled,
    "opt-out-effective": OptOutEffective,
    "recovery-activated": RecoveryActivated,
    "recovery-information-changed": RecoveryInformationChanged,
    # Deprecated in favour of CAEP's, and still sent by many.
    "sessions-revoked": SessionRevoked,
}
RISC = {BASE + name: kind for name, kind in _NAMED.items()}
