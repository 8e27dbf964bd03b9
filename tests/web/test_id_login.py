"""A whole login over HTTP with a client library that we did not write, in each of its ways."""

import pytest
from tests.web.id_provider import CALLBACK, PERSON, Browser, RelyingParty, provider_on_loopback

from sekisho.identity.personal_data import Item


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
    assert claims["acr"] == "passkey"
    assert claims["auth_time"] == session.proven_at_us // 1_000_000
    assert claims["azp"] == "wallet"
    assert member_id not in str(claims)
    userinfo = wallet.userinfo(token=token)
    assert userinfo["sub"] == claims["sub"]
    assert (userinfo["name"], userinfo["email"]) == (PERSON[Item.NAME], PERSON[Item.EMAIL])
    assert (userinfo["phone_number"], userinfo["locale"]) == (PERSON[Item.MOBILE_PHONE], "ja")
    assert browser.away.startswith(CALLBACK)
