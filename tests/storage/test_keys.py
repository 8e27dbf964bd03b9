import pytest

from sekisho.kernel.chance import SeededChance, SystemChance
from sekisho.storage.keys import KEY_BYTES, KeyUnusable, persistent_key


def test_a_key_is_made_once_and_is_the_same_afterwards(tmp_path):
    made = persistent_key(tmp_path / "keys" / "secrets.key", SystemChance())
    assert len(made) == KEY_BYTES
    assert persistent_key(tmp_path / "keys" / "secrets.key", SystemChance()) == made


def test_two_keys_differ(tmp_path):
    assert persistent_key(tmp_path / "a", SystemChance()) != persistent_key(tmp_path / "b", SystemChance())


def test_only_the_owner_can_read_a_key(tmp_path):
    persistent_key(tmp_path / "a", SystemChance())
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o700])
def test_a_key_that_others_could_read_is_not_used(tmp_path, mode):
    persistent_key(tmp_path / "a", SystemChance())
    (tmp_path / "a").chmod(mode)
    with pytest.raises(KeyUnusable) as refusal:
        persistent_key(tmp_path / "a", SystemChance())
    assert f"mode {mode:o}" in refusal.value.known
    assert str(tmp_path) not in refusal.value.told


@pytest.mark.parametrize("octets", [b"", b"k" * 31, b"k" * 33])
def test_a_damaged_key_is_not_used_and_not_replaced(tmp_path, octets):
    file = tmp_path / "a"
    file.write_bytes(octets)
    file.chmod(0o600)
    with pytest.raises(KeyUnusable):
        persistent_key(file, SystemChance())
    assert file.read_bytes() == octets


def test_of_two_that_start_at_once_both_get_the_first_ones_key(tmp_path, monkeypatch):
    """The second has already looked and found no key when the first makes it."""
    first = persistent_key(tmp_path / "a", SeededChance(1))
    monkeypatch.setattr("pathlib.Path.exists", lambda _path: False)
    assert persistent_key(tmp_path / "a", SeededChance(2)) == first
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
