"""A keyring in a file: wrapped, made once, rotated while others have it open, retired with care."""

import base64

import pytest

from sekisho.kernel.chance import SeededChance, SystemChance
from sekisho.kernel.clock import SetClock
from sekisho.storage.keyring import KeyUse, Unsealable
from sekisho.storage.keyring_files import KeyInUse, KeyringFile, open_keyring
from sekisho.storage.keys import KeyUnusable
from sekisho.storage.master_keys import MasterKeys, MasterKeysUnreadable, master_keys

CHANCE = SystemChance()
EMAIL = "personal:mem_1:email"


@pytest.fixture
def clock():
    return SetClock(1_000_000)


@pytest.fixture
def wrapper():
    return MasterKeys([("first", bytes(range(32)))], CHANCE)


@pytest.fixture
def ring(tmp_path, wrapper, clock):
    return open_keyring(tmp_path, wrapper, clock=clock, chance=CHANCE)


@pytest.fixture
def file(tmp_path, wrapper, ring):  # noqa: ARG001 - the keyring has made the file
    return KeyringFile(tmp_path, wrapper)


def test_a_keyring_is_made_once_and_opens_again_what_it_sealed(tmp_path, wrapper, clock, ring):
    sealed = ring.seal(b"a@example.jp", context=EMAIL)
    again = open_keyring(tmp_path, wrapper, clock=clock, chance=CHANCE)
    assert again.open(sealed, context=EMAIL) == b"a@example.jp"
    assert again.digest("x", context="c") == ring.digest("x", context="c")
    assert again.pepper(b"x") == ring.pepper(b"x")


def test_the_file_holds_no_key_in_the_clear_and_is_its_owners_alone(tmp_path, file):
    text = (tmp_path / "keyring.json").read_bytes()
    for key in file.read():
        assert key.octets not in text
        assert key.octets.hex().encode() not in text
        assert base64.b64encode(key.octets)[:40] not in text
    assert (tmp_path / "keyring.json").stat().st_mode & 0o777 == 0o600


def test_without_its_master_key_the_file_opens_nothing(tmp_path, ring, clock):
    other = MasterKeys([("first", bytes(32))], CHANCE)
    with pytest.raises(Unsealable, match="changed, or not wrapped as"):
        open_keyring(tmp_path, other, clock=clock, chance=CHANCE)
    nameless = MasterKeys([("second", bytes(range(32)))], CHANCE)
    with pytest.raises(Unsealable, match="no master key is named 'first'"):
        open_keyring(tmp_path, nameless, clock=clock, chance=CHANCE)
    assert ring.open(ring.seal(b"x", context=EMAIL), context=EMAIL) == b"x"


def test_a_key_cannot_pass_for_one_of_another_use_or_name(tmp_path, wrapper, file):
    text = (tmp_path / "keyring.json").read_text()
    digest, seal = (next(e.name for e in file.entries() if e.use == use) for use in ("digest", "seal"))
    swapped = text.replace(digest, "digest-0").replace(seal, digest).replace("digest-0", seal)
    (tmp_path / "keyring.json").write_text(swapped)
    with pytest.raises(Unsealable):
        KeyringFile(tmp_path, wrapper).read()


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"version":2,"keys":[]}', '{"version":1,"keys":[{"name":"x"}]}']
)
def test_a_damaged_file_is_not_used_and_not_replaced(tmp_path, wrapper, clock, file, text):  # noqa: ARG001 - it is there
    (tmp_path / "keyring.json").write_text(text)
    with pytest.raises(KeyUnusable):
        open_keyring(tmp_path, wrapper, clock=clock, chance=CHANCE)
    assert (tmp_path / "keyring.json").read_text() == text


def test_a_file_that_others_could_read_is_not_used(tmp_path, file):
    (tmp_path / "keyring.json").chmod(0o644)
    with pytest.raises(KeyUnusable, match="mode 644"):
        file.read()


def test_after_a_rotation_who_has_it_open_reads_old_and_new(tmp_path, wrapper, clock, ring, file):
    """A running process opens what another one sealed under a key that was made meanwhile."""
    before = ring.seal(b"old", context=EMAIL)
    clock.set(0)
    made = file.rotate(KeyUse.SEAL, clock, CHANCE)
    other = open_keyring(tmp_path, wrapper, clock=clock, chance=CHANCE)
    after = other.seal(b"new", context=EMAIL)
    assert made.name.encode() in after
    assert not other.is_current(before)
    assert [ring.open(sealed, context=EMAIL) for sealed in (before, after)] == [b"old", b"new"]
    assert ring.is_current(after)


