"""Whatever comes in, a parser says yes or refuses: nothing else ever comes out of it."""

import json

from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import KeySet
from tests.sharing.by_hand import RISK, HandKey, b64, claims

from sekisho.sharing.events import KINDS, EventUnreadable, read_event, type_of, write_event
from sekisho.sharing.partner_keys import usable_keys
from sekisho.sharing.sets import Expected, SetRefused, issuer_of, key_id_of, read_set
from sekisho.sharing.settings import SignalSettings
from sekisho.sharing.subjects import Foreign, IssSub, Opaque, SubjectUnreadable, digest_of, read_subject

NOW_US = 1_790_000_000_000_000
KEY = HandKey(kind="ES256")
KEYS = usable_keys({"keys": [KEY.public()]})["hand"]
EXPECTED = Expected("https://a.example", "https://b.example", NOW_US)
PERSON = {"format": "iss_sub", "iss": "https://a.example", "sub": "s"}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
formats = st.sampled_from(
    ["iss_sub", "opaque", "complex", "email", "phone_number", "aliases", "did", "uri", "jwt_id", "", "x"]
)
member_names = st.sampled_from(
    ["format", "iss", "sub", "id", "email", "user", "device", "uri", "identifiers"]
)
subjects = st.dictionaries(member_names, json_values | formats, max_size=5)


@given(json_values | subjects)
def test_a_subject_is_read_or_refused(value):
    try:
        read = read_subject(value)
    except SubjectUnreadable:
        return
    assert isinstance(read, IssSub | Opaque | Foreign)
    if not isinstance(read, Foreign):
        assert len(digest_of(read)) == 32


@given(
    st.sampled_from(sorted(KINDS)) | st.text(max_size=30),
    json_values | st.dictionaries(st.text(), json_values),
)
def test_an_event_is_read_or_refused_and_written_as_it_was_read(event_type, payload):
    try:
        event = read_event(event_type, payload)
    except EventUnreadable:
        return
    if event is None:
        assert event_type not in KINDS
        return
    assert read_event(type_of(event), dict(write_event(event))) == event


@given(st.text() | st.binary().map(lambda octets: octets.decode("latin-1")))
def test_any_text_is_no_token(text):
    for read in (issuer_of, key_id_of, lambda token: read_set(token, KEYS, EXPECTED, SignalSettings())):
        try:
            read(text)
        except SetRefused:
            continue
        # Only the look at the header can be content with what is no token as a whole.
        assert read is key_id_of


@given(json_values, json_values)
def test_any_three_parts_are_no_token(header, body):
    token = f"{b64(json.dumps(header).encode())}.{b64(json.dumps(body).encode())}.{b64(b'x' * 64)}"
    try:
        read_set(token, KEYS, EXPECTED, SignalSettings())
    except SetRefused:
        return
    raise AssertionError(token)


@given(
    st.sampled_from(["iss", "aud", "jti", "iat", "sub_id", "events", "txn", "sub", "exp", "nbf"]),
    json_values,
)
def test_a_signed_token_with_any_claim_is_read_or_refused(name, value):
    """The signature is right; one claim is whatever it may be."""
    said = claims("https://a.example", "https://b.example", NOW_US, PERSON, **{name: value})
    try:
        event = read_set(KEY.sign(said), KEYS, EXPECTED, SignalSettings())
    except SetRefused:
        return
    assert event.event_type == RISK or name == "events"
    assert event.issuer == "https://a.example"
    assert name not in {"sub", "exp"} or value is None


@given(json_values)
def test_any_key_set_gives_usable_keys_or_none(value):
    for key_set in (value, {"keys": value}, {"keys": [value, KEY.public()]}):
        keys = usable_keys(key_set)
        assert all(isinstance(key, KeySet) for key in keys.values())
    assert "hand" in keys
