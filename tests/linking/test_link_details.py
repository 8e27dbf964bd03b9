"""The details of a link: what both sides write is read, and nothing else makes a reader fall over."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.linking.link_details import (
    LinkDetailsUnreadable,
    LinkGranted,
    is_day,
    read_granted,
    read_request,
    write_request,
)

ASKED = {
    "type": "account_link",
    "actions": ["debit"],
    "ceiling_yen": 100_000,
    "month_ceiling_yen": 300_000,
    "holder": {"name_kana": "ﾔﾏﾀﾞ ﾊﾅｺ", "birth_date": "1990-04-01"},
    "user_ref": "user-0000-0001",
}
GRANTED = {
    **{name: ASKED[name] for name in ("type", "actions", "ceiling_yen", "month_ceiling_yen", "user_ref")},
    "mandate_id": "mdt_1",
    "account": {"bank": "9901", "branch": "001", "kind": "1", "last4": "4567", "ref": "aa"},
    "holder": {"name_kana": "ﾔﾏﾀﾞ ﾊﾅｺ", "birth_date": "1990-04-01", "phone_matches": None},
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


def test_what_is_written_is_read():
    asked = read_request(json.dumps([ASKED]))
    assert read_request(write_request(asked)) == asked
    assert "phone" not in write_request(asked)


def test_what_is_granted_is_read():
    granted = read_granted([GRANTED])
    assert isinstance(granted, LinkGranted)
    assert granted.account.last4 == "4567"


@given(st.text(max_size=200))
def test_any_text_is_details_or_unreadable(text):
    with pytest.raises(LinkDetailsUnreadable):
        read_request(text)


@given(st.sampled_from(sorted(ASKED)), JSON)
def test_details_with_anything_in_one_place_are_read_or_refused(name, value):
    try:
        asked = read_request(json.dumps([ASKED | {name: value}]))
    except LinkDetailsUnreadable:
        return
    assert 0 < asked.ceiling_yen <= asked.month_ceiling_yen
    assert is_day(asked.holder.birth_date)


@given(JSON)
def test_anything_that_a_bank_says_is_a_grant_or_unreadable(value):
    with pytest.raises(LinkDetailsUnreadable):
        read_granted(value)


def test_a_refusal_repeats_no_value():
    with pytest.raises(LinkDetailsUnreadable) as refused:
        read_request(json.dumps([ASKED | {"user_ref": "ヤマダ"}]))
    assert "ヤマダ" not in str(refused.value)
