import msgspec
import pyarrow.parquet as pq
import pytest
from tests.storage.attempt_samples import ALLOWED, CHALLENGED, FULL, NOON_US, PLAIN

from sekisho.guard.attempts import Attempt, ChallengeResult, Outcome
from sekisho.guard.decisions import Decision
from sekisho.kernel.clock import DAY_US
from sekisho.storage.attempts import DECIDED, SETTLED
from sekisho.storage.history.parquet import ATTEMPTS, HistoryFolder
from sekisho.storage.outbox import StoredEntry


@pytest.fixture
def history(tmp_path):
    return HistoryFolder(tmp_path)


def decided(position, attempt, decision=ALLOWED):
    body = msgspec.json.encode({"attempt": attempt, "decision": decision})
    return StoredEntry(position, DECIDED, f"att_{position}", NOON_US + position, body)


def settled(position, attempt_position, at_us=NOON_US):
    body = msgspec.json.encode({"outcome": Outcome.SUCCESS, "challenge": ChallengeResult.PASSED})
    return StoredEntry(position, SETTLED, f"att_{attempt_position}", at_us, body)


def test_every_field_of_an_attempt_and_its_decision_is_kept_and_comes_back(history):
    history.write([decided(1, FULL, CHALLENGED), settled(2, 1)])
    (row,) = history.attempts_between(NOON_US, NOON_US + 1).to_pylist()
    row["shadow"] = dict(row["shadow"])
    for kept in (FULL, CHALLENGED):
        for field, value in msgspec.structs.asdict(kept).items():
            assert row[field] == (list(value) if isinstance(value, tuple) else value), field
    assert (row["position"], row["attempt_id"], row["at_us"]) == (1, "att_1", NOON_US + 1)
    assert (row["outcome"], row["challenge"]) == ("success", "passed")


def test_the_columns_are_those_of_the_attempt_record_and_the_decision():
    assert ATTEMPTS.names == [
        "position",
        "attempt_id",
        "at_us",
        *Attempt.__struct_fields__,
        *Decision.__struct_fields__,
    ]
    assert {ATTEMPTS.field(name).type for name in ("position", "at_us", "time_us", "amount_yen")} == {
        ATTEMPTS.field("asn").type
    }


def test_a_file_from_before_a_column_was_thought_of_is_read(history):
    (file,) = history.write([decided(1, PLAIN)])
    path = history.folder / file.name
    pq.write_table(pq.read_table(path, partitioning=None).drop_columns(["signs"]), path)
    history.write([decided(2, msgspec.structs.replace(PLAIN, signs=("other_device",)))])
    rows = history.attempts_between(NOON_US, NOON_US + 2).to_pylist()
    assert [row["signs"] for row in rows] == [None, ["other_device"]]
    newest = [table["signs"].to_pylist() for table in history.newest_first("attempts", 0, ("signs",))]
    assert newest == [[["other_device"]], [None]]
    assert (
        history.newest_file("attempts") == "attempts/day=2020-09-13/000000000000002-000000000000002.parquet"
    )
    assert history.newest_file("outcomes") == ""


def test_days_are_those_of_utc(history):
    midnight = NOON_US // DAY_US * DAY_US
    before = msgspec.structs.replace(PLAIN, time_us=midnight - 1)
    after = msgspec.structs.replace(PLAIN, time_us=midnight)
    files = history.write([decided(1, before), decided(2, after)])
    assert [file.name for file in files] == [
        "attempts/day=2020-09-12/000000000000001-000000000000002.parquet",
        "attempts/day=2020-09-13/000000000000001-000000000000002.parquet",
    ]
    assert history.attempts_between(midnight - 1, midnight)["attempt_id"].to_pylist() == ["att_1"]
    assert history.attempts_between(midnight, midnight + 1)["attempt_id"].to_pylist() == ["att_2"]
    assert history.attempts_between(0, midnight + DAY_US)["attempt_id"].to_pylist() == ["att_1", "att_2"]


def test_the_same_batch_again_adds_nothing(history):
    entries = [decided(1, FULL), decided(2, PLAIN), settled(3, 2)]
    assert history.write(entries) == history.write(entries)
    assert history.attempts_between(0, NOON_US + DAY_US).num_rows == 2


@pytest.mark.parametrize("time_us", [-1, 1 << 62])
def test_a_time_that_no_calendar_has_is_kept_all_the_same(history, time_us):
    (file,) = history.write([decided(1, msgspec.structs.replace(PLAIN, time_us=time_us))])
    assert file.name.startswith("attempts/day=out-of-range/")
    assert history.attempts_between(time_us, time_us + 1)["attempt_id"].to_pylist() == ["att_1"]
    assert history.attempts_between(0, NOON_US + DAY_US).num_rows == 0


@pytest.mark.parametrize(
    "entry",
    [
        StoredEntry(1, "member:left", "mem_1", NOON_US, b'{"why":"moved"}'),
        StoredEntry(1, DECIDED, "att_1", NOON_US, b"\xff cut off"),
        StoredEntry(1, DECIDED, "att_1", NOON_US, b'{"attempt":{}}'),
        decided(1, {"time_us": 1 << 70, "member": "m", "ip": "192.0.2.1"}),
    ],
    ids=["of another kind", "not readable", "incomplete", "too large a number"],
)
def test_what_is_no_attempt_is_kept_as_it_is(history, entry):
    (file,) = history.write([entry])
    assert file.name.startswith("events/day=2020-09-13/")
    (row,) = pq.read_table(history.folder / file.name, partitioning=None).to_pylist()
    assert row == entry._asdict()


def test_a_file_that_was_not_finished_is_not_read(history):
    history.write([decided(1, FULL)])
    (file,) = history.folder.rglob("*.parquet")
    file.with_name(".000000000000002-000000000000002.parquet.part").write_bytes(b"PAR1")
    assert history.attempts_between(0, NOON_US + DAY_US).num_rows == 1
