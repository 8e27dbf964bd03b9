"""`sekisho report`, as an operator types it on the day after."""

import json
from contextlib import closing

import pytest
from click.testing import CliRunner
from sqlalchemy import delete
from tests.cli.keyring_in import keyring_in
from tests.response.cohort_at_hand import CAMPAIGN
from tests.response.incident_at_hand import open_incident

from sekisho.cli.main import main
from sekisho.identity import members, personal_data
from sekisho.identity.personal_data import Item
from sekisho.response.reports.member_letter import contained_of
from sekisho.storage.engine import open_store
from sekisho.storage.tables.personal_data import personal_item


@pytest.fixture
def incident(tmp_path):
    hand, _ = open_incident(tmp_path)
    hand.at_hand.store.close()
    hand.at_hand.file.rename(tmp_path / "sekisho.db")
    keyring_in(tmp_path)
    return hand


@pytest.fixture
def typed(tmp_path, incident):
    del incident

    def type_it(*words, code=0):
        done = CliRunner().invoke(main, ["report", words[0], "--data", str(tmp_path), *words[1:]])
        assert done.exit_code == code, done.output
        return done.stdout

    return type_it


def test_the_breach_report_is_written_sent_and_written_anew(typed, tmp_path):
    """A PDF, its deadlines and figures; the second version beside the first, which was sent."""
    out = tmp_path / "breach.pdf"
    words = ("breach", CAMPAIGN, "--out", str(out), "--by", "sato")
    told = json.loads(typed(*words, "--json"))
    assert (told["version"], told["about"]) == (1, CAMPAIGN)
    assert told["figures"]
    assert out.read_bytes().startswith(b"%PDF-")
    typed("sent", "breach_preliminary", CAMPAIGN, "1", "--by", "ito")
    assert "version 2" in typed(*words)
    typed(*words[:2], "--kind", "final", *words[2:])
    lines = typed("versions", "breach_preliminary", CAMPAIGN).splitlines()
    assert lines[0].startswith("1\t")
    assert "not sent" not in lines[0]
    assert any(line.startswith("2\t") and "not sent" in line for line in lines)


def test_the_other_papers_are_written(typed, tmp_path):
    """To the police, to the bank, to the public."""
    for name, more in (("police", ()), ("partner", ("--partner", "9901")), ("public", ())):
        out = tmp_path / f"{name}.pdf"
        typed(name, CAMPAIGN, "--out", str(out), "--by", "sato", *more)
        assert out.stat().st_size > 1_000


def test_what_is_not_known_is_refused(typed, tmp_path):
    """No such case; a notice to no partner; a version that is not there."""
    out = str(tmp_path / "x.pdf")
    typed("breach", "cmp_none", "--out", out, "--by", "sato", code=2)
    typed("partner", CAMPAIGN, "--out", out, "--by", "sato", code=2)
    typed("sent", "police", CAMPAIGN, "1", "--by", "sato", code=2)


def test_a_paper_is_written_in_english(typed, tmp_path):
    """Its versions are its own, and its figures those of the Japanese one."""
    out = str(tmp_path / "police.pdf")
    words = ("police", CAMPAIGN, "--out", out, "--by", "sato", "--json")
    ja, en = json.loads(typed(*words)), json.loads(typed(*words, "--language", "en"))
    assert [(told["kind"], told["language"], told["version"]) for told in (ja, en)] == [
        ("police", "ja", 1),
        ("police.en", "en", 1),
    ]
    values = [[figure["value"] for figure in told["figures"]] for told in (ja, en)]
    assert values[0] == values[1]
    typed("sent", "police.en", CAMPAIGN, "1", "--by", "ito")


def test_a_letter_is_in_the_language_of_its_member(typed, incident, tmp_path):
    """Unless somebody says otherwise."""
    member_id, out = incident.members[0], str(tmp_path / "letter.pdf")
    keyring, data = keyring_in(tmp_path), {Item.NAME: "山田 花子", Item.HOME_ADDRESS: "仙台市青葉区1-1"}

    def write(connection):
        # What the member is called is sealed anew, under the keys of this folder.
        connection.execute(delete(personal_item).where(personal_item.c.member_id == member_id))
        personal_data.store(connection, keyring, member_id, data, 1)
        members.set_language(connection, member_id, "en")
        contained = contained_of(connection, CAMPAIGN, member_id)
        assert contained is not None
        return contained.case_id

    with closing(open_store(f"sqlite:///{tmp_path / 'sekisho.db'}")) as record:
        case = record.write(write).result()
    words = ("member", case, "--out", out, "--by", "sato", "--reason", "to write to them", "--json")
    assert json.loads(typed(*words))["kind"] == f"member_{case}.en"
    assert json.loads(typed(*words, "--language", "ja"))["kind"] == f"member_{case}"
