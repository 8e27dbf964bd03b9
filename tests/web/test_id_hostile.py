"""Requests, codes and forms as somebody hostile sends them: nothing leaves for where it does not belong."""

from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import httpx
import msgspec
import pytest
from tests.web.id_provider import CALLBACK, WALLET, Browser, RelyingParty, provider_on_loopback

from sekisho.identity.openid.clients import Proof
from sekisho.identity.sessions import Ended, end
from sekisho.kernel.clock import MINUTE_US, SECOND_US
from sekisho.storage import outbox

APP = msgspec.structs.replace(
    WALLET, native=True, proof=Proof.NONE, redirect_uris=("http://127.0.0.1/back",), sector="wallet.example"
)


@pytest.fixture(name="provider", scope="module")
def _provider(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")  # loopback has no TLS
        with provider_on_loopback(tmp_path_factory.mktemp("id")) as provider:
            yield provider


@pytest.fixture(name="member_id", scope="module")
def _member_id(provider):
    return provider.add_member()


@pytest.fixture(name="secret", scope="module")
def _secret(provider):
    provider.add_client("app", APP)
    return provider.add_client()


@pytest.fixture(name="wallet")
def _wallet(provider, secret):
    return RelyingParty(provider, secret)


@pytest.fixture(name="browser")
def _browser(provider, member_id):
    """Give a browser in which the member is logged in."""
    browser = Browser(provider.origin)
    provider.log_in(browser, member_id)
    yield browser
    browser.close()


def changed(url, **changes):
    """Return an address with some of its parameters set, or taken away where they are None."""
    parts = urlsplit(url)
    parameters = dict(parse_qsl(parts.query)) | changes
    query = urlencode({name: value for name, value in parameters.items() if value is not None})
    return f"{parts.scheme}://{parts.netloc}{parts.path}?{query}"


def exchange(provider, secret, begun, away, **changes):
    """Exchange a code by hand."""
    form = {
        "grant_type": "authorization_code",
        "code": dict(parse_qsl(urlsplit(away).query))["code"],
        "redirect_uri": CALLBACK,
        "code_verifier": begun["code_verifier"],
    } | changes
    sent = {name: value for name, value in form.items() if value is not None}
    return httpx.post(f"{provider.origin}/openid/token", data=sent, auth=("wallet", secret), trust_env=False)


def test_the_same_request_untouched_passes(wallet, browser):
    """What the others are measured against."""
    wallet.log_in(browser)
    browser.get(changed(wallet.begin()["url"], prompt="none"))
    assert browser.away.startswith(f"{CALLBACK}?code=")


@pytest.mark.parametrize(
    "uri",
    [
        "https://evil.example/callback",
        "https://wallet.example/callback/",
        "https://wallet.example/callback/../../evil",
        "https://wallet.example/callback/..;/evil",
        "https://wallet.example/callback%2f..%2fevil",
        "https://wallet.example/Callback",
        "https://wallet.example:443/callback",
        "https://wallet.example./callback",
        "https://WALLET.example/callback",
        "https://wallet.example/callback?",
        "https://wallet.example/callback?next=//evil.example",
        "https://wallet.example/callback#",
        "https://wallet.example/callback#@evil.example",
        "https://wallet.example@evil.example/callback",
        "https://evil.example/https://wallet.example/callback",
        "https://wallet.example\\@evil.example/callback",
        "https:/\\evil.example/callback",
        "https://wallet.exаmple/callback",  # noqa: RUF001 - the point: a Cyrillic letter
        "https://wallet.example\u3002evil/callback",
        "https://wallet.example/call\u200bback",
        "https://wallet.example/callback\r\nSet-Cookie: a=b",
        " https://wallet.example/callback",
        "http://wallet.example/callback",
        "//wallet.example/callback",
        "/callback",
        "javascript:alert(1)//https://wallet.example/callback",
        "data:text/html,https://wallet.example/callback",
        "https://wallet.example/callbac",
        "http://127.0.0.1/back",
        "https://wallet.example/callback" + "a" * 3_000,
        "",
        None,
    ],
)
def test_nobody_is_sent_to_an_address_that_is_not_registered(wallet, browser, uri):
    """Not with a code, not with an error: a page says so, and there is no way out of it."""
    for more in ({}, {"prompt": "none"}, {"response_type": "token"}):
        browser.get(changed(wallet.begin()["url"], redirect_uri=uri, **more))
        assert (browser.status, browser.away) == (400, "")
        assert "evil" not in browser.page


@pytest.mark.parametrize(
    "uri",
    [
        "http://127.0.0.1:49152/back/",
        "http://127.0.0.1:49152/back?a=b",
        "http://127.0.0.1:49152@evil.example/back",
        "http://127.0.0.1.evil.example:49152/back",
        "http://localhost:49152/back",
        "http://[::1]:49152/back",
        "http://127.0.0.2:49152/back",
        "https://127.0.0.1:49152/back",
        "http://127.0.0.1:/back",
        "http://127.0.0.1:0x50/back",
        "http://127.0.0.1:49152:80/back",
    ],
)
def test_an_app_may_choose_its_port_and_nothing_else(provider, secret, browser, uri):
    assert secret
    app = RelyingParty(provider, "", "app", proof=Proof.NONE)
    browser.get(changed(app.begin("http://127.0.0.1:49152/back")["url"], redirect_uri=uri))
    assert (browser.status, browser.away) == (400, "")


@pytest.mark.parametrize(
    "client_id", ["", None, "unknown", "wallet\0", "WALLET", "wallet' OR '1'='1", "w" * 3_000]
)
def test_an_unknown_client_has_nobody_to_be_answered(wallet, browser, client_id):
    browser.get(changed(wallet.begin()["url"], client_id=client_id))
    assert (browser.status, browser.away) == (400, "")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": "s256"}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge": "a" * 42 + "="}, "invalid_request"),
        ({"code_challenge": "a" * 128}, "invalid_request"),
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"response_mode": "form_post"}, "invalid_request"),
        ({"scope": "email"}, "invalid_scope"),
        ({"scope": None}, "invalid_scope"),
        ({"scope": "OPENID"}, "invalid_scope"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"prompt": "select_account"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"max_age": "１２"}, "invalid_request"),  # noqa: RUF001 - the point: digits that are none here
        ({"max_age": "9" * 30}, "invalid_request"),
        ({"request": "e30.e30."}, "request_not_supported"),
        ({"request_uri": "https://evil.example/request"}, "request_uri_not_supported"),
        ({"registration": "{}"}, "registration_not_supported"),
        ({"nonce": "n" * 600}, "invalid_request"),
        ({"nonce": "n\u00e9"}, "invalid_request"),
        ({"state": "s" * 1_025}, "invalid_request"),
        ({"state": "a\r\nLocation: https://evil.example"}, "invalid_request"),
    ],
)
def test_what_is_not_as_it_must_be_goes_back_as_an_error(provider, wallet, browser, changes, error):
    """To the registered address, with the issuer, and without a code."""
    begun = wallet.begin()
    browser.get(changed(begun["url"], **changes))
    assert browser.away.startswith(f"{CALLBACK}?error={error}&")
    answer = browser.answer()
    assert (answer["iss"], "code" in answer) == (provider.origin, False)
    assert answer.get("state") == (None if "state" in changes else begun["state"])


