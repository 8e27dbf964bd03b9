"""The line to another institution: to whom it goes, and what it does with answers that nobody should give."""

import asyncio
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from sekisho.identity.http_line import (
    ANSWER_OCTETS_MAX,
    AddressUnfit,
    HttpLine,
    is_local,
    on_the_wire,
    require_fit,
)
from sekisho.kernel.posture import OperationalError


@contextmanager
def answering(answer):
    """Serve a host of this machine that answers as a test wants; gives its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            answer(self)

        def log_message(self, *args):
            assert args

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def asked(url, **options):
    async def ask():
        line = HttpLine(**options)
        try:
            return await line.call("GET", url)
        finally:
            await line.close()

    return asyncio.run(ask())


def plain(status, body=b"{}", **headers):
    def answer(handler):
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("content-length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


@pytest.mark.parametrize(
    "url",
    [
        "http://id.example/",
        "ftp://id.example/",
        "https://user@id.example/",
        "https://id.example/#x",
        "https:///x",
        "https://id.example:99999/",
        "https://id.example/ x",
        "https://id.example\\@evil.example/",
        "http://localhost.evil.example/",
        "http://127.0.0.1.evil.example/",
        "//id.example/",
        "",
    ],
)
def test_what_nobody_may_be_called_at(url):
    with pytest.raises(AddressUnfit):
        require_fit(url)


def test_an_address_stays_on_its_origin():
    assert require_fit("https://id.example/a?b", "https://id.example")
    for url in ("https://id.example.evil.example/", "https://id.example:444/", "https://other.example/"):
        with pytest.raises(AddressUnfit):
            require_fit(url, "https://id.example")


def test_names_of_this_machine_go_to_the_loopback_under_their_own_name():
    assert is_local("wallet.localhost")
    assert not is_local("localhost.example")
    wire = on_the_wire("http://wallet.localhost:8470/login/id/logout?x=1")
    assert wire == ("http://127.0.0.1:8470/login/id/logout?x=1", {"host": "wallet.localhost:8470"})
    assert on_the_wire("https://id.example/") == ("https://id.example/", {})


def test_the_other_side_hears_which_host_is_meant():
    heard = []

    def answer(handler):
        heard.append(handler.headers["host"])
        plain(200)(handler)

    with answering(answer) as port:
        assert asked(f"http://id.localhost:{port}/").json() == {}
        assert heard == [f"id.localhost:{port}"]


def test_a_redirect_is_an_answer_and_is_not_followed():
    with answering(plain(302, location="http://127.0.0.1:1/")) as port:
        assert asked(f"http://127.0.0.1:{port}/").status == 302


@pytest.mark.parametrize("body", [b"", b"<html>", b"[" * 100_000])
def test_what_is_no_json_is_an_outage_of_the_other_side(body):
    with answering(plain(200, body)) as port, pytest.raises(OperationalError):
        asked(f"http://127.0.0.1:{port}/").json()


def test_an_answer_that_does_not_end_is_cut_off():
    with (
        answering(plain(200, bytes(ANSWER_OCTETS_MAX + 1))) as port,
        pytest.raises(OperationalError, match="too long"),
    ):
        asked(f"http://127.0.0.1:{port}/")


def test_who_does_not_answer_in_time_is_away():
    over = threading.Event()
    with answering(lambda _: over.wait(5)) as port:
        with pytest.raises(OperationalError):
            asked(f"http://127.0.0.1:{port}/", answer_s_max=0.1)
        over.set()
