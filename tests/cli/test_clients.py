"""`sekisho clients` and `sekisho signing-keys`, on a provider's folder."""

import pytest
from click.testing import CliRunner

from sekisho.cli.main import main
from sekisho.storage.engine import open_store

WHY = ("--by", "aoki", "--reason", "ticket 7")


@pytest.fixture(name="sekisho")
def _sekisho(tmp_path):
    """Run a command on the folder of a provider that nobody has open."""

    def run(group, *arguments):
        why = () if arguments[0] == "list" else WHY
        return CliRunner().invoke(main, [group, "--data", str(tmp_path / "id"), *arguments, *why])

    return run


WALLET = ("wallet", "--name", "みずいろウォレット", "--redirect-uri", "https://wallet.example/callback")


def test_a_service_is_registered_listed_and_removed(sekisho, tmp_path):
    """Its secret is printed once, and is in no list."""
    added = sekisho("clients", "add", *WALLET, "--scope", "openid", "--scope", "email")
    secret = added.output.strip()
    assert (added.exit_code, len(secret)) == (0, 43)
    listed = sekisho("clients", "list").output
    columns = ["wallet", "みずいろウォレット", "client_secret_basic", "openid,email", WALLET[-1]]
    assert listed.split("\t")[:5] == columns
    assert secret not in listed
    assert sekisho("clients", "remove", "wallet").exit_code == 0
    assert sekisho("clients", "list").output == ""
    again = sekisho("clients", "remove", "wallet")
    assert (again.exit_code, "no service" in again.output) == (1, True)
    registered, removed = acts(tmp_path)
    assert registered == ("aoki", "openid:client_registered", "wallet", "ticket 7")
    assert removed == ("aoki", "openid:client_removed", "wallet", "ticket 7")


def acts(tmp_path):
    """Return the acts on the provider's record, the oldest first."""
    listed = CliRunner().invoke(main, ["audit", "list", "--data", str(tmp_path / "id")]).output.splitlines()
    return [tuple(line.split("\t")[2:6]) for line in reversed(listed)]


def test_an_app_has_no_secret(sekisho):
    app = ("app", "--name", "App", "--native", "--proof", "none", "--redirect-uri", "http://127.0.0.1/back")
    assert "no secret" in sekisho("clients", "add", *app).output


def test_a_service_with_keys_is_registered_from_a_file(sekisho, tmp_path):
    """What is no public key set is refused, with the reason."""
    keys = tmp_path / "keys.json"
    keys.write_text('{"keys": []}')
    refused = sekisho("clients", "add", *WALLET, "--proof", "private_key_jwt", "--key-set", str(keys))
    assert (refused.exit_code, "JWK set" in refused.output) == (1, True)
    x, y = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
    keys.write_text(f'{{"keys": [{{"kty": "EC", "crv": "P-256", "x": "{x}", "y": "{y}"}}]}}')
    added = sekisho("clients", "add", *WALLET, "--proof", "private_key_jwt", "--key-set", str(keys))
    assert (added.exit_code, "no secret" in added.output) == (0, True)


@pytest.mark.parametrize(
    ("uri", "why"),
    [("http://wallet.example/callback", "this machine alone"), ("https://wallet.example/a#b", "fragment")],
)
def test_what_would_be_unsafe_is_refused_with_the_reason(sekisho, uri, why):
    refused = sekisho("clients", "add", "wallet", "--name", "W", "--redirect-uri", uri)
    assert (refused.exit_code, why in refused.output) == (1, True)


def test_a_store_in_use_is_said_to_be(sekisho, tmp_path):
    store = open_store(f"sqlite:///{tmp_path}/id/sekisho.db")
    refused = sekisho("clients", "list")
    store.close()
    assert (refused.exit_code, "Another Sekisho process" in refused.output) == (1, True)


@pytest.mark.parametrize("deed", [("clients", "add", *WALLET), ("signing-keys", "replace")])
def test_nobody_of_the_staff_changes_nothing(sekisho, tmp_path, deed):
    """Without a name for the record neither a service nor a key is made."""
    done = CliRunner().invoke(
        main, [deed[0], "--data", str(tmp_path / "id"), *deed[1:], "--by", "NOBODY!", "--reason", "x"]
    )
    assert (done.exit_code, "staff id" in done.output) == (2, True)
    assert sekisho(deed[0], "list").output == ""
    assert acts(tmp_path) == []


def test_keys_are_rotated_in_peace_and_replaced_in_need(sekisho, tmp_path):
    """A rotated key waits beside the old one; a replaced one is gone."""
    assert sekisho("signing-keys", "rotate").exit_code == 0
    first = sekisho("signing-keys", "list").output.splitlines()
    assert sorted(row.split("\t")[1] for row in first) == ["ES256", "RS256"]
    assert sekisho("signing-keys", "rotate").exit_code == 0
    rotated = sekisho("signing-keys", "list").output.splitlines()
    assert len(rotated) == 4
    assert {row.split("\t")[0] for row in first} <= {row.split("\t")[0] for row in rotated}
    assert sekisho("signing-keys", "replace").exit_code == 0
    replaced = {row.split("\t")[0] for row in sekisho("signing-keys", "list").output.splitlines()}
    assert (len(replaced), replaced & {row.split("\t")[0] for row in rotated}) == (2, set())
    done = ("rotated", "rotated", "replaced")
    assert [act for _, act, _, _ in acts(tmp_path)] == [f"openid:signing_keys_{what}" for what in done]