@pytest.mark.parametrize("name", ["client_id", "redirect_uri"])
def test_two_addressees_are_none(wallet, browser, name):
    """A filter in front of us may have read the other one."""
    url = wallet.begin()["url"]
    for value in ("https://evil.example/", dict(parse_qsl(urlsplit(url).query))[name]):
        browser.get(f"{url}&{name}={quote(value, safe='')}")
        assert (browser.status, browser.away) == (400, "")


@pytest.mark.parametrize(
    "name",
    ["scope", "state", "nonce", "code_challenge", "code_challenge_method", "response_type", "prompt", "x"],
)
def test_a_parameter_that_comes_twice_is_refused(wallet, browser, name):
    browser.get(f"{wallet.begin(prompt='login')['url']}&{name}=again&{name}=again")
    assert browser.answer()["error"] == "invalid_request"


@pytest.mark.parametrize(
    "query", ["a" * 9_000, "client_id=%ff", "&".join("abc"[i % 3] for i in range(60)), "client_id=\u00e9"]
)
def test_a_query_that_is_none_is_told_to_the_person_alone(provider, browser, query):
    browser.get(f"{provider.origin}/openid/authorize?{query}")
    assert (browser.status, browser.away) == (400, "")


def test_the_longest_request_that_is_allowed_still_waits_in_its_cookie(wallet, provider):
    """What is refused for its length is refused at once, and never after the login."""
    browser = Browser(provider.origin)
    browser.get(
        wallet.begin(state="s" * 1_024, nonce="n" * 512, login_hint="\u9d6b" * 300, ui_locales="ja " * 90)[
            "url"
        ]
    )
    kept = next(value for name, value in browser.cookies.items() if name.startswith("__Host-openid-"))
    assert len(kept) < 4_000
    assert browser.path.startswith("/login?next=")
    browser.get(wallet.begin(state='"' * 1_024, nonce='"' * 512)["url"])
    assert browser.path.startswith("/login?next=") or browser.answer()["error"] == "invalid_request"
    browser.close()


