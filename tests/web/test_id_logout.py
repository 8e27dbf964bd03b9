"""Logout for a client: asked for, confirmed, and told to the others from server to server."""

import asyncio
import threading
from base64 import urlsafe_b64decode
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlencode

import httpx
import msgspec
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet
from tests.web.id_provider import LOGGED_OUT, WALLET, Browser, RelyingParty, provider_on_loopback

from sekisho.identity.sessions import Ended, end
from sekisho.kernel.clock import DAY_US, MINUTE_US, SECOND_US

EVENT = "http://schemas.openid.net/event/backchannel-logout"


@pytest.fixture(name="provider")
def _provider(tmp_path, monkeypatch):
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")  # loopback has no TLS
    with provider_on_loopback(tmp_path) as provider:
        yield provider


@pytest.fixture(name="browser")
def _browser(provider):
    browser = Browser(provider.origin)
    yield browser
    browser.close()


class Receiver:
    """A client's server that takes logout tokens, and answers as it is told to."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.tokens: list[str] = []
        self.heard = threading.Event()
        received = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                received.tokens.append(parse_qs(body)["logout_token"][0])
                self.send_response(received.answers.pop(0) if received.answers else 200)
                self.send_header("location", "/elsewhere")
                self.send_header("content-length", "0")
                self.end_headers()
                received.heard.set()

            def log_message(self, *args):
                assert args

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.uri = f"http://127.0.0.1:{self.server.server_port}/logout"


@pytest.fixture(name="receiver")
def _receiver():
    receiver = Receiver()
    thread = threading.Thread(target=receiver.server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield receiver
    receiver.server.shutdown()
    receiver.server.server_close()
    thread.join()


@pytest.fixture(name="wallet")
def _wallet(provider, receiver):
    settings = msgspec.structs.replace(WALLET, backchannel_logout_uri=receiver.uri)
    return RelyingParty(provider, provider.add_client(settings=settings))


def delivered(provider):
    """Let the courier tell once whoever is due; return how many heard it."""
    return asyncio.run(provider.desks.courier.deliver_due())


def ask(provider, browser, **parameters):
    """Come from a client with a wish to log out."""
    return browser.get(f"{provider.origin}/openid/logout?{urlencode(parameters)}")


def test_a_member_confirms_and_goes_back_to_the_client(provider, browser, wallet, receiver):
    """RP-Initiated Logout 1.0: asked, confirmed, sent back to a registered address with its state."""
    session = provider.log_in(browser, provider.add_member())
    token = wallet.finish(wallet.log_in(browser), browser.away)
    begun = wallet.create_logout_url(LOGGED_OUT, token["id_token"], state="abc")
    browser.get(begun["url"])
    assert (browser.away, "みずいろウォレット" in browser.page) == ("", True)
    browser.submit("/openid/logout/confirmed")
    assert browser.away == f"{LOGGED_OUT}?state=abc"
    assert browser.cookies["__Host-session"] == ""
    assert "storage" in browser.headers["clear-site-data"]
    assert wallet.get(f"{provider.origin}/openid/userinfo", token=token).status_code == 401

    assert delivered(provider) == 1
    keys = KeySet.import_key_set(httpx.get(f"{provider.origin}/openid/keys", trust_env=False).json())
    told = jwt.decode(receiver.tokens[0], keys, algorithms=["ES256"])
    assert told.header["typ"] == "logout+jwt"
    assert told.claims["events"] == {EVENT: {}}
    assert (told.claims["sid"], told.claims["sub"]) == (token["claims"]["sid"], token["claims"]["sub"])
    assert "nonce" not in told.claims
    assert session.id not in str(told.claims)
    assert delivered(provider) == 0


def test_whoever_does_not_confirm_stays_logged_in(provider, browser, wallet):
    """An address that logs people out would be a toy for every other site."""
    provider.log_in(browser, provider.add_member())
    ask(provider, browser, client_id="wallet", post_logout_redirect_uri=LOGGED_OUT)
    browser.post(
        "/openid/logout/confirmed", {"a": "b"}, origin="https://evil.example", sec_fetch_site="cross-site"
    )
    assert browser.status == 403
    browser.post("/openid/logout/confirmed", {"form": "forged"})
    assert browser.status == 409
    browser.get(wallet.begin()["url"])
    assert 'action="/openid/consent"' in browser.page


@pytest.mark.parametrize(
    "uri",
    [
        "https://evil.example/",
        LOGGED_OUT + "/",
        LOGGED_OUT + "?",
        LOGGED_OUT + "#a",
        "https://wallet.example@evil.example/bye",
        "",
    ],
)
def test_nobody_is_sent_on_to_an_address_that_is_not_registered(provider, browser, wallet, uri):
    assert wallet
    ask(provider, browser, client_id="wallet", post_logout_redirect_uri=uri)
    assert (browser.status, browser.away) == (200, "")
    provider.log_in(browser, provider.add_member())
    ask(provider, browser, client_id="wallet", post_logout_redirect_uri=uri)
    browser.submit("/openid/logout/confirmed")
    assert (browser.status, browser.away) == (200, "")


def test_a_hint_that_is_not_ours_names_nobody(provider, browser, wallet):
    """Unsigned, signed by somebody else, or another session's: the member may still leave, and stays here."""
    member_id = provider.add_member()
    provider.log_in(browser, member_id)
    old = wallet.finish(wallet.log_in(browser), browser.away)["id_token"]
    head, body, _ = old.split(".")
    provider.log_in(browser, member_id)
    for hint in (old, f"{head}.{body}.AAAA", f"eyJhbGciOiJub25lIn0.{body}.", "a.b.c", "x" * 5_000):
        ask(provider, browser, id_token_hint=hint, post_logout_redirect_uri=LOGGED_OUT)
        assert "みずいろウォレット" not in browser.page
        browser.submit("/openid/logout/confirmed")
        assert (browser.status, browser.away) == (200, "")
        provider.log_in(browser, member_id)
    ask(provider, browser, id_token_hint=old, client_id="another", post_logout_redirect_uri=LOGGED_OUT)
    browser.submit("/openid/logout/confirmed")
    assert browser.away == ""


