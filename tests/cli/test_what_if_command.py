"""`sekisho what-if`: two policies over the same past, from the command line."""

import click
import msgspec
import pytest
from click.testing import CliRunner
from tests.campaigns.recorded import NOON_US, OURS, Record, write_hunt
from tests.guard.small_world import new_guard
from tests.web.desks_site import new_lender

from sekisho.campaigns.known_ends import End
from sekisho.campaigns.what_if import WhatIf
from sekisho.cli.desks_house import TRYING, Served, institution_desks
from sekisho.cli.guard_options import guard_options
from sekisho.cli.main import main
from sekisho.console.live_tally import LiveTally
from sekisho.guard.attempts import Outcome
from sekisho.guard.decisions import Action
from sekisho.guard.policy_text import policy_text
from sekisho.kernel.chance import SeededChance
from sekisho.kernel.clock import DAY_US, SECOND_US, SetClock

LISTED = """
id = "listed"
revision = 1
[default]
on_outage = "closed"
[default.rules]
listed_address = { action = "deny", limit = 1 }
"""
DAY_S = DAY_US // SECOND_US


@pytest.fixture(name="record")
def _record(tmp_path):
    record = Record(tmp_path / "history")
    for number in range(20):
        record.add(number * DAY_S, f"m{number}", outcome=Outcome.SUCCESS, ip=f"192.0.2.{number}")
    record.write()
    return record


def compared(tmp_path, record, *arguments, policy=LISTED):
    (tmp_path / "tried.toml").write_text(policy)
    out = tmp_path / "out.json"
    given = ["what-if", str(record.folder), "--policy", str(tmp_path / "tried.toml"), "--out", str(out)]
    result = CliRunner().invoke(main, [*given, *map(str, arguments)])
    found = msgspec.json.decode(out.read_bytes(), type=WhatIf) if out.exists() else None
    return result, found


def test_attempts_of_the_span_are_counted_and_those_before_are_lived_through(tmp_path, record):
    result, found = compared(tmp_path, record, "--from-us", NOON_US + 15 * DAY_US)
    assert (result.exit_code, found.names) == (0, ("default@1", "listed@1"))
    assert (found.compared, found.lived_through) == (5, 14)
    assert result.stdout.splitlines()[-1] == "19 19"
    _, found = compared(tmp_path, record, "--from-us", NOON_US + 15 * DAY_US, "--warm-up-days", 2)
    assert (found.compared, found.lived_through) == (5, 2)
    _, found = compared(tmp_path, record)
    assert (found.compared, found.lived_through) == (20, 0)


def test_a_past_that_ended_before_the_span_is_nothing_to_compare(tmp_path, record):
    """Nobody has come for a month: that is an answer, and no fault."""
    result, found = compared(tmp_path, record, "--from-us", NOON_US + 50 * DAY_US)
    assert (result.exit_code, found.compared, found.lived_through) == (0, 0, 0)
    assert result.stdout.splitlines() == ["0 0"]


def test_the_policy_of_now_is_the_one_that_is_named(tmp_path, record):
    (tmp_path / "now.toml").write_text(policy_text(OURS))
    _, found = compared(tmp_path, record, "--now", tmp_path / "now.toml")
    assert found.names == ("ours@5", "listed@1")


def test_address_lists_hold_for_both(tmp_path, record):
    """Without them the rule that asks them would hold for nobody, and the trial would say so."""
    (tmp_path / "list.txt").write_text("192.0.2.3\n192.0.2.4\n")
    _, without = compared(tmp_path, record)
    _, found = compared(tmp_path, record, "--address-list", f"bad={tmp_path / 'list.txt'}")
    assert without.count("login", 1, Action.DENY) == 0
    assert [found.count("login", number, Action.DENY) for number in (0, 1)] == [0, 2]


def test_a_hunt_tells_campaigns(tmp_path, record):
    write_hunt(tmp_path / "hunt.parquet", (3 * DAY_S, "m3", 0.9, "cmp_1"))
    _, found = compared(tmp_path, record, "--hunt", tmp_path / "hunt.parquet")
    assert found.hunted
    assert found.attempts_at("login", end=End.ENTERED) == 1


def test_what_can_not_be_compared_is_refused_and_nothing_is_written(tmp_path, record):
    result, found = compared(tmp_path, record, policy=LISTED.replace("limit = 1", "limit = 0"))
    assert (result.exit_code, found) == (2, None)
    assert "line 7: default: listed_address needs a limit" in " ".join(
        result.output.replace("│", " ").split()
    )
    (record.folder / "attempts").rename(tmp_path / "elsewhere")
    result, found = compared(tmp_path, record)
    assert (result.exit_code, found) == (2, None)


def test_the_desks_compare_under_the_guard_s_own_lists(tmp_path):
    """What the operator named at the start is named again to the process that compares."""
    (tmp_path / "list.txt").write_text("192.0.2.3\n")
    named, heard = f"bad={tmp_path / 'list.txt'}", []

    @click.command()
    @guard_options
    def command(adding):
        heard.append(adding.list_files)

    for given in ([], ["--address-list", named]):
        assert CliRunner().invoke(command, given).exit_code == 0
    assert heard == [(), (named,)]
    lender = new_lender(tmp_path, SetClock(NOON_US), SeededChance(1))
    try:
        served = Served(lender, tmp_path / "history", new_guard(), LiveTally(), (named,))
        desks = institution_desks(served)
        assert desks.trials is not None
        assert desks.trials.command == (*TRYING, "--address-list", named)
    finally:
        lender.store.close()
