"""What clients call themselves: how they prove who they are, and what they can read before they ask."""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import msgspec
import pytest
from joserfc import jwk, jwt
from tests.web.id_provider import CALLBACK, WALLET, Browser, RelyingParty, provider_on_loopback

from sekisho.identity.openid.clients import Proof, remove
from sekisho.identity.openid.signing_keys import replace, rotate
from sekisho.kernel.clock import HOUR_US, MINUTE_US, SECOND_US

HS256 = urlsafe_b64encode(b'{"alg":"HS256"}').decode().rstrip("=")
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
KEY = jwk.ECKey.generate_key("P-256", private=True)
OTHER_KEY = jwk.ECKey.generate_key("P-256", private=True)
KEY_SET = msgspec.json.encode({"keys": [KEY.as_dict(private=False)]}).decode()


@pytest.fixture(name="provider", scope="module")
def _provider(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")  # loopback has no TLS
        with provider_on_loopback(tmp_path_factory.mktemp("id")) as provider:
            yield provider


@pytest.fixture(name="secrets", scope="module")
def _secrets(provider):
    """Register a client for each way of proving, and give their secrets."""
    keyed = msgspec.structs.replace(WALLET, proof=Proof.PRIVATE_KEY_JWT, key_set=KEY_SET)
    posting = msgspec.structs.replace(WALLET, proof=Proof.SECRET_POST)
    public = msgspec.structs.replace(WALLET, proof=Proof.NONE)
    return {
        "basic": provider.add_client("basic"),
        "posting": provider.add_client("posting", posting),
        "keyed": provider.add_client("keyed", keyed),
        "public": provider.add_client("public", public),
    }


@pytest.fixture(name="browser")
def _browser(provider):
    browser = Browser(provider.origin)
    provider.log_in(browser, provider.add_member())
    yield browser
    browser.close()


def revoke(provider, form, **options):
    """Call an endpoint that asks only who the client is."""
    url = f"{provider.origin}/openid/revoke"
    return httpx.post(url, data={"token": "t"} | form, trust_env=False, **options)


def statement(provider, key=KEY, algorithm="ES256", **changes):
    """Return a client's statement about itself."""
    now_s = provider.clock.now_us() // SECOND_US
    claims = {
        "iss": "keyed",
        "sub": "keyed",
        "aud": provider.origin,
        "iat": now_s,
        "exp": now_s + 60,
        "jti": provider.parts.chance.octets(16).hex(),
    } | changes
    kept = {name: value for name, value in claims.items() if value is not None}
    token = jwt.encode({"alg": algorithm}, kept, key, algorithms=[algorithm])
    return {"client_assertion_type": ASSERTION, "client_assertion": token}


def hashed(body, key):
    """Return a token whose body is authenticated with a public key, as if that were a shared secret."""
    signed = f"{HS256}.{body}"
    digest = urlsafe_b64encode(hmac.digest(key, signed.encode(), "sha256")).decode().rstrip("=")
    return f"{signed}.{digest}"


def test_each_client_proves_itself_in_its_own_way(provider, secrets):
    """And no other way is taken for it, however right it is."""
    ways: dict[str, dict[str, Any]] = {
        "basic": {"auth": ("basic", secrets["basic"])},
        "posting": {"form": {"client_id": "posting", "client_secret": secrets["posting"]}},
        "public": {"form": {"client_id": "public"}},
        "keyed": {"form": statement(provider)},
    }
    for way in ways.values():
        answer = revoke(provider, way.get("form", {}), auth=way.get("auth"))
        assert (answer.status_code, answer.content) == (200, b"")
    wrong = [
        revoke(provider, {"client_id": "basic"}),
        revoke(provider, {"client_id": "basic", "client_secret": secrets["basic"]}),
        revoke(provider, {}, auth=("posting", secrets["posting"])),
        revoke(provider, {"client_id": "keyed"}),
        revoke(provider, {}, auth=("public", "")),
        revoke(provider, {}, auth=("basic", secrets["posting"])),
        revoke(provider, {}, auth=("basic", "")),
        revoke(provider, {}, auth=("nobody", secrets["basic"])),
        revoke(provider, {"client_id": "nobody"}),
        revoke(provider, {}),
        revoke(provider, {}, headers={"authorization": "Bearer abc"}),
        revoke(provider, {}, headers={"authorization": "Basic !!!"}),
        revoke(provider, {}, headers={"authorization": "Basic YWJj"}),
    ]
    # Unknown and unproven are told the same.
    assert {(answer.status_code, answer.content) for answer in wrong} == {(401, wrong[0].content)}
    assert wrong[0].json()["error"] == "invalid_client"
    assert wrong[0].headers["www-authenticate"].startswith("Basic ")


def test_two_ways_at_once_are_none(provider, secrets):
    both = {"client_id": "posting", "client_secret": secrets["posting"]}
    answer = revoke(provider, both, auth=("basic", secrets["basic"]))
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    answer = revoke(provider, statement(provider), auth=("basic", secrets["basic"]))
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    answer = revoke(provider, {"client_id": "posting"}, auth=("basic", secrets["basic"]))
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_a_signed_statement_counts_once(provider, secrets):
    assert secrets
    once = statement(provider)
    assert [revoke(provider, once).status_code for _ in range(3)] == [200, 401, 401]


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "https://another.example"},
        {"aud": None},
        {"aud": []},
        {"iss": "basic"},
        {"iss": None},
        {"sub": "basic"},
        {"sub": ["keyed"]},
        {"sub": None},
        {"exp": None},
        {"exp": 1},
        {"exp": "tomorrow"},
        {"exp": float("inf")},
        {"exp": 10**400},
        {"exp": True},
        {"jti": None},
        {"jti": ""},
        {"jti": 7},
        {"jti": "j" * 300},
    ],
)
def test_a_statement_that_is_not_of_us_two_and_of_now_is_not_believed(provider, secrets, changes):
    assert secrets
    assert revoke(provider, statement(provider)).status_code == 200
    assert revoke(provider, statement(provider, **changes)).status_code == 401


