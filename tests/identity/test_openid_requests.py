"""Authorisation requests of any shape: refused, or exactly what was registered and proven."""

from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sekisho.identity.assurance import Level
from sekisho.identity.openid.clients import ClientSettings, add
from sekisho.identity.openid.parameters import Parameters, read_form
from sekisho.identity.openid.requests import (
    AuthorisationRequest,
    Prompt,
    Unacceptable,
    addressee_of,
    read_request,
)
from sekisho.identity.openid.scopes import Scope
from sekisho.kernel.chance import SeededChance
from sekisho.kernel.refusals import Refusal
from sekisho.storage.engine import open_store

URI = "https://wallet.example/callback"
RIGHT = {
    "client_id": "wallet",
    "redirect_uri": URI,
    "response_type": "code",
    "scope": "openid email",
    "code_challenge": "c" * 43,
    "code_challenge_method": "S256",
    "state": "s",
    "nonce": "n",
}
NAMES = [
    *RIGHT,
    "prompt",
    "max_age",
    "acr_values",
    "request",
    "request_uri",
    "response_mode",
    "ui_locales",
    "x",
]
VALUES = ["", "openid", "code", "plain", "S256", URI, URI + "/", "none login", "-1", "wallet", "c" * 43, "0"]


@pytest.fixture(name="connection", scope="module")
def _connection(tmp_path_factory):
    store = open_store(f"sqlite:///{tmp_path_factory.mktemp('id')}/id.db")
    client = ClientSettings(
        names={"ja": "ウォレット"}, redirect_uris=(URI,), scopes=(Scope.OPENID, Scope.EMAIL)
    )
    store.write(
        lambda connection: add(connection, "wallet", client, now_us=1, chance=SeededChance(1))
    ).result()
    with store.read() as connection:
        yield connection
    store.close()


def read(connection, parameters):
    return read_request(addressee_of(connection, parameters), parameters)


def test_a_right_request_is_read_as_it_was_meant(connection):
    """Scopes that the client may not have are left out, and unknown ones ignored."""
    more = {"scope": "phone email openid offline_access", "prompt": "consent login", "max_age": "60"}
    request = read(connection, Parameters(RIGHT | more | {"acr_values": "passkey x code"}))
    assert request == AuthorisationRequest(
        client_id="wallet",
        redirect_uri=URI,
        scopes=(Scope.OPENID, Scope.EMAIL),
        code_challenge="c" * 43,
        state="s",
        nonce="n",
        prompts=(Prompt.LOGIN, Prompt.CONSENT),
        max_age_s=60,
        levels=(Level.CODE, Level.PASSKEY),
    )
    assert [level for level in Level if request.is_met_by(level)] == [Level.CODE, Level.PASSKEY]


@settings(max_examples=400)
@given(
    changes=st.lists(
        st.tuples(st.sampled_from(NAMES), st.sampled_from(VALUES) | st.text(max_size=40)), max_size=4
    ),
    left_out=st.sets(st.sampled_from(list(RIGHT)), max_size=1),
)
def test_whatever_is_changed_nothing_is_answered_elsewhere(connection, changes, left_out):
    """A request that is taken has PKCE, openid and the registered address; an error goes there or nowhere."""
    pairs = [
        (name, value) for name, value in RIGHT.items() if name not in left_out and name not in dict(changes)
    ]
    octets = urlencode([*pairs, *changes], errors="surrogatepass").encode()
    try:
        read_as = read(connection, read_form(octets))
    except Refusal as refusal:
        assert refusal.code.startswith("openid_")  # noqa: PT017 - which refusals go to the person is the point
        return
    if isinstance(read_as, Unacceptable):
        assert (read_as.addressee.redirect_uri, read_as.addressee.client.client_id) == (URI, "wallet")
        assert not read_as.refusal.code.startswith("openid_")
        assert read_as.refusal.told.isascii()
        assert read_as.refusal.told.isprintable()
        return
    assert (read_as.redirect_uri, read_as.client_id) == (URI, "wallet")
    assert len(read_as.code_challenge) == 43
    assert {Scope.OPENID} <= set(read_as.scopes) <= {Scope.OPENID, Scope.EMAIL}
    assert len({name for name, _ in changes}) == len(changes)
