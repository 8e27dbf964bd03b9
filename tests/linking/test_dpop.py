"""DPoP proofs: made by us and by a library, believed only where everything about them fits."""

import base64
import json

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from joserfc import jwk, jwt
from tests.identity.member_at_hand import NOON_US

from sekisho.kernel.chance import SeededChance
from sekisho.kernel.clock import SECOND_US, SetClock
from sekisho.linking.dpop import (
    NONCE_S,
    Demand,
    Nonces,
    NonceWanted,
    ProofKey,
    ProofUnusable,
    check,
    encoded,
    new_key,
    token_hash,
    without_query,
)
from sekisho.storage.keyring import HeldKeyring, new_keys

URL = "https://bank.example/link/token"
POST = Demand("POST", URL)
# RFC 9449, figures 2 and 12: a proof for the token endpoint, and one with the hash of an access token.
RFC_PROOF = (
    "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0Rs"
    "cEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2"
    "In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuI"
    "iwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg"
)
RFC_AT = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"
RFC_IAT_S = 1_562_262_616


@pytest.fixture
def clock():
    return SetClock(NOON_US)


@pytest.fixture
def chance():
    return SeededChance(7)


@pytest.fixture
def nonces(clock, chance):
    return Nonces(HeldKeyring.of(new_keys(clock, chance), chance))


@pytest.fixture
def key():
    return ProofKey(new_key())


