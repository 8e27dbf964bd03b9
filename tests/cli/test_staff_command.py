"""Who works at the desks, from the command line: let in, and which record is their own."""

import pytest
from click.testing import CliRunner

from sekisho.cli.at_institution import opened_parts
from sekisho.cli.staff import command
from sekisho.console.staff import all_staff
from sekisho.identity.institution import Institution
from sekisho.kernel.ids import MEMBER
from sekisho.response import audit

RECORD = "mem_" + "0" * 32
WHY = ("--by", "aoki", "--reason", "she starts today")


@pytest.fixture
def run(tmp_path):
    """Run a command on the record of desks, and return its result."""

    def running(*args):
        why = () if args[0] == "list" else WHY
        return CliRunner().invoke(command, ["--data", str(tmp_path), *args, *why])

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


def acts(folder):
    with opened_parts(folder, "", nameless) as parts, parts.store.read() as connection:
        return [(one.actor, one.act, one.subject, one.details) for one in audit.all_acts(connection)]


def test_who_let_whom_in_and_gave_what_is_on_record(run, tmp_path):
    """Also what was taken away; what changes nothing is no act."""
    run("add", "Mori", "--role", "lender:analyst")
    (one,) = everybody(tmp_path)
    for deed in ("give", "give", "take"):
        assert run(deed, one.id, "bank:desk").exit_code == 0
    assert run("take", one.id, "bank:desk").exit_code == 1
    for deed in ("enrol", "remove"):
        assert run(deed, one.id).exit_code == 0
    role = {"institution": "bank", "role": "desk"}
    assert acts(tmp_path) == [
        ("aoki", "staff:added", one.id, {}),
        ("aoki", "staff:role_given", one.id, {"institution": "lender", "role": "analyst"}),
        ("aoki", "staff:enrolment_given", one.id, {}),
        ("aoki", "staff:role_given", one.id, role),
        ("aoki", "staff:role_taken", one.id, role),
        ("aoki", "staff:enrolment_given", one.id, {}),
        ("aoki", "staff:removed", one.id, {}),
    ]


def test_nobody_of_the_staff_lets_nobody_in(tmp_path):
    deed = ("add", "Ito", "--role", "lender:desk", "--by", "NOBODY!", "--reason", "x")
    assert CliRunner().invoke(command, ["--data", str(tmp_path), *deed]).exit_code == 2
    assert (everybody(tmp_path), acts(tmp_path)) == ([], [])


@pytest.mark.parametrize("record", ["lender", "lender:", "nowhere:" + RECORD, "lender:case_1", RECORD])
def test_what_is_no_record_is_refused(run, tmp_path, record):
    run("add", "Mori", "--role", "lender:analyst")
    (one,) = everybody(tmp_path)
    assert run("own", one.id, record).exit_code == 2
    assert everybody(tmp_path)[0].own_records == {}


def test_a_record_of_nobody_at_the_desks_is_refused(run):
    assert run("own", MEMBER.parse(RECORD), f"lender:{RECORD}").exit_code == 2
