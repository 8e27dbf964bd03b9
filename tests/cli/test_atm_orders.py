"""`sekisho atm-orders`, as staff type it."""

import os

import pytest
from click.testing import CliRunner
from tests.identity.member_at_hand import LENDER

from sekisho.cli.main import main
from sekisho.identity.institution import Parts
from sekisho.kernel.chance import SeededChance
from sekisho.kernel.clock import SystemClock
from sekisho.kernel.yen import Yen
from sekisho.lender.atm_order_states import Discrepancy
from sekisho.lender.atm_orders import note_discrepancy
from sekisho.lender.house import open_house
from sekisho.storage.engine import open_store
from sekisho.storage.keyring_files import open_keyring
from sekisho.storage.kms import key_wrapper


@pytest.fixture(name="house")
def _house(tmp_path):
    """Open a lender in the folder that the command names."""
    clock, chance = SystemClock(), SeededChance(7)
    keyring = open_keyring(tmp_path, key_wrapper(tmp_path, os.environ, chance), clock=clock, chance=chance)
    store = open_store(f"sqlite:///{tmp_path / 'sekisho.db'}")
    yield open_house(Parts(LENDER, store, keyring, clock, chance))
    store.close()


@pytest.fixture(name="typed")
def _typed(tmp_path):
    def type_it(*words, code=0):
        done = CliRunner().invoke(main, ["atm-orders", words[0], "--data", str(tmp_path), *words[1:]])
        assert done.exit_code == code, done.output
        return done.stdout if code == 0 else done.output

    return type_it


def test_what_does_not_agree_is_listed_and_closed_once(typed, house):
    """A cash movement that is none of ours is settled with the network, and closed here with a reason."""
    house.store.write(
        lambda at: note_discrepancy(
            at, house, "0042", "ato_theirs", Discrepancy.NOT_OURS, ours=None, theirs=Yen(8_000)
        )
    ).result()
    (line,) = typed("list").splitlines()
    assert line.split("\t")[:5] == ["ato_theirs", "0042", "not_ours", "", "8000"]
    words = ("close", "ato_theirs", "--by", "tanaka", "--reason", "another lender's")
    assert typed(*words) == "ato_theirs\tclosed\t1\n"
    assert typed("list") == ""
    assert "waits for a person" in typed(*words, code=2)


def test_what_is_not_there_or_has_no_reason_is_refused(typed, house):
    """In words, with the exit code of a refusal."""
    assert house
    assert "no such order" in typed(
        "decide", "ato_x", "--by", "tanaka", "--moved", "0", "--reason", "x", code=2
    )
    typed("decide", "ato_x", "--by", "tanaka", "--moved", "0", "--reason", " ", code=2)
    typed("decide", "ato_x", "--by", "tanaka", "--moved", "-5", "--reason", "x", code=2)
    typed("close", "ato_x", "--by", "Frau Tanaka", "--reason", "x", code=2)
