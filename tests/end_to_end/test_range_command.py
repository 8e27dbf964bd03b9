"""`sekisho range` in the terminal: what can be played, and the scoreboard of a play over real HTTP."""

import msgspec
import pytest
from click.testing import CliRunner

from sekisho.cli.main import main
from sekisho.range.play import SCALES

TINY = msgspec.structs.replace(
    SCALES["small"], members=600, past_days=5, speed=900, calm_s=1, attack_s=3, after_s=1, tries=60
)


def test_what_can_be_played_is_listed():
    """Names, scales and how long they take."""
    said = CliRunner().invoke(main, ["range", "list"]).output
    assert "list-attack" in said
    assert "4,500 hostile attempts, 215 seconds" in said


@pytest.mark.server
def test_a_play_ends_with_its_scoreboard(monkeypatch):
    """Every pair of the list was tried, members came, and the counts are told."""
    monkeypatch.setitem(SCALES, "small", TINY)
    result = CliRunner().invoke(
        main, ["range", "play", "list-attack", "--scale", "small", "--solves-puzzles"]
    )
    assert result.exit_code == 0, result.output
    assert "60 from " in result.output
    assert "without the guard" in result.output
    assert "logins with the right password" in result.output
