"""Logins over HTTP with a client library that we did not write, in each of their ways."""

import msgspec
import pytest
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from joserfc import jwk
from tests.web.id_provider import CALLBACK, PERSON, WALLET, Browser, RelyingParty, provider_on_loopback

from sekisho.identity.assurance import Level, Standing
from sekisho.identity.openid.clients import Proof
from sekisho.identity.personal_data import Item
from sekisho.identity.reveals import Form, seen_in_sessions
from sekisho.kernel.clock import MINUTE_US, SECOND_US

APP = msgspec.structs.replace(
    WALLET,
    native=True,
    proof=Proof.NONE,
    redirect_uris=("http://127.0.0.1/back", "example.wallet.app:/back"),
    sector="wallet.example",
)


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


def test_a_client_that_we_did_not_write_logs_a_member_in(provider, browser):
    """Discovery, request, login, consent, code, ID token against the key set, userinfo."""
    wallet = RelyingParty(provider, provider.add_client(), scope="openid profile email phone")
    member_id = provider.add_member()
    begun = wallet.begin()
    browser.get(begun["url"])
    assert browser.path.startswith("/login?next=")
    session = provider.log_in(browser, member_id)
    browser.get(browser.next_path())
    assert "みずいろウォレット" in browser.page
    browser.submit("/openid/consent", answer="allow")

    token = wallet.finish(begun, browser.away)
    claims = token["claims"]
    assert (claims["acr"], claims["azp"]) == ("passkey", "wallet")
    assert claims["auth_time"] == session.proven_at_us // SECOND_US
    assert member_id not in str(claims)
    userinfo = wallet.userinfo(token=token)
    assert userinfo["sub"] == claims["sub"]
    assert (userinfo["name"], userinfo["email"]) == (PERSON[Item.NAME], PERSON[Item.EMAIL])
    assert (userinfo["phone_number"], userinfo["locale"]) == (PERSON[Item.MOBILE_PHONE], "ja")
    assert browser.away.startswith(CALLBACK)


def test_what_a_service_was_told_may_have_been_seen_in_that_session(provider, browser):
    """It stands in the same record as what was seen on our own pages, once for each token."""
    wallet = RelyingParty(provider, provider.add_client(), scope="openid email")
    member_id = provider.add_member()
    session = provider.log_in(browser, member_id)
    token = wallet.finish(wallet.log_in(browser), browser.away)
    for _ in range(2):
        wallet.userinfo(token=token)
    with provider.parts.store.read() as connection:
        (seen,) = seen_in_sessions(connection, [session.id])
    assert (seen.item, seen.form, seen.actor) == (Item.EMAIL, Form.TOLD, "client:wallet")


def test_the_waiting_request_is_kept_by_the_browser_and_by_nobody_else(provider, browser):
    """Its cookie is the host's own, and another browser cannot go on with it."""
    wallet = RelyingParty(provider, provider.add_client())
    browser.get(wallet.begin()["url"])
    path = browser.next_path()
    kept = next(cookie for cookie in browser.cookies_set if cookie.startswith("__Host-openid-"))
    assert {"Secure", "HttpOnly", "SameSite=lax", "Path=/"} <= {part.strip() for part in kept.split(";")}

    other = Browser(provider.origin)
    provider.log_in(other, provider.add_member())
    other.get(path)
    other.close()
    assert (other.status, other.away) == (400, "")
    assert "ページの有効期限が切れました" in other.page


def test_a_consent_is_remembered_for_its_scopes(provider, browser):
    """The second login passes without a question; a new scope asks again."""
    secret = provider.add_client()
    provider.log_in(browser, provider.add_member())
    wallet = RelyingParty(provider, secret, scope="openid email")
    wallet.log_in(browser)
    browser.get(wallet.begin()["url"])
    assert "code" in browser.answer()
    browser.get(RelyingParty(provider, secret, scope="openid phone").begin()["url"])
    assert "携帯電話番号" in browser.page
    browser.get(wallet.begin(prompt="consent")["url"])
    assert browser.away == ""


def test_who_does_not_consent_goes_back_without_a_code(provider, browser):
    wallet = RelyingParty(provider, provider.add_client())
    provider.log_in(browser, provider.add_member())
    begun = wallet.begin()
    browser.get(begun["url"]).submit("/openid/consent", answer="deny")
    assert browser.answer() == {
        "error": "access_denied",
        "error_description": "The member did not consent.",
        "state": begun["state"],
        "iss": provider.origin,
    }


