"""The keyring: what is sealed opens again where it belongs, and nowhere else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.kernel.chance import SeededChance, SystemChance
from sekisho.kernel.clock import SetClock
from sekisho.kernel.posture import OperationalError
from sekisho.storage.keyring import HeldKeyring, KeyUse, Unsealable, new_key, new_keys

EMAIL = "personal:mem_1:email"
CLOCK = SetClock(1_000_000)
KEYS = new_keys(CLOCK, SystemChance())
RING = HeldKeyring.of(KEYS, SystemChance())


@given(st.binary(max_size=300), st.text(max_size=40))
def test_what_was_sealed_opens_in_its_context(plain, context):
    sealed = RING.seal(plain, context=context)
    assert RING.open(sealed, context=context) == plain
    assert RING.is_current(sealed)
    assert len(plain) < 4 or plain not in sealed


def test_the_same_datum_is_sealed_differently_each_time():
    assert RING.seal(b"a@example.jp", context=EMAIL) != RING.seal(b"a@example.jp", context=EMAIL)


@pytest.mark.parametrize("context", ["personal:mem_2:email", "personal:mem_1:name", ""])
def test_a_datum_moved_to_another_member_or_item_does_not_open(context):
    sealed = RING.seal(b"a@example.jp", context=EMAIL)
    with pytest.raises(Unsealable, match="changed, or not sealed as"):
        RING.open(sealed, context=context)


def test_no_octet_can_be_changed_and_no_part_cut_off():
    sealed = RING.seal(b"a@example.jp", context=EMAIL)
    for place in range(len(sealed)):
        changed = sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :]
        with pytest.raises(Unsealable):
            RING.open(changed, context=EMAIL)
        with pytest.raises(Unsealable):
            RING.open(sealed[:place], context=EMAIL)


def test_a_key_that_is_not_here_is_named_and_the_outage_is_the_keyrings():
    stranger = HeldKeyring.of(new_keys(CLOCK, SeededChance(1)), SystemChance())
    with pytest.raises(OperationalError, match=r"no key for the use seal is named 'seal-[0-9a-f]{12}'"):
        RING.open(stranger.seal(b"x", context=EMAIL), context=EMAIL)


def test_a_key_of_another_use_opens_nothing():
    pepper = next(key.name for key in KEYS if key.use is KeyUse.PEPPER)
    with pytest.raises(Unsealable, match="no key for the use seal"):
        RING.open(b"\x01" + bytes([len(pepper)]) + pepper.encode() + bytes(40), context=EMAIL)


def test_the_error_and_the_key_never_show_what_is_secret():
    sealed = RING.seal(b"a@example.jp", context=EMAIL)
    with pytest.raises(Unsealable) as outage:
        RING.open(sealed, context="other")
    assert "example" not in str(outage.value)
    assert all(repr(key.octets) not in repr(key) and key.octets.hex() not in repr(key) for key in KEYS)


def test_after_a_rotation_old_data_opens_and_new_data_is_under_the_new_key():
    before = RING.seal(b"old", context=EMAIL)
    later = new_key(KeyUse.SEAL, SetClock(2_000_000), SystemChance())
    ring = HeldKeyring.of((later, *KEYS), SystemChance())
    assert ring.open(before, context=EMAIL) == b"old"
    assert not ring.is_current(before)
    after = ring.seal(b"new", context=EMAIL)
    assert ring.is_current(after)
    with pytest.raises(Unsealable):
        RING.open(after, context=EMAIL)


def test_a_key_that_another_process_made_is_looked_for_once_more():
    kept = list(KEYS)
    ring = HeldKeyring(lambda: tuple(kept), SystemChance())
    kept.append(new_key(KeyUse.SEAL, SetClock(2_000_000), SystemChance()))
    sealed = HeldKeyring.of(tuple(kept), SystemChance()).seal(b"new", context=EMAIL)
    assert ring.open(sealed, context=EMAIL) == b"new"
    assert ring.is_current(sealed)


def test_a_digest_finds_the_same_value_in_the_same_context_only():
    digest = RING.digest("+819012341234", context="contact:mobile_phone")
    assert len(digest) == 32
    assert digest == RING.digest("+819012341234", context="contact:mobile_phone")
    others = {
        RING.digest("+819012341235", context="contact:mobile_phone"),
        RING.digest("+819012341234", context="contact:email"),
        RING.digest("e+819012341234", context="contact:mobile_phon"),
        HeldKeyring.of(new_keys(CLOCK, SeededChance(2)), SystemChance()).digest(
            "+819012341234", context="contact:mobile_phone"
        ),
    }
    assert len(others) == 4
    assert digest not in others


def test_a_pepper_is_found_again_by_its_name_after_the_next_one_came():
    first, name = RING.pepper(b"correct horse")
    later = new_key(KeyUse.PEPPER, SetClock(2_000_000), SystemChance())
    ring = HeldKeyring.of((*KEYS, later), SystemChance())
    assert ring.pepper(b"correct horse", pepper=name) == (first, name)
    second, newer = ring.pepper(b"correct horse")
    assert newer == later.name
    assert second != first
    with pytest.raises(Unsealable, match="no key for the use pepper"):
        ring.pepper(b"correct horse", pepper="pepper-none")


def test_a_keyring_without_a_key_for_a_use_does_not_start():
    with pytest.raises(Unsealable, match="no key for the use digest"):
        HeldKeyring.of(tuple(key for key in KEYS if key.use is not KeyUse.DIGEST), SystemChance())