def forge(header=None, claims=None, *, signer=None):
    """Make a proof, everything right but for what is given; None takes a part away."""
    own = signer or jwk.ECKey.generate_key("P-256", private=True)
    public = {name: own.as_dict(private=False)[name] for name in ("kty", "crv", "x", "y")}
    heads = {"typ": "dpop+jwt", "alg": "ES256", "jwk": public} | (header or {})
    says = {"jti": "one", "htm": "POST", "htu": URL, "iat": NOON_US // SECOND_US} | (claims or {})
    parts = [
        encoded(json.dumps({name: value for name, value in part.items() if value is not None}).encode())
        for part in (heads, says)
    ]
    # A library would refuse to make some of these.
    assert own.private_key is not None
    signature = own.private_key.sign(".".join(parts).encode(), ec.ECDSA(hashes.SHA256()))
    both = b"".join(half.to_bytes(32, "big") for half in decode_dss_signature(signature))
    return ".".join([*parts, encoded(both)])


def test_a_proof_of_ours_is_believed_and_names_its_key(key, clock, chance):
    proof = key.prove(POST, clock=clock, chance=chance)
    assert check(proof, POST, now_us=NOON_US).thumbprint == key.thumbprint


def test_the_example_of_the_standard_is_believed():
    """RFC 9449 figure 2: signed by somebody else's program, verified by ours."""
    demand = Demand("POST", "https://server.example.com/token")
    proof = check(RFC_PROOF, demand, now_us=RFC_IAT_S * SECOND_US)
    assert proof.thumbprint == "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"


def test_the_hash_of_a_token_is_that_of_the_standard():
    """RFC 9449 figure 13."""
    assert token_hash(RFC_AT) == "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo"


def test_a_library_reads_our_proof(key, clock, chance):
    proof = key.prove(Demand("GET", URL + "?a=1", "token"), clock=clock, chance=chance, nonce="n")
    header = json.loads(base64.urlsafe_b64decode(proof.split(".")[0] + "=="))
    decoded = jwt.decode(proof, jwk.ECKey.import_key(header["jwk"]), algorithms=["ES256"])
    assert decoded.header["typ"] == "dpop+jwt"
    assert "d" not in header["jwk"]
    assert decoded.claims["htu"] == URL
    assert decoded.claims["ath"] == token_hash("token")
    assert decoded.claims["nonce"] == "n"


def test_what_a_library_makes_is_believed():
    key = jwk.ECKey.generate_key("P-256", private=True)
    public = {name: key.as_dict(private=False)[name] for name in ("kty", "crv", "x", "y")}
    header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": public}
    claims = {"jti": "one", "htm": "POST", "htu": URL, "iat": NOON_US // SECOND_US}
    made = jwt.encode(header, claims, key, algorithms=["ES256"])
    assert check(made, POST, now_us=NOON_US).thumbprint == key.thumbprint()
    assert check(forge(), POST, now_us=NOON_US).thumbprint


@pytest.mark.parametrize(
    ("header", "claims"),
    [
        ({"typ": "JWT"}, {}),
        ({"typ": None}, {}),
        ({"jwk": None}, {}),
        ({"jwk": "text"}, {}),
        ({"crit": ["b64"], "b64": True}, {}),
        ({}, {"htm": "GET"}),
        ({}, {"htm": None}),
        ({}, {"htu": "https://bank.example/link/par"}),
        ({}, {"htu": "https://evil.example/link/token"}),
        ({}, {"htu": "http://bank.example/link/token"}),
        ({}, {"htu": 7}),
        ({}, {"htu": None}),
        ({}, {"jti": None}),
        ({}, {"jti": ""}),
        ({}, {"jti": "x" * 129}),
        ({}, {"iat": NOON_US // SECOND_US - 61}),
        ({}, {"iat": NOON_US // SECOND_US + 61}),
        ({}, {"iat": None}),
        ({}, {"iat": True}),
        ({}, {"iat": "now"}),
    ],
)
def test_what_does_not_fit_is_not_believed(header, claims):
    with pytest.raises(ProofUnusable):
        check(forge(header, claims), POST, now_us=NOON_US)


def test_a_key_that_did_not_sign_is_not_believed():
    other = jwk.ECKey.generate_key("P-256", private=True).as_dict(private=False)
    with pytest.raises(ProofUnusable, match="not signed"):
        check(forge({"jwk": {name: other[name] for name in ("kty", "crv", "x", "y")}}), POST, now_us=NOON_US)


def test_a_private_key_in_the_header_is_not_believed():
    own = jwk.ECKey.generate_key("P-256", private=True)
    private = {name: own.as_dict(private=True)[name] for name in ("kty", "crv", "x", "y", "d")}
    with pytest.raises(ProofUnusable, match="public key"):
        check(forge({"jwk": private}, signer=own), POST, now_us=NOON_US)


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_an_unsigned_proof_is_not_believed(algorithm):
    header, claims, _ = forge().split(".")
    heads = json.loads(base64.urlsafe_b64decode(header + "==")) | {"alg": algorithm}
    altered = base64.urlsafe_b64encode(json.dumps(heads).encode()).rstrip(b"=").decode()
    with pytest.raises(ProofUnusable):
        check(f"{altered}.{claims}.", POST, now_us=NOON_US)


@pytest.mark.parametrize("text", ["", "a", "a.b.c", "x" * 5_000, "é.é.é", "e30.e30.e30", "W10.e30.AA"])
def test_rubbish_is_not_believed(text):
    with pytest.raises(ProofUnusable):
        check(text, POST, now_us=NOON_US)


def test_a_proof_is_for_one_token(key, clock, chance):
    with_token = Demand("POST", URL, "token")
    proof = key.prove(with_token, clock=clock, chance=chance)
    assert check(proof, with_token, now_us=NOON_US)
    with pytest.raises(ProofUnusable, match="another token"):
        check(proof, Demand("POST", URL, "stolen"), now_us=NOON_US)
    with pytest.raises(ProofUnusable, match="no token"):
        check(key.prove(POST, clock=clock, chance=chance), with_token, now_us=NOON_US)


def test_the_same_proof_has_the_same_digest_and_another_has_not(key, clock, chance):
    first = key.prove(POST, clock=clock, chance=chance)
    second = key.prove(POST, clock=clock, chance=chance)
    digests = {check(each, POST, now_us=NOON_US).digest for each in (first, first, second)}
    assert len(digests) == 2


def test_a_nonce_is_good_for_its_span_and_one_more(key, clock, chance, nonces):
    proof = key.prove(POST, clock=clock, chance=chance, nonce=nonces.at(NOON_US))
    assert check(proof, POST, now_us=NOON_US, nonces=nonces)
    later = NOON_US + 2 * NONCE_S * SECOND_US
    clock.set(later)
    old = key.prove(POST, clock=clock, chance=chance, nonce=nonces.at(NOON_US))
    with pytest.raises(NonceWanted):
        check(old, POST, now_us=later, nonces=nonces)


@pytest.mark.parametrize("nonce", ["", "x", "é"])
def test_a_nonce_that_is_not_ours_asks_for_one(nonce, key, clock, chance, nonces):
    proof = key.prove(POST, clock=clock, chance=chance, nonce=nonce)
    with pytest.raises(NonceWanted):
        check(proof, POST, now_us=NOON_US, nonces=nonces)


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("HTTPS://Bank.Example:443/a?b#c", "https://bank.example/a"),
        ("http://bank.localhost:8470", "http://bank.localhost:8470/"),
        ("https://[::1]:443/x", "https://[::1]/x"),
    ],
)
def test_addresses_are_compared_without_what_does_not_count(url, named):
    assert without_query(url) == named


@pytest.mark.parametrize("url", ["", "bank.example/a", "ftp://a/b", "https://a@b/", "https://a:99999/"])
def test_what_is_no_address_is_refused(url):
    with pytest.raises(ProofUnusable):
        without_query(url)
