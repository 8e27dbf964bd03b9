"""The link's OAuth profile, walked by client libraries that we did not write.

requests_oauth2client reads the metadata, pushes the request, signs who it is, makes the DPoP proofs and takes
the nonces, checks state and issuer, exchanges, refreshes and revokes. authlib exchanges and refreshes.
"""

import asyncio
import json
import re
from types import SimpleNamespace
from urllib.parse import urlsplit

import httpx
import pytest
from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwk
from requests_oauth2client import DPoPKey, InvalidGrant, OAuth2Client, PrivateKeyJwt
from requests_oauth2client.exceptions import MismatchingIssuer, MismatchingState
from tests.web.bank_site import BACK, DETAILS, STATE_WORD, TYPED, WALLET, Forms
from tests.web.served_bank import served_bank

from sekisho.bank.authorisation import partners
from sekisho.bank.authorisation.partners import PartnerSettings

pytestmark = pytest.mark.server


@pytest.fixture
def site(tmp_path):
    with served_bank(tmp_path) as site:
        asyncio.run(site.open(number="1234567"))
        yield site


@pytest.fixture
def client(site):
    """Make the library's client, configured from nothing but the bank's metadata and its own key."""
    key = jwk.ECKey.generate_key("P-256", private=True)
    named = {"kid": key.thumbprint(), "alg": "ES256", "use": "sig"}
    private, public = key.as_dict(private=True) | named, key.as_dict(private=False) | named
    settings = PartnerSettings(
        names={"ja": "かもめウォレット"},
        redirect_uris=(BACK,),
        key_set=json.dumps({"keys": [public]}),
    )
    site.do(lambda at: partners.register(at, site.bank, WALLET, settings))
    origin = site.bank.institution.origin
    found = OAuth2Client.from_discovery_endpoint(
        f"{origin}/.well-known/oauth-authorization-server",
        issuer=origin,
        auth=PrivateKeyJwt(WALLET, private, aud=origin),
        redirect_uri=BACK,
        dpop_bound_access_tokens=True,
        testing=True,
    )
    assert found.authorization_response_iss_parameter_supported
    return found


def walked(site, request_uri_request):
    """Walk through the bank's pages as a depositor does, and return where the browser is sent back to."""
    origin = site.bank.institution.origin
    with httpx.Client(headers={"Origin": origin}, follow_redirects=False) as browser:
        page = browser.get(str(request_uri_request.uri))
        jar = dict(browser.cookies)
        headers = {"Origin": origin}

        def ask(method, path, fields=None):
            # Cookies of ours are Secure: browsers send them to loopback all the same, this client does not.
            jar.update(dict(browser.cookies))
            cookies = "; ".join(f"{name}={value}" for name, value in jar.items())
            answer = browser.request(
                method, origin + path, data=fields, headers={**headers, "Cookie": cookies}
            )
            jar.update({name: value for name, value in answer.cookies.items() if value})
            return answer

        jar.update(page.cookies)
        page = ask("GET", page.headers["location"])
        filled = Forms(page.text).fields["/link/account"][0] | TYPED
        page = ask("GET", ask("POST", "/link/account", filled).headers["location"])
        page = ask("POST", "/link/consent", Forms(page.text).fields["/link/consent"][0])
    match = re.search(r'id="onward" href="([^"]+)"', page.text)
    assert match, page.text
    return match[1].replace("&amp;", "&")


def begun(client):
    asked = client.authorization_request(scope=None, nonce=None, authorization_details=json.dumps([DETAILS]))
    return asked, client.pushed_authorization_request(asked)


def test_the_whole_profile_is_walked(site, client):
    asked, pushed = begun(client)
    assert urlsplit(str(pushed.uri)).query.count("=") == 2
    response = asked.validate_callback(walked(site, pushed))
    token = client.authorization_code(response, validate=False)
    assert token.token_type == "DPoP"  # noqa: S105 - the type's name
    assert token.authorization_details[0]["account"]["last4"] == "4567"
    fresh = client.refresh_token(token)
    assert fresh.access_token != token.access_token
    assert client.revoke_refresh_token(token.refresh_token) is True
    with pytest.raises(InvalidGrant):
        client.refresh_token(token)


def test_a_refresh_with_another_key_is_refused(site, client):
    asked, pushed = begun(client)
    token = client.authorization_code(asked.validate_callback(walked(site, pushed)), validate=False)
    with pytest.raises(InvalidGrant):
        client.token_request(
            {"grant_type": "refresh_token", "refresh_token": token.refresh_token}, dpop_key=DPoPKey.generate()
        )


def test_the_library_sees_a_foreign_state_and_a_foreign_issuer(site, client):
    """What we send back is enough for a client to notice that an answer is not for it, or not from us."""
    asked, pushed = begun(client)
    uri = walked(site, pushed)
    with pytest.raises(MismatchingState):
        asked.validate_callback(re.sub(r"state=[^&]+", "state=foreign", uri))
    with pytest.raises(MismatchingIssuer):
        asked.validate_callback(re.sub(r"iss=[^&]+", "iss=https%3A%2F%2Fevil.example", uri))


def test_authlib_exchanges_a_code_and_refreshes(site, monkeypatch):
    """Another library signs who it is and makes the challenge; the DPoP proofs are made by hand."""
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")
    wallet, origin = site.partner(), site.bank.institution.origin
    way = PrivateKeyJWT(origin, alg="ES256")
    client = OAuth2Session(WALLET, wallet.key, token_endpoint_auth_method=way.name, redirect_uri=BACK)
    client.register_client_auth_method(way)
    verifier = generate_token(64)
    pushed = asyncio.run(wallet.push(code_challenge=create_s256_code_challenge(verifier))).json()
    query = f"client_id={WALLET}&request_uri={pushed['request_uri']}"
    back = walked(site, SimpleNamespace(uri=f"{origin}/link/authorize?{query}"))
    wallet.nonce = site.links.prover.nonce()
    token = client.fetch_token(
        f"{origin}/link/token",
        authorization_response=back,
        state=STATE_WORD,
        code_verifier=verifier,
        headers={"DPoP": wallet.proof("/link/token")},
    )
    assert token["token_type"] == "DPoP"  # noqa: S105 - the type's name
    fresh = client.refresh_token(
        f"{origin}/link/token",
        refresh_token=token["refresh_token"],
        headers={"DPoP": wallet.proof("/link/token")},
    )
    assert fresh["access_token"] != token["access_token"]
