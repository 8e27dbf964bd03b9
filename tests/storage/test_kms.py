"""A key service behind the port, asked over real HTTP; whatever it does wrong is its outage."""

import base64
import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sekisho.kernel.chance import SystemChance
from sekisho.kernel.clock import SetClock
from sekisho.kernel.posture import OperationalError
from sekisho.storage.keyring import Unsealable
from sekisho.storage.keyring_files import open_keyring
from sekisho.storage.kms import TransitKms, TransitSettings, key_wrapper
from sekisho.storage.master_keys import MasterKeys, MasterKeysUnreadable, Wrapped

TOKEN = "pass-of-the-test"  # noqa: S105 - the key service of this test takes it, and nobody else
KEY = b"k" * 32


class KeyService(ThreadingHTTPServer):
    """The two calls of the Transit engine that we use, with a key that stays here."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.cipher = AESGCM(AESGCM.generate_key(256))
        self.asked: list[str] = []
        self.answer: Callable[[str, dict[str, Any]], tuple[int, bytes]] = self.right

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def right(self, path: str, body: dict[str, Any]) -> tuple[int, bytes]:
        """Answer as the service does."""
        data = base64.b64decode(body["associated_data"])
        if path == "/v1/transit/encrypt/sekisho":
            sealed = self.cipher.encrypt(bytes(12), base64.b64decode(body["plaintext"]), data)
            return 200, _json({"ciphertext": "vault:v1:" + base64.b64encode(sealed).decode()})
        if path == "/v1/transit/decrypt/sekisho":
            try:
                sealed = base64.b64decode(body["ciphertext"].removeprefix("vault:v1:"))
                plain = self.cipher.decrypt(bytes(12), sealed, data)
            except (InvalidTag, ValueError):
                return 400, b'{"errors":["cipher: message authentication failed"]}'
            return 200, _json({"plaintext": base64.b64encode(plain).decode()})
        return 404, b"{}"


class _Answers(BaseHTTPRequestHandler):
    server: KeyService

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append(self.path)
        status, text = (403, b"{}")
        if self.headers["X-Vault-Token"] == TOKEN:
            status, text = self.server.answer(self.path, body)
        if status == 0:
            self.connection.close()
            return
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


def _json(data: dict[str, str]) -> bytes:
    return json.dumps({"data": data, "lease_id": ""}).encode()


@pytest.fixture
def service():
    served = KeyService()
    thread = threading.Thread(target=served.serve_forever)
    thread.start()
    yield served
    served.shutdown()
    thread.join()
    served.server_close()


@pytest.fixture
def kms(service):
    return TransitKms(TransitSettings(url=service.url, key="sekisho", token=TOKEN))


def test_a_key_is_wrapped_by_the_service_and_unwrapped_for_its_context_alone(kms):
    wrapped = kms.wrap(KEY, context="sekisho:seal:a")
    assert wrapped.by == "sekisho"
    assert KEY not in wrapped.octets
    assert kms.unwrap(wrapped, context="sekisho:seal:a") == KEY
    with pytest.raises(Unsealable):
        kms.unwrap(wrapped, context="sekisho:seal:b")
    with pytest.raises(Unsealable):
        kms.unwrap(Wrapped("sekisho", b"vault:v1:AAAA"), context="sekisho:seal:a")
    with pytest.raises(Unsealable):
        kms.unwrap(Wrapped("another", wrapped.octets), context="sekisho:seal:a")


def test_a_keyring_stands_on_the_service_and_asks_it_once_a_key(tmp_path, kms, service):
    clock = SetClock(1)
    first = open_keyring(tmp_path, kms, clock=clock, chance=SystemChance())
    sealed = first.seal(b"a@example.jp", context="personal:mem_1:email")
    again = open_keyring(tmp_path, kms, clock=clock, chance=SystemChance())
    asked = len(service.asked)
    for _ in range(20):
        assert again.open(sealed, context="personal:mem_1:email") == b"a@example.jp"
    assert len(service.asked) == asked


@pytest.mark.parametrize(
    "answer",
    [
        (500, b"{}"),
        (404, b"{}"),
        (302, b"{}"),
        (200, b""),
        (200, b"[]"),
        (200, b'{"data":{}}'),
        (200, b'{"data":{"plaintext":"!"}}'),
        (200, _json({"plaintext": base64.b64encode(b"k" * 31).decode()})),
        (200, b"x" * 100_000),
        (0, b""),
    ],
)
def test_whatever_the_service_does_wrong_is_its_outage(kms, service, answer):
    wrapped = kms.wrap(KEY, context="c")
    service.answer = lambda _path, _body: answer
    with pytest.raises(OperationalError) as outage:
        kms.unwrap(wrapped, context="c")
    assert outage.value.part == "kms"
    with pytest.raises(OperationalError):
        kms.wrap(KEY, context="c")
    service.answer = service.right
    assert kms.unwrap(wrapped, context="c") == KEY


def test_a_service_that_does_not_take_our_pass_or_is_not_there_is_an_outage(service):
    stranger = TransitKms(TransitSettings(url=service.url, key="sekisho", token="no"))  # noqa: S106 - wrong on purpose
    with pytest.raises(OperationalError, match="403"):
        stranger.wrap(KEY, context="c")
    for url in ("http://127.0.0.1:9", "no address", "http://[", ""):
        nowhere = TransitKms(TransitSettings(url=url, key="sekisho", token=TOKEN))
        with pytest.raises(OperationalError, match="kms"):
            nowhere.wrap(KEY, context="c")


def test_the_pass_is_never_shown(kms, service):
    settings = TransitSettings(url=service.url, key="sekisho", token=TOKEN)
    assert TOKEN not in repr(settings)
    service.answer = lambda _path, _body: (500, TOKEN.encode())
    with pytest.raises(OperationalError) as outage:
        kms.wrap(KEY, context="c")
    assert TOKEN not in str(outage.value)


def test_the_environment_names_the_service_whole_or_not_at_all(tmp_path, service):
    named = {"SEKISHO_KMS_URL": service.url, "SEKISHO_KMS_KEY": "sekisho", "SEKISHO_KMS_TOKEN": TOKEN}
    wrapper = key_wrapper(tmp_path, named, SystemChance())
    assert wrapper.unwrap(wrapper.wrap(KEY, context="c"), context="c") == KEY
    assert isinstance(key_wrapper(tmp_path, {}, SystemChance()), MasterKeys)
    for missing in ("SEKISHO_KMS_KEY", "SEKISHO_KMS_TOKEN"):
        with pytest.raises(MasterKeysUnreadable):
            key_wrapper(tmp_path, named | {missing: ""}, SystemChance())
