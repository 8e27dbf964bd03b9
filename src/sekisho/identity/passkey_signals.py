"""What a page needs to talk about passkeys: options for a ceremony, and signals to the passkey manager.

With signals the manager forgets what we no longer accept, and a member is not offered a passkey that opens
nothing: https://www.w3.org/TR/webauthn-3/#sctn-signal-methods
"""

import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from webauthn import generate_authentication_options, generate_registration_options
from webauthn.helpers import bytes_to_base64url
from webauthn.helpers.options_to_json_dict import options_to_json_dict
from webauthn.helpers.structs import (
    AttestationConveyancePreference,
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from sekisho.identity.browser_names import browser_in_words
from sekisho.identity.ceremonies import CEREMONY_US_MAX
from sekisho.identity.institution import Institution
from sekisho.identity.member_numbers import grouped
from sekisho.identity.members import Member
from sekisho.identity.passkey_answers import ALGORITHMS
from sekisho.identity.passkeys import Passkey

TIMEOUT_MS = CEREMONY_US_MAX // 1_000

_PROVIDERS: dict[str, str] = tomllib.loads(
    Path(__file__).with_name("passkey_providers.toml").read_text(encoding="utf-8")
)["names"]
_NAMELESS = {"ja": "パスキー", "en": "Passkey"}


def proposed_name(aaguid: str, user_agent: str, language: str) -> str:
    """Return a name by which its owner may know a new passkey: where it lives, or in what it was made."""
    nameless = _NAMELESS["en" if language == "en" else "ja"]
    return _PROVIDERS.get(aaguid) or browser_in_words(user_agent) or nameless


def creation_options(
    institution: Institution,
    member: Member,
    *,
    challenge: bytes,
    user_handle: bytes,
    held: Sequence[Passkey],
) -> dict[str, Any]:
    """Return what `PublicKeyCredential.parseCreationOptionsFromJSON` takes.

    The passkey is discoverable and verifies its user; authenticators that hold one already are left out.
    """
    name = grouped(member.number)
    options = generate_registration_options(
        rp_id=institution.host,
        rp_name=institution.name(member.language),
        user_id=user_handle,
        user_name=name,
        user_display_name=name,
        challenge=challenge,
        timeout=TIMEOUT_MS,
        attestation=AttestationConveyancePreference.NONE,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[_descriptor(passkey) for passkey in held],
        supported_pub_key_algs=list(ALGORITHMS),
    )
    return options_to_json_dict(options)


def request_options(
    institution: Institution, *, challenge: bytes, allowed: Iterable[Passkey] = ()
) -> dict[str, Any]:
    """Return what `PublicKeyCredential.parseRequestOptionsFromJSON` takes.

    With nobody allowed in particular, the browser offers every passkey that it has for us.
    """
    options = generate_authentication_options(
        rp_id=institution.host,
        challenge=challenge,
        timeout=TIMEOUT_MS,
        allow_credentials=[_descriptor(passkey) for passkey in allowed],
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return options_to_json_dict(options)


def unknown_credential(institution: Institution, credential_id: bytes) -> dict[str, Any]:
    """Return what `PublicKeyCredential.signalUnknownCredential` takes: we do not have this passkey."""
    return {"rpId": institution.host, "credentialId": bytes_to_base64url(credential_id)}


def accepted_credentials(
    institution: Institution, user_handle: bytes, held: Iterable[Passkey]
) -> dict[str, Any]:
    """Return what `PublicKeyCredential.signalAllAcceptedCredentials` takes: the passkeys that work."""
    ids = [bytes_to_base64url(passkey.credential_id) for passkey in held if passkey.works]
    return {
        "rpId": institution.host,
        "userId": bytes_to_base64url(user_handle),
        "allAcceptedCredentialIds": ids,
    }


def user_details(institution: Institution, user_handle: bytes, member_number: str) -> dict[str, Any]:
    """Return what `PublicKeyCredential.signalCurrentUserDetails` takes: the names of the account."""
    name = grouped(member_number)
    return {
        "rpId": institution.host,
        "userId": bytes_to_base64url(user_handle),
        "name": name,
        "displayName": name,
    }


def _descriptor(passkey: Passkey) -> PublicKeyCredentialDescriptor:
    transports = [AuthenticatorTransport(name) for name in passkey.transports.split(",") if name]
    return PublicKeyCredentialDescriptor(id=passkey.credential_id, transports=transports)
