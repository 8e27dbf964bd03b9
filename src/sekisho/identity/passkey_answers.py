"""What a browser sends at the end of a passkey ceremony: read strictly, then verified.

Everything here is hostile until its signature was checked; sizes are bounded before anything is parsed.
"""

from typing import Any, NamedTuple, TypeVar

import msgspec
from webauthn import verify_authentication_response, verify_registration_response
from webauthn.helpers import base64url_to_bytes, parse_cbor
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.decode_credential_public_key import DecodedRSAPublicKey, decode_credential_public_key
from webauthn.helpers.structs import AuthenticatorTransport, CredentialDeviceType

from sekisho.identity.institution import Institution
from sekisho.kernel.refusals import Refusal

ANSWER_OCTETS_MAX = 16_384
CREDENTIAL_ID_OCTETS_MAX = 1_023
PUBLIC_KEY_OCTETS_MAX = 1_024
RSA_BITS_MIN = 2_048
RSA_BITS_MAX = 4_096
RSA_EXPONENT = 65_537

ALGORITHMS = (
    COSEAlgorithmIdentifier.EDDSA,
    COSEAlgorithmIdentifier.ECDSA_SHA_256,
    COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256,
)
TRANSPORTS = frozenset(transport.value for transport in AuthenticatorTransport)
# We ask for no attestation. Some authenticators then vouch for themselves; the other formats bring
# certificates, which say nothing that we would use.
FORMATS = frozenset({"none", "packed"})


class PasskeyMalformed(Refusal):
    """What was sent is no answer of an authenticator."""

    code = "passkey_malformed"
    status = 400
    told = "This is not a passkey's answer."


class PasskeyNotAccepted(Refusal):
    """A new passkey does not hold up: wrong site, old challenge, no verification of the user, weak key."""

    code = "passkey_not_accepted"
    status = 422
    told = "This passkey could not be added. Please try again."


class PasskeyRefused(Refusal):
    """A passkey's answer does not hold up, or the passkey is not, or no longer, one that opens this door."""

    code = "passkey_refused"
    status = 401
    told = "This passkey cannot be used here."

    def __init__(self, *, known: str, unknown_credential_id: bytes = b"") -> None:
        self.unknown_credential_id = unknown_credential_id
        super().__init__(known=known)


class _ClientData(msgspec.Struct, rename="camel"):
    cross_origin: bool = False
    top_origin: str | None = None


_NAMES = {
    "raw_id": "rawId",
    "client_data": "clientDataJSON",
    "authenticator_data": "authenticatorData",
    "attestation_object": "attestationObject",
    "user_handle": "userHandle",
}


class _AssertionResponse(msgspec.Struct, rename=_NAMES):
    client_data: str
    authenticator_data: str
    signature: str
    user_handle: str | None = None


class _Assertion(msgspec.Struct, rename=_NAMES):
    id: str
    raw_id: str
    type: str
    response: _AssertionResponse


class _AttestationResponse(msgspec.Struct, rename=_NAMES):
    client_data: str
    attestation_object: str
    transports: list[str] = []


class _Attestation(msgspec.Struct, rename=_NAMES):
    id: str
    raw_id: str
    type: str
    response: _AttestationResponse


class Answer(NamedTuple):
    """An assertion that was read and not yet verified. `octets` are what is kept as evidence."""

    credential_id: bytes
    user_handle: bytes | None
    octets: bytes
    parsed: dict[str, Any]


class VerifiedAnswer(NamedTuple):
    """What an authenticator said beside its signature."""

    sign_count: int
    backup_eligible: bool
    backed_up: bool


class NewCredential(NamedTuple):
    """A credential that an authenticator made for us."""

    credential_id: bytes
    public_key: bytes
    sign_count: int
    aaguid: str
    transports: tuple[str, ...]
    backup_eligible: bool
    backed_up: bool
    octets: bytes


def read_answer(body: bytes) -> Answer:
    """Read an assertion, as JSON in the form of `PublicKeyCredential.toJSON()`. Raises PasskeyMalformed."""
    read = _decoded(body, _Assertion)
    _require_own_page(read.response.client_data)
    handle = read.response.user_handle
    return Answer(
        credential_id=_octets(read.id, CREDENTIAL_ID_OCTETS_MAX),
        user_handle=_octets(handle) if handle else None,
        octets=msgspec.json.encode(read),
        parsed=msgspec.to_builtins(read),
    )


