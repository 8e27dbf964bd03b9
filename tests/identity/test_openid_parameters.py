"""Forms and queries as they are read: once each, bounded, or not at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.identity.openid.parameters import read_form
from sekisho.identity.openid.refusals import InvalidRequest, RequestUnreadable


def test_a_value_is_read_as_it_was_sent():
    form = read_form(b"a=1&b=%E3%81%82+%2B&c=")
    assert (form.get("a"), form.need("b"), form.get("c"), form.get("d")) == ("1", "あ +", "", "")
    with pytest.raises(InvalidRequest, match="c is missing"):
        form.need("c")


@pytest.mark.parametrize("octets", [b"a=%ff", b"a=\xe3\x81\x82", b"a=" + b"b" * 8_191, b"a&" * 41])
def test_what_is_no_form_is_not_read(octets):
    with pytest.raises(RequestUnreadable):
        read_form(octets)


@pytest.mark.parametrize(
    "octets", [b"a=1&a=1", b"a=1&a=", b"a=%00", b"a=%0d%0a", b"a=%7f", b"a=%c2%85", b"a=" + b"b" * 2_049]
)
def test_what_is_ambiguous_or_unusable_is_refused_by_name(octets):
    with pytest.raises(InvalidRequest, match="The parameter a "):
        read_form(octets).get("a")


def test_a_signed_statement_may_be_longer_than_a_word():
    assert len(read_form(b"client_assertion=" + b"e" * 6_000).get("client_assertion")) == 6_000


@given(st.binary(max_size=300))
def test_any_octets_are_read_or_refused(octets):
    try:
        form = read_form(octets)
    except RequestUnreadable:
        return
    assert all(isinstance(value, str) for value in form.values.values())
