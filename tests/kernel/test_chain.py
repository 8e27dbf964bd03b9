import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.kernel.chain import GENESIS, canonical, link, verify

entries = st.lists(st.binary(max_size=40), min_size=1, max_size=12)


def sealed(written):
    chain, previous = [], GENESIS
    for entry in written:
        previous = link(previous, entry)
        chain.append((entry, previous))
    return chain


def test_a_link_is_the_hash_of_the_one_before_and_the_entry():
    assert link(GENESIS, b"first") == hashlib.sha256(bytes(32) + b"first").digest()


@given(entries)
def test_an_untouched_chain_holds(written):
    assert verify(sealed(written)) is None


@given(entries, st.data())
def test_the_first_changed_entry_is_named(written, data):
    chain = sealed(written)
    position = data.draw(st.integers(0, len(chain) - 1))
    entry, seal = chain[position]
    chain[position] = (entry + b"!", seal)
    broken = verify(chain)
    assert broken is not None
    assert broken.position == position
    assert broken.found == seal


@given(entries, st.data())
def test_an_entry_that_was_taken_out_shows_at_the_next(written, data):
    chain = sealed([*written, b"last"])
    position = data.draw(st.integers(0, len(chain) - 2))
    del chain[position]
    broken = verify(chain)
    assert broken is not None
    assert broken.position == position


def test_a_chain_can_be_checked_from_a_link_that_is_known():
    chain = sealed([b"a", b"b", b"c"])
    assert verify(chain[1:], previous=chain[0][1]) is None


def test_a_link_of_another_length_is_refused():
    with pytest.raises(ValueError, match="32 bytes"):
        link(b"short", b"entry")


def test_canonical_bytes_do_not_depend_on_the_order_of_keys():
    assert canonical({"b": 1, "a": [True, None, "円"]}) == canonical({"a": [True, None, "円"], "b": 1})
    assert canonical({"b": 1, "a": "円"}) == '{"a":"円","b":1}'.encode()
