"""What an ID token and a logout token must say: each test changes one thing, and nobody is believed."""

import hashlib
from base64 import urlsafe_b64encode

import msgspec
import pytest
from joserfc import jwk, jwt
from joserfc.jwk import KeySet

from sekisho.identity.assurance import Level
from sekisho.identity.openid.id_tokens import LOGOUT_EVENT
from sekisho.identity.openid.jose import ALGORITHMS, Unverifiable, new_key_pair, public_keys, verify
from sekisho.identity.relying.id_tokens import Expected, check_id_token, check_logout_token
from sekisho.identity.relying.refusals import LogoutTokenUnfit, SignInFailed

ISSUER, CLIENT, NONCE, ACCESS = "https://id.example", "kamome", "n" * 43, "access"
NOW_S = 1_795_000_000
HALF_HASH = urlsafe_b64encode(hashlib.sha256(ACCESS.encode()).digest()[:16]).rstrip(b"=").decode()
GOOD = {
    "iss": ISSUER,
    "aud": CLIENT,
    "azp": CLIENT,
    "sub": "a-subject",
    "sid": "a-session",
    "nonce": NONCE,
    "iat": NOW_S,
    "exp": NOW_S + 300,
    "auth_time": NOW_S - 30,
    "acr": "passkey",
    "at_hash": HALF_HASH,
}
LOGOUT = {
    "iss": ISSUER,
    "aud": CLIENT,
    "sub": "a-subject",
    "sid": "a-session",
    "iat": NOW_S,
    "exp": NOW_S + 120,
    "jti": "once",
    "events": {LOGOUT_EVENT: {}},
}
GONE = "<gone>"


def changed(claims, **values):
    """Return claims with some of them changed, or gone."""
    return {name: value for name, value in (claims | values).items() if value != GONE}


def expected(**values):
    plain = Expected(ISSUER, CLIENT, NONCE, ACCESS, not_before_s=None, levels=())
    return plain._replace(**values)


def test_what_the_id_says_of_a_login_is_read():
    said = check_id_token(GOOD, expected(), now_s=NOW_S)
    assert said == (ISSUER, "a-subject", "a-session", Level.PASSKEY, NOW_S - 30)
    assert check_id_token(changed(GOOD, aud=[CLIENT]), expected(), now_s=NOW_S) == said


@pytest.mark.parametrize(
    "values",
    [
        {"iss": "https://id.example/"},
        {"iss": "https://id.evil.example"},
        {"iss": GONE},
        {"aud": "another"},
        {"aud": [CLIENT, "another"]},
        {"aud": []},
        {"aud": GONE},
        {"azp": "another"},
        {"nonce": "m" * 43},
        {"nonce": ""},
        {"nonce": GONE},
        {"nonce": 7},
        {"exp": NOW_S - 61},
        {"exp": "later"},
        {"exp": float("inf")},
        {"exp": True},
        {"exp": GONE},
        {"iat": NOW_S + 61},
        {"iat": NOW_S - 601},
        {"iat": GONE},
        {"at_hash": "x"},
        {"at_hash": GONE},
        {"sub": ""},
        {"sub": "x" * 256},
        {"sub": ["a-subject"]},
        {"sub": GONE},
        {"sid": GONE},
        {"acr": "strong"},
        {"acr": ["passkey"]},
        {"acr": GONE},
        {"auth_time": NOW_S + 61},
        {"auth_time": -1},
        {"auth_time": GONE},
        {"events": {LOGOUT_EVENT: {}}},
    ],
    ids=str,
)
def test_a_token_that_says_anything_else_is_not_believed(values):
    with pytest.raises(SignInFailed):
        check_id_token(changed(GOOD, **values), expected(), now_s=NOW_S)


def test_a_login_that_is_older_than_was_asked_confirms_nothing():
    """With a minute for clocks that differ, and not a second more."""
    asked = expected(not_before_s=NOW_S)
    assert check_id_token(changed(GOOD, auth_time=NOW_S - 60), asked, now_s=NOW_S)
    with pytest.raises(SignInFailed):
        check_id_token(changed(GOOD, auth_time=NOW_S - 61), asked, now_s=NOW_S)


