"""A text message gateway on loopback that keeps the contract, and misbehaves where a test tells it to."""

import json
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "gateway-key"


class Gateway:
    """What a gateway has done. `texts` are those that reached a person: one for each idempotency key."""

    def __init__(self) -> None:
        self.url = ""
        self.texts: dict[str, dict[str, str]] = {}
        self.requests: list[tuple[str, dict[str, str], dict[str, str]]] = []
        self.behaviours: deque[str] = deque()
        self.accepted = threading.Event()
        self.over = threading.Event()
        self._lock = threading.Lock()

    def misbehave(self, *behaviours: str) -> None:
        """Treat the next requests so; after them, everything is taken as it should be."""
        self.behaviours.extend(behaviours)

    def take(self, headers: dict[str, str], body: dict[str, str]) -> tuple[str, str]:
        """Record a request and return what to do with it, and the gateway's name for the text."""
        with self._lock:
            behaviour = self.behaviours.popleft() if self.behaviours else "take"
            self.requests.append((behaviour, headers, body))
            key = headers["idempotency-key"]
            if not behaviour.startswith("refuse"):
                self.texts.setdefault(key, body)
            return behaviour, f"gw-{list(self.texts).index(key) + 1 if key in self.texts else 0}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    gateway: Gateway

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        headers = {name.lower(): value for name, value in self.headers.items()}
        behaviour, reference = self.gateway.take(headers, body)
        self.gateway.accepted.set()
        if behaviour == "take and fall silent":
            self.gateway.over.wait(30)
            self.close_connection = True
        elif behaviour == "take and hang up":
            self.close_connection = True
        elif behaviour == "take and answer twice":
            self._answer(200, {"id": reference})
            self._answer(200, {"id": reference})
        elif behaviour == "take and answer nonsense":
            self._answer(202, "<html>", raw=True)
        elif behaviour == "take and never end":
            self._flood()
        elif behaviour.startswith("refuse"):
            _, status, *retry_after = behaviour.split(" ", 2)
            self._answer(int(status), {"error": body["to"]}, retry_after=" ".join(retry_after))
        else:
            self._answer(200, {"id": reference})

    def _answer(self, status: int, body: Any, *, raw: bool = False, retry_after: str = "") -> None:
        octets = body.encode() if raw else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(octets)))
        if retry_after:
            self.send_header("Retry-After", retry_after)
        if status in {301, 302, 307, 308}:
            self.send_header("Location", f"{self.gateway.url}/elsewhere")
        self.end_headers()
        self.wfile.write(octets)

    def _flood(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(10**9))
        self.end_headers()
        try:
            while not self.gateway.over.is_set():
                self.wfile.write(b" " * 65_536)
        except OSError:
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


@contextmanager
def running_gateway() -> Iterator[Gateway]:
    """Serve on a free port of the loopback for as long as the block runs."""
    gateway = Gateway()
    handler = type("Handler", (_Handler,), {"gateway": gateway})
    with _Server(("127.0.0.1", 0), handler) as server:
        gateway.url = f"http://127.0.0.1:{server.server_address[1]}/texts"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield gateway
        finally:
            gateway.over.set()
            server.shutdown()
            thread.join()
