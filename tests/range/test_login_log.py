"""The house's login log is an attempt record that the hunt can read."""

import asyncio
import json

from tests.range.house import NOW_US, DecidedCheckpoint, arrival, house_with

from sekisho.guard.decisions import Action
from sekisho.kernel.clock import MINUTE_US, SetClock
from sekisho.range.login_log import LoggedCheckpoint, LoginLog

WRONG = {"password": "wrong"}
OWN = {"password": "a very own secret"}


def logged(tmp_path, action, *arrivals, leave=False):
    """Let visitors come and return the lines of the log."""
    log, clock = LoginLog(tmp_path / "logins.ndjson"), SetClock(NOW_US)
    house = house_with(LoggedCheckpoint(DecidedCheckpoint(action), log), clock=clock)

    async def come():
        for one in arrivals:
            await house.log_in(one, "m")
        if leave:
            clock.advance(11 * MINUTE_US)
            await house.let_go()

    asyncio.run(come())
    log.close()
    return [json.loads(line) for line in (tmp_path / "logins.ndjson").read_text().splitlines()]


def test_each_attempt_is_a_line_once_its_outcome_is_known(tmp_path):
    """Named as in the attempt record, with what is not known left out."""
    first, second = logged(tmp_path, Action.ALLOW, arrival(), arrival(**WRONG))
    assert first["time"] == "2026-11-18T11:06:40Z"
    assert (first["outcome"], first["known"], first["ip"]) == ("success", 1, "10.0.0.1")
    assert second["outcome"] == "wrong_secret"
    assert not {"device", "device_valid", "challenge", "amount_yen", "time_us"} & set(first)


def test_a_challenge_that_was_left_is_logged_when_it_ends(tmp_path):
    """Not before it is known."""
    assert logged(tmp_path, Action.CHALLENGE, arrival()) == []
    lines = logged(tmp_path, Action.CHALLENGE, arrival(), leave=True)
    assert [(line["outcome"], line["challenge"]) for line in lines] == [("challenged", "abandoned")]


def test_the_log_holds_no_password_and_is_the_owner_s_alone(tmp_path):
    """Only a token that is equal for equal passwords."""
    logged(tmp_path, Action.ALLOW, arrival(**OWN))
    path = tmp_path / "logins.ndjson"
    assert OWN["password"] not in path.read_text()
    assert path.stat().st_mode & 0o077 == 0
