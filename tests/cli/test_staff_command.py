"""Who works at the desks, from the command line: let in, and which record is their own."""

import pytest
from click.testing import CliRunner

from sekisho.cli.at_institution import opened_parts
from sekisho.cli.staff import command
from sekisho.console.staff import all_staff
from sekisho.identity.institution import Institution
from sekisho.kernel.ids import MEMBER

RECORD = "mem_" + "0" * 32


@pytest.fixture
def run(tmp_path):
    """Run a command on the record of desks, and return its result."""

    def running(*args):
        return CliRunner().invoke(command, ["--data", str(tmp_path), *args])

    return running


def nameless():
    return Institution(key="desks", names={"ja": ""}, host="", origin="", telephone="", desk_hours={"ja": ""})


def everybody(folder):
    with opened_parts(folder, "", nameless) as parts, parts.store.read() as connection:
        return all_staff(connection)


def test_a_record_is_named_somebody_s_own_once(run, tmp_path):
    assert run("add", "Mori", "--role", "lender:analyst").exit_code == 0
    (one,) = everybody(tmp_path)
    assert one.own_records == {}
    for _ in range(2):
        assert run("own", one.id, f"lender:{RECORD}").exit_code == 0
    (one,) = everybody(tmp_path)
    assert one.own_records == {"lender": {RECORD}}


@pytest.mark.parametrize("record", ["lender", "lender:", "nowhere:" + RECORD, "lender:case_1", RECORD])
def test_what_is_no_record_is_refused(run, tmp_path, record):
    run("add", "Mori", "--role", "lender:analyst")
    (one,) = everybody(tmp_path)
    assert run("own", one.id, record).exit_code == 2
    assert everybody(tmp_path)[0].own_records == {}


def test_a_record_of_nobody_at_the_desks_is_refused(run):
    assert run("own", MEMBER.parse(RECORD), f"lender:{RECORD}").exit_code == 2
