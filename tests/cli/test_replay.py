"""`sekisho replay`: decisions in time order, before the outcome, in the form that others build on."""

import gc
import json
from importlib.resources import files
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from sekisho.campaigns.logs.faults import Faults
from sekisho.campaigns.logs.formats import ReadingOptions
from sekisho.campaigns.logs.reading import stream_logs
from sekisho.campaigns.replay import decide_all
from sekisho.cli.main import main
from sekisho.guard.attempts import ChallengeResult, Outcome
from sekisho.guard.decisions import Action, Decision

HEADER = "time,member,ip,secret,known,asn,amount_yen,outcome,challenge\n"
LATER = "2026-01-02T00:00:02Z,mika,192.0.2.1,s1,1,64500,9000,success,passed\n"
EARLIER = "2026-01-02T00:00:01Z,ken,192.0.2.2,s2,,,,wrong_secret,\n"
BROKEN = "yesterday,ken,192.0.2.2,s2,,,,wrong_secret,\n"


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text(HEADER + LATER + BROKEN + EARLIER)
    return path


def run(*arguments):
    return CliRunner().invoke(main, ["replay", *map(str, arguments)])


class Witness:
    """A guard that writes down what it is told, and when."""

    def __init__(self):
        self.heard = []

    def assess(self, attempt):
        self.heard.append(("assess", attempt))
        return Decision(
            action=Action.CHALLENGE if attempt.member == "mika" else Action.ALLOW,
            probability=0.25,
            before_hash=True,
            reasons=("a", "b"),
            policy="p",
            policy_revision=1,
            campaign="cmp_1" if attempt.member == "mika" else "",
        )

    def learn(self, attempt, decision, outcome, challenge):
        self.heard.append(("learn", attempt.member, decision.action, outcome, challenge))


def test_an_attempt_is_decided_before_its_outcome_is_known(log):
    """The guard is asked first and told afterwards, and what it is asked holds no outcome."""
    witness = Witness()
    list(decide_all(stream_logs([log], Faults(), ReadingOptions(key=b"k" * 16)), witness))
    (_, attempt), told = witness.heard[:2]
    assert (attempt.member, attempt.ip, attempt.secret) == ("mika", "192.0.2.1", "s1")
    assert (attempt.known, attempt.asn, attempt.amount_yen) == (True, 64_500, 9_000)
    assert not hasattr(attempt, "outcome")
    assert told == ("learn", "mika", Action.CHALLENGE, Outcome.SUCCESS, ChallengeResult.PASSED)
    (_, attempt), told = witness.heard[2:]
    assert (attempt.known, attempt.asn, attempt.amount_yen) == (None, 0, None)
    assert told == ("learn", "ken", Action.ALLOW, Outcome.WRONG_SECRET, ChallengeResult.NONE)


def test_before_hash_is_for_verdicts_other_than_allow(log):
    """An allow that stands before the hash stops nothing."""
    (decisions,) = decide_all(stream_logs([log], Faults(), ReadingOptions(key=b"k" * 16)), Witness())
    assert decisions.to_pylist() == [
        {
            "row": 0,
            "action": "challenge",
            "probability": 0.25,
            "before_hash": 1,
            "reasons": ["a", "b"],
            "campaign": "cmp_1",
        },
        {
            "row": 2,
            "action": "allow",
            "probability": 0.25,
            "before_hash": 0,
            "reasons": ["a", "b"],
            "campaign": "",
        },
    ]


def test_decisions_do_not_depend_on_how_many_are_made_at_once(log, monkeypatch):
    """A slice of a batch holds the same attempts as the batch."""
    batches = list(stream_logs([log, log], Faults(), ReadingOptions(key=b"k" * 16)))
    whole, sliced = Witness(), Witness()
    at_once = pa.Table.from_batches(decide_all(batches, whole)).to_pylist()
    monkeypatch.setattr("sekisho.campaigns.replay.DECIDED_AT_ONCE", 1)
    one_by_one = pa.Table.from_batches(decide_all(batches, sliced)).to_pylist()
    assert at_once == one_by_one
    assert whole.heard == sliced.heard
    assert len(whole.heard) == 8


def test_decisions_stand_in_time_order_with_a_closing_line(log, tmp_path):
    """Rows keep their place in the input, broken ones included; the last object has no row."""
    result = run(log, "--out", tmp_path / "d.ndjson")
    assert result.exit_code == 0
    *decisions, closing = map(json.loads, (tmp_path / "d.ndjson").read_text().splitlines())
    assert [decision["row"] for decision in decisions] == [2, 0]
    assert list(decisions[0]) == ["row", "action", "probability", "before_hash", "reasons", "campaign"]
    assert (closing["attempts"], closing["broken"]) == (2, 1)
    assert closing["attempts_per_second"] > 0
    assert closing["peak_memory_mib"] > 1
    assert "1 of 3 records are broken: time_impossible 1." in result.stderr
    assert f"{log}, line 3 (row 1): time_impossible" in result.stderr


