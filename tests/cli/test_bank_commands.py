"""`sekisho partners` and `sekisho depositors`, on a bank's folder."""

import pytest
from click.testing import CliRunner
from joserfc import jwk

from sekisho.bank import deposits
from sekisho.bank.house import open_house
from sekisho.cli.institutions import BANK
from sekisho.cli.link_settings import LinkSettingsUnreadable, link_settings_in
from sekisho.cli.main import main
from sekisho.identity.institution import Parts
from sekisho.kernel.chance import SystemChance
from sekisho.kernel.clock import SystemClock
from sekisho.storage.engine import open_store
from sekisho.storage.keyring_files import open_keyring
from sekisho.storage.kms import key_wrapper

WHY = ("--by", "aoki", "--reason", "asked at the counter")
HANAKO = (
    *("--name-kana", "ヤマダ ハナコ", "--birth-date", "1990-04-01", "--phone", "090-1234-0001"),
    *("--number", "1234567", "--yen", "500000", *WHY),
)


@pytest.fixture(name="sekisho")
def _sekisho(tmp_path):
    """Run a command on the folder of a bank that nobody has open."""

    def run(group, *arguments, typed=None):
        at = ["--data", str(tmp_path / "bank")]
        # The commands of the audit take their folder behind the subcommand, the bank's own before it.
        words = [group, arguments[0], *at, *arguments[1:]] if group == "audit" else [group, *at, *arguments]
        return CliRunner().invoke(main, words, input=typed)

    return run


@pytest.fixture(name="keys")
def _keys(tmp_path):
    """Write the public keys of a partner to a file."""

    def written(name="keys.json", *, private=False):
        key = jwk.ECKey.generate_key("P-256", private=True)
        file = tmp_path / name
        file.write_text(jwk.KeySet([key]).as_dict(private=private).__repr__().replace("'", '"'))
        return str(file)

    return written


def acts(sekisho):
    """Return the acts on the bank's record, the oldest first."""
    listed = sekisho("audit", "list").output.splitlines()
    return [line.split("\t")[3] for line in reversed(listed)]


def test_an_account_is_opened_with_its_cash_and_found(sekisho, tmp_path):
    opened = sekisho("depositors", "open", *HANAKO, "--pin", "3817")
    assert (opened.exit_code, opened.output) == (0, "001-1234567\n")
    clock, chance, folder = SystemClock(), SystemChance(), tmp_path / "bank"
    store = open_store(f"sqlite:///{folder}/sekisho.db")
    keyring = open_keyring(folder, key_wrapper(folder, {}, chance), clock=clock, chance=chance)
    bank = open_house(Parts(BANK.on_port(0), store, keyring, clock, chance))
    with store.read() as connection:
        one = deposits.find_by_number(connection, "001", "1234567")
        assert one is not None
        assert deposits.balance(connection, one).amount == 500_000
    assert bank.profile.code == "9901"
    store.close()


def test_a_pin_is_asked_for_twice_where_it_is_not_given(sekisho):
    opened = sekisho("depositors", "open", *HANAKO, typed="3817\n3817\n")
    assert opened.exit_code == 0
    assert "3817" not in opened.output


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (("--pin", "1234"), "PIN"),
        (("--pin", "0401"), "PIN"),
        (("--pin", "3817", "--branch", "999"), "branch"),
        (("--pin", "3817", "--phone", "03-1234-5678"), "mobile"),
        (("--pin", "3817", "--number", "12"), "digits"),
        (("--pin", "3817", "--name-kana", "山田"), "name"),
    ],
)
def test_what_cannot_be_opened_is_said_and_not_opened(sekisho, changed, words):
    refused = sekisho("depositors", "open", *HANAKO, *changed)
    assert refused.exit_code == 2
    assert words in refused.output
    assert sekisho("depositors", "state", "001-1234567", "blocked", *WHY).exit_code == 1
    assert acts(sekisho) == []


def test_an_account_is_blocked_freed_and_its_phone_changed(sekisho):
    """What changes something is an act, what changes nothing is none."""
    sekisho("depositors", "open", *HANAKO, "--pin", "3817")
    assert "blocked" in sekisho("depositors", "state", "001-1234567", "blocked", *WHY).output
    assert "nothing" in sekisho("depositors", "state", "001-1234567", "blocked", *WHY).output
    assert sekisho("depositors", "phone", "001-1234567", "090-1111-2222", *WHY).exit_code == 0
    assert sekisho("depositors", "phone", "001-1234567", "x", *WHY).exit_code == 2
    unknown = sekisho("depositors", "tie", "001-7777777", "--member-number", "1", *WHY)
    assert (unknown.exit_code, "no such account" in unknown.output) == (1, True)
    nobody = sekisho("depositors", "tie", "001-1234567", "--member-number", "1", *WHY)
    assert (nobody.exit_code, "no customer" in nobody.output) == (1, True)
    assert acts(sekisho) == ["bank:account_opened", "bank:account_state_changed", "bank:phone_changed"]
    (newest, *_) = sekisho("audit", "list").output.splitlines()
    assert newest.split("\t")[2:6:3] == ["aoki", "asked at the counter"]