def verify_answer(
    answer: Answer, *, challenge: bytes, institution: Institution, public_key: bytes
) -> VerifiedAnswer:
    """Verify an assertion by a credential's public key. Raises PasskeyRefused.

    The counter is only reported: what it means is for whoever knows what it was before.
    """
    try:
        verified = verify_authentication_response(
            credential=answer.parsed,
            expected_challenge=challenge,
            expected_rp_id=institution.host,
            expected_origin=institution.origin,
            credential_public_key=public_key,
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    except Exception as error:
        raise PasskeyRefused(known=f"{type(error).__name__}: {error}"[:300]) from error
    return VerifiedAnswer(
        sign_count=verified.new_sign_count,
        backup_eligible=verified.credential_device_type is CredentialDeviceType.MULTI_DEVICE,
        backed_up=verified.credential_backed_up,
    )


def verify_new(body: bytes, *, challenge: bytes, institution: Institution) -> NewCredential:
    """Read and verify an attestation, as JSON. Raises PasskeyMalformed and PasskeyNotAccepted."""
    read = _decoded(body, _Attestation)
    _require_own_page(read.response.client_data)
    try:
        _require_plain_format(_octets(read.response.attestation_object))
        verified = verify_registration_response(
            credential=msgspec.to_builtins(read),
            expected_challenge=challenge,
            expected_rp_id=institution.host,
            expected_origin=institution.origin,
            require_user_verification=True,
            supported_pub_key_algs=list(ALGORITHMS),
        )
        _require_sound_key(verified.credential_public_key)
    except Exception as error:
        raise PasskeyNotAccepted(known=f"{type(error).__name__}: {error}"[:300]) from error
    if verified.credential_id != _octets(read.id, CREDENTIAL_ID_OCTETS_MAX):
        raise PasskeyNotAccepted(known="the id is not the one that was attested")
    return NewCredential(
        credential_id=verified.credential_id,
        public_key=verified.credential_public_key,
        sign_count=verified.sign_count,
        aaguid=verified.aaguid,
        transports=tuple(sorted(TRANSPORTS.intersection(read.response.transports))),
        backup_eligible=verified.credential_device_type is CredentialDeviceType.MULTI_DEVICE,
        backed_up=verified.credential_backed_up,
        octets=msgspec.json.encode(read),
    )


_Read = TypeVar("_Read")


def _decoded(body: bytes, kind: type[_Read]) -> _Read:
    if len(body) > ANSWER_OCTETS_MAX:
        raise PasskeyMalformed(known=f"{len(body)} octets")
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise PasskeyMalformed(known=str(error)[:300]) from error


def _octets(text: str, octets_max: int = ANSWER_OCTETS_MAX) -> bytes:
    try:
        octets = base64url_to_bytes(text)
    except ValueError as error:
        raise PasskeyMalformed(known="no base64url") from error
    if len(octets) > octets_max:
        raise PasskeyMalformed(known=f"{len(octets)} octets where {octets_max} are enough")
    return octets


def _require_own_page(client_data: str) -> None:
    """Refuse an answer that was given inside somebody else's page. Raises PasskeyMalformed."""
    try:
        read = msgspec.json.decode(_octets(client_data), type=_ClientData)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise PasskeyMalformed(known=str(error)[:300]) from error
    if read.cross_origin or read.top_origin is not None:
        raise PasskeyMalformed(known=f"given within a page of {read.top_origin}")


def _require_plain_format(attestation: bytes) -> None:
    read = parse_cbor(attestation)
    if read["fmt"] not in FORMATS or "x5c" in read["attStmt"]:
        raise ValueError(f"attested in the format {read['fmt']!r}")


def _require_sound_key(public_key: bytes) -> None:
    if len(public_key) > PUBLIC_KEY_OCTETS_MAX:
        raise ValueError(f"a public key of {len(public_key)} octets")
    key = decode_credential_public_key(public_key)
    if isinstance(key, DecodedRSAPublicKey):
        bits = int.from_bytes(key.n, "big").bit_length()
        if not RSA_BITS_MIN <= bits <= RSA_BITS_MAX or int.from_bytes(key.e, "big") != RSA_EXPONENT:
            raise ValueError(f"an RSA key of {bits} bits")
