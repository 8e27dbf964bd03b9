"""Revocation lists: whether one speaks of a certificate, is its issuer's own and what it says."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm


class Revocation(StrEnum):
    """What the lists say of a certificate."""

    GOOD = "good"
    """A valid list speaks of it, and it is not on any."""

    REVOKED = "revoked"
    """It is on a list."""

    UNKNOWN = "unknown"
    """No valid list speaks of it."""


def revocation_of(
    certificate: x509.Certificate,
    issuer: x509.Certificate,
    lists: Sequence[x509.CertificateRevocationList],
    moment: datetime,
) -> Revocation:
    """Return what an issuer's lists say of a certificate at a moment.

    A list that has run out takes nothing back: who is on it stays revoked.
    """
    own = [each for each in lists if _is_of(each, issuer) and each.last_update_utc <= moment]
    if any(each.get_revoked_certificate_by_serial_number(certificate.serial_number) for each in own):
        return Revocation.REVOKED
    fresh = [each for each in own if each.next_update_utc is not None and moment < each.next_update_utc]
    return Revocation.GOOD if any(_covers(each, certificate) for each in fresh) else Revocation.UNKNOWN


def _is_of(each: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    if each.issuer != issuer.subject:
        return False
    try:
        return each.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]  # any other key: TypeError
    except (TypeError, UnsupportedAlgorithm, ValueError):
        return False


def _covers(each: x509.CertificateRevocationList, certificate: x509.Certificate) -> bool:
    """Say whether a list is complete for a certificate: it is of all, or of the place that this one names."""
    try:
        extensions = each.extensions
        strange = [
            extension.oid
            for extension in extensions
            if extension.critical and not isinstance(extension.value, x509.IssuingDistributionPoint)
        ]
        scopes = [
            extension.value
            for extension in extensions
            if isinstance(extension.value, x509.IssuingDistributionPoint)
        ]
    except ValueError:
        return False
    if strange or any(isinstance(extension.value, x509.DeltaCRLIndicator) for extension in extensions):
        return False
    return all(_is_within(scope, certificate) for scope in scopes)


def _is_within(scope: x509.IssuingDistributionPoint, certificate: x509.Certificate) -> bool:
    if scope.indirect_crl or scope.only_some_reasons or scope.only_contains_attribute_certs:
        return False
    if (scope.only_contains_ca_certs and not _is_authority(certificate)) or (
        scope.only_contains_user_certs and _is_authority(certificate)
    ):
        return False
    return scope.full_name is None or bool(set(scope.full_name) & _places(certificate))


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _places(certificate: x509.Certificate) -> set[x509.GeneralName]:
    try:
        points = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    except x509.ExtensionNotFound:
        return set()
    return {name for point in points for name in point.full_name or ()}