@pytest.mark.parametrize(
    "deed",
    [
        ("open", *HANAKO, "--pin", "3817", "--number", "7654321"),
        ("state", "001-1234567", "blocked", *WHY),
        ("phone", "001-1234567", "090-1111-2222", *WHY),
    ],
)
def test_nobody_of_the_staff_does_nothing(sekisho, deed):
    """Without a name for the record the account stays as it is."""
    sekisho("depositors", "open", *HANAKO, "--pin", "3817")
    refused = sekisho("depositors", *deed, "--by", "NOBODY!")
    assert (refused.exit_code, "staff id" in refused.output) == (2, True)
    assert sekisho("depositors", *(word for word in deed if word not in WHY)).exit_code == 2
    assert acts(sekisho) == ["bank:account_opened"]
    assert "blocked" in sekisho("depositors", "state", "001-1234567", "blocked", *WHY).output
    assert sekisho("depositors", "state", "001-7654321", "blocked", *WHY).exit_code == 1


def test_an_account_may_be_overdrawn_by_what_staff_agreed_to(sekisho):
    sekisho("depositors", "open", *HANAKO, "--pin", "3817")
    for yen in ("100000", "100000", "0"):
        done = sekisho("depositors", "overdraft", "001-1234567", yen, *WHY)
        assert (done.exit_code, done.output) == (0, f"001-1234567\t{yen}\t{500_000 + int(yen)}\n")
    refused = sekisho("depositors", "overdraft", "001-1234567", "--", "-1", *WHY)
    assert refused.exit_code == 2
    nobody = sekisho("depositors", "overdraft", "001-1234567", "1", "--by", "NOBODY!", "--reason", "x")
    assert (nobody.exit_code, "staff id" in nobody.output) == (2, True)
    assert sekisho("depositors", "overdraft", "001-7777777", "1", *WHY).exit_code == 1


def test_a_partner_is_registered_listed_rekeyed_and_removed(sekisho, keys):
    wallet = ("kamome-wallet", "--name", "かもめウォレット", "--redirect-uri", "https://wallet.example/back")
    added = sekisho("partners", "add", *wallet, "--key-set", keys(), "--ceiling-yen", "100000", *WHY)
    assert (added.exit_code, added.output) == (0, "registered: kamome-wallet\n")
    again = sekisho("partners", "add", *wallet, "--key-set", keys(), *WHY)
    assert (again.exit_code, "there is or was" in again.output) == (1, True)
    columns = ["kamome-wallet", "かもめウォレット", "100000/1000000", wallet[-1]]
    assert sekisho("partners", "list").output.split("\t")[:4] == columns
    assert sekisho("partners", "rekey", "kamome-wallet", "--key-set", keys("new.json"), *WHY).exit_code == 0
    assert sekisho("partners", "rekey", "other", "--key-set", keys("new.json"), *WHY).exit_code == 1
    assert sekisho("partners", "remove", "kamome-wallet", *WHY).exit_code == 0
    assert sekisho("partners", "remove", "kamome-wallet", *WHY).exit_code == 1
    assert sekisho("partners", "list").output == ""
    done = ("registered", "rekeyed", "removed")
    assert acts(sekisho) == [f"bank:partner_{what}" for what in done]


def test_a_partner_stays_as_it_is_where_nobody_stands_for_the_change(sekisho, keys):
    wallet = ("kamome-wallet", "--name", "x", "--redirect-uri", "https://wallet.example/back")
    nobody = ("--by", "NOBODY!", "--reason", "x")
    assert sekisho("partners", "add", *wallet, "--key-set", keys(), *nobody).exit_code == 2
    assert sekisho("partners", "list").output == ""
    sekisho("partners", "add", *wallet, "--key-set", keys(), *WHY)
    before = sekisho("partners", "list").output
    assert sekisho("partners", "remove", "kamome-wallet", *nobody).exit_code == 2
    assert sekisho("partners", "list").output == before


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (("--redirect-uri", "http://wallet.example/back"), "http"),
        (("--redirect-uri", "https://other.example/back"), "one host"),
        (("--ceiling-yen", "0"), "ceilings"),
        (("--ceiling-yen", "2000000"), "ceilings"),
        (("--name", "\u202e"), "name"),
    ],
)
def test_what_would_be_unsafe_is_not_registered(sekisho, keys, changed, words):
    wallet = ("kamome-wallet", "--name", "x", "--redirect-uri", "https://wallet.example/back")
    refused = sekisho("partners", "add", *wallet, "--key-set", keys(), *WHY, *changed)
    assert (refused.exit_code, words in refused.output) == (1, True)


def test_private_keys_are_no_key_set(sekisho, keys):
    wallet = ("kamome-wallet", "--name", "x", "--redirect-uri", "https://wallet.example/back")
    refused = sekisho("partners", "add", *wallet, "--key-set", keys(private=True), *WHY)
    assert (refused.exit_code, "private" in refused.output) == (1, True)


def test_what_links_ask_stands_in_the_banks_folder(tmp_path):
    assert link_settings_in(tmp_path).policy == "account_pin_code"
    (tmp_path / "links.toml").write_text('policy = "passkey"\ncode_s = 30\n')
    assert link_settings_in(tmp_path).policy.strength == 3
    for wrong in ("code_s = 61", 'policy = "none"', "other = 1", "=", "ceiling_yen = 2000000"):
        (tmp_path / "links.toml").write_text(wrong)
        with pytest.raises(LinkSettingsUnreadable):
            link_settings_in(tmp_path)
