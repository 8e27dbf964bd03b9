"""The service as a process of its own: limits of the wire, a record that survives, and an end in order."""

import asyncio
import json
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import httpx
import pytest
import uvloop
from tests.end_to_end.serving import Service, sekisho, service
from tests.web.guard_service import ATTEMPT, GuardService

from sekisho.kernel.clock import SystemClock
from sekisho.storage.attempts import AttemptDecided, AttemptSettled, AttemptStore
from sekisho.storage.engine import open_store
from sekisho.web.server import HEAD_OCTETS_MAX, listening_socket, serve

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def guard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with service(tmp_path_factory.mktemp("guard")) as running:
        yield running


def say(url: str, raw: bytes, *, until_closed: bool = True) -> tuple[int, dict[str, object]]:
    """Write raw octets to a server and return the status and the problem that came back."""
    address = httpx.URL(url)
    with socket.create_connection((address.host, address.port or 80), timeout=10) as wire:
        wire.sendall(raw)
        heard = b""
        while until_closed and (more := wire.recv(65_536)):
            heard += more
    head, _, body = heard.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)


def test_a_decision_and_its_outcome_over_the_wire(guard: Service) -> None:
    with guard.client() as client:
        answer = client.post("/v1/attempts", json=ATTEMPT)
        assert answer.status_code == 200
        told = client.post(f"/v1/attempts/{answer.json()['id']}/outcome", json={"outcome": "success"})
        assert told.status_code == 200


def test_ten_megabytes_of_headers_are_refused(guard: Service) -> None:
    head = b"GET /healthz HTTP/1.1\r\nHost: guard\r\nX-Long: " + b"x" * 10_000_000
    status, problem = say(guard.url, head)
    assert (status, problem["code"]) == (431, "headers_too_large")
    assert httpx.get(guard.url + "/healthz").status_code == 200


def test_many_small_headers_are_refused_as_well(guard: Service) -> None:
    lines = b"".join(
        b"X-%d: %s\r\n" % (number, b"y" * 1_000) for number in range(HEAD_OCTETS_MAX // 1_000 + 5)
    )
    status, problem = say(guard.url, b"GET /healthz HTTP/1.1\r\nHost: guard\r\n" + lines + b"\r\n")
    assert (status, problem["code"]) == (431, "headers_too_large")


def test_what_is_not_http_is_refused(guard: Service) -> None:
    status, problem = say(guard.url, b"\x16\x03\x01 hello\r\n\r\n")
    assert (status, problem["code"]) == (400, "malformed")


def test_a_body_announced_too_large_is_refused_unread(guard: Service) -> None:
    head = f"POST /v1/attempts HTTP/1.1\r\nHost: guard\r\nAuthorization: Bearer {guard.key}\r\n"
    raw = (head + "Connection: close\r\nContent-Length: 10000000\r\n\r\n").encode()
    status, problem = say(guard.url, raw)
    assert (status, problem["code"]) == (413, "too_large")


@pytest.mark.parametrize(
    "raw",
    [b"", b"POST /v1/att", b"POST /v1/attempts HTTP/1.1\r\nHost: guard\r\nContent-Length: 50\r\n\r\n{"],
)
def test_a_request_that_does_not_arrive_is_refused(raw: bytes) -> None:
    """Nothing said, half a head, half a body: each is ended after the time that a request may take."""
    at = GuardService()
    listener = listening_socket("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    if raw.startswith(b"POST /v1/attempts"):
        raw = raw.replace(b"Host: guard", b"Host: guard\r\nAuthorization: Bearer " + at.key.encode())
    heard: list[tuple[int, dict[str, object]]] = []

    async def play() -> None:
        serving = asyncio.ensure_future(serve(at.app, listener, request_s_max=0.2))
        heard.append(await asyncio.to_thread(say, url, raw))
        signal.raise_signal(signal.SIGINT)
        await serving

    # A shell that started the tests behind its back has them ignore the signal.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with pytest.raises(KeyboardInterrupt):
        uvloop.run(play())
    ((status, problem),) = heard
    assert (status, problem["code"]) == (408, "too_slow")
    assert at.recorder.attempts == {}


def test_a_kill_loses_no_answered_attempt(tmp_path: Path) -> None:
    """Every attempt that was answered is in the record, and its outcome can still be told."""
    answered: list[str] = []

    def ask(running: Service, number: int) -> None:
        with running.client() as client:
            try:
                while True:
                    attempt = ATTEMPT | {"member": f"m{number}", "ip": f"192.0.2.{number}"}
                    answered.append(client.post("/v1/attempts", json=attempt).json()["id"])
                    if len(answered) == 400:
                        running.process.kill()
            except httpx.TransportError:
                return

    with service(tmp_path / "guard") as running:
        askers = [threading.Thread(target=ask, args=(running, number)) for number in range(8)]
        for asker in askers:
            asker.start()
        for asker in askers:
            asker.join()
        assert running.process.wait(10) == -signal.SIGKILL
    with service(tmp_path / "guard", key="again") as restarted, restarted.client() as client:
        path = f"/v1/attempts/{answered[-1]}/outcome"
        assert client.post(path, json={"outcome": "success"}).status_code == 200
        assert client.post(path, json={"outcome": "refused"}).status_code == 409
    store = open_store(f"sqlite:///{tmp_path / 'guard' / 'sekisho.db'}")
    record = AttemptStore(store, clock=SystemClock()).since(0)
    store.close()
    recorded = {event.attempt_id for event in record if isinstance(event, AttemptDecided)}
    assert [event.attempt_id for event in record if isinstance(event, AttemptSettled)] == [answered[-1]]
    assert len(answered) >= 400
    assert set(answered) <= recorded


def test_a_key_made_beside_a_running_service_is_taken(guard: Service) -> None:
    data = str(guard.data)
    second = sekisho("keys", "--data", data, "add", "second", "--scope", "metrics")
    assert "second\tmetrics" in sekisho("keys", "--data", data, "list")
    until = monotonic() + 5
    with httpx.Client(base_url=guard.url, headers={"Authorization": f"Bearer {second}"}) as client:
        while (answer := client.get("/metrics")).status_code == 401:
            assert monotonic() < until
    assert answer.status_code == 200
    sekisho("keys", "--data", data, "remove", "second")
    assert "second" not in sekisho("keys", "--data", data, "list")


def test_sigterm_ends_the_service_in_order(tmp_path: Path) -> None:
    with service(tmp_path / "guard") as running:
        with running.client() as client:
            assert client.post("/v1/attempts", json=ATTEMPT).status_code == 200
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(20) in {0, -signal.SIGTERM, 143}