def test_an_expired_hint_still_says_who_asks(provider, browser, wallet):
    """It only names the client; who is logged in is known by the session."""
    provider.log_in(browser, provider.add_member())
    token = wallet.finish(wallet.log_in(browser), browser.away)["id_token"]
    provider.clock.advance(10 * MINUTE_US)
    ask(provider, browser, id_token_hint=token, post_logout_redirect_uri=LOGGED_OUT)
    browser.submit("/openid/logout/confirmed")
    assert browser.away == LOGGED_OUT


def test_a_form_of_the_clients_page_leads_to_the_same_question(provider, browser, wallet):
    assert wallet
    provider.log_in(browser, provider.add_member())
    form = {"client_id": "wallet", "post_logout_redirect_uri": LOGGED_OUT, "state": "s"}
    browser.post("/openid/logout", form, origin="https://wallet.example", sec_fetch_site="cross-site")
    browser.submit("/openid/logout/confirmed")
    assert browser.away == f"{LOGGED_OUT}?state=s"


def test_a_repeated_parameter_is_told_to_the_person_alone(provider, browser, wallet):
    assert wallet
    twice = "post_logout_redirect_uri=https://evil.example/&post_logout_redirect_uri=" + LOGGED_OUT
    browser.get(f"{provider.origin}/openid/logout?client_id=wallet&{twice}")
    assert (browser.status, browser.away) == (400, "")


@pytest.mark.parametrize("why", list(Ended))
def test_a_session_that_ends_is_told_however_it_ended(provider, browser, wallet, receiver, why):
    """A containment ends what the member opened elsewhere as well."""
    session = provider.log_in(browser, provider.add_member())
    wallet.finish(wallet.log_in(browser), browser.away)
    assert delivered(provider) == 0
    provider.write(lambda connection: end(connection, provider.parts, session.id, why))
    assert (delivered(provider), len(receiver.tokens)) == (1, 1)


