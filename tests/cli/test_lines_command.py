"""`sekisho lines`: which lines lend no more, and why."""

import json
from contextlib import contextmanager

from click.testing import CliRunner
from tests.lender.applicants import open_way_in
from tests.lender.test_line_checks import Line, later

from sekisho.cli.at_institution import Place
from sekisho.cli.main import main
from sekisho.kernel.posture import Posture
from sekisho.lender.contracts import ContractState
from sekisho.lender.credit_bureau import Known


def test_closed_lines_are_listed_with_what_was_found(tmp_path, monkeypatch):
    line = Line(open_way_in(tmp_path), Posture.CLOSED)

    @contextmanager
    def parts(_):
        yield line.house.parts

    monkeypatch.setattr(Place, "parts", parts)

    def listed(*words):
        done = CliRunner().invoke(main, ["lines", "list", *words])
        assert done.exit_code == 0, done.output
        return done.stdout

    day = later(line.signed_on, 3)
    assert listed() == ""
    line.bureau.known = Known(owed_yen=900_000, lenders=1)
    line.checked(day)
    number, state, last_on, why = listed().strip().split("\t")
    assert (state, last_on, why) == ("closed_to_borrowing", str(day), "above_a_third")
    assert json.loads(listed("--json"))[0]["number"] == number
    assert listed("--state", "open") == ""
    line.way.close()


def test_a_line_that_nobody_could_look_at_says_so(tmp_path, monkeypatch):
    line = Line(open_way_in(tmp_path), Posture.CLOSED)
    line.bureau.down = True
    line.checked(later(line.signed_on, 4))

    @contextmanager
    def parts(_):
        yield line.house.parts

    monkeypatch.setattr(Place, "parts", parts)
    done = CliRunner().invoke(main, ["lines", "list", "--json"])
    assert [one["findings"] for one in json.loads(done.stdout)] == [["not_checked"]]
    line.way.close()


def test_a_contract_ends_once_at_its_member_s_request(tmp_path, monkeypatch):
    """What stands in the way is told, and nothing is changed by asking again."""
    line = Line(open_way_in(tmp_path), Posture.CLOSED)

    @contextmanager
    def parts(_):
        yield line.house.parts

    monkeypatch.setattr(Place, "parts", parts)

    def end():
        words = ["lines", "end", line.number, "--by", "aoki", "--reason", "asked by telephone"]
        done = CliRunner().invoke(main, words)
        return done.exit_code, done.stderr

    line.borrow("b1", 10_000)
    code, said = end()
    assert (code, "something is owed" in said) == (2, True)
    line.repay("p1", 10_000)
    assert [end()[0], end()[0]] == [0, 3]
    assert line.look()[0] == ContractState.ENDED
    assert line.checked(later(line.signed_on, 9)) == 0
    line.way.close()
