"""Tokens made and read octet by octet, with nothing of the library that the product uses."""

import base64
import hashlib
import json

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

RISK = "https://schemas.openid.net/secevent/caep/event-type/risk-level-change"
HIGH = {"principal": "USER", "current_level": "HIGH"}


def b64(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def number(text: str) -> int:
    return int.from_bytes(unb64(text), "big")


class HandKey:
    """A key of a transmitter that we did not write."""

    def __init__(self, kid="hand", kind="RS256", bits=2048):
        self.kid = kid
        self.kind = kind
        self.rsa = rsa.generate_private_key(65537, bits)
        self.ec = ec.generate_private_key(ec.SECP256R1())

    def public(self, **more):
        """Return it as a JWK."""
        said = {"kid": self.kid, "use": "sig", "alg": self.kind, **more}
        if self.kind == "RS256":
            numbers = self.rsa.public_key().public_numbers()
            octets = (numbers.n.bit_length() + 7) // 8
            return {"kty": "RSA", "n": b64(numbers.n.to_bytes(octets, "big")), "e": b64(b"\1\0\1"), **said}
        point = self.ec.public_key().public_numbers()
        x, y = (b64(value.to_bytes(32, "big")) for value in (point.x, point.y))
        return {"kty": "EC", "crv": "P-256", "x": x, "y": y, **said}

    def sign(self, claims, **header):
        """Return a token; a header's member that is None is left out."""
        said = {"typ": "secevent+jwt", "alg": self.kind, "kid": self.kid, **header}
        said = {name: value for name, value in said.items() if value is not None}
        signed = f"{b64(json.dumps(said).encode())}.{b64(json.dumps(claims).encode())}"
        return f"{signed}.{b64(self._signature(signed.encode()))}"

    def _signature(self, octets):
        if self.kind == "RS256":
            return self.rsa.sign(octets, padding.PKCS1v15(), hashes.SHA256())
        r, s = decode_dss_signature(self.ec.sign(octets, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def read_by_hand(token, key_set):
    """Return header and claims of a token that a key of the set signed; raise InvalidSignature otherwise."""
    head, body, signature = token.split(".")
    header = json.loads(unb64(head))
    (key,) = [each for each in key_set["keys"] if each["kid"] == header["kid"]]
    signed, octets = f"{head}.{body}".encode(), unb64(signature)
    if header["alg"] == "RS256":
        rsa_key = rsa.RSAPublicNumbers(number(key["e"]), number(key["n"])).public_key()
        rsa_key.verify(octets, signed, padding.PKCS1v15(), hashes.SHA256())
    else:
        point = ec.EllipticCurvePublicNumbers(number(key["x"]), number(key["y"]), ec.SECP256R1())
        r, s = (int.from_bytes(half, "big") for half in (octets[:32], octets[32:]))
        point.public_key().verify(encode_dss_signature(r, s), signed, ec.ECDSA(hashes.SHA256()))
    return header, json.loads(unb64(body))


def claims(issuer, audience, now_us, subject, **more):
    """Return the claims of an event about somebody; a claim that is None is left out."""
    said = {
        "iss": issuer,
        "aud": audience,
        "jti": hashlib.sha256(json.dumps([subject, now_us, more]).encode()).hexdigest()[:24],
        "iat": now_us // 1_000_000,
        "txn": "txn-1",
        "sub_id": subject,
        "events": {RISK: HIGH},
        **more,
    }
    return {name: value for name, value in said.items() if value is not None}
