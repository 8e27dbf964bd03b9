"""An authority for trying out, made at the first start: it certifies whatever anybody says of themselves.

Its name says so, and nothing but a lender that was started to be tried trusts it.
"""

import datetime as dt
import os
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID, ObjectIdentifier

from sekisho.identity.certificates import ADDRESS, BIRTH_DATE, NAME, Person, Presented
from sekisho.kernel.clock import SECOND_US, Clock
from sekisho.storage.private_folders import make_private

NAMED = "Sekisho: for trying out only, certifies nobody"
FILE = "for-trying-out-only"
CARD_VALID = dt.timedelta(days=1)
AUTHORITY_VALID = dt.timedelta(days=3650)
LIST_VALID = dt.timedelta(days=2)
_A_MOMENT = dt.timedelta(minutes=5)
_KEY_BITS = 2048
_EXPONENT = 65537
_BORN_IN_COMMON_CALENDAR = "0"
_USES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)
_UTF8_STRING = 0x0C
_SHORT_MAX, _ONE_OCTET_MAX = 0x7F, 0xFF
_SUBJECT = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAMED)])


class PlayedAuthority:
    """Gives out cards. Its key stays in its folder, beside its certificate."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        """Take up the authority of a folder, or make it where the folder is new."""
        make_private(folder)
        self._clock = clock
        key_file, certificate_file = folder / f"{FILE}.key", folder / f"{FILE}.pem"
        if not certificate_file.exists():
            key = _new_key()
            _write(key_file, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
            _write(certificate_file, self._own(key).public_bytes(Encoding.PEM))
        read = load_pem_private_key(key_file.read_bytes(), None)
        assert isinstance(read, rsa.RSAPrivateKey)  # noqa: S101 - as it was written
        self._key = read
        self._certificate = x509.load_pem_x509_certificate(certificate_file.read_bytes())

    def publish(self, folder: Path) -> None:
        """Put the certificate and a fresh revocation list where those who trust it look."""
        make_private(folder)
        now = self._now()
        revoked_nobody = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(_SUBJECT)
            .last_update(now - _A_MOMENT)
            .next_update(now + LIST_VALID)
            .sign(self._key, hashes.SHA256())
        )
        _write(folder / f"{FILE}.pem", self._certificate.public_bytes(Encoding.PEM))
        _write(folder / f"{FILE}.crl", revoked_nobody.public_bytes(Encoding.DER))

    def sign(self, person: Person, challenge: bytes) -> Presented:
        """Make a card for a person and sign a challenge with it. It takes a moment: a key is made."""
        now, key = self._now(), _new_key()
        card = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "card for trying out")]))
            .issuer_name(_SUBJECT)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _A_MOMENT)
            .not_valid_after(now + CARD_VALID)
            .add_extension(_usage("digital_signature", "content_commitment"), critical=True)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False
            )
            .add_extension(_names(person), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        signature = key.sign(challenge, padding.PKCS1v15(), hashes.SHA256())
        return Presented(card.public_bytes(Encoding.DER), (), signature)

    def _own(self, key: rsa.RSAPrivateKey) -> x509.Certificate:
        now = self._now()
        return (
            x509.CertificateBuilder()
            .subject_name(_SUBJECT)
            .issuer_name(_SUBJECT)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _A_MOMENT)
            .not_valid_after(now + AUTHORITY_VALID)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage("key_cert_sign", "crl_sign"), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )

    def _now(self) -> dt.datetime:
        return dt.datetime.fromtimestamp(self._clock.now_us() // SECOND_US, dt.UTC)


def _new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=_EXPONENT, key_size=_KEY_BITS)


def _usage(*uses: str) -> x509.KeyUsage:
    return x509.KeyUsage(**{use: use in uses for use in _USES})


def _names(person: Person) -> x509.SubjectAlternativeName:
    values: dict[ObjectIdentifier, str] = {
        NAME: person.name,
        BIRTH_DATE: f"{_BORN_IN_COMMON_CALENDAR}{person.born_on:%Y%m%d}",
        ADDRESS: person.address,
    }
    return x509.SubjectAlternativeName([x509.OtherName(oid, _utf8(text)) for oid, text in values.items()])


def _utf8(text: str) -> bytes:
    """Write a UTF8String in DER."""
    octets = text.encode()
    length = len(octets)
    if length <= _SHORT_MAX:
        return bytes([_UTF8_STRING, length]) + octets
    if length <= _ONE_OCTET_MAX:
        return bytes([_UTF8_STRING, _SHORT_MAX + 2, length]) + octets
    return bytes([_UTF8_STRING, _SHORT_MAX + 3]) + length.to_bytes(2, "big") + octets


def _write(file: Path, octets: bytes) -> None:
    """Write a file whole, so that nobody reads half of it."""
    begun = file.with_name(f".{file.name}.part")
    opened = os.open(begun, os.O_CREAT | os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(opened, "wb") as writing:
        writing.write(octets)
        writing.flush()
        os.fsync(writing.fileno())
    begun.replace(file)
