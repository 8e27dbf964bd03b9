"""`sekisho recoveries`: a partner is asked, its money entered by one and booked by another, or given up."""

from contextlib import contextmanager

import pytest
from click.testing import CliRunner
from tests.response.recoveries_at_hand import GROUND, RecoveriesAtHand

from sekisho.cli import recoveries
from sekisho.cli.at_institution import Place, told
from sekisho.cli.main import main


@pytest.fixture(name="at_hand")
def _at_hand(tmp_path):
    opened = RecoveriesAtHand(tmp_path)
    yield opened
    opened.parts.store.close()


@pytest.fixture(name="run")
def _run(monkeypatch, at_hand):
    """Call a command beside an institution that is at hand, as beside one that is serving."""

    @contextmanager
    def parts(_):
        with told():
            yield at_hand.parts

    monkeypatch.setattr(Place, "parts", parts)
    monkeypatch.setattr(recoveries, "books_of", lambda _: at_hand.books)

    def call(*words, by="sato", code=0):
        who = () if words[0] == "list" else ("--by", by)
        done = CliRunner().invoke(main, ["recoveries", *words, *who])
        assert done.exit_code == code, done.output
        return done.output.strip()

    return call


def test_a_partner_is_asked_and_bears_it(at_hand, run):
    at_hand.pay(30_000)
    assert run("list") == "sum\tcmp_1\t9901\t1\t30000\t0\t0\t0\t0"
    asked = ("ask", "9901", "--campaign", "cmp_1", "--share", "50", "--ground", GROUND)
    assert run(*asked) == "1\t15000"
    run(*asked, code=2)
    day = str(at_hand.today())
    came = ("came", "9901", "--number", "B-1", "--on", day)
    run(*came, "--yen", "15001", code=2)
    receipt = run(*came, "--yen", "10000", code=3)
    run(*came, "--yen", "10000", code=2)
    assert run("list").splitlines()[1:] == [f"waits\t{receipt}\t9901\ttransfer\tB-1\t10000\t{day}\tsato"]
    run("book", receipt, code=2)
    assert run("book", receipt, by="ito").startswith("trf_")
    giving_up = ("give-up", "9901", "--campaign", "cmp_1", "--reason", "it refuses the rest")
    run(*giving_up, code=2)
    assert run(*giving_up, by="ito") == "1\t5000"
    assert run("list") == "sum\tcmp_1\t9901\t1\t30000\t15000\t10000\t5000\t0"
    assert at_hand.lost() == 20_000


def test_what_was_typed_wrongly_is_turned_down(at_hand, run):
    at_hand.pay(30_000)
    at_hand.ask()
    words = ("came", "9901", "--number", "B-1", "--on", str(at_hand.today()), "--way", "set_off")
    receipt = run(*words, "--yen", "3000", "--campaign", "cmp_1", code=3)
    run("turn-down", receipt, "--reason", "30,000 it was", by="ito")
    run("book", receipt, by="ito", code=2)
    run(*words, "--yen", "30000", code=3)


def test_an_institution_without_money_recovers_nothing(run, monkeypatch):
    monkeypatch.setattr(recoveries, "books_of", lambda _: None)
    assert "keeps no money" in run("list", code=2)
