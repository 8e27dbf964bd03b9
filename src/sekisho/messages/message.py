"""A message to a person: by which channel, to whom, which words, and until when they are worth something."""

import re
from enum import IntEnum, StrEnum

import msgspec

from sekisho.kernel.refusals import Refusal

CODE_KIND = "code"
"""What every message that carries a one-time code is called, alone or in front of a colon: `code:login`."""

SMS_UNITS_MAX = 670
"""The longest text message that Japan's providers join together again, in UTF-16 code units."""

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
# Quoted local parts and address literals are not taken: no provider gives them to people.
_EMAIL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z0-9-]{2,63}")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
_EMAIL_OCTETS_MAX = 254
_ADDRESS_LINES_MAX = 8


class Channel(StrEnum):
    """How a message reaches a person."""

    SMS = "sms"
    """A text message to a mobile number."""

    EMAIL = "email"
    """A mail to an e-mail address."""

    LETTER = "letter"
    """A letter on paper to a postal address."""


class Urgency(IntEnum):
    """Which of two messages goes first."""

    URGENT = 0
    """A person sits and waits for it."""

    ORDINARY = 1
    """Everything else."""


class State(StrEnum):
    """What has become of a message. Only the first can still change."""

    WAITING = "waiting"
    """Not handed over yet: it is due, or will be tried again."""

    SENT = "sent"
    """The gateway, the mail server or the folder has taken it."""

    EXPIRED = "expired"
    """Its time was over before anybody took it."""

    FAILED = "failed"
    """It was turned down for good, or nobody took it however often it was tried."""


class MessageUnusable(Refusal):
    """The recipient or the text is none that the channel can carry."""

    code = "message_unusable"
    status = 422
    told = "A message can't be sent to this recipient."


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """What a person is to read.

    `dedupe` names the occasion: whoever asks for the same occasion twice sends one message. It is kept in
    the clear, so no code, address or number belongs into it. `to` is a number as in E.164, an e-mail
    address, or a postal address in lines with the name below it. A text message has no subject. Times are
    microseconds since the epoch, UTC; after `not_after_us` the message is worth nothing and is not sent.
    """

    dedupe: str
    member_id: str = ""
    channel: Channel
    kind: str
    to: str
    subject: str = ""
    text: str
    language: str = "ja"
    not_before_us: int = 0
    not_after_us: int | None = None


def is_secret(kind: str) -> bool:
    """Tell whether messages of this kind carry a secret, so that their words are not kept."""
    return kind == CODE_KIND or kind.startswith(f"{CODE_KIND}:")


def urgency_of(kind: str) -> Urgency:
    """Return how urgent messages of this kind are."""
    return Urgency.URGENT if is_secret(kind) else Urgency.ORDINARY


def sms_units(text: str) -> int:
    """Count a text as providers do where it holds Japanese: in UTF-16 code units."""
    return len(text.encode("utf-16-le")) // 2


def email_fault(address: str) -> str:
    """Say what keeps mail from being sent to or from an address; empty where nothing does."""
    usable = _EMAIL.fullmatch(address) and len(address) <= _EMAIL_OCTETS_MAX
    return "" if usable else "the address is not one that mail goes to"


def require_usable(message: Message) -> None:
    """Refuse what no carrier could deliver, or could be made to deliver to somebody else.

    Raises MessageUnusable, whose inside text names the fault and not the recipient.
    """
    fault = _fault(message)
    if fault:
        raise MessageUnusable(known=f"{message.kind} by {message.channel}: {fault}")


def _fault(message: Message) -> str:
    if not message.dedupe or not message.kind:
        return "no occasion or no kind"
    if not message.text.strip() or _CONTROL.search(message.text):
        return "no text, or control characters in it"
    if _CONTROL.search(message.subject) or "\n" in message.subject:
        return "control characters in the subject"
    return _RECIPIENT_FAULTS[message.channel](message)


def _sms_fault(message: Message) -> str:
    if not _E164.fullmatch(message.to):
        return "the number is not in E.164"
    if message.subject:
        return "a text message has no subject"
    if sms_units(message.text) > SMS_UNITS_MAX:
        return f"{sms_units(message.text)} units, more than {SMS_UNITS_MAX}"
    return ""


def _email_fault(message: Message) -> str:
    return email_fault(message.to) or ("" if message.subject else "a mail needs a subject")


def _letter_fault(message: Message) -> str:
    lines = message.to.splitlines()
    if not lines or not all(line.strip() for line in lines) or _CONTROL.search(message.to):
        return "the postal address has empty lines or control characters"
    return f"more than {_ADDRESS_LINES_MAX} lines" if len(lines) > _ADDRESS_LINES_MAX else ""


_RECIPIENT_FAULTS = {Channel.SMS: _sms_fault, Channel.EMAIL: _email_fault, Channel.LETTER: _letter_fault}
