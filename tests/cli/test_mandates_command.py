"""`sekisho mandates`: what waits at the bank, and a person's decision on it."""

import pytest
from click.testing import CliRunner

from sekisho.cli.main import main

WHY = ("--by", "stf-1", "--reason", "asked on paper")


@pytest.fixture
def run(tmp_path):
    def call(*words, code=0):
        done = CliRunner().invoke(main, [words[0], "--data", str(tmp_path), *words[1:]])
        assert done.exit_code == code, done.output
        return done.stdout.strip()

    call(
        *("depositors", "open", "--number", "1234567", "--name-kana", "ヤマダ ハナコ"),
        *("--birth-date", "1980-01-01", "--pin", "3817", "--yen", "100000", *WHY),
    )
    call("mandates", "register-collector", "0000008470", "--name-kana", "ｱｻｷﾞﾘﾛ-ﾝ", *WHY)
    return call


def acts(tmp_path):
    """Return who did what to what on the bank's record, the oldest first."""
    listed = CliRunner().invoke(main, ["audit", "list", "--data", str(tmp_path)]).output.splitlines()
    return [tuple(line.split("\t")[2:6]) for line in reversed(listed)]


def test_a_mandate_on_paper_is_lodged_shown_and_stopped(run, tmp_path):
    lodged = run("mandates", "lodge", "001-1234567", "--collector", "0000008470", *WHY)
    assert lodged.startswith("mdt_")
    assert run("mandates", "waiting") == ""
    assert "active" in run("mandates", "show", lodged, *WHY)
    run("mandates", "stop", lodged, *WHY)
    run("mandates", "stop", lodged, *WHY, code=3)
    assert "bank:stf-1\tasked on paper" in run("mandates", "show", lodged, *WHY)
    run("mandates", "release", lodged, *WHY)
    run("mandates", "decide", "mrp_x", "fraud", *WHY, code=3)
    of_link = ("lodged", "seen", "stopped", "seen", "released")
    done = [f"bank:{'mandate' if what == 'lodged' else 'link'}_{what}" for what in of_link]
    assert acts(tmp_path)[1:] == [
        ("stf-1", "bank:collector_registered", "0000008470", "asked on paper"),
        *(("stf-1", act, lodged, "asked on paper") for act in done),
    ]


def test_what_is_not_there_is_refused(run, tmp_path):
    before = acts(tmp_path)
    run("mandates", "show", "mdt_x", *WHY, code=2)
    run("mandates", "lodge", "001-7654321", "--collector", "0000008470", *WHY, code=2)
    run("mandates", "lodge", "001-1234567", "--collector", "1111111111", *WHY, code=2)
    run("mandates", "register-collector", "1", "--name-kana", "ｱ", *WHY, code=2)
    lodge = ("mandates", "lodge", "001-1234567", "--collector", "0000008470")
    run(*lodge, *WHY, "--ceiling-yen", "2000000", code=2)
    assert acts(tmp_path) == before


def test_nobody_of_the_staff_changes_or_sees_anything(run, tmp_path):
    """A deed that nobody stands for is not done."""
    lodge = ("mandates", "lodge", "001-1234567", "--collector", "0000008470")
    nobody, before = ("--by", "NOBODY!", "--reason", "x"), acts(tmp_path)
    run(*lodge, *nobody, code=2)
    run("mandates", "register-collector", "0000008471", "--name-kana", "ｱ", *nobody, code=2)
    run("mandates", "lodge", "001-1234567", "--collector", "0000008471", *WHY, code=2)
    assert acts(tmp_path) == before
    lodged = run(*lodge, *WHY)
    for deed in ("stop", "show"):
        run("mandates", deed, lodged, *nobody, code=2)
    assert "\tactive\t" in run("mandates", "show", lodged, *WHY)
