"""`sekisho mandates`: what waits at the bank, and a person's decision on it."""

import pytest
from click.testing import CliRunner

from sekisho.cli.main import main


@pytest.fixture
def run(tmp_path):
    def call(*words, code=0):
        done = CliRunner().invoke(main, [words[0], "--data", str(tmp_path), *words[1:]])
        assert done.exit_code == code, done.output
        return done.stdout.strip()

    call(
        *("depositors", "open", "--number", "1234567", "--name-kana", "ヤマダ ハナコ"),
        *("--birth-date", "1980-01-01", "--pin", "3817", "--yen", "100000"),
    )
    call("mandates", "register-collector", "0000008470", "--name-kana", "ｱｻｷﾞﾘﾛ-ﾝ")
    return call


WHY = ("--by", "stf-1", "--reason", "asked on paper")


def test_a_mandate_on_paper_is_lodged_shown_and_stopped(run):
    lodged = run("mandates", "lodge", "001-1234567", "--collector", "0000008470", "--by", "stf-1")
    assert lodged.startswith("mdt_")
    assert run("mandates", "waiting") == ""
    assert "active" in run("mandates", "show", lodged, *WHY)
    run("mandates", "stop", lodged, *WHY)
    run("mandates", "stop", lodged, *WHY, code=3)
    assert "bank:stf-1\tasked on paper" in run("mandates", "show", lodged, *WHY)
    run("mandates", "release", lodged, *WHY)
    run("mandates", "decide", "mrp_x", "fraud", *WHY, code=3)


def test_what_is_not_there_is_refused(run):
    run("mandates", "show", "mdt_x", *WHY, code=2)
    run("mandates", "lodge", "001-7654321", "--collector", "0000008470", "--by", "s", code=2)
    run("mandates", "lodge", "001-1234567", "--collector", "1111111111", "--by", "s", code=2)
    run("mandates", "register-collector", "1", "--name-kana", "ｱ", code=2)
