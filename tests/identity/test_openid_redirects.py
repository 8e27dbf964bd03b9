"""Where browsers may be sent: what can be registered, and what fits what is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.identity.openid.redirects import (
    Unregistrable,
    check_redirect_uri,
    fits,
    host_of,
    origin_of,
    with_parameters,
)


@pytest.mark.parametrize(
    "uri",
    [
        "https://wallet.example",
        "https://wallet.example/",
        "https://wallet.example:8443/a/b?c=d&e=%2f",
        "http://localhost:3000/callback",
        "http://wallet.localhost:8470/openid/callback",
        "http://127.0.0.1/callback",
        "http://[::1]:49152/callback",
    ],
)
def test_plain_absolute_addresses_can_be_registered(uri):
    check_redirect_uri(uri, native=False)


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "callback",
        "/callback",
        "//wallet.example/callback",
        "https:wallet.example",
        "https://",
        "https:///callback",
        "http://wallet.example/callback",
        "http://localhost.evil.example/callback",
        "http://127.0.0.1.evil.example/callback",
        "https://user@wallet.example/callback",
        "https://user:pass@wallet.example/callback",
        "https://wallet.example/callback#fragment",
        "https://wallet.example/callback#",
        "https://*.wallet.example/callback",
        "https://wallet.example/*/../callback",
        "https://wallet.example/a/./b",
        "https://wallet.example/%2e%2e/b",
        "https://wallet.example/.%2E",
        "https://WALLET.example/callback",
        "https://wallet.example/call back",
        "https://wallet.example\\callback",
        "https://wallet.example/call\nback",
        "https://wallet.example/callback\n",
        "https://wället.example/callback",
        "https://wallet.example/%zz",
        "https://wallet.example:0/callback",
        "https://wallet.example:/callback",
        "https://-wallet.example/callback",
        "https://wallet..example/callback",
        "javascript:alert(1)",
        "data:text/html,a",
        "file:///etc/passwd",
        "https://wallet.example/" + "a" * 500,
        "example.wallet.app:/callback",
    ],
)
def test_anything_else_cannot(uri):
    with pytest.raises(Unregistrable):
        check_redirect_uri(uri, native=False)


@pytest.mark.parametrize(
    "uri", ["wallet:/callback", "javascript.a:alert(1)", "example.wallet.app://host#a", "Example.app:/"]
)
def test_a_scheme_of_an_apps_own_is_a_name_backwards_and_runs_no_script(uri):
    """RFC 8252 section 7.1."""
    check_redirect_uri("example.wallet.app:/callback", native=True)
    with pytest.raises(Unregistrable):
        check_redirect_uri(uri, native=True)


REGISTERED = ("https://wallet.example/callback", "http://127.0.0.1/back", "http://[::1]:1/back?a=b")


@pytest.mark.parametrize("uri", REGISTERED)
def test_what_is_registered_fits_itself(uri):
    assert fits(uri, REGISTERED, native=False)


@pytest.mark.parametrize(
    ("uri", "for_an_app"),
    [
        ("http://127.0.0.1:49152/back", True),
        ("http://[::1]:49152/back?a=b", True),
        ("http://127.0.0.1:49152/back?a=b", False),
        ("http://[::1]:49152/back", False),
        ("http://localhost:49152/back", False),
        ("https://wallet.example:444/callback", False),
    ],
)
def test_a_port_may_differ_on_loopback_for_an_app_alone(uri, for_an_app):
    assert fits(uri, REGISTERED, native=True) is for_an_app
    assert not fits(uri, REGISTERED, native=False)


@given(st.text(max_size=80))
def test_nothing_fits_by_accident(text):
    """Whatever comes, only equal text fits, or a loopback port for an app."""
    assert fits(text, REGISTERED, native=False) is (text in REGISTERED)
    if fits(text, REGISTERED, native=True) and text not in REGISTERED:
        assert host_of(text) in {"127.0.0.1", "[::1]"}


@given(
    st.integers(0, len(REGISTERED[0])),
    st.sampled_from(["@", "/", "\\", "#", "?", ".", "..", "%00", "\0", "\u3002", "evil.example", " ", ""]),
    st.booleans(),
)
def test_no_change_to_a_registered_address_fits(place, inserted, cut):
    uri = REGISTERED[0]
    changed = uri[:place] + inserted + ("" if cut else uri[place:])
    assert fits(changed, REGISTERED, native=True) is (changed == uri)


def test_parameters_are_added_to_what_is_there():
    """The query that a client registered is kept (RFC 6749 section 3.1.2)."""
    assert with_parameters("https://a.example/b", {"code": "c&d"}) == "https://a.example/b?code=c%26d"
    assert with_parameters("https://a.example/b?x=1", {"code": "c"}) == "https://a.example/b?x=1&code=c"
    assert with_parameters("https://a.example/b?", {"code": "c"}) == "https://a.example/b?code=c"
    assert with_parameters("https://a.example/b", {}) == "https://a.example/b"


def test_origins_and_hosts_are_read_off_what_is_registered():
    assert origin_of("http://wallet.localhost:8470/a") == "http://wallet.localhost:8470"
    assert (host_of("https://a.example/b"), host_of("example.app:/b")) == ("a.example", "example.app")
