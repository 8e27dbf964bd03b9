"""Tokens that a browser keeps: 256 random bits, of which only the digest is stored."""

import base64
import hashlib

from sekisho.kernel.chance import Chance

TOKEN_OCTETS = 32


def new_token(chance: Chance) -> str:
    """Draw a token of 43 letters, digits, hyphens and underscores."""
    return base64.urlsafe_b64encode(chance.octets(TOKEN_OCTETS)).decode().rstrip("=")


def digest_of(token: str) -> bytes:
    """Return what a token is found by. It needs no key and no salt: nobody guesses 256 bits."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
