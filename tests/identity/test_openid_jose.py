"""Signatures: believed under the keys and algorithms that the caller names, and no others."""

import pytest

from sekisho.identity.openid.jose import (
    ALGORITHMS,
    Unverifiable,
    new_key_pair,
    public_keys,
    read_private,
    sign,
    unverified_claims,
    verify,
)

PAIRS = {algorithm: new_key_pair(algorithm) for algorithm in ALGORITHMS}
BOTH = public_keys(b'{"keys":[' + b",".join(pair.public for pair in PAIRS.values()) + b"]}", ALGORITHMS)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_token_is_believed_under_the_algorithms_that_are_asked_for_alone(algorithm):
    token = sign({"sub": "a"}, read_private(PAIRS[algorithm].private, algorithm))
    assert verify(token, BOTH, algorithms=ALGORITHMS) == {"sub": "a"}
    others = tuple(other for other in ALGORITHMS if other != algorithm)
    with pytest.raises(Unverifiable):
        verify(token, BOTH, algorithms=others)


@pytest.mark.parametrize(
    "token", ["", "a.b.c", "e30.e30.", "[", "\ud800.a.b", "a" * 9_000, "eyJhbGciOjF9.e30.AA"]
)
def test_what_is_no_token_is_told_in_one_way(token):
    for read in (lambda: verify(token, BOTH, algorithms=ALGORITHMS), lambda: unverified_claims(token * 2)):
        with pytest.raises(Unverifiable):
            read()