def test_a_code_is_the_client_s_that_asked(provider, secret, wallet, browser):
    """Injected into another client, a code is lost to both."""
    begun = wallet.log_in(browser)
    form = {
        "client_id": "app",
        "grant_type": "authorization_code",
        "code": browser.answer()["code"],
        "redirect_uri": CALLBACK,
        "code_verifier": begun["code_verifier"],
    }
    stolen = httpx.post(f"{provider.origin}/openid/token", data=form, trust_env=False)
    assert (stolen.status_code, stolen.json()["error"]) == (400, "invalid_grant")
    assert exchange(provider, secret, begun, browser.away).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_verifier": "w" * 43}, "invalid_grant"),
        ({"code_verifier": None}, "invalid_request"),
        ({"code_verifier": ""}, "invalid_request"),
        ({"code_verifier": "short"}, "invalid_request"),
        ({"redirect_uri": "https://evil.example/callback"}, "invalid_grant"),
        ({"redirect_uri": None}, "invalid_request"),
        ({"code": "guessed"}, "invalid_grant"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "refresh_token"}, "unsupported_grant_type"),
        ({"grant_type": None}, "invalid_request"),
        ({"client_id": "app"}, "invalid_request"),
    ],
)
def test_a_code_needs_everything_that_it_was_asked_with(provider, secret, wallet, browser, changes, error):
    begun = wallet.log_in(browser)
    answer = exchange(provider, secret, begun, browser.away, **changes)
    assert (answer.status_code, answer.json()["error"]) == (400, error)
    assert "no-store" in answer.headers["cache-control"]


def test_a_verifier_is_guessed_once_and_not_again(provider, secret, wallet, browser):
    begun = wallet.log_in(browser)
    assert exchange(provider, secret, begun, browser.away, code_verifier="w" * 43).status_code == 400
    assert exchange(provider, secret, begun, browser.away).json()["error"] == "invalid_grant"


def test_a_code_that_comes_twice_takes_its_token_back(provider, secret, wallet, browser):
    """One of the two who had it has stolen it, and the outbox says so."""
    begun = wallet.log_in(browser)
    token = wallet.finish(begun, browser.away)
    userinfo = f"{provider.origin}/openid/userinfo"
    assert wallet.get(userinfo, token=token).status_code == 200
    assert exchange(provider, secret, begun, browser.away).json()["error"] == "invalid_grant"
    assert wallet.get(userinfo, token=token).status_code == 401
    with provider.parts.store.read() as connection:
        kinds = [entry.kind for entry in outbox.read_after(connection, 0, limit=10_000)]
    assert "openid:code:reused" in kinds


@pytest.mark.parametrize("passed_us", [60 * SECOND_US, -SECOND_US])
def test_a_code_lives_for_a_minute_and_not_before_it_was_made(provider, secret, wallet, browser, passed_us):
    begun = wallet.log_in(browser)
    provider.clock.advance(passed_us)
    late = exchange(provider, secret, begun, browser.away)
    provider.clock.advance(-passed_us)
    assert late.json()["error"] == "invalid_grant"


