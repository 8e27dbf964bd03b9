"""Reading a person from a certificate: a chain, its revocation lists, a signature, and what stands in it.

The profile is that of the signing certificate of Japan's public identity card (JPKI): RSA with SHA-256, key
usage for signatures and non-repudiation, and the person's data as other names in the subject's alternative
name. Which authorities are trusted is the caller's. Nothing here asks a network.
"""

import unicodedata
from collections.abc import Sequence
from datetime import UTC, date, datetime
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import ObjectIdentifier
from cryptography.x509.verification import (
    Criticality,
    ExtensionPolicy,
    Policy,
    PolicyBuilder,
    Store,
    VerificationError,
)

from sekisho.identity.revocations import Revocation, revocation_of
from sekisho.kernel.clock import SECOND_US

# J-LIS, profile of the JPKI certificates: https://www.j-lis.go.jp/file.jsp?/file/13_profile_genkou.pdf=
_PERSONAL = "1.2.392.200149.8.5.5"
NAME = ObjectIdentifier(f"{_PERSONAL}.1")
NAME_SUBSTITUTES = ObjectIdentifier(f"{_PERSONAL}.2")
BIRTH_DATE = ObjectIdentifier(f"{_PERSONAL}.4")
ADDRESS = ObjectIdentifier(f"{_PERSONAL}.5")
ADDRESS_SUBSTITUTES = ObjectIdentifier(f"{_PERSONAL}.6")

CHAIN_DEPTH_MAX = 2
CERTIFICATE_OCTETS_MAX = 16 * 1024
INTERMEDIATES_MAX = 4
_SUBSTITUTED = "1"
_UTF8_STRING = 0x0C
_LONG_FORM = 0x80
_BIRTH_DATE_CHARS = 9


class CertificateFault(StrEnum):
    """Why a certificate does not establish who somebody is, in the order in which it is looked at."""

    UNREADABLE = "unreadable"
    """It is no certificate."""

    NOT_TRUSTED = "not_trusted"
    """No chain of valid certificates leads from it to an authority that we trust, on this day."""

    WRONG_USE = "wrong_use"
    """It is not made for signatures."""

    REVOKED = "revoked"
    """It was revoked, or one above it."""

    REVOCATION_UNKNOWN = "revocation_unknown"
    """No valid revocation list speaks of it: ask again when there is one."""

    BAD_SIGNATURE = "bad_signature"
    """What was signed is not our challenge, or not with this certificate's key."""

    NO_PERSON = "no_person"
    """It does not say whose it is, or says it in a form that we can't read."""

    SUBSTITUTED = "substituted"
    """A character of name or address is written with a stand-in: a person has to compare."""

    NAME_DIFFERS = "name_differs"
    """It names somebody else."""

    BIRTH_DATE_DIFFERS = "birth_date_differs"
    """It has another birth date."""

    ADDRESS_DIFFERS = "address_differs"
    """It has another address."""


class Person(NamedTuple):
    """Who a certificate says that its holder is."""

    name: str
    born_on: date
    address: str


class Presented(NamedTuple):
    """What the holder's card gave: the certificate, those between it and an authority, and the signature."""

    certificate: bytes
    intermediates: tuple[bytes, ...]
    signature: bytes


class Verified(NamedTuple):
    """A certificate that holds: its serial number and issuer for the record, and its digest."""

    serial: str
    issuer: str
    sha256: str


