"""What can be sent at all, and what counts as a secret."""

import pytest
from tests.messages.post_office import ADDRESS, text_message

from sekisho.messages.message import (
    Channel,
    MessageUnusable,
    Urgency,
    is_secret,
    require_usable,
    sms_units,
    urgency_of,
)

MAIL = {"channel": Channel.EMAIL, "to": ADDRESS, "subject": "お知らせ"}
LETTER = {"channel": Channel.LETTER, "to": "〒100-0001\n東京都千代田区\n山田 花子 様"}


@pytest.mark.parametrize("changes", [{}, MAIL, LETTER, {"text": "あ" * 670}], ids=str)
def test_what_can_be_sent_is_taken(changes):
    require_usable(text_message(**changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"to": "09012345678"},
        {"to": "+81 90 1234 5678"},
        {"to": "+819012345678\n+819000000000"},
        {"text": ""},
        {"text": "あ" * 671},
        {"text": "𠮷" * 336},
        {"text": "a\x00b"},
        {"text": "a\x1b[2Jb"},
        {"subject": "a text message has none"},
        {"kind": ""},
        {**MAIL, "to": "hanako@member"},
        {**MAIL, "to": "a@b.example, c@d.example"},
        {**MAIL, "to": "a@b.example\r\nBcc: c@d.example"},
        {**MAIL, "to": "a@b.example>\nRCPT TO:<c@d.example"},
        {**MAIL, "to": "花子@member.example"},
        {**MAIL, "to": "a" * 250 + "@b.example"},
        {**MAIL, "subject": ""},
        {**MAIL, "subject": "a\r\nBcc: everybody@example.com"},
        {**LETTER, "to": ""},
        {**LETTER, "to": "a\n\nb"},
        {**LETTER, "to": "\n".join("abcdefghi")},
    ],
    ids=str,
)
def test_what_no_carrier_could_deliver_is_refused_and_not_named(changes):
    """The refusal goes to the log, and neither recipient nor words go with it."""
    message = text_message(**changes)
    with pytest.raises(MessageUnusable) as refused:
        require_usable(message)
    assert refused.value.code == "message_unusable"
    for secret in (message.to, message.text, message.subject):
        assert not secret or secret not in str(refused.value)


def test_codes_are_secret_and_urgent_and_nothing_else_is():
    assert is_secret("code")
    assert is_secret("code:login")
    assert not is_secret("code_entered_elsewhere")
    assert not is_secret("notice:code_entered_elsewhere:1")
    assert urgency_of("code:login") is Urgency.URGENT
    assert urgency_of("notice:x:1") is Urgency.ORDINARY


def test_text_messages_are_measured_as_providers_do():
    assert sms_units("あA") == 2
    assert sms_units("𠮷") == 2