def test_a_consent_taken_back_takes_the_tokens_with_it(provider, browser):
    """The member stops a service on the page of services."""
    wallet = RelyingParty(provider, provider.add_client())
    provider.log_in(browser, provider.add_member())
    token = wallet.finish(wallet.log_in(browser), browser.away)
    browser.get("/services")
    assert "みずいろウォレット" in browser.page
    browser.submit("/services/stop")
    assert "みずいろウォレット" not in browser.page
    answer = wallet.get(f"{provider.origin}/openid/userinfo", token=token)
    assert answer.status_code == 401
    browser.get(wallet.begin()["url"])
    assert browser.away == ""


@pytest.mark.parametrize(
    ("level", "methods"),
    [
        (Level.PASSWORD, ["pwd"]),
        (Level.CODE, ["pwd", "sms", "mfa"]),
        (Level.PASSKEY, ["pop", "user", "mfa"]),
    ],
)
def test_the_client_is_told_how_the_member_logged_in(provider, browser, level, methods):
    wallet = RelyingParty(provider, provider.add_client())
    provider.log_in(browser, provider.add_member(), level)
    claims = wallet.finish(wallet.log_in(browser), browser.away)["claims"]
    assert (claims["acr"], claims["amr"]) == (level.value, methods)


def test_a_silent_request_is_answered_or_refused_and_never_shown(provider, browser):
    """`prompt=none` (OpenID Connect Core 3.1.2.1)."""
    wallet = RelyingParty(provider, provider.add_client())
    browser.get(wallet.begin(prompt="none")["url"])
    assert browser.answer()["error"] == "login_required"
    member_id = provider.add_member()
    provider.log_in(browser, member_id, Level.CODE)
    browser.get(wallet.begin(prompt="none")["url"])
    assert browser.answer()["error"] == "consent_required"
    wallet.log_in(browser)
    browser.get(wallet.begin(prompt="none", acr_values="passkey")["url"])
    assert browser.answer()["error"] == "login_required"
    browser.get(wallet.begin(prompt="none")["url"])
    assert "code" in browser.answer()


@pytest.mark.parametrize("asked", [{"prompt": "login"}, {"max_age": "0"}, {"max_age": "600"}])
def test_an_old_login_is_not_enough_where_a_new_one_is_asked_for(provider, browser, asked):
    """The age is that of the proof on the server, and only a login after the request makes it young."""
    wallet = RelyingParty(provider, provider.add_client())
    member_id = provider.add_member()
    provider.log_in(browser, member_id)
    wallet.log_in(browser)
    provider.clock.advance(10 * MINUTE_US + SECOND_US)
    begun = wallet.begin(**asked)
    browser.get(begun["url"])
    assert (browser.away, "もう一度ログイン" in browser.page) == ("", True)
    browser.get(browser.here())
    assert browser.away == ""
    session = provider.log_in(browser, member_id)
    browser.get(browser.here())
    claims = wallet.finish(begun, browser.away)["claims"]
    assert claims["auth_time"] == session.proven_at_us // SECOND_US


def test_a_young_login_is_enough_for_its_age(provider, browser):
    wallet = RelyingParty(provider, provider.add_client())
    provider.log_in(browser, provider.add_member())
    provider.clock.advance(10 * MINUTE_US)
    wallet.log_in(browser, max_age="600")
    assert "code" in browser.answer()


def test_a_level_that_was_asked_for_is_proven_or_told_as_unmet(provider, browser):
    """RFC 9470: the client asks for a passkey, the member has shown less, and may give up."""
    wallet = RelyingParty(provider, provider.add_client())
    member_id = provider.add_member()
    provider.log_in(browser, member_id, Level.CODE)
    begun = wallet.begin(acr_values="passkey")
    browser.get(begun["url"])
    assert "パスキーでのログインが必要です" in browser.page
    browser.submit("/openid/decline")
    assert browser.answer()["error"] == "unmet_authentication_requirements"

    browser.get(wallet.begin(acr_values="of-another-world")["url"])
    assert browser.answer()["error"] == "unmet_authentication_requirements"

    provider.log_in(browser, member_id)
    begun = wallet.log_in(browser, acr_values="of-another-world passkey")
    assert wallet.finish(begun, browser.away)["claims"]["acr"] == "passkey"


@pytest.mark.parametrize(
    ("level", "standing"),
    [
        (Level.PASSWORD, Standing.TRUSTED),
        (Level.PASSWORD, Standing.UNCONFIRMED),
        (Level.CODE, Standing.UNCONFIRMED),
    ],
)
def test_a_stolen_password_with_a_relayed_code_gets_no_data_out_through_a_client(
    provider, browser, level, standing
):
    """What is masked on our own pages does not leave for a client either."""
    wallet = RelyingParty(provider, provider.add_client(), scope="openid email")
    provider.log_in(browser, provider.add_member(), level, standing)
    browser.get(wallet.begin()["url"])
    assert (browser.away, "パスキーでのログインが必要です" in browser.page) == ("", True)
    browser.get(wallet.begin(prompt="none")["url"])
    assert browser.answer()["error"] == "login_required"