def test_a_statement_for_several_or_for_too_long_is_not_believed(provider, secrets):
    assert secrets
    now_s = provider.clock.now_us() // SECOND_US
    for changes in (
        {"aud": [provider.origin, "https://another.example"]},
        {"exp": now_s + 4 * 3_600},
        {"iat": now_s + 300},
        {"nbf": now_s + 300},
    ):
        assert revoke(provider, statement(provider, **changes)).status_code == 401
    assert revoke(provider, statement(provider, aud=[provider.origin])).status_code == 200
    assert revoke(provider, statement(provider, aud=f"{provider.origin}/openid/token")).status_code == 200


def test_a_statement_under_another_key_or_none_is_not_believed(provider, secrets):
    """Nor under the public key taken for an HMAC secret, nor as a nested or a broken token."""
    assert secrets
    assert revoke(provider, statement(provider, OTHER_KEY)).status_code == 401
    body = statement(provider)["client_assertion"].split(".")[1]
    for token in (
        hashed(body, KEY.as_pem(private=False)),
        hashed(body, KEY.as_der(private=False)),
        hashed(body, KEY_SET.encode()),
        hashed(body, b""),
        f"eyJhbGciOiJub25lIn0.{body}.",
        f"eyJhbGciOiJOb25lIn0.{body}.AAAA",
        f"e30.{body}.AAAA",
        f".{body}.",
        f"eyJhbGciOiJFUzI1NiJ9.{body}",
        "a.b.c",
        "[" * 2_000,
        "",
    ):
        form = {"client_assertion_type": ASSERTION, "client_assertion": token}
        assert revoke(provider, form).status_code in {400, 401}
    assert revoke(provider, statement(provider) | {"client_assertion_type": "jwt"}).status_code == 401


def test_a_client_that_was_removed_is_nobody_any_more(provider, browser):
    """Its tokens open nothing, and its id is not given out again."""
    gone = RelyingParty(provider, provider.add_client("gone"), "gone")
    token = gone.finish(gone.log_in(browser), browser.away)
    waiting = gone.begin(prompt="consent")
    browser.get(waiting["url"])
    form = browser.fields("/openid/consent") | {"answer": "allow"}
    assert provider.write(lambda connection: remove(connection, "gone", now_us=provider.clock.now_us()))
    assert gone.get(f"{provider.origin}/openid/userinfo", token=token).status_code == 401
    browser.post("/openid/consent", form)
    assert (browser.status, browser.away) == (400, "")
    with pytest.raises(ValueError, match="is or was"):
        provider.add_client("gone")


