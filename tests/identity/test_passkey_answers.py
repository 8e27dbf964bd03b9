"""Hostile octets: refused with a code of ours, however they are made."""

import asyncio
import json

import cbor2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.identity.passkeys_at_hand import HERE, add, authenticator
from tests.identity.software_authenticator import (
    base64url,
    octets_of,
)

from sekisho.identity.passkey_answers import PasskeyMalformed, PasskeyNotAccepted, PasskeyRefused

EMPTY = (
    b'{"id":"AA","rawId":"AA","type":"public-key","response":{"clientDataJSON":"e30",'
    b'"authenticatorData":"","signature":"","attestationObject":""}}'
)
NOT_AN_ANSWER = [
    b"",
    b"null",
    b"[]",
    b"{}",
    b'{"id": 1}',
    b"\xff\xfe",
    b"[" * 10_000,
    b'{"id":"AA","rawId":"AA","type":"public-key","response":{}}',
    EMPTY.replace(b'"AA"', b'"A"'),
    EMPTY.replace(b"e30", b"W1tbW1tb"),
    b'{"id":"' + b"A" * 100_000 + b'"}',
    b" " * 100_000,
]


@pytest.mark.parametrize("body", NOT_AN_ANSWER, ids=range(len(NOT_AN_ANSWER)))
def test_what_is_no_answer_is_refused_cleanly(desk, proofs, member, body):
    with pytest.raises(PasskeyMalformed):
        asyncio.run(proofs.login(proofs.begin_login().token, body, HERE))
    begun = asyncio.run(desk.begin_adding(member.session, member.device))
    with pytest.raises((PasskeyMalformed, PasskeyNotAccepted)):
        asyncio.run(desk.add(member.session, begun.token, body, HERE))


@pytest.mark.parametrize(
    "attestation",
    [
        b"",
        b"\xff",
        b"\x00",
        b"\x81" * 3_000,
        b"\xa1" * 3_000,
        cbor2.dumps({"fmt": "none"}),
        cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": b"\xff" * 300}),
    ],
)
def test_hostile_cbor_is_refused_cleanly(desk, member, attestation):
    with pytest.raises(PasskeyNotAccepted):
        add(desk, member, authenticator(), attestationObject=base64url(attestation))


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 2_000), octet=st.integers(1, 255))
def test_no_octet_of_an_answer_can_be_changed(proofs, phone, place, octet):
    """Whatever octet is changed, the answer is refused, or says the same as before."""
    begun = proofs.begin_login()
    sent = phone.get(begun.options)
    changed = bytearray(sent)
    changed[place % len(changed)] ^= octet
    try:
        asyncio.run(proofs.login(begun.token, bytes(changed), HERE))
    except (PasskeyRefused, PasskeyMalformed):
        return
    # Octets that nobody signed may change: fields that are not read, spaces, the unused bits of base64.
    before, after = (json.loads(body.decode(errors="replace"))["response"] for body in (sent, changed))
    for name in ("clientDataJSON", "authenticatorData", "signature", "userHandle"):
        assert octets_of(after[name]) == octets_of(before[name])


@pytest.fixture
def phone(desk, member):
    """Give an authenticator without a counter, whose passkey is the member's."""
    phone = authenticator(counts=0)
    add(desk, member, phone)
    return phone
