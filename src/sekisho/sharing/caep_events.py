"""Events of the Continuous Access Evaluation Profile 1.0, each with the members that it must have.

https://openid.net/specs/openid-caep-1_0-final.html
"""

from typing import Annotated, Literal

import msgspec

BASE = "https://schemas.openid.net/secevent/caep/event-type/"

_TEXT_MAX = 2_048
_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=_TEXT_MAX)]
_Reason = dict[Annotated[str, msgspec.Meta(min_length=2, max_length=35)], _Text]
_Seconds = Annotated[int, msgspec.Meta(ge=0, lt=1 << 40)] | Annotated[float, msgspec.Meta(ge=0, lt=1 << 40)]
Entity = Literal["admin", "user", "policy", "system"]
RiskLevel = Literal["LOW", "MEDIUM", "HIGH"]
CredentialType = Literal[
    "password",
    "pin",
    "x509",
    "fido2-platform",
    "fido2-roaming",
    "fido-u2f",
    "verifiable-credential",
    "phone-voice",
    "phone-sms",
    "app",
]


class CaepEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What every event may say. `event_timestamp` is in seconds since the epoch; reasons are by language."""

    event_timestamp: _Seconds | None = None
    initiating_entity: Entity | None = None
    reason_admin: _Reason | _Text | None = None
    reason_user: _Reason | _Text | None = None


class SessionRevoked(CaepEvent, frozen=True, kw_only=True):
    """The subject's sessions were ended."""


class TokenClaimsChange(CaepEvent, frozen=True, kw_only=True):
    """What a token said of the subject is no longer so; `claims` are the new ones."""

    claims: Annotated[dict[str, object], msgspec.Meta(min_length=1)]


class CredentialChange(CaepEvent, frozen=True, kw_only=True):
    """A credential was added, taken away or changed."""

    credential_type: CredentialType
    change_type: Literal["create", "revoke", "update", "delete"]
    friendly_name: _Text | None = None
    x509_issuer: _Text | None = None
    x509_serial: _Text | None = None
    fido2_aaguid: _Text | None = None


class AssuranceLevelChange(CaepEvent, frozen=True, kw_only=True):
    """How sure the login was has changed."""

    namespace: _Text
    current_level: _Text
    previous_level: _Text | None = None
    change_direction: Literal["increase", "decrease"] | None = None


class DeviceComplianceChange(CaepEvent, frozen=True, kw_only=True):
    """A device keeps the rules of its owner, or does no longer."""

    previous_status: Literal["compliant", "not-compliant"]
    current_status: Literal["compliant", "not-compliant"]


class SessionEstablished(CaepEvent, frozen=True, kw_only=True):
    """A session was opened."""

    fp_ua: _Text | None = None
    acr: _Text | None = None
    amr: list[_Text] | _Text | None = None
    ext_id: _Text | None = None


class SessionPresented(CaepEvent, frozen=True, kw_only=True):
    """A session was seen."""

    fp_ua: _Text | None = None
    ext_id: _Text | None = None


class RiskLevelChange(CaepEvent, frozen=True, kw_only=True):
    """Something is riskier, or less so, than it was. `principal` says what: a user, a device, a session."""

    principal: _Text
    current_level: RiskLevel
    previous_level: RiskLevel | None = None
    risk_reason: _Text | None = None


_NAMED: dict[str, type[CaepEvent]] = {
    "session-revoked": SessionRevoked,
    "token-claims-change": TokenClaimsChange,
    "credential-change": CredentialChange,
    "assurance-level-change": AssuranceLevelChange,
    "device-compliance-change": DeviceComplianceChange,
    "session-established": SessionEstablished,
    "session-presented": SessionPresented,
    "risk-level-change": RiskLevelChange,
}
CAEP = {BASE + name: kind for name, kind in _NAMED.items()}