def test_a_code_on_a_trusted_device_is_enough_for_personal_scopes(provider, browser):
    wallet = RelyingParty(provider, provider.add_client(), scope="openid email")
    provider.log_in(browser, provider.add_member(), Level.CODE)
    token = wallet.finish(wallet.log_in(browser), browser.away)
    assert wallet.userinfo(token=token)["email"] == PERSON[Item.EMAIL]


def test_a_client_with_a_key_proves_itself_by_signing(provider, browser):
    """private_key_jwt, as the library makes it."""
    key = jwk.RSAKey.generate_key(2_048, private=True)
    public = msgspec.json.encode({"keys": [key.as_dict(private=False)]}).decode()
    provider.add_client(settings=msgspec.structs.replace(WALLET, proof=Proof.PRIVATE_KEY_JWT, key_set=public))
    wallet = RelyingParty(provider, key.as_pem(private=True), proof=Proof.PRIVATE_KEY_JWT)
    wallet.client_auth_methods = [PrivateKeyJWT(f"{provider.origin}/openid/token")]
    provider.log_in(browser, provider.add_member())
    assert wallet.finish(wallet.log_in(browser), browser.away)["claims"]["azp"] == "wallet"


def test_a_secret_can_be_sent_in_the_form(provider, browser):
    secret = provider.add_client(settings=msgspec.structs.replace(WALLET, proof=Proof.SECRET_POST))
    wallet = RelyingParty(provider, secret, proof=Proof.SECRET_POST)
    provider.log_in(browser, provider.add_member())
    assert wallet.finish(wallet.log_in(browser), browser.away)["claims"]["azp"] == "wallet"


@pytest.mark.parametrize("uri", ["http://127.0.0.1:49152/back", "example.wallet.app:/back"])
def test_an_app_comes_back_on_any_port_or_by_its_own_scheme(provider, browser, uri):
    """RFC 8252: no secret, and PKCE ties the code to the app that asked."""
    provider.add_client(settings=APP)
    app = RelyingParty(provider, "", proof=Proof.NONE)
    provider.log_in(browser, provider.add_member())
    begun = app.log_in(browser, uri)
    assert browser.away.startswith(uri + "?")
    assert app.finish(begun, browser.away, uri)["claims"]["azp"] == "wallet"


def test_a_client_may_have_rs256(provider, browser):
    settings = msgspec.structs.replace(WALLET, signed_with="RS256")
    wallet = RelyingParty(provider, provider.add_client(settings=settings))
    provider.log_in(browser, provider.add_member())
    assert wallet.finish(wallet.log_in(browser), browser.away)["claims"]["azp"] == "wallet"


def test_clients_of_two_sectors_know_a_member_by_two_subjects(provider, browser):
    """Two companies cannot find out by comparing lists that they have the same member."""
    subjects = set()
    member_id = provider.add_member()
    provider.log_in(browser, member_id)
    for name, sector in (("wallet", ""), ("wallet-app", "wallet.example"), ("shop", "shop.example")):
        settings = msgspec.structs.replace(WALLET, sector=sector)
        party = RelyingParty(provider, provider.add_client(name, settings), name)
        subjects.add(party.finish(party.log_in(browser), browser.away)["claims"]["sub"])
    assert len(subjects) == 2


def test_a_form_of_the_clients_page_starts_a_login_too(provider, browser):
    """No browser sends our cookies with it; the address to which it leads has them."""
    wallet = RelyingParty(provider, provider.add_client())
    begun = wallet.begin()
    provider.log_in(browser, provider.add_member())
    browser.post_query(begun["url"], origin="https://wallet.example", sec_fetch_site="cross-site")
    browser.submit("/openid/consent", answer="allow")
    assert wallet.finish(begun, browser.away)["claims"]["azp"] == "wallet"


def test_the_client_may_ask_for_a_language(provider, browser):
    wallet = RelyingParty(provider, provider.add_client())
    browser.get(wallet.begin(ui_locales="fr en-GB ja")["url"])
    assert browser.cookies["lang"] == "en"


def test_the_institutions_own_service_needs_no_consent(provider, browser):
    settings = msgspec.structs.replace(WALLET, consent=False)
    wallet = RelyingParty(provider, provider.add_client(settings=settings))
    provider.log_in(browser, provider.add_member())
    browser.get(wallet.begin()["url"])
    assert "code" in browser.answer()
