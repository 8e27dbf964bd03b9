"""Signed statements of who we are, towards one bank, once, for a minute (`private_key_jwt`, RFC 7523)."""

from sekisho.identity.openid.jose import KeyPair, new_key_pair, read_private, sign
from sekisho.identity.tokens import new_token
from sekisho.kernel.chance import Chance
from sekisho.kernel.clock import SECOND_US

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
STATEMENT_S = 60
"""How long a statement can be believed, in seconds."""


def new_client_key() -> KeyPair:
    """Make the key pair by which a bank knows us; the private half is to be sealed."""
    return new_key_pair("ES256")


def client_statement(private: bytes, client_id: str, issuer: str, *, now_us: int, chance: Chance) -> str:
    """Return a statement for an issuer, which is its only audience, with an id of its own."""
    now_s = now_us // SECOND_US
    claims = {
        "iss": client_id,
        "sub": client_id,
        "aud": issuer,
        "jti": new_token(chance),
        "iat": now_s,
        "exp": now_s + STATEMENT_S,
    }
    return sign(claims, read_private(private, "ES256"))
