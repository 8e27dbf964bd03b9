"""What a card reader gives back as text: the certificate, the signature, and the certificates above it.

`<certificate>.<signature>.<above>...`, each in base64url without padding; there may be none above.
"""

import base64
import binascii
import re

from sekisho.identity.certificates import CERTIFICATE_OCTETS_MAX, INTERMEDIATES_MAX, Presented
from sekisho.kernel.refusals import Refusal

CHARS_MAX = 2 * CERTIFICATE_OCTETS_MAX
_PARTS_MIN = 2
_TEXT = re.compile(r"[0-9A-Za-z_-]+")


class CardAnswerUnreadable(Refusal):
    """What was handed in is not what a card reader gives."""

    code = "card_answer_unreadable"
    status = 422
    told = "This is not what the card reader gave. Please copy all of it."


def written(presented: Presented) -> str:
    """Write what a card gave as text."""
    parts = (presented.certificate, presented.signature, *presented.intermediates)
    return ".".join(to_text(part) for part in parts)


def read_answer(text: str) -> Presented:
    """Read what a card gave. Raises CardAnswerUnreadable."""
    parts = "".join(text.split()).split(".") if len(text) <= CHARS_MAX else []
    if not _PARTS_MIN <= len(parts) <= _PARTS_MIN + INTERMEDIATES_MAX:
        raise CardAnswerUnreadable
    certificate, signature, *above = (from_text(part) for part in parts)
    return Presented(certificate, tuple(above), signature)


def to_text(octets: bytes) -> str:
    """Write octets as base64url without padding."""
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def from_text(text: str) -> bytes:
    """Read base64url without padding. Raises CardAnswerUnreadable."""
    if not _TEXT.fullmatch(text):
        raise CardAnswerUnreadable
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error as error:
        raise CardAnswerUnreadable from error
