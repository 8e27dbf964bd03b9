"""A certificate authority for the tests and the cards it gives out, like the public identity card."""

import datetime as dt
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID, ObjectIdentifier

from sekisho.identity.certificates import (
    ADDRESS,
    ADDRESS_SUBSTITUTES,
    BIRTH_DATE,
    NAME,
    NAME_SUBSTITUTES,
    Presented,
)

DAY = dt.timedelta(days=1)
SIGNATURES = {"digital_signature": True, "content_commitment": True}
_NO_USE = dict.fromkeys(
    (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    ),
    False,
)
# Making a key takes a while, and whose it is makes no difference here.
_KEYS = [rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(4)]


def utf8(text: str) -> bytes:
    """Write a UTF8String in DER."""
    octets = text.encode()
    if len(octets) < 0x80:
        return bytes([0x0C, len(octets)]) + octets
    if len(octets) < 0x100:
        return bytes([0x0C, 0x81, len(octets)]) + octets
    return bytes([0x0C, 0x82]) + len(octets).to_bytes(2, "big") + octets


def usage(**bits: bool) -> x509.KeyUsage:
    """Return a key usage with these bits."""
    return x509.KeyUsage(**{**_NO_USE, **bits})


def common_name(text: str) -> x509.Name:
    """Return a name with nothing but a common name."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


@dataclass
class Card:
    """A card: its certificate and the key in it."""

    certificate: x509.Certificate
    key: rsa.RSAPrivateKey
    between: tuple[x509.Certificate, ...] = ()

    def sign(self, challenge: bytes) -> Presented:
        """Sign a challenge, as the card does."""
        der = self.certificate.public_bytes
        return Presented(
            der(Encoding.DER),
            tuple(each.public_bytes(Encoding.DER) for each in self.between),
            self.key.sign(challenge, padding.PKCS1v15(), hashes.SHA256()),
        )


@dataclass
class Authority:
    """An authority: its certificate, its key, and who is on its list."""

    now: dt.datetime
    name: str = "Test CA"
    key: rsa.RSAPrivateKey = field(default_factory=lambda: _KEYS[0])
    above: "Authority | None" = None
    revoked: list[int] = field(default_factory=list)
    next_serial: int = 1000

    def __post_init__(self) -> None:
        issuer = self.above or self
        self.certificate = (
            x509.CertificateBuilder()
            .subject_name(common_name(self.name))
            .issuer_name(common_name(issuer.name))
            .public_key(self.key.public_key())
            .serial_number(7 if self.above is None else issuer.serial())
            .not_valid_before(self.now - 1000 * DAY)
            .not_valid_after(self.now + 1000 * DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(usage(key_cert_sign=True, crl_sign=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self.key.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), critical=False
            )
            .sign(issuer.key, hashes.SHA256())
        )

    def serial(self) -> int:
        self.next_serial += 1
        return self.next_serial

    def give(  # one card has many sides
        self,
        person: dict[ObjectIdentifier, str],
        *,
        use: dict[str, bool] | None = None,
        valid: tuple[int, int] = (-100, 100),
        ca: bool = False,
        twice: ObjectIdentifier | None = None,
        point: str = "",
    ) -> Card:
        """Give a card to a person."""
        key = _KEYS[1]
        names = [x509.OtherName(oid, utf8(text)) for oid, text in person.items()]
        if twice is not None:
            names.append(x509.OtherName(twice, utf8("another")))
        builder = (
            x509.CertificateBuilder()
            .subject_name(common_name("20260921120000000000"))
            .issuer_name(common_name(self.name))
            .public_key(key.public_key())
            .serial_number(self.serial())
            .not_valid_before(self.now + valid[0] * DAY)
            .not_valid_after(self.now + valid[1] * DAY)
            .add_extension(usage(**(SIGNATURES if use is None else use)), critical=True)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False
            )
        )
        if ca:
            builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        if point:
            place = x509.DistributionPoint([_place(point)], None, None, None)
            builder = builder.add_extension(x509.CRLDistributionPoints([place]), critical=False)
        certificate = builder.sign(self.key, hashes.SHA256())
        return Card(certificate, key, () if self.above is None else (self.certificate,))

    def revocation_list(
        self,
        *,
        age: int = 0,
        lasts: int = 2,
        key: rsa.RSAPrivateKey | None = None,
        scope: x509.IssuingDistributionPoint | None = None,
    ) -> x509.CertificateRevocationList:
        """Publish the list, some days ago."""
        made = self.now - age * DAY
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(common_name(self.name))
            .last_update(made)
            .next_update(made + lasts * DAY)
        )
        if scope is not None:
            builder = builder.add_extension(scope, critical=True)
        for serial in self.revoked:
            entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(made)
            builder = builder.add_revoked_certificate(entry.build())
        return builder.sign(key or self.key, hashes.SHA256())


def person(name: str, born: str, address: str, **more: str) -> dict[ObjectIdentifier, str]:
    """Return what a card says of a person; `born` with the era's digit in front."""
    marks = {
        NAME_SUBSTITUTES: more.get("name_marks", "0" * len(name)),
        ADDRESS_SUBSTITUTES: more.get("address_marks", "0" * len(address)),
    }
    return {NAME: name, BIRTH_DATE: born, ADDRESS: address, **marks}


def scoped(point: str) -> x509.IssuingDistributionPoint:
    """Return the scope of a list for one place."""
    return x509.IssuingDistributionPoint(
        full_name=[_place(point)],
        relative_name=None,
        only_contains_user_certs=False,
        only_contains_ca_certs=False,
        only_some_reasons=None,
        indirect_crl=False,
        only_contains_attribute_certs=False,
    )


def another_key(number: int = 2) -> rsa.RSAPrivateKey:
    """Return a key that is nobody's above."""
    return _KEYS[number]


def _place(point: str) -> x509.GeneralName:
    return x509.DirectoryName(common_name(point))
