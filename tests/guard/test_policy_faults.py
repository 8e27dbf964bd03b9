"""Everything that is wrong with a policy's text is told at once, each with its line."""

from time import monotonic

import pytest

from sekisho.guard.policy import parse_policy
from sekisho.guard.policy_faults import BadPolicy

WHOLE = """\
id = "ours" # ours
revision = 3

[default]
on_outage = "open"
friction_calm = 0.1

[default.rules]
guesses_on_one_account = { action = "challenge", limit = 3 }
[ gates . "transfer" ]  # money out
on_outage = "closed"
ask = "puzzle"
[gates.bank_link]
on_outage = "closed"
rules.listed_address.action = "deny"
rules.listed_address.limit = 1
"""


def faults_of(text):
    with pytest.raises(BadPolicy) as refused:
        parse_policy(text)
    return [(fault.line, fault.why) for fault in refused.value.faults]


@pytest.mark.parametrize(
    ("line", "instead", "at", "why"),
    [
        ('id = "ours"', 'id = "o u r s"', 1, "id must be 1 to 64"),
        ("revision = 3", 'revision = "3"', 2, "Expected `int`, got `str`"),
        ("revision = 3", "revision = 3\nrevison = 4", 3, "unknown field `revison`"),
        ("friction_calm = 0.1", "friction_calm = 1.1", 6, "default: friction budgets are shares"),
        ("friction_calm = 0.1", "friction_campaign = 7", 6, "friction_before_hash part of"),
        ("friction_calm = 0.1", "friction_before_hash = 0.5", 6, "friction_before_hash part of"),
        ("friction_calm = 0.1", "friction_calm = 'much'", 6, "default: Expected `float`, got `str`"),
        ("friction_calm = 0.1", "fiction_calm = 0.1", 6, "default: Object contains unknown field"),
        ("limit = 3", "limit = 0", 9, "default: guesses_on_one_account needs a limit"),
        ("limit = 3", "limits = 3", 9, "default: guesses_on_one_account: Object contains unknown field"),
        ("guesses_on_one_account", "guesses", 9, "default: there is no rule 'guesses'"),
        ('ask = "puzzle"', 'ask = "deny"', 12, "transfer: ask must be puzzle or challenge"),
        ('ask = "puzzle"', "hold_s = -1", 12, "transfer: hold_s must not be negative"),
        ("[gates.bank_link]\n", "[gates.bank_lnk]\n", 13, "there is no gate 'bank_lnk'"),
        ('[gates.bank_link]\non_outage = "closed"', "[gates.bank_link]", 13, "bank_link: Object missing"),
        ("limit = 1\n", "limit = -1\n", 15, "bank_link: listed_address needs a limit"),
        ("limit = 1\n", "limit = 1\nbroken\n", 17, "(at line 17, column 7)"),
        ("limit = 1\n", "limit = [1,\n", 17, "(at end of document)"),
        ("[gates.bank_link]\n", "[default]\n", 13, "Cannot declare"),
        (WHOLE, 'id = "x"\nrevision = 3\ngates = 1\n[default]\non_outage = "open"', 3, "gates must be a"),
        ("[default.rules]\nguesses", "rules = 1\nguesses", 8, "default: rules must be a table"),
        ("[default]\n", "[defaults]\n", 4, "unknown field `defaults`"),
    ],
)  # fmt: skip
def test_a_fault_stands_on_its_line(line, instead, at, why):
    parse_policy(WHOLE)
    assert line in WHOLE
    found = faults_of(WHOLE.replace(line, instead, 1))
    assert any(number == at and why in said for number, said in found), found


def test_everything_that_is_wrong_is_told_at_once_from_top_to_bottom():
    text = WHOLE.replace("0.1", "1.1").replace('"puzzle"', '"allow"').replace("limit = 3", "limit = 0")
    assert [line for line, _ in faults_of(text)] == [6, 9, 12]
    text = WHOLE.replace("0.1", "'a'").replace('"puzzle"', '"nothing"').replace("= 3\n", "= 3.5\n")
    assert [line for line, _ in faults_of(text)] == [2, 6, 12]


def test_the_whole_is_to_blame_for_what_is_missing_from_it():
    assert faults_of("") == [
        (0, "Object missing required field `id`"),
        (0, "Object missing required field `default`"),
    ]


@pytest.mark.parametrize("value", ["[" * 5_000, "9" * 5_000, "{ a = " * 2_000, "1979-13-45"])
def test_what_is_made_to_hurt_the_reader_is_refused(value):
    """As everything else that is no policy: whoever pastes it gets an answer."""
    assert faults_of(WHOLE.replace("0.1", value))


def test_a_line_that_is_made_to_take_long_takes_no_time():
    """Whoever may try a policy out may type any text: nobody else at the desks waits for it."""
    begun = monotonic()
    assert faults_of(f"{' ' * 1_500}\n{WHOLE}".replace("0.1", "1.1"))
    assert monotonic() - begun < 1


def test_lines_end_as_on_every_system():
    assert faults_of(WHOLE.replace("0.1", "1.1").replace("\n", "\r\n"))[0][0] == 6
