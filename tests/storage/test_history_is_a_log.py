import msgspec
import pyarrow.parquet as pq
from tests.logs.whole_log import read_logs
from tests.storage.attempt_samples import CHALLENGED, FULL, NOON_US, PLAIN
from tests.storage.test_parquet import decided, settled

from sekisho.storage.history.parquet import HistoryFolder


def test_what_was_recorded_can_be_hunted_in(tmp_path):
    """Taken out of history, attempts are an attempt record like any other."""
    history = HistoryFolder(tmp_path / "history")
    history.write([decided(1, FULL, CHALLENGED), decided(2, PLAIN), settled(3, 1)])
    pq.write_table(history.attempts_between(0, NOON_US + 10), tmp_path / "log.parquet")

    log = read_logs([tmp_path / "log.parquet"], key=b"k" * 32)
    full, plain = log.table.to_pylist()
    assert log.broken == []
    assert (
        full.items() >= {"outcome": "success", "challenge": "passed", "device_valid": 0, "known": 1}.items()
    )
    assert plain.items() >= {"outcome": "", "challenge": "", "device_valid": -1, "known": -1}.items()
    for name, value in msgspec.structs.asdict(FULL).items():
        if not isinstance(value, bool) and name != "signs":  # no column of the attempt record
            assert full[name] == value, name
    assert set(log.aside) >= {"position", "attempt_id", "action", "probability"}
