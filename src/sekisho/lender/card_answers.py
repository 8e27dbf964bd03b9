"""What a card reader gives back as text: the certificate, those above it, and the signature.

`1.<certificate>.<certificates above it>.<signature>`, in base64url without padding; the certificates above it
are joined with `~`, and there may be none.
"""

import base64
import binascii
import re

from sekisho.kernel.refusals import Refusal
from sekisho.lender.certificates import CERTIFICATE_OCTETS_MAX, INTERMEDIATES_MAX, Presented

CHARS_MAX = 2 * CERTIFICATE_OCTETS_MAX
_MARK = "1"
_ABOVE = "~"
_TEXT = re.compile(r"[0-9A-Za-z_-]+")


class CardAnswerUnreadable(Refusal):
    """What was handed in is not what a card reader gives."""

    code = "card_answer_unreadable"
    status = 422
    told = "This is not what the card reader gave. Please copy all of it."


def written(presented: Presented) -> str:
    """Write what a card gave as text."""
    above = _ABOVE.join(to_text(each) for each in presented.intermediates)
    return f"{_MARK}.{to_text(presented.certificate)}.{above}.{to_text(presented.signature)}"


def read_answer(text: str) -> Presented:
    """Read what a card gave. Raises CardAnswerUnreadable."""
    parts = "".join(text.split()).split(".") if len(text) <= CHARS_MAX else []
    if len(parts) != len((_MARK, *Presented._fields)) or parts[0] != _MARK:
        raise CardAnswerUnreadable
    _, certificate, above, signature = parts
    between = above.split(_ABOVE) if above else []
    if len(between) > INTERMEDIATES_MAX:
        raise CardAnswerUnreadable
    return Presented(from_text(certificate), tuple(from_text(each) for each in between), from_text(signature))


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