@pytest.mark.parametrize(
    ("acr", "levels", "enough"),
    [
        ("code", (Level.PASSKEY,), False),
        ("password", (Level.CODE, Level.PASSKEY), False),
        ("code", (Level.CODE, Level.PASSKEY), True),
        ("passkey", (Level.CODE,), True),
        ("password", (), True),
    ],
)
def test_a_login_that_is_weaker_than_was_asked_is_not_believed(acr, levels, enough):
    asked, token = expected(levels=levels), changed(GOOD, acr=acr)
    if enough:
        assert check_id_token(token, asked, now_s=NOW_S).level == acr
    else:
        with pytest.raises(SignInFailed):
            check_id_token(token, asked, now_s=NOW_S)


def test_a_logout_token_names_whose_sessions_are_over():
    said = check_logout_token(LOGOUT, issuer=ISSUER, client_id=CLIENT, now_s=NOW_S)
    assert said == (ISSUER, "a-subject", "a-session", "once", NOW_S + 120)


@pytest.mark.parametrize(
    "values",
    [
        {"iss": "https://id.evil.example"},
        {"aud": "another"},
        {"exp": NOW_S - 61},
        {"iat": NOW_S - 601},
        {"jti": GONE},
        {"jti": ""},
        {"events": GONE},
        {"events": {}},
        {"events": {"https://schemas.openid.net/secevent/caep/event-type/session-revoked": {}}},
        {"events": [LOGOUT_EVENT]},
        {"nonce": NONCE},
        {"sub": GONE},
        {"sid": 7},
    ],
    ids=str,
)
def test_a_token_that_is_no_logout_token_ends_nothing(values):
    with pytest.raises(LogoutTokenUnfit):
        check_logout_token(changed(LOGOUT, **values), issuer=ISSUER, client_id=CLIENT, now_s=NOW_S)


def test_an_id_token_is_no_logout_token_and_the_other_way_round():
    with pytest.raises(LogoutTokenUnfit):
        check_logout_token(GOOD | {"jti": "x"}, issuer=ISSUER, client_id=CLIENT, now_s=NOW_S)
    with pytest.raises(SignInFailed):
        check_id_token(GOOD | LOGOUT, expected(), now_s=NOW_S)


@pytest.fixture(name="pair", scope="module")
def _pair():
    return new_key_pair("ES256")


def keys_of(pair):
    return public_keys(b'{"keys":[' + pair.public + b"]}", ALGORITHMS)


def test_a_token_without_a_signature_is_not_believed(pair):
    """`none` is no algorithm of ours, and is never read from the token."""
    head, body = (
        urlsafe_b64encode(msgspec.json.encode(part)).rstrip(b"=").decode()
        for part in ({"alg": "none", "typ": "JWT", "kid": pair.kid}, GOOD)
    )
    for token in (f"{head}.{body}.", f"{head}.{body}.AAAA"):
        with pytest.raises(Unverifiable):
            verify(token, keys_of(pair), algorithms=ALGORITHMS)


def test_a_public_key_is_no_shared_secret(pair):
    """Signed with HMAC under the public key's own text, as if it were one."""
    secret = jwk.OctKey.import_key(pair.public)
    token = jwt.encode({"alg": "HS256", "kid": pair.kid}, GOOD, secret, algorithms=["HS256"])
    with pytest.raises(Unverifiable):
        verify(token, keys_of(pair), algorithms=ALGORITHMS)


def test_another_key_under_the_same_name_is_not_believed(pair):
    other = jwk.ECKey.generate_key("P-256", private=True)
    token = jwt.encode({"alg": "ES256", "kid": pair.kid}, GOOD, other, algorithms=["ES256"])
    with pytest.raises(Unverifiable):
        verify(token, keys_of(pair), algorithms=ALGORITHMS)


def test_a_key_that_a_token_brings_along_is_not_used(pair):
    own = jwk.ECKey.generate_key("P-256", private=True)
    header = {"alg": "ES256", "jwk": own.as_dict(private=False)}
    token = jwt.encode(header, GOOD, own, algorithms=["ES256"])
    with pytest.raises(Unverifiable):
        verify(token, KeySet([*keys_of(pair)]), algorithms=ALGORITHMS)