def test_a_member_who_only_proved_more_has_not_left(provider, browser, wallet, receiver):
    """The first login's clients hear of the end of the one that took its place."""
    member_id = provider.add_member()
    first = provider.log_in(browser, member_id)
    sid = wallet.finish(wallet.log_in(browser), browser.away)["claims"]["sid"]
    second = provider.log_in(browser, member_id)
    provider.write(lambda connection: end(connection, provider.parts, first.id, Ended.REPLACED))
    assert delivered(provider) == 0
    provider.write(lambda connection: end(connection, provider.parts, second.id, Ended.LOGOUT))
    assert delivered(provider) == 1
    body = urlsafe_b64decode(receiver.tokens[0].split(".")[1] + "==")
    assert msgspec.json.decode(body)["sid"] == sid


def test_a_client_that_is_down_is_told_later(provider, browser, wallet, receiver):
    """Pauses grow; a redirect is no answer; each try carries a token of its own."""
    session = provider.log_in(browser, provider.add_member())
    wallet.finish(wallet.log_in(browser), browser.away)
    provider.write(lambda connection: end(connection, provider.parts, session.id, Ended.FROZEN))
    receiver.answers = [503, 302, 500]
    for pause_s in (5, 10, 20):
        assert delivered(provider) == 0
        provider.clock.advance((pause_s - 1) * SECOND_US)
        tried = len(receiver.tokens)
        delivered(provider)
        assert len(receiver.tokens) == tried
        provider.clock.advance(SECOND_US)
    assert delivered(provider) == 1
    assert len(set(receiver.tokens)) == 4


@pytest.mark.parametrize(("answer", "passed_us"), [(400, 0), (503, DAY_US)])
def test_a_client_that_never_takes_it_is_given_up(provider, browser, wallet, receiver, answer, passed_us):
    session = provider.log_in(browser, provider.add_member())
    wallet.finish(wallet.log_in(browser), browser.away)
    provider.write(lambda connection: end(connection, provider.parts, session.id, Ended.LOGOUT))
    provider.clock.advance(passed_us)
    receiver.answers = [answer]
    assert delivered(provider) == 0
    provider.clock.advance(DAY_US)
    assert delivered(provider) == 0
    assert len(receiver.tokens) == 1


def test_an_unreachable_client_does_not_keep_the_others_waiting(provider, browser, wallet, receiver):
    closed = msgspec.structs.replace(WALLET, backchannel_logout_uri="http://127.0.0.1:9/logout")
    shop = RelyingParty(provider, provider.add_client("shop", closed), "shop")
    silent = RelyingParty(provider, provider.add_client("silent"), "silent")
    session = provider.log_in(browser, provider.add_member())
    for party in (shop, silent, wallet):
        party.finish(party.log_in(browser), browser.away)
    provider.write(lambda connection: end(connection, provider.parts, session.id, Ended.LOGOUT))
    assert (delivered(provider), len(receiver.tokens)) == (1, 1)


def test_the_courier_delivers_by_itself(provider, browser, wallet, receiver):
    """And keeps house meanwhile."""
    session = provider.log_in(browser, provider.add_member())
    wallet.finish(wallet.log_in(browser), browser.away)
    provider.write(lambda connection: end(connection, provider.parts, session.id, Ended.LOGOUT))

    async def live():
        async with provider.desks.courier.delivering():
            assert await asyncio.to_thread(receiver.heard.wait, 10)

    asyncio.run(live())
    assert len(receiver.tokens) == 1


def test_a_logout_token_is_no_hint(provider, browser, wallet, receiver):
    """It was signed by us as well, and says another thing."""
    session = provider.log_in(browser, provider.add_member())
    wallet.finish(wallet.log_in(browser), browser.away)
    provider.write(lambda connection: end(connection, provider.parts, session.id, Ended.LOGOUT))
    assert delivered(provider) == 1
    ask(provider, browser, id_token_hint=receiver.tokens[0], post_logout_redirect_uri=LOGGED_OUT)
    assert (browser.status, browser.away) == (200, "")
