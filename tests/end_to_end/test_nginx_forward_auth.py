"""A real nginx in front of an unchanged login page, configured as docs/guides/nginx-forward-auth.md says."""

import os
import re
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import monotonic
from typing import ClassVar, NamedTuple
from urllib.parse import parse_qs

import httpx
import pytest
from tests.end_to_end.serving import Service, service

from sekisho.guard.attempts import Outcome
from sekisho.kernel.clock import SystemClock
from sekisho.storage.attempts import AttemptStore
from sekisho.storage.engine import open_store

NGINX = shutil.which("nginx") or "/usr/sbin/nginx"
GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "nginx-forward-auth.md"
MEMBERS = {"taro@example.jp": "correct horse", "hanako": "battery+staple"}
HEAD = """
{user}
worker_processes 1;
daemon off;
pid {folder}/pid;
error_log {folder}/error.log info;
events {{ worker_connections 256; }}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    # The test's clients all live on the loopback: nginx believes who they say they are.
    set_real_ip_from 127.0.0.1;
    real_ip_header X-Test-Client;
"""

pytestmark = [
    pytest.mark.server,
    pytest.mark.skipif(not Path(NGINX).exists(), reason="nginx is not installed"),
]


class LoginPage(BaseHTTPRequestHandler):
    """A login page as it was before anybody thought of a guard."""

    passwords_checked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self._say(200, b"<form method=post>")

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        member, password = form.get("username", [""])[0], form.get("password", [""])[0]
        self.passwords_checked.append(member)
        assert "X-Login-Secret" not in self.headers
        self._say(303 if MEMBERS.get(member) == password else 200, b"")

    def _say(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing: the test looks at what came back."""


class Site(NamedTuple):
    """The login as the world sees it, and the guard behind."""

    url: str
    guard: Service

    def log_in(self, member: str, password: str, client: str = "192.0.2.1") -> httpx.Response:
        """Send the form as a browser does."""
        form = {"next": "/", "username": member, "password": password}
        return httpx.post(self.url + "/login", data=form, headers={"X-Test-Client": client}, timeout=10)


def block(name: str) -> str:
    """Return a block of the guide."""
    found = re.search(rf"^```{name}\n(.*?)^```", GUIDE.read_text(), re.DOTALL | re.MULTILINE)
    assert found, name
    return found[1]


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


@contextmanager
def site(folder: Path, change: dict[str, str] | None = None) -> Iterator[Site]:
    """Start the login page, the guard, and nginx with the guide's configuration."""
    LoginPage.passwords_checked.clear()
    page = ThreadingHTTPServer(("127.0.0.1", 0), LoginPage)
    threading.Thread(target=page.serve_forever, daemon=True).start()
    port = free_port()
    with service(folder / "guard", "--trust-proxy", "127.0.0.1") as guard:
        conf = block("nginx")
        guards_port = httpx.URL(guard.url).port
        for old, new in (
            *(change or {}).items(),
            ("listen 80;", f"listen 127.0.0.1:{port};"),
            ("127.0.0.1:8471", f"127.0.0.1:{guards_port}"),
            ("127.0.0.1:8080", f"127.0.0.1:{page.server_port}"),
            ("/run/nginx/sekisho-login.sock", f"{folder}/login.sock"),
            ("sk_...", guard.key),
        ):
            assert old in conf
            conf = conf.replace(old, new)
        # Started by root, nginx would give its work to a user who may not enter the test's folder.
        user = "user root;" if os.geteuid() == 0 else ""
        (folder / "nginx.conf").write_text(HEAD.format(folder=folder, user=user) + conf + "}\n")
        nginx = subprocess.Popen([NGINX, "-p", str(folder), "-c", str(folder / "nginx.conf")])
        try:
            _wait_for(port, nginx, folder)
            yield Site(f"http://127.0.0.1:{port}", guard)
        finally:
            nginx.send_signal(signal.SIGTERM)
            nginx.wait(10)
            page.shutdown()
            page.server_close()


def _wait_for(port: int, nginx: subprocess.Popen[bytes], folder: Path) -> None:
    until = monotonic() + 10
    while nginx.poll() is None and monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            continue
        return
    raise AssertionError((folder / "error.log").read_text())


def test_the_login_works_as_before_and_the_guard_learns_what_came_of_it(tmp_path: Path) -> None:
    with site(tmp_path) as login:
        assert httpx.get(login.url + "/login").status_code == 200
        assert login.log_in("taro@example.jp", "correct horse").status_code == 303
        assert login.log_in("hanako", "battery+staple", "2001:db8::7").status_code == 303
        assert login.log_in("hanako", "wrong").status_code == 200
    store = open_store(f"sqlite:///{tmp_path / 'guard' / 'sekisho.db'}")
    record = AttemptStore(store, clock=SystemClock()).recent(10)[::-1]
    store.close()
    assert [(kept.attempt.member, kept.attempt.ip, kept.outcome) for kept in record] == [
        ("taro@example.jp", "192.0.2.1", Outcome.SUCCESS),
        ("hanako", "2001:db8::7", Outcome.SUCCESS),
        ("hanako", "192.0.2.1", Outcome.WRONG_SECRET),
    ]
    assert len({kept.attempt.secret for kept in record} - {""}) == 3
    assert "horse" not in repr(record)


def ordinary_days(login: Site) -> None:
    """Let the guard see what is usual here: members at their own addresses, whose passwords are right."""
    for _ in range(3):
        assert login.log_in("taro@example.jp", "correct horse").status_code == 303
    with login.guard.client() as client:
        for number in range(200):
            usual = {"member": f"member{number % 50}", "ip": f"198.51.100.{number % 50}"}
            attempt_id = client.post("/v1/attempts", json=usual).json()["id"]
            client.post(f"/v1/attempts/{attempt_id}/outcome", json={"outcome": "success"})


def attack(login: Site) -> tuple[str, httpx.Response]:
    """Try leaked pairs from one address, one a member, until one is stopped."""
    for number in range(300):
        member = f"stolen{number}@example.com"
        answer = login.log_in(member, "leaked", "203.0.113.66")
        if answer.status_code != 200:
            return member, answer
    raise AssertionError("three hundred wrong passwords from one address, and nobody minds")


def test_an_attack_is_stopped_before_the_password_is_checked(tmp_path: Path) -> None:
    with site(tmp_path) as login:
        ordinary_days(login)
        stopped, answer = attack(login)
        assert answer.status_code == 403
        assert stopped not in LoginPage.passwords_checked
        assert login.log_in("taro@example.jp", "correct horse").status_code == 303


def test_a_challenged_login_can_be_sent_to_a_page_of_its_own(tmp_path: Path) -> None:
    change = {
        "        error_page 401 =403 @refused;\n": block("nginx-challenge"),
        "    location @refused {": block("nginx-challenge-page") + "    location @refused {",
    }
    with site(tmp_path, change) as login:
        ordinary_days(login)
        _, answer = attack(login)
        assert answer.status_code == 303
        assert re.search(r"/step-up\?attempt=att_[0-9a-f]{32}$", answer.headers["location"])


def test_a_form_too_large_to_be_read_goes_nowhere(tmp_path: Path) -> None:
    with site(tmp_path) as login:
        padded = httpx.post(login.url + "/login", data={"pad": "x" * 20_000, "username": "taro"})
        assert padded.status_code == 413
        assert LoginPage.passwords_checked == []


OPEN = {
    "        error_page 403 @refused;\n": "        error_page 403 @refused;\n" + block("nginx-open"),
    "    location @refused {": block("nginx-unguarded") + "    location @refused {",
}
HIDDEN = [
    "password=x",
    "user%6eame=taro&password=x",
    "user%6eame=taro&username=decoy&password=x",
    "username=decoy&password=x&username=taro",
    "username=decoy\n&password=x;username=taro",
    '{"username": "taro"}',
]


@pytest.mark.parametrize("open_in_outage", [False, True])
def test_a_member_who_is_hidden_from_the_guard_is_refused(tmp_path: Path, *, open_in_outage: bool) -> None:
    """Also where the login is open without the guard: a form that cannot be judged is no outage."""
    with site(tmp_path, OPEN if open_in_outage else None) as login:
        for body in HIDDEN:
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            answer = httpx.post(login.url + "/login", content=body, headers=headers)
            assert answer.status_code == 403, body
        assert LoginPage.passwords_checked == []


def test_without_the_guard_the_login_is_closed(tmp_path: Path) -> None:
    with site(tmp_path) as login:
        login.guard.process.kill()
        login.guard.process.wait(10)
        assert login.log_in("taro@example.jp", "correct horse").status_code == 500
        assert LoginPage.passwords_checked == []
        assert httpx.get(login.url + "/login").status_code == 200


def test_without_the_guard_the_login_is_open_where_that_was_chosen(tmp_path: Path) -> None:
    with site(tmp_path, OPEN) as login:
        assert login.log_in("taro@example.jp", "correct horse").status_code == 303
        login.guard.process.kill()
        login.guard.process.wait(10)
        assert login.log_in("taro@example.jp", "correct horse").status_code == 303
        assert login.log_in("taro@example.jp", "wrong").status_code == 200
