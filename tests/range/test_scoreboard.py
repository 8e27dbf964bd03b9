"""The auditor knows the truth and counts what became of it."""

from sekisho.guard.decisions import Action
from sekisho.range.attackers.list_attack import Try
from sekisho.range.checkpoint import Answer
from sekisho.range.scoreboard import Auditor
from sekisho.range.visitors import Stay


def one(name, *, opens=False, ip="10.0.0.1", at_us=0):
    return Try(at_us=at_us, name=name, password=name, ip=ip, user_agent="", tls="", opens=opens)


def test_the_scoreboard_of_a_short_day():
    """Two accounts were open to the attacker; he got into one."""
    auditor = Auditor()
    for number, (tried, answer) in enumerate(
        [
            (one("sato", opens=True), Answer(id="1", action=Action.ALLOW)),
            (one("kato"), Answer(id="2", action=Action.ALLOW)),
            (
                one("abe", opens=True, ip="10.0.0.2", at_us=180_000_000),
                Answer(id="3", action=Action.CHALLENGE, before_hash=True, campaign="cmp_1"),
            ),
        ]
    ):
        auditor.sends(tried, f"t{number}")
        auditor.witnessed(f"t{number}", answer)
    auditor.opened(one("sato", opens=True))
    auditor.witnessed("v1:1", Answer(id="4", action=Action.ALLOW, campaign="cmp_1"))
    auditor.left(Stay(entered=True, asked=1), came_with_the_right_pair=True)
    auditor.left(Stay(), came_with_the_right_pair=False)

    board = auditor.board
    assert (board.hostile_attempts, board.hostile_stopped, board.hostile_before_hash) == (3, 1, 1)
    assert (board.members_entered_without, board.members_entered) == (2, 1)
    assert (board.noticed_after_attempts, board.noticed_after_s) == (3, 180)
    assert (board.honest_logins, board.honest_logins_asked, board.honest_in_campaign) == (1, 1, 1)
    text = "\n".join(board.lines())
    assert "3 from 2 addresses" in text
    assert "3 attempts, 3 minutes" in text
    assert "1 (33.3 %)" in text


def test_nothing_is_divided_by_nothing():
    """A board without an attack or a login can be read as well."""
    assert "not noticed" in "\n".join(Auditor().board.lines())