def verify(  # noqa: PLR0913 - a certificate is believed by all of these together
    presented: Presented,
    challenge: bytes,
    claimed: Person,
    *,
    trusted: Sequence[x509.Certificate],
    revocation_lists: Sequence[x509.CertificateRevocationList],
    now_us: int,
) -> Verified | CertificateFault:
    """Say whether the holder of a certificate is who is claimed, and signed this challenge now."""
    moment = datetime.fromtimestamp(now_us // SECOND_US, UTC)
    try:
        leaf = _read(presented.certificate)
        between = [_read(octets) for octets in presented.intermediates[:INTERMEDIATES_MAX]]
    except ValueError:
        return CertificateFault.UNREADABLE
    chain = _chain(leaf, between, trusted, moment)
    if isinstance(chain, CertificateFault):
        return chain
    fault = (
        _revocation(chain, revocation_lists, moment)
        or (None if _signed(leaf, presented.signature, challenge) else CertificateFault.BAD_SIGNATURE)
        or _difference(leaf, claimed)
    )
    if fault is not None:
        return fault
    return Verified(
        f"{leaf.serial_number:x}", leaf.issuer.rfc4514_string(), leaf.fingerprint(hashes.SHA256()).hex()
    )


def _read(octets: bytes) -> x509.Certificate:
    if len(octets) > CERTIFICATE_OCTETS_MAX:
        raise ValueError("longer than any certificate of a person")
    return x509.load_der_x509_certificate(octets)


def _chain(
    leaf: x509.Certificate,
    between: list[x509.Certificate],
    trusted: Sequence[x509.Certificate],
    moment: datetime,
) -> list[x509.Certificate] | CertificateFault:
    """Return the certificates from the leaf to the authority."""
    if not trusted:
        return CertificateFault.NOT_TRUSTED
    holders = (
        ExtensionPolicy.permit_all()
        .require_present(x509.KeyUsage, Criticality.AGNOSTIC, _require_signatures)
        .require_present(x509.SubjectAlternativeName, Criticality.AGNOSTIC, None)
        .may_be_present(x509.BasicConstraints, Criticality.AGNOSTIC, _require_no_authority)
    )
    verifier = (
        PolicyBuilder()
        .store(Store(list(trusted)))
        .time(moment)
        .max_chain_depth(CHAIN_DEPTH_MAX)
        .extension_policies(ca_policy=ExtensionPolicy.webpki_defaults_ca(), ee_policy=holders)
        .build_client_verifier()
    )
    try:
        return verifier.verify(leaf, between).chain
    except (VerificationError, ValueError, UnsupportedAlgorithm) as error:
        wrong_use = _WRONG_USE in str(error)
        return CertificateFault.WRONG_USE if wrong_use else CertificateFault.NOT_TRUSTED


_WRONG_USE = "not made for signatures"


def _require_signatures(policy: Policy, certificate: x509.Certificate, usage: x509.KeyUsage) -> None:
    del policy, certificate
    if not (usage.digital_signature and usage.content_commitment) or usage.key_cert_sign:
        raise ValueError(_WRONG_USE)


def _require_no_authority(
    policy: Policy, certificate: x509.Certificate, constraints: x509.BasicConstraints | None
) -> None:
    del policy, certificate
    if constraints is not None and constraints.ca:
        raise ValueError(_WRONG_USE)


def _revocation(
    chain: list[x509.Certificate], lists: Sequence[x509.CertificateRevocationList], moment: datetime
) -> CertificateFault | None:
    """Look at each certificate under the authority. Revoked counts before unknown."""
    found = {revocation_of(certificate, issuer, lists, moment) for certificate, issuer in pairwise(chain)}
    if Revocation.REVOKED in found:
        return CertificateFault.REVOKED
    # An authority that is trusted by itself has nobody above it, and is no person's certificate.
    return None if found == {Revocation.GOOD} else CertificateFault.REVOCATION_UNKNOWN


def _signed(leaf: x509.Certificate, signature: bytes, challenge: bytes) -> bool:
    key = leaf.public_key()
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, challenge, padding.PKCS1v15(), hashes.SHA256())
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, challenge, ec.ECDSA(hashes.SHA256()))
        else:
            return False
    except InvalidSignature:
        return False
    return True


def _difference(leaf: x509.Certificate, claimed: Person) -> CertificateFault | None:
    try:
        names = _other_names(leaf)
        person = Person(names[NAME], _born_on(names[BIRTH_DATE]), names[ADDRESS])
    except (KeyError, ValueError):
        return CertificateFault.NO_PERSON
    # The card writes what it can't hold with a stand-in, and marks its place: equal texts would not be
    # equal names, and different ones not different.
    if any(_SUBSTITUTED in names.get(oid, "") for oid in (NAME_SUBSTITUTES, ADDRESS_SUBSTITUTES)):
        return CertificateFault.SUBSTITUTED
    rules = (
        (_same(person.name, claimed.name), CertificateFault.NAME_DIFFERS),
        (person.born_on == claimed.born_on, CertificateFault.BIRTH_DATE_DIFFERS),
        (_same(person.address, claimed.address), CertificateFault.ADDRESS_DIFFERS),
    )
    return next((fault for holds, fault in rules if not holds), None)


def _other_names(leaf: x509.Certificate) -> dict[ObjectIdentifier, str]:
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    found: dict[ObjectIdentifier, str] = {}
    for other in names.get_values_for_type(x509.OtherName):
        if other.type_id in found:
            raise ValueError("a datum stands twice, and which of them is meant nobody knows")
        found[other.type_id] = _text(other.value)
    return found


def _text(der: bytes) -> str:
    """Read a UTF8String. Raises ValueError."""
    octets = der[2:]
    length = der[1] if len(der) > 1 else -1
    if length == _LONG_FORM + 1:
        length, octets = der[2], der[3:]
    elif length == _LONG_FORM + 2:
        length, octets = int.from_bytes(der[2:4], "big"), der[4:]
    if not der or der[0] != _UTF8_STRING or length != len(octets):
        raise ValueError("not a text")
    return octets.decode()


def _born_on(text: str) -> date:
    """Read a birth date: a digit for the era, then year, month and day of the common calendar."""
    if len(text) != _BIRTH_DATE_CHARS or not (text.isascii() and text.isdigit()):
        raise ValueError("not a birth date")
    return date(int(text[1:5]), int(text[5:7]), int(text[7:]))


# Every sign that stands for a hyphen or for the mark of a long vowel in an address, as one.
_DASHES = dict.fromkeys(map(ord, "-‐‑‒–—―−ー－"), "-")  # noqa: RUF001 - these are the signs that are meant


def _same(one: str, other: str) -> bool:
    return _plain(one) == _plain(other)


def _plain(text: str) -> str:
    """Return a text without what is written in several ways and means the same; no character is guessed."""
    return "".join(unicodedata.normalize("NFKC", text).translate(_DASHES).split())
