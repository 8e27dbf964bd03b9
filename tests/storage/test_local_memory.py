import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sekisho.kernel.posture import OperationalError
from sekisho.storage.memory.local import (
    MemorySnapshot,
    SnapshotDamagedError,
    load_snapshot,
    save_snapshot,
)

SNAPSHOT = MemorySnapshot(position=77, memory=b"what the guard knows" * 50)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "guard" / "memory"


def test_no_snapshot_is_no_fault(file):
    assert load_snapshot(file) is None


def test_a_snapshot_comes_back_and_a_newer_one_takes_its_place(file):
    save_snapshot(file, MemorySnapshot(position=1, memory=b""))
    assert load_snapshot(file) == MemorySnapshot(position=1, memory=b"")
    save_snapshot(file, SNAPSHOT)
    assert load_snapshot(file) == SNAPSHOT
    assert [path.name for path in file.parent.iterdir()] == ["memory"]
    assert file.stat().st_mode & 0o777 == 0o600


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_snapshot_that_is_cut_off_anywhere_is_refused(file, data):
    save_snapshot(file, SNAPSHOT)
    whole = file.read_bytes()
    file.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    with pytest.raises(SnapshotDamagedError, match=str(file)):
        load_snapshot(file)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_snapshot_with_one_changed_bit_is_refused(file, data):
    save_snapshot(file, SNAPSHOT)
    octets = bytearray(file.read_bytes())
    octets[data.draw(st.integers(0, len(octets) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    file.write_bytes(octets)
    with pytest.raises(SnapshotDamagedError):
        load_snapshot(file)


def test_a_damaged_snapshot_is_an_outage_that_says_what_is_wrong(file):
    save_snapshot(file, SNAPSHOT)
    file.write_bytes(file.read_bytes()[:-10])
    with pytest.raises(OperationalError, match=r"holds 990 bytes of memory where 1000 were saved"):
        load_snapshot(file)


def test_a_crash_while_saving_leaves_the_snapshot_before(file, monkeypatch):
    save_snapshot(file, SNAPSHOT)

    def crash(_descriptor):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", crash)
        with pytest.raises(KeyboardInterrupt):
            save_snapshot(file, MemorySnapshot(position=99, memory=b"newer"))
    assert load_snapshot(file) == SNAPSHOT
    save_snapshot(file, MemorySnapshot(position=99, memory=b"newer"))
    assert load_snapshot(file) == MemorySnapshot(position=99, memory=b"newer")
