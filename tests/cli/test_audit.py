"""`sekisho audit`: exit code 0 only where the chain holds."""

import json

import pytest
from click.testing import CliRunner
from sqlalchemy import text
from tests.cli.keyring_in import keyring_in

from sekisho.cli.main import main
from sekisho.storage.engine import open_store


@pytest.fixture
def run(tmp_path):
    keyring_in(tmp_path)

    def type_it(*words, code=0):
        done = CliRunner().invoke(main, [*words[:2], "--data", str(tmp_path), *words[2:]])
        assert done.exit_code == code, done.output
        return done.stdout

    return type_it


def tamper(tmp_path, statement):
    store = open_store(f"sqlite:///{tmp_path / 'sekisho.db'}")
    store.write(lambda at: at.execute(text(statement))).result()
    store.close()


def test_the_chain_holds_until_somebody_changes_it(run, tmp_path):
    """An empty record holds, a used one too; one changed letter and it does not."""
    assert "all hold" in run("audit", "verify")
    words = (
        "--function",
        "send",
        "--reason",
        "r",
        "--open",
        "telephone",
        "--member",
        "mem_1",
        "--by",
        "sato",
    )
    run("switch", "set", *words)
    assert json.loads(run("audit", "verify", "--json")) == {"holds": True, "acts": 1, "faults": []}
    assert "\tsato\tswitch:set\t" in run("audit", "list", "--actor", "sato")
    out = tmp_path / "acts.ndjson"
    run("audit", "export", "--out", str(out), "--by", "mori", "--reason", "yearly audit")
    [act, taken] = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert (act["actor"], act["position"], len(act["link"])) == ("sato", 1, 64)
    assert (taken["actor"], taken["act"], taken["reason"]) == ("mori", "audit:exported", "yearly audit")
    tamper(tmp_path, "UPDATE staff_act SET actor = 'ito'")
    assert "BROKEN  act 1: the chain is broken" in run("audit", "verify", code=4)


def test_an_export_that_is_refused_leaves_the_one_before_as_it_is(run, tmp_path):
    out = tmp_path / "acts.ndjson"
    out.write_text("last year's", encoding="utf-8")
    run("audit", "export", "--out", str(out), "--by", "No Id", "--reason", "yearly audit", code=2)
    assert out.read_text(encoding="utf-8") == "last year's"


def test_an_act_that_was_taken_away_shows(run, tmp_path):
    """Also the only one."""
    words = (
        "--function",
        "send",
        "--reason",
        "r",
        "--open",
        "telephone",
        "--member",
        "mem_1",
        "--by",
        "sato",
    )
    run("switch", "set", *words)
    tamper(tmp_path, "DELETE FROM staff_act")
    run("audit", "verify", code=4)
