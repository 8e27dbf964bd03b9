"""`sekisho switch`, as an operator types it while the institution serves."""

import json

import msgspec
import pytest
from click.testing import CliRunner
from tests.identity.member_at_hand import open_at_hand

from sekisho.cli.main import main
from sekisho.guard.attempts import Attempt
from sekisho.guard.decisions import Action, Decision
from sekisho.kernel.clock import HOUR_US, SystemClock
from sekisho.storage.attempts import DECIDED
from sekisho.storage.engine import open_store
from sekisho.storage.outbox import Entry, append
from sekisho.storage.unit_of_work import Connection

CASH = ("--function", "atm_withdrawal", "--reason", "codes were phished", "--open", "transfer_loan")


@pytest.fixture
def typed(tmp_path):
    def type_it(*words, code=0):
        rest = ["--data", str(tmp_path)]
        done = CliRunner().invoke(main, ["switch", words[0], *rest, *words[1:]])
        assert done.exit_code == code, done.output
        return done.stdout

    return type_it


def in_json(text):
    return [json.loads(line) for line in text.splitlines()]


def test_a_wide_switch_is_set_approved_and_lifted_by_two(typed):
    """Set: waits with exit code 3; approved by another one: on; lifted by both: gone from the list."""
    [proposed] = in_json(typed("set", *CASH, "--by", "sato", "--json", code=3))
    assert proposed["state"] == "proposed"
    assert "Somebody else has to decide this." not in typed("list")
    typed("approve", proposed["id"], "--by", "sato", code=2)
    [on] = in_json(typed("approve", proposed["id"], "--by", "ito", "--json"))
    assert on["state"] == "on"
    assert "\ton\tatm_withdrawal\t" in typed("list")
    typed("lift", on["id"], "--by", "sato", "--why", "passkeys are there", code=3)
    typed("lift", on["id"], "--by", "ito")
    assert typed("list") == ""
    assert [line.split("\t")[1:3] for line in typed("log", on["id"]).splitlines()] == [
        ["set", "sato"],
        ["approved", "ito"],
        ["lift_asked", "sato"],
        ["lifted", "ito"],
    ]
    assert "\tlifted\t" in typed("list", "--all")


def test_a_narrow_switch_is_on_at_once_beside_the_serving_process(typed, tmp_path):
    """The institution has its store open; the switch is in it all the same."""
    serving = open_store(f"sqlite:///{tmp_path / 'sekisho.db'}")
    [on] = in_json(typed("set", *CASH, "--member", "mem_1", "--for", "2h", "--by", "sato", "--json"))
    assert on["state"] == "on"
    assert on["until_us"] - on["set_at_us"] - 2 * HOUR_US < HOUR_US
    assert on["scope"]["names_members"] == 1
    serving.close()


def test_what_cannot_be_set_is_refused_in_words(typed):
    """Exit code 2, and what was wrong."""
    words = ("--function", "cash", "--reason", "r", "--open", "telephone", "--by", "sato")
    assert typed("set", *words, code=2) == ""
    assert typed("set", *CASH, "--for", "tomorrow", "--by", "sato", code=2) == ""


def test_the_preview_counts_whom_it_would_have_met(typed, tmp_path):
    """Three members drew cash, one of them was entered; a switch for risky sessions meets those alone."""
    hand = open_at_hand(tmp_path)
    now_us = SystemClock().now_us()
    members = [hand.add_member() for _ in range(3)]
    entered = [hand.log_in(each) for each in members]

    decision = Decision(
        action=Action.ALLOW, probability=0, before_hash=False, reasons=(), policy="test", policy_revision=1
    )

    def work(connection: Connection) -> None:
        for member_id, one in zip(members, entered, strict=True):
            attempt = Attempt(
                time_us=now_us - HOUR_US,
                member=member_id,
                ip="192.0.2.1",
                gate="atm_withdrawal",
                session=one.session.id,
                amount_yen=10_000,
            )
            body = msgspec.json.encode({"attempt": attempt, "decision": decision})
            append(connection, [Entry(DECIDED, f"att_{member_id}", now_us - HOUR_US, body)])

    hand.store.write(work).result()
    hand.store.close()
    hand.file.rename(tmp_path / "sekisho.db")
    cohort = tmp_path / "entered.csv"
    cohort.write_text(f"member,probability\n{members[0]},0.99\nmem_other,0.8\n", encoding="utf-8")
    words = ("preview", "--function", "atm_withdrawal", "--cohort", str(cohort), "--json")
    [all_of_them] = in_json(typed(*words))
    counts = ("honest_users", "honest_met", "cohort", "cohort_users", "cohort_met", "uses_met", "yen_met")
    assert [all_of_them[name] for name in counts] == [2, 2, 2, 1, 1, 3, 30_000]
    [risky] = in_json(typed(*words, "--risk-from", "0.5"))
    assert [risky[name] for name in counts] == [2, 0, 2, 1, 0, 0, 0]
    assert "3 of 3 honest members" in typed("preview", "--function", "*", "--direction", "out")
