"""What can be registered as a client, and what cannot."""

import msgspec
import pytest
from joserfc import jwk

from sekisho.identity.openid.clients import (
    Client,
    ClientSettings,
    ClientUnfit,
    Proof,
    add,
    check,
    find,
    remove,
)
from sekisho.identity.openid.scopes import Scope
from sekisho.kernel.chance import SeededChance
from sekisho.storage.engine import open_store

WALLET = ClientSettings(names={"ja": "ウォレット"}, redirect_uris=("https://wallet.example/callback",))


def key_set(key, *, private=False):
    return msgspec.json.encode({"keys": [key.as_dict(private=private)]}).decode()


EC = jwk.ECKey.generate_key("P-256", private=True)


@pytest.mark.parametrize(
    "changes",
    [
        {"names": {}},
        {"names": {"ja": " "}},
        {"names": {"ja": "ウォレット\u202e"}},
        {"names": {"ja": "ウ" * 61}},
        {"redirect_uris": ()},
        {"redirect_uris": ("https://wallet.example/callback",) * 21},
        {"redirect_uris": ("https://wallet.example/callback", "https://shop.example/callback")},
        {"redirect_uris": ("http://wallet.example/callback",)},
        {"post_logout_redirect_uris": ("https://wallet.example/#bye",)},
        {"backchannel_logout_uri": "http://wallet.example/logout"},
        {"backchannel_logout_uri": "example.app:/logout", "native": True},
        {"proof": Proof.PRIVATE_KEY_JWT},
        {"proof": Proof.PRIVATE_KEY_JWT, "key_set": "{}"},
        {"proof": Proof.PRIVATE_KEY_JWT, "key_set": "[]"},
        {"proof": Proof.PRIVATE_KEY_JWT, "key_set": '{"keys": []}'},
        {"proof": Proof.PRIVATE_KEY_JWT, "key_set": key_set(EC, private=True)},
        {"proof": Proof.PRIVATE_KEY_JWT, "key_set": key_set(jwk.OctKey.generate_key(256), private=True)},
        {"proof": Proof.PRIVATE_KEY_JWT, "key_set": '{"keys": [{"kty": "EC"}]}'},
        {"proof": Proof.SECRET_BASIC, "key_set": key_set(EC)},
        {"signed_with": "HS256"},
        {"signed_with": "none"},
        {"scopes": (Scope.EMAIL,)},
    ],
)
def test_a_registration_that_is_unsafe_or_cannot_work_is_refused(changes):
    check(WALLET)
    with pytest.raises(ClientUnfit):
        check(msgspec.structs.replace(WALLET, **changes))


@pytest.fixture(name="connection")
def _connection(tmp_path):
    store = open_store(f"sqlite:///{tmp_path}/id.db")
    with store._writing.begin() as connection:  # noqa: SLF001 - one connection that reads what it wrote
        yield connection
    store.close()


@pytest.mark.parametrize(
    "client_id", ["", "ab", "Wallet", "wa llet", "wallet/", "-wallet", "w" * 65, "wallet\n"]
)
def test_an_id_is_a_plain_word(connection, client_id):
    with pytest.raises(ClientUnfit):
        add(connection, client_id, WALLET, now_us=1, chance=SeededChance(1))


def test_a_client_is_found_until_it_is_removed_and_its_id_never_given_again(connection):
    secret = add(connection, "wallet", WALLET, now_us=1, chance=SeededChance(1))
    found = find(connection, "wallet")
    assert isinstance(found, Client)
    assert (found.settings, found.knows_secret(secret), found.knows_secret(secret + "x")) == (
        WALLET,
        True,
        False,
    )
    assert secret.encode() not in found.secret_digest
    assert remove(connection, "wallet", now_us=2)
    assert (find(connection, "wallet"), remove(connection, "wallet", now_us=3)) == (None, False)
    with pytest.raises(ClientUnfit, match="is or was"):
        add(connection, "wallet", WALLET, now_us=4, chance=SeededChance(2))


def test_a_client_without_a_secret_has_none_that_fits(connection):
    add(
        connection, "app", msgspec.structs.replace(WALLET, proof=Proof.NONE), now_us=1, chance=SeededChance(1)
    )
    found = find(connection, "app")
    assert found is not None
    assert not any(found.knows_secret(guess) for guess in ("", "\0" * 32, "secret"))


def test_a_name_is_told_in_the_members_language():
    client = Client(client_id="w", secret_digest=b"", settings=WALLET, added_at_us=1)
    both = msgspec.structs.replace(
        client, settings=msgspec.structs.replace(WALLET, names={"en": "W", "ja": "ウ"})
    )
    assert (client.name("en"), both.name("en"), both.name("ja")) == ("ウォレット", "W", "ウ")
