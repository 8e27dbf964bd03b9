"""What a card reader gives back as text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.identity.card_answers import CHARS_MAX, CardAnswerUnreadable, read_answer, written
from sekisho.identity.certificates import Presented

OCTETS = st.binary(min_size=1, max_size=300)


@given(OCTETS, st.lists(OCTETS, max_size=4), OCTETS)
def test_what_is_written_is_read_again(certificate, above, signature):
    """Line breaks that a mail or a person put in do no harm."""
    presented = Presented(certificate, tuple(above), signature)
    text = written(presented)
    assert read_answer(text) == presented
    assert read_answer(f" {text[:10]}\n{text[10:]} ") == presented


@pytest.mark.parametrize(
    "text",
    [
        "",
        "AAAA",
        "AAAA.",
        ".AAAA",
        "AAAA..AAAA",
        "A.AAAA",
        "日本.AAAA",
        "AA+A.AAAA",
        "AAAA=.AAAA",
        "AAAA.AAAA.A.A.A.A.A",
        "A" * CHARS_MAX + ".AAAA",
    ],
)
def test_anything_else_is_refused(text):
    """Nothing of it is guessed."""
    with pytest.raises(CardAnswerUnreadable):
        read_answer(text)
