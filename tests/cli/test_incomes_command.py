"""`sekisho incomes`: what waits for a person, and what the document says."""

from contextlib import contextmanager

import pytest
from click.testing import CliRunner
from tests.lender.test_income_renewals import Closed

from sekisho.cli.at_institution import Place
from sekisho.cli.main import main


@pytest.fixture(name="closed")
def _closed(tmp_path, monkeypatch):
    opened = Closed(tmp_path)

    @contextmanager
    def parts(_):
        yield opened.house.parts

    monkeypatch.setattr(Place, "parts", parts)
    yield opened
    opened.line.way.close()


def ran(*words):
    done = CliRunner().invoke(main, ["incomes", *words])
    return done.exit_code, done.stdout, done.stderr


def test_what_waits_is_listed_shown_and_read(closed):
    assert ran("list") == (0, "", "")
    renewal = closed.declare()
    renewal_id, number, paper, since = ran("list")[1].strip().split("\t")
    assert (renewal_id, number, paper) == (renewal.id, closed.line.number, "withholding_slip")
    assert since.endswith("Z")
    assert "declared_yen\t6000000" in ran("show", renewal.id, "--by", "aoki")[1]
    words = ("read", renewal.id, "--by", "aoki", "--yen", "5000000", "--reference", "shelf 3")
    assert ran(*words)[:2] == (0, f"{renewal.id}\tproven\n")
    assert ran("list")[1] == ""


def test_what_proves_nothing_is_refused_once(closed):
    renewal = closed.declare()
    assert ran("refuse", renewal.id, "outdated", "--by", "aoki")[1] == f"{renewal.id}\trefused\n"
    code, _, said = ran("refuse", renewal.id, "unreadable", "--by", "aoki")
    assert (code, "decided or taken back" in said) == (2, True)
    assert ran("refuse", renewal.id, "boring", "--by", "aoki")[0] == 2
    reading = ("read", renewal.id, "--by", "aoki", "--yen", "5000000", "--reference", " ")
    assert ran(*reading)[0] == 2
