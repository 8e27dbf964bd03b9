"""Where two policies differ, as they take effect."""

import msgspec
import pytest

from sekisho.guard.policy import default_policy, parse_policy
from sekisho.guard.policy_changes import Change, changes, parts_of

HEAD = 'id = "ours"\nrevision = 1\n[default]\non_outage = "closed"\n'
GUESSES, LISTED = ("default", "guesses_on_one_account"), ("default", "listed_address")
BEFORE = HEAD + "[default.rules]\nguesses_on_one_account = { action = 'deny', limit = 3 }\n"


@pytest.mark.parametrize(
    ("after", "found"),
    [
        pytest.param(BEFORE.replace("= 1\n", "= 2\n"), set(), id="the revision alone"),
        pytest.param(BEFORE.replace("closed", "open"), {("default", "on_outage")}, id="a setting"),
        pytest.param(BEFORE.replace("limit = 3", "limit = 4"), {GUESSES}, id="a limit"),
        pytest.param(HEAD, {GUESSES}, id="a rule is gone"),
        pytest.param(
            BEFORE + "listed_address = { action = 'puzzle', limit = 1 }\n", {LISTED}, id="a rule more"
        ),
        pytest.param(BEFORE + "listed_address = { limit = 9 }\n", set(), id="a rule that is off"),
        pytest.param(
            BEFORE + '[gates.transfer]\non_outage = "closed"\nhold_s = 9\n',
            {("transfer", "hold_s"), ("transfer", "guesses_on_one_account")},
            id="a gate has a part of its own: it takes nothing from the default",
        ),
    ],
)
def test_what_differs_is_found_as_it_takes_effect(after, found):
    before, then = parse_policy(BEFORE), parse_policy(after)
    assert changes(before, then) == {Change(*one) for one in found}
    assert changes(then, before) == {Change(*one) for one in found}


def test_a_gate_that_one_of_them_names_is_shown_for_both():
    ours, theirs = parse_policy(BEFORE), default_policy()
    parts = parts_of(ours, theirs)
    assert list(parts) == ["default", "bank_link"]
    assert parts["bank_link"] == (ours.default, theirs.gates["bank_link"])
    assert changes(theirs, msgspec.structs.replace(theirs, revision=9)) == frozenset()
