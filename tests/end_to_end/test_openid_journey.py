"""A service logs a member in with the running ID: by a client that we did not write, in a real browser."""

import socket
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace
from typing import cast

import pytest
from tests.end_to_end.people import ADDRESS, Device, devices
from tests.end_to_end.running_sekisho import run
from tests.end_to_end.running_sekisho import running as run_sekisho
from tests.web.id_provider import Provider, RelyingParty

pytestmark = pytest.mark.server

ASKED = "openid profile email"
RESOLVE = socket.getaddrinfo


@contextmanager
def page_of_a_service():
    """Give the address of a page on another origin, where codes go."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self):
            body = b"<!doctype html><html lang=en><title>wallet</title><h1>wallet</h1>"
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            assert args

    server = HTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://wallet.localhost:{server.server_port}/callback"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def resolve_as_browsers_do(host, *arguments, **options):
    """Resolve `*.localhost` to this machine, wherever the system's resolver does not."""
    local = isinstance(host, str) and host.endswith(".localhost")
    return RESOLVE("127.0.0.1" if local else host, *arguments, **options)


@pytest.fixture(name="callback", scope="module")
def _callback():
    with page_of_a_service() as address:
        yield address


@pytest.fixture(name="data", scope="module")
def _data(tmp_path_factory):
    return tmp_path_factory.mktemp("up") / "data"


@pytest.fixture(name="secret", scope="module")
def _secret(data, callback):
    """Register the service by the command, before the program runs."""
    (data / "id").mkdir(parents=True, mode=0o700)
    scopes = [option for scope in ASKED.split() for option in ("--scope", scope)]
    where = ("--redirect-uri", callback, "--post-logout-redirect-uri", callback)
    names = ("--name", "みずいろウォレット", "--name-en", "Mizuiro Wallet")
    why = ("--by", "operator", "--reason", "a service of a partner")
    return run("clients", "--data", str(data / "id"), "add", "wallet", *names, *where, *scopes, *why)


@pytest.fixture(name="running", scope="module")
def _running(data, secret):
    assert secret
    with run_sekisho(data) as running:
        yield running


@pytest.fixture(name="wallet", scope="module")
def _wallet(running, secret):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")  # loopback has no TLS
        patch.setattr(socket, "getaddrinfo", resolve_as_browsers_do)
        provider = cast("Provider", SimpleNamespace(origin=running.origin("id")))
        yield RelyingParty(provider, secret, scope=ASKED)


@pytest.fixture(name="home")
def _home(chromium, running, member, handset):
    """Give the browser of a member of the ID who has a passkey and has left."""
    with devices(chromium, running, "id") as device:
        home: Device = device()
        home.add_passkey_manager()
        member.open_account(home, handset, sender="id")
        home.make_passkey()
        home.log_out()
        yield home


def test_a_member_goes_to_a_service_with_a_passkey_and_leaves(wallet, callback, home, member):
    """Login, consent, code, tokens, userinfo, logout; after that the ID asks who is there."""
    begun = wallet.begin(callback)
    home.page.goto(begun["url"])
    # On the way the passkey manager logs the member in, and the request goes on by itself.
    home.page.get_by_role("button", name="許可してログインする").click()
    home.page.wait_for_url(f"{callback}?code=*")
    token = wallet.finish(begun, home.page.url, callback)
    assert token["claims"]["acr"] == "passkey"
    assert token["claims"]["aud"] in ("wallet", ["wallet"])

    person = wallet.userinfo(token=token)
    assert person["sub"] == token["claims"]["sub"]
    assert person["email"] == member.email
    assert person["name"] == "山田 花子"
    assert ADDRESS not in str(person)

    home.page.goto(wallet.create_logout_url(callback, token["id_token"], state="bye")["url"])
    home.page.get_by_role("button", name="ログアウトする").click()
    home.page.wait_for_url(f"{callback}?state=bye")
    home.lose_passkey_manager()
    home.page.goto(wallet.begin(callback)["url"])
    assert "/login" in home.page.url


def test_a_phished_code_does_not_reach_a_service(wallet, callback, home, chromium, running, member, handset):
    """On a new device, password and code open no personal scope: the ID asks for more proof."""
    with devices(chromium, running, "id") as device:
        thief = device("198.51.100.7")
        member.log_in_with_code(thief, handset, sender="id")
        thief.page.goto(wallet.begin(callback)["url"])
        assert callback not in thief.page.url
        text = thief.page.inner_text("body")
        for word in ("山田", member.email, member.mobile):
            assert word not in text
        assert thief.page.get_by_role("button", name="許可してログインする").count() == 0
    home.log_in_by_passkey()