def test_a_client_revokes_its_own_tokens_alone(provider, secrets, browser):
    """RFC 7009: another's token is as good as unknown, and neither is told."""
    wallet = RelyingParty(provider, secrets["basic"], "basic")
    token = wallet.finish(wallet.log_in(browser), browser.away)
    userinfo = f"{provider.origin}/openid/userinfo"
    form = {"token": token["access_token"]}
    assert revoke(provider, form | {"client_id": "public"}).status_code == 200
    assert wallet.get(userinfo, token=token).status_code == 200
    hinted = form | {"token_type_hint": "refresh_token"}
    assert revoke(provider, hinted, auth=("basic", secrets["basic"])).status_code == 200
    assert wallet.get(userinfo, token=token).status_code == 401
    assert revoke(provider, {"token": ""}, auth=("basic", secrets["basic"])).status_code == 400


def test_the_discovery_document_names_this_origin_and_its_limits(provider):
    """Every address in it answers, and what is not supported is said to be so."""
    found = httpx.get(f"{provider.origin}/.well-known/openid-configuration", trust_env=False)
    document = found.json()
    assert document["issuer"] == provider.origin
    assert found.headers["cache-control"] == "public, max-age=3600"
    assert document["code_challenge_methods_supported"] == ["S256"]
    assert document["subject_types_supported"] == ["pairwise"]
    assert document["authorization_response_iss_parameter_supported"] is True
    for name, value in document.items():
        if name.endswith("_endpoint") or name == "jwks_uri":
            assert urlsplit(value).netloc == urlsplit(provider.origin).netloc
            assert httpx.get(value, trust_env=False).status_code in {200, 400, 401, 405}
    same = httpx.get(f"{provider.origin}/.well-known/oauth-authorization-server", trust_env=False)
    assert same.json() == document


def test_a_new_key_is_shown_before_it_signs_and_the_old_one_for_as_long_as_it_is_needed(provider, browser):
    """A client that keeps the key set for an hour can verify whatever it is sent."""
    wallet = RelyingParty(provider, provider.add_client("keeper"), "keeper")

    def kids():
        keys = httpx.get(f"{provider.origin}/openid/keys", trust_env=False).json()["keys"]
        assert all(set(key) <= {"kid", "kty", "alg", "use", "crv", "x", "y", "n", "e"} for key in keys)
        return {key["kid"] for key in keys if key["alg"] == "ES256"}

    def signed_by(minutes):
        provider.clock.advance(minutes * MINUTE_US)
        provider.log_in(browser, provider.add_member())
        begun = wallet.log_in(browser)
        code = dict(parse_qsl(urlsplit(browser.away).query))["code"]
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": CALLBACK,
            "code_verifier": begun["code_verifier"],
        }
        url, auth = f"{provider.origin}/openid/token", ("keeper", wallet.client_secret)
        token = httpx.post(url, data=form, auth=auth, trust_env=False).json()["id_token"]
        return msgspec.json.decode(urlsafe_b64decode(token.split(".")[0] + "=="))["kid"]

    (old,) = kids()
    settings = provider.desks.settings
    provider.write(
        lambda connection: rotate(
            connection, provider.parts.keyring, settings, now_us=provider.clock.now_us()
        )
    )
    assert signed_by(1) == old
    shown = kids()
    assert (len(shown), old in shown) == (2, True)
    assert signed_by(118) == old
    (new,) = shown - {old}
    assert signed_by(2) == new
    assert kids() == {old, new}
    provider.clock.advance(11 * MINUTE_US)
    assert kids() == {new}

    provider.write(
        lambda connection: replace(connection, provider.parts.keyring, now_us=provider.clock.now_us())
    )
    assert signed_by(1) not in {old, new}
    assert new not in kids()
    provider.clock.advance(-4 * HOUR_US)
