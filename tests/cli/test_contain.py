"""`sekisho contain`, as an operator types it beside the serving institution."""

import json

import pytest
from click.testing import CliRunner
from tests.cli.keyring_in import keyring_in
from tests.response.cohort_at_hand import CohortAtHand

from sekisho.cli.main import main
from sekisho.kernel.clock import rfc3339
from sekisho.kernel.ids import MEMBER
from sekisho.response import audit
from sekisho.storage.engine import open_store

PROBABILITIES = (0.97, 0.6, 0.1)


@pytest.fixture
def hand(tmp_path):
    """Make an institution's folder as it is in production, with its own keyring, and serve it."""
    keyring = keyring_in(tmp_path)
    made = CohortAtHand(tmp_path, 0)
    made.at_hand.store.close()
    store = open_store(f"sqlite:///{tmp_path / 'sekisho.db'}")
    made.at_hand.parts = made.parts._replace(store=store, keyring=keyring)
    made.members = [made.add() for _ in range(3)]
    entered = tmp_path / "hunt" / "entered.csv"
    entered.parent.mkdir()
    rows = [
        f"{each},{rfc3339(made.entered_at_us)},{p},cmp_1,1,why\n"
        for each, p in zip(made.members, PROBABILITIES, strict=True)
    ]
    entered.write_text("member,first_entered_at,probability,campaign,attempts,why\n" + "".join(rows))
    yield made
    store.close()


@pytest.fixture
def typed(tmp_path, hand):
    del hand

    def type_it(*words, code=0):
        done = CliRunner().invoke(main, ["contain", "--data", str(tmp_path), "--by", "sato", *words])
        assert done.exit_code == code, done.output
        return done.stdout

    return type_it


def test_the_cohort_is_contained_decided_about_and_undone(hand, typed):
    """Shut by itself, proposed, left alone; then one more is shut, and one was the member after all."""
    first, second, _ = hand.members
    assert f"{first}," in typed("cmp_1", "--dry-run")
    assert hand.state_of(first).state == "open"
    told = json.loads(typed("cmp_1", "--json", code=3))
    assert (told["cohort"], told["standing"]) == (3, {"below": 1, "done": 1, "proposed": 1})
    assert hand.state_of(first).state == "invalidated"
    assert json.loads(typed("cmp_1", "--member", second, "--shut", "--json"))["standing"]["done"] == 2
    typed("cmp_1", "--member", first, "--undo", code=2)
    typed("cmp_1", "--member", first, "--undo", "--proof", "called back")
    assert hand.state_of(first).state == "open"
    assert f"{first},0.9700,undone,sms email,case_" in typed("cmp_1", "--list")


def test_what_cannot_be_contained_is_refused(typed):
    """Nobody is in another campaign; a member is decided about in one way."""
    typed("cmp_2", code=2)
    typed("cmp_1", "--member", MEMBER.of(1, bytes(9)), "--shut", code=2)
    typed("cmp_1", "--shut", code=2)


def test_the_letter_to_a_member_is_written_and_on_record(hand, typed, tmp_path):
    """With name and address, for a reason that stands in the audit; without one there is no letter."""
    typed("cmp_1", code=3)
    row = next(line for line in typed("cmp_1", "--list", code=3).splitlines() if ",done," in line)
    case, out = row.split(",")[4], tmp_path / "letter.pdf"
    words = ["report", "member", "--data", str(tmp_path), case, "--out", str(out), "--by", "sato", "--reason"]
    assert CliRunner().invoke(main, [*words, "x"]).exit_code == 2
    assert not out.exists()
    done = CliRunner().invoke(main, [*words, "asked for it in writing"])
    assert done.exit_code == 0, done.output
    assert out.read_bytes().startswith(b"%PDF-")
    with hand.at_hand.store.read() as connection:
        [seen] = audit.search(connection, act="member:seen")
    assert (seen.actor, seen.subject, seen.reason) == ("sato", hand.members[0], "asked for it in writing")
