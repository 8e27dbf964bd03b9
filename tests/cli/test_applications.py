"""`sekisho applications`, as staff type it while the lender serves."""

import json
import os

import pytest
from click.testing import CliRunner
from tests.identity.member_at_hand import LENDER, AtHand
from tests.lender.applicants import way_in_with

from sekisho.cli.main import main
from sekisho.identity.institution import Parts
from sekisho.kernel.chance import SeededChance
from sekisho.kernel.clock import SetClock, SystemClock
from sekisho.response import audit
from sekisho.storage.engine import open_store
from sekisho.storage.keyring_files import open_keyring
from sekisho.storage.kms import key_wrapper


@pytest.fixture(name="way")
def _way(tmp_path):
    """Open a lender in the folder that the command names; its store stays open meanwhile."""
    clock, chance = SetClock(SystemClock().now_us()), SeededChance(7)
    keyring = open_keyring(tmp_path, key_wrapper(tmp_path, os.environ, chance), clock=clock, chance=chance)
    store = open_store(f"sqlite:///{tmp_path / 'sekisho.db'}")
    way = way_in_with(AtHand(Parts(LENDER, store, keyring, clock, chance), clock, chance, tmp_path))
    yield way
    way.close()


@pytest.fixture(name="typed")
def _typed(tmp_path):
    def type_it(*words, code=0):
        done = CliRunner().invoke(main, ["applications", words[0], "--data", str(tmp_path), *words[1:]])
        assert done.exit_code == code, done.output
        return done.stdout if code == 0 else done.output

    return type_it


@pytest.fixture(name="borderline")
def _borderline(way):
    """Bring an application to where a person has to decide: two months in this employment."""
    return way.screened(way.add_applicant(), employed_months=2)


def test_what_waits_is_listed_shown_and_approved(typed, way, borderline):
    """With what the decision stands on, and without name, address and birth date."""
    (line,) = typed("list").splitlines()
    assert line.startswith(f"{borderline.id}\ta_person_decides\t")
    shown = typed("show", borderline.id, "--by", "tanaka", "--json")
    facts = json.loads(shown)
    assert (facts["employed_months"], facts["limit_yen"], facts["decided_by"]) == (2, 500_000, "")
    assert facts["findings"]
    assert facts["bureau"]["lenders"] == 0
    assert set(facts["bureau"]) >= {"owed_yen", "delayed", "written_off", "applications_last_month"}
    for word in ("山田", "東京都", "1990", "見本商事"):
        assert word not in shown
    assert "lender:application:seen" in [event.kind for event in way.at_hand.events()]
    told = typed(
        "approve", borderline.id, "--by", "tanaka", "--reason", "seen the contract", "--limit", "100000"
    )
    assert told.split() == [borderline.id, "granted", "100000"]
    assert typed("list") == ""
    assert json.loads(typed("show", borderline.id, "--by", "ito", "--json"))["decided_by"] == "tanaka"


def test_a_refusal_is_told_to_the_applicant_without_the_reason(typed, way, borderline):
    """What staff wrote stays with staff."""
    typed("refuse", borderline.id, "--by", "tanaka", "--reason", "two jobs in a month")
    assert f"{borderline.id}\trefused\t" in typed("list", "--state", "refused")
    assert way.at_hand.notices() == ["application_decided"] * 2
    typed("approve", borderline.id, "--by", "tanaka", "--reason", "after all", code=2)


def test_who_checked_does_not_decide(typed, borderline):
    """Nor does somebody decide without a reason, more than was found, or under no name."""
    reason = ("--reason", "seen")
    assert "Somebody else" in typed("approve", borderline.id, "--by", "sato", *reason, code=2)
    typed("approve", borderline.id, "--by", "tanaka", "--reason", " ", code=2)
    typed("approve", borderline.id, "--by", "tanaka", *reason, "--limit", "510000", code=2)
    typed("approve", borderline.id, "--by", "Frau Tanaka", *reason, code=2)
    typed("approve", "app_nothing", "--by", "tanaka", *reason, code=2)
    assert typed("list").startswith(borderline.id)


def test_staff_write_down_who_applies(typed, way):
    """Once, however often it is sent, and in no way that the law does not know."""
    application = way.submitted(way.add_applicant())
    today = way.house.today().isoformat()
    assert f"{application.id}\tsubmitted\t" in typed("list")
    words = ("check", application.id, "--by", "sato", "--on", today, "--evidence", "mail/7", "--key", "k1")
    first = typed(*words, "--method", "ID_PLUS_MAIL", "--passed")
    assert typed(*words, "--method", "ID_PLUS_MAIL", "--passed") == first
    assert first.endswith("\tpassed\n")
    with way.house.store.read() as connection:
        (act,) = audit.search(connection, act="application:identity_checked")
    assert (act.actor, act.subject, act.details["passed"]) == ("sato", application.id, True)
    assert first.startswith(f"{act.details['check']}\t")
    assert f"{application.id}\tidentity_checked\t" in typed("list", "--state", "identity_checked")
    typed(*words, "--method", "JPKI", "--passed", code=2)
    typed(
        "check",
        application.id,
        "--by",
        "sato",
        "--on",
        "2999-01-01",
        "--method",
        "ID_PLUS_MAIL",
        "--evidence",
        "x",
        "--key",
        "k2",
        "--passed",
        code=2,
    )