def test_a_retired_key_opens_nothing_any_more(tmp_path, wrapper, clock, ring, file):
    before = ring.seal(b"old", context=EMAIL)
    old = next(entry.name for entry in file.entries() if entry.use is KeyUse.SEAL)
    with pytest.raises(KeyInUse, match="newest"):
        file.retire(old)
    file.rotate(KeyUse.SEAL, clock, CHANCE)
    file.retire(old)
    with pytest.raises(KeyInUse, match="no key of this name"):
        file.retire(old)
    later = open_keyring(tmp_path, wrapper, clock=clock, chance=CHANCE)
    with pytest.raises(Unsealable, match=f"named '{old}'"):
        later.open(before, context=EMAIL)


def test_a_pepper_rotates_and_the_digest_key_never_does(clock, ring, file, tmp_path, wrapper):
    first, name = ring.pepper(b"x")
    file.rotate(KeyUse.PEPPER, clock, CHANCE)
    later = open_keyring(tmp_path, wrapper, clock=clock, chance=CHANCE)
    assert later.pepper(b"x")[1] != name
    assert later.pepper(b"x", pepper=name) == (first, name)
    with pytest.raises(KeyInUse):
        file.rotate(KeyUse.DIGEST, clock, CHANCE)
    with pytest.raises(KeyInUse):
        file.retire(next(entry.name for entry in file.entries() if entry.use is KeyUse.DIGEST))


def test_the_keys_move_to_another_master_key(tmp_path, clock, ring, file):
    sealed = ring.seal(b"x", context=EMAIL)
    second = MasterKeys([("second", bytes(32))], CHANCE)
    file.rewrap(second)
    assert {entry.wrapped_by for entry in file.entries()} == {"second"}
    moved = open_keyring(tmp_path, second, clock=clock, chance=CHANCE)
    assert moved.open(sealed, context=EMAIL) == b"x"


def test_two_that_start_at_once_have_the_same_keys(tmp_path, wrapper, clock):
    rings = [open_keyring(tmp_path, wrapper, clock=clock, chance=SeededChance(seed)) for seed in (1, 2)]
    assert rings[1].open(rings[0].seal(b"x", context=EMAIL), context=EMAIL) == b"x"


# Where master keys come from


def _text(octets):
    return base64.urlsafe_b64encode(octets).decode().rstrip("=")


def test_the_environment_names_master_keys_and_the_first_one_wraps(tmp_path):
    environment = {"SEKISHO_KEYS": f"new:{_text(bytes(32))}, old:{_text(bytes(range(32)))}"}
    keys = master_keys(tmp_path, environment, CHANCE)
    wrapped = keys.wrap(b"k" * 32, context="c")
    assert wrapped.by == "new"
    old = MasterKeys([("old", bytes(range(32)))], CHANCE).wrap(b"o" * 32, context="c")
    assert [keys.unwrap(each, context="c") for each in (wrapped, old)] == [b"k" * 32, b"o" * 32]
    assert list(tmp_path.iterdir()) == []


def test_without_the_environment_a_master_key_is_made_in_the_folder(tmp_path):
    wrapped = master_keys(tmp_path, {}, CHANCE).wrap(b"k" * 32, context="c")
    assert (tmp_path / "master.key").stat().st_mode & 0o777 == 0o600
    assert master_keys(tmp_path, {}, CHANCE).unwrap(wrapped, context="c") == b"k" * 32
    with pytest.raises(Unsealable):
        master_keys(tmp_path, {}, CHANCE).unwrap(wrapped, context="d")


@pytest.mark.parametrize(
    "text", ["x", ":", f":{_text(bytes(32))}", f"a:{_text(bytes(31))}", "a:あ", f"a:{_text(bytes(32))},"]
)
def test_what_cannot_be_read_in_the_environment_is_said_and_not_shown(tmp_path, text):
    with pytest.raises(MasterKeysUnreadable) as refusal:
        master_keys(tmp_path, {"SEKISHO_KEYS": text}, CHANCE)
    assert _text(bytes(31))[:20] not in str(refusal.value)