def test_a_token_dies_with_its_time_and_with_its_session(provider, wallet, browser, member_id):
    userinfo = f"{provider.origin}/openid/userinfo"
    token = wallet.finish(wallet.log_in(browser), browser.away)
    provider.clock.advance(10 * MINUTE_US)
    assert wallet.get(userinfo, token=token).status_code == 401
    provider.clock.advance(-10 * MINUTE_US)

    session = provider.log_in(browser, member_id)
    token = wallet.finish(wallet.log_in(browser), browser.away)
    begun = wallet.log_in(browser)
    provider.write(lambda connection: end(connection, provider.parts, session.id, Ended.CONTAINED))
    refused = wallet.get(userinfo, token=token)
    assert refused.status_code == 401
    assert 'error="invalid_token"' in refused.headers["www-authenticate"]
    with pytest.raises(Exception, match="invalid_grant"):
        wallet.finish(begun, browser.away)


def test_userinfo_without_a_token_says_how_to_ask(provider):
    """RFC 6750 section 3: no error code where nothing was presented; a token in the address is none."""
    answer = httpx.get(f"{provider.origin}/openid/userinfo?access_token=abc", trust_env=False)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Bearer realm="openid"')


@pytest.mark.parametrize("fields", ["{}", "grant_type=authorization_code&grant_type=authorization_code"])
def test_the_token_endpoint_reads_forms_alone(provider, secret, fields):
    url, auth = f"{provider.origin}/openid/token", ("wallet", secret)
    kind = {"content-type": "application/x-www-form-urlencoded"}
    for answer in (
        httpx.post(
            url, content=fields, auth=auth, headers={"content-type": "application/json"}, trust_env=False
        ),
        httpx.post(url, content=fields, auth=auth, headers=kind, trust_env=False),
        httpx.post(f"{provider.origin}/openid/revoke?a=b", data={"token": "t"}, auth=auth, trust_env=False),
    ):
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert httpx.get(url, auth=auth, trust_env=False).status_code == 405


def test_nobody_consents_for_a_member_from_another_site(provider, secret, browser):
    """A form of another site, another session's token, none at all, or another browser's request."""
    settings = msgspec.structs.replace(WALLET, redirect_uris=("https://shop.example/callback",))
    provider.add_client("shop", settings)
    shop = RelyingParty(provider, secret, "shop")
    browser.get(shop.begin("https://shop.example/callback")["url"])
    form = browser.fields("/openid/consent") | {"answer": "allow"}

    browser.post("/openid/consent", form, origin="https://evil.example", sec_fetch_site="cross-site")
    assert (browser.status, browser.away) == (403, "")
    browser.post("/openid/consent", form | {"form": "forged"})
    assert (browser.status >= 400, browser.away) == (True, "")

    other = Browser(provider.origin)
    provider.log_in(other, provider.add_member())
    other.post("/openid/consent", form)
    assert (other.status >= 400, other.away) == (True, "")
    own = other.get("/services").page
    assert own
    other.close()
    browser.post("/openid/consent", form | {"ticket": "0" * 12})
    assert (browser.status, browser.away) == (400, "")


def test_a_ticket_that_was_changed_does_not_open(browser, wallet):
    browser.get(wallet.begin(prompt="consent")["url"])
    name = next(
        name for name, value in browser.cookies.items() if name.startswith("__Host-openid-") and value
    )
    kept = browser.cookies[name]
    for changed_ticket in (kept[:-2] + "AA", kept[1:], "AQAA", "\u00e9" * 3, kept * 2):
        browser.cookies[name] = changed_ticket.encode("ascii", "ignore").decode()
        browser.get(f"/openid/authorize?ticket={name.removeprefix('__Host-openid-')}")
        assert (browser.status, browser.away) == (400, "")


def test_a_ticket_waits_for_half_an_hour(provider, browser, wallet):
    browser.get(wallet.begin(prompt="consent")["url"])
    path = browser.here()
    provider.clock.advance(30 * MINUTE_US)
    browser.get(path)
    provider.clock.advance(-30 * MINUTE_US)
    assert (browser.status, browser.away) == (400, "")


def test_no_page_can_be_framed_and_none_is_kept(browser, wallet):
    browser.get(wallet.begin(prompt="consent")["url"])
    headers = browser.headers
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert (headers["x-frame-options"], headers["cache-control"]) == ("DENY", "no-store")
