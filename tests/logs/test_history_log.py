"""The record that Sekisho keeps itself is a log like any other: hunted and replayed as it stands."""

import pytest
from tests.logs.whole_log import read_logs
from tests.storage.attempt_samples import CHALLENGED, FULL, PLAIN
from tests.storage.test_parquet import decided, settled

from sekisho.campaigns.logs.faults import UnusableLog
from sekisho.storage.history.parquet import HistoryFolder

KEY = b"k" * 16


def test_attempts_and_what_came_of_them_are_read_from_the_history(tmp_path):
    HistoryFolder(tmp_path).write([decided(1, FULL, CHALLENGED), decided(2, PLAIN), settled(3, 1)])
    log = read_logs([tmp_path], key=KEY)
    full, plain = log.table.to_pylist()
    assert log.broken == []
    assert (full["row"], full["member"]) == (0, FULL.member)
    assert (full["outcome"], full["challenge"]) == ("success", "passed")
    assert (plain["row"], plain["member"], plain["outcome"]) == (1, PLAIN.member, "")


def test_a_damaged_history_is_named(tmp_path):
    HistoryFolder(tmp_path).write([decided(1, FULL)])
    (file,) = (tmp_path / "attempts").glob("*/*.parquet")
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(UnusableLog, match="not a whole history"):
        read_logs([tmp_path], key=KEY)


def test_another_folder_is_no_log(tmp_path):
    with pytest.raises(UnusableLog, match="is a directory"):
        read_logs([tmp_path], key=KEY)
