"""Attempts come back in time order, whatever the order of the log."""

import pytest
from tests.logs.whole_log import read_logs

from sekisho.campaigns.logs import ordered
from sekisho.campaigns.logs.ordered import in_time_order
from sekisho.kernel.chance import SeededChance


@pytest.fixture
def batches(tmp_path):
    """500 attempts in batches of 70, each row with a time and a member of its own."""

    def batches(seconds):
        path = tmp_path / "log.csv"
        lines = [
            f"2026-01-01T00:{at // 60:02}:{at % 60:02}Z,m{row},192.0.2.1,agent {row % 5}\n"
            for row, at in enumerate(seconds)
        ]
        path.write_text("time,member,ip,user_agent\n" + "".join(lines))
        return read_logs([path], key=b"k" * 16).table.combine_chunks().to_batches(max_chunksize=70)

    return batches


def members(attempts):
    return [(row["member"], row["user_agent"]) for batch in attempts for row in batch.to_pylist()]


@pytest.mark.parametrize("at_once", [13, 262_144])
def test_a_shuffled_log_comes_in_time_order_and_equal_times_in_input_order(batches, monkeypatch, at_once):
    monkeypatch.setattr(ordered, "SORTED_AT_ONCE", at_once)
    chance = SeededChance(7)
    seconds = [chance.below(200) for _ in range(500)]
    with in_time_order(batches(seconds)) as attempts:
        assert len(attempts) == 500
        found = members(attempts)
    order = sorted(range(500), key=lambda row: seconds[row])
    assert found == [(f"m{row}", f"agent {row % 5}") for row in order]


def test_a_log_in_order_stays_as_it_is_and_can_be_read_again(batches):
    with in_time_order(batches(range(500))) as attempts:
        first, second = members(attempts), members(attempts)
    assert first == second == [(f"m{row}", f"agent {row % 5}") for row in range(500)]


def test_nothing_in_gives_nothing_out():
    with in_time_order([]) as attempts:
        assert (len(attempts), list(attempts)) == (0, [])
