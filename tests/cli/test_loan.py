"""`sekisho loan`, as programs and people call it."""

import json

import pytest
from click.testing import CliRunner

from sekisho.cli.loan import command


def run(*arguments):
    return CliRunner().invoke(command, arguments)


def test_a_plan_for_programs():
    """The published simulator's figures."""
    done = run("plan", "--balance", "100000", "--rate", "18.0", "--json")
    assert done.exit_code == 0
    assert json.loads(done.output) == {
        "balance_yen": 100_000,
        "rate_percent": "18.0",
        "payment_yen": 4_000,
        "payments": 32,
        "total_yen": 126_260,
        "interest_yen": 26_260,
        "last_payment_yen": 2_260,
        "method": "monthly",
    }


def test_interest_for_programs():
    """The ledger's method."""
    days = ("--from", "2025-06-01", "--to", "2025-07-01")
    done = run("interest", "--principal", "100000", "--rate", "17.8", *days, "--json")
    assert done.exit_code == 0
    found = json.loads(done.output)
    assert (found["days"], found["interest_yen"]) == (30, 1_463)


def test_for_people():
    done = run("plan", "--balance", "100,000円", "--rate", "18.0")
    assert "32 payments, ¥126,260 in all" in done.output
    done = run(
        "interest", "--principal", "100000", "--rate", "18", "--from", "2025-06-01", "--to", "2025-06-02"
    )
    assert ": 1 day, ¥49 interest" in done.output


def test_above_the_legal_cap_it_says_so():
    done = run("plan", "--balance", "1000000", "--rate", "18.0", "--json")
    assert done.exit_code == 0
    assert "the law allows 15.0% at most" in done.stderr
    assert json.loads(done.stdout)["payments"] == 58


@pytest.mark.parametrize(
    "arguments",
    [
        ("plan", "--balance", "0", "--rate", "18.0"),
        ("plan", "--balance", "-5", "--rate", "18.0"),
        ("plan", "--balance", "1.5", "--rate", "18.0"),
        ("plan", "--balance", "100000", "--rate", "20.1"),
        ("plan", "--balance", "100000", "--rate", "abc"),
        ("plan", "--balance", "100000", "--rate", "18.0", "--payment", "1500"),
        ("interest", "--principal", "1", "--rate", "1", "--from", "2025-02-29", "--to", "2025-03-01"),
        ("interest", "--principal", "1", "--rate", "1", "--from", "2025-03-02", "--to", "2025-03-01"),
    ],
)
def test_bad_input_is_told_and_exits_with_2(arguments):
    done = run(*arguments)
    assert done.exit_code == 2
    assert "Error" in done.stderr