def test_parquet_holds_the_same_decisions(log, tmp_path):
    """The closing line stands in the file's metadata and on stdout."""
    run(log, "--out", tmp_path / "d.ndjson")
    result = run(log, "--out", tmp_path / "d.parquet")
    table = pq.read_table(tmp_path / "d.parquet")
    lines = (tmp_path / "d.ndjson").read_text().splitlines()[:-1]
    assert table.to_pylist() == [json.loads(line) for line in lines]
    closing = json.loads(pq.read_metadata(tmp_path / "d.parquet").metadata[b"sekisho.replay"])
    assert closing["attempts"] == 2
    assert json.loads(result.stdout) == closing


def test_the_same_log_gives_the_same_bytes(log, tmp_path):
    """Only the closing line, which holds timings, may differ between two runs."""
    run(log, "--out", tmp_path / "one.ndjson")
    run(log, "--out", tmp_path / "two.ndjson")
    one, two = ((tmp_path / name).read_bytes().splitlines()[:-1] for name in ("one.ndjson", "two.ndjson"))
    assert one == two
    assert len(one) == 2


def test_unusable_input_ends_with_exit_code_2_and_no_file(tmp_path):
    """One clear sentence, and nothing that looks like a result."""
    result = run(tmp_path / "missing.csv", "--out", tmp_path / "d.ndjson")
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1] == (
        f"No attempt could be read: {tmp_path}/missing.csv cannot be read: No such file or directory."
    )
    assert list(tmp_path.iterdir()) == []


def test_whoever_calls_it_from_a_program_gets_the_collector_back(log, tmp_path):
    """It was left resting once, and a program that went on kept all its cycles for ever."""
    before = (gc.get_threshold(), gc.get_freeze_count())
    run(log, "--out", tmp_path / "decisions.jsonl")
    assert (gc.get_threshold(), gc.get_freeze_count()) == before


def test_a_name_with_an_unknown_ending_is_refused_before_anything_is_read(log, tmp_path):
    result = run(log, "--out", tmp_path / "d.xlsx")
    assert result.exit_code == 2
    assert "d.xlsx must end in one of" in result.stderr


def test_another_policy_can_be_tried(log, tmp_path):
    """The file's revision decides, and a file that is no policy is refused before anything is read."""
    default = files("sekisho.guard").joinpath("default_policy.toml").read_text()
    (tmp_path / "policy.toml").write_text(default)
    (tmp_path / "not.toml").write_text("colour = 1")
    assert run(log, "--out", tmp_path / "d.ndjson", "--policy", tmp_path / "policy.toml").exit_code == 0
    refused = run(log, "--out", tmp_path / "e.ndjson", "--policy", tmp_path / "not.toml")
    assert refused.exit_code == 2
    assert "colour" in refused.stderr
    assert not (tmp_path / "e.ndjson").exists()


def test_a_published_method_can_be_replayed_beside_the_guard(log, tmp_path):
    """The same rows, other decisions; a policy would mean nothing to it."""
    assert (
        run(log, "--out", tmp_path / "d.ndjson", "--baseline", "freeman", "--friction", 0.02).exit_code == 0
    )
    *decisions, _ = map(json.loads, (tmp_path / "d.ndjson").read_text().splitlines())
    assert [(decision["row"], decision["action"], decision["probability"]) for decision in decisions] == [
        (2, "allow", 0.5),
        (0, "allow", 0.5),
    ]
    (tmp_path / "policy.toml").write_text(files("sekisho.guard").joinpath("default_policy.toml").read_text())
    both = ("--baseline", "freeman", "--policy", tmp_path / "policy.toml")
    assert run(log, "--out", tmp_path / "e.ndjson", *both).exit_code == 2


def test_a_short_key_is_refused(log, tmp_path):
    (tmp_path / "key").write_bytes(b"short")
    result = run(log, "--out", tmp_path / "d.ndjson", "--key", tmp_path / "key")
    assert result.exit_code == 2
    assert "holds 5 bytes; a key has 16 or more" in result.stderr


def test_rules_that_cannot_be_used_are_named(log, tmp_path):
    (tmp_path / "rules.toml").write_text("path = 1")
    result = run(log, "--out", tmp_path / "d.ndjson", "--web-access", tmp_path / "rules.toml")
    assert result.exit_code == 2
    assert "rules.toml cannot be used: Expected `str`, got `int` - at `$.path`." in result.stderr


@pytest.mark.real_data
def test_a_real_openssh_log_is_replayed(tmp_path):
    """Each of its 1,350 attempts gets one decision."""
    path = Path(__file__).parents[2].parent / "shared/data/logs/openssh_auth_2017.log"
    if not path.exists():
        pytest.skip("the shared data is not there")
    assert run(path, "--year", 2017, "--out", tmp_path / "d.parquet").exit_code == 0
    assert sorted(pq.read_table(tmp_path / "d.parquet")["row"].to_pylist()) == list(range(1_350))
