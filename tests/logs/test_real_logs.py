"""Real logs, as they are: what is counted can be counted by hand."""

from collections import Counter
from pathlib import Path

import pytest
from tests.logs.whole_log import read_logs

LOGS = Path(__file__).parents[2].parent / "shared" / "data" / "logs"

pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif(not LOGS.is_dir(), reason="the shared data is not there"),
]


def test_the_openssh_log_is_counted_to_the_line():
    """226 lines accept a login; 713 lines speak of a failed password.

    628 of these are one try each, 85 say how often the last one was repeated, 410 times in all. Another 86
    connections name an unknown user and try no password.
    """
    log = read_logs([LOGS / "openssh_auth_2017.log"], key=b"k" * 16, year=2017)
    assert Counter(log.table["outcome"].to_pylist()) == {
        "success": 226,
        "wrong_secret": 707,
        "no_such_member": 331 + 86,
    }
    assert len(log.table) == 226 + 628 + 410 + 86
    assert len(set(log.table["ip"].to_pylist())) == 131
    assert log.broken == []
    assert log.table["time_us"].to_pylist()[0] == 1_490_620_089_000_000


def test_the_honeypots_log_is_read_packed_as_it_is():
    """10,557 lines are 10,556 tries: one secret begins with a line end."""
    log = read_logs([LOGS / "cowrie_logins_2018_part1.csv.gz"], key=b"k" * 16)
    assert len(log.table) == 10_556
    assert log.broken == []
    assert "" not in log.table["secret"].to_pylist()
