"""What the guard has learnt survives its process, however that ends."""

import signal

import pytest
from tests.end_to_end.serving import service

from sekisho.guard.guard import Guard
from sekisho.kernel.chance import SystemChance
from sekisho.kernel.clock import SystemClock
from sekisho.kernel.posture import OperationalError
from sekisho.storage.attempts import AttemptStore
from sekisho.storage.engine import open_store
from sekisho.storage.keys import persistent_key
from sekisho.storage.memory.keeping import remember
from sekisho.storage.memory.local import MemorySnapshot, load_snapshot, save_snapshot

pytestmark = pytest.mark.server


def log_in(client, member, *, outcome="success"):
    """Let a member come, and say what came of it."""
    settle(client, ask(client, member), outcome)


def ask(client, member):
    body = {"member": member, "ip": f"192.0.2.{len(member)}", "user_agent": "A browser", "known": True}
    answer = client.post("/v1/attempts", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()["id"]


def settle(client, attempt_id, outcome="success"):
    answer = client.post(f"/v1/attempts/{attempt_id}/outcome", json={"outcome": outcome})
    assert answer.status_code < 300, answer.text


def logins_known(data):
    """Return how many logins of each member a guard knows that takes up this folder now, most first."""
    store = open_store(f"sqlite:///{data / 'sekisho.db'}")
    try:
        key = persistent_key(data / "guard.key", SystemChance())
        kept = remember(AttemptStore(store, clock=SystemClock()), data / "guard.memory", key=key)
    finally:
        store.close()
    profiles = kept.guard.recollection.members.profiles.values()
    return sorted((memoryview(profile).cast("Q")[1] for profile in profiles), reverse=True)


def kept_position(data):
    """Return up to which event the memory in this folder has learnt."""
    kept = load_snapshot(data / "guard.memory")
    assert kept is not None
    return kept.position


def test_a_killed_process_loses_nothing_that_was_learnt(tmp_path):
    with service(tmp_path, key="first") as first, first.client() as client:
        for _ in range(3):
            log_in(client, "aiko")
        open_id = ask(client, "ken")
        first.process.send_signal(signal.SIGKILL)
        first.process.wait(20)
    assert not (tmp_path / "guard.memory").exists()
    with service(tmp_path, key="second") as second, second.client() as client:
        settle(client, open_id)
        log_in(client, "aiko")
        assert client.get("/readyz").status_code == 200
    assert kept_position(tmp_path) == 10
    assert logins_known(tmp_path) == [4, 1]


def test_a_process_that_was_killed_after_a_clean_one_goes_on_from_its_snapshot(tmp_path):
    with service(tmp_path, key="first") as first, first.client() as client:
        log_in(client, "aiko")
        open_id = ask(client, "ken")
    before = load_snapshot(tmp_path / "guard.memory")
    assert kept_position(tmp_path) == 3
    with service(tmp_path, key="second") as second, second.client() as client:
        log_in(client, "aiko")
        settle(client, open_id)
        log_in(client, "mei", outcome="wrong_secret")
        second.process.send_signal(signal.SIGKILL)
        second.process.wait(20)
    assert load_snapshot(tmp_path / "guard.memory") == before
    assert logins_known(tmp_path) == [2, 1]


def test_the_service_does_not_start_with_a_memory_that_it_cannot_use(tmp_path):
    other = Guard(key=b"k" * 32, addresses=1 << 12, devices=1 << 12)
    with service(tmp_path) as served, served.client() as client:
        log_in(client, "aiko")
    save_snapshot(tmp_path / "guard.memory", MemorySnapshot(position=0, memory=other.snapshot()))
    with pytest.raises(OperationalError, match=r"guard\.memory was made under another key; move it away"):
        logins_known(tmp_path)
    with pytest.raises(AssertionError, match="was made under another key"), service(tmp_path, key="again"):
        pass
