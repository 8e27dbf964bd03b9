import pytest
from tests.project_files import ROOT

from sekisho.guard.attempts import Gate
from sekisho.guard.decisions import Action
from sekisho.guard.policy import (
    NEVER,
    GatePolicy,
    Policy,
    RuleSetting,
    default_policy,
    load_policy,
    parse_policy,
    require_told_apart,
)
from sekisho.guard.policy_faults import BadPolicy
from sekisho.guard.rules import RULES, WITHOUT_LIMIT
from sekisho.kernel.posture import Posture

SMALLEST = 'id = "ours"\nrevision = 3\n[default]\non_outage = "open"\n'


def test_the_smallest_policy_says_what_an_outage_means_and_takes_the_rest_as_it_comes():
    policy = parse_policy(SMALLEST)
    assert (policy.id, policy.revision) == ("ours", 3)
    gate = policy.default
    assert gate.on_outage is Posture.OPEN
    assert gate.ask is Action.CHALLENGE
    assert gate.deny_from == NEVER
    assert gate.rules == {}
    assert gate.budgets == (gate.friction_calm, gate.friction_before_hash, gate.friction_campaign)


def test_a_gate_has_what_is_written_for_it_and_the_others_the_default():
    policy = parse_policy(SMALLEST + '[gates.transfer]\non_outage = "closed"\nask = "puzzle"\n')
    assert policy.gate("transfer").ask is Action.PUZZLE
    assert policy.gate("transfer").on_outage is Posture.CLOSED
    assert policy.gate("login") is policy.default


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param("id = ", "Invalid value", id="no TOML"),
        pytest.param("", "missing required field `id`", id="empty"),
        pytest.param('id = "x"\nrevision = 1\n', "missing required field `default`", id="no default"),
        pytest.param(
            'id = "x"\nrevision = "one"\n', "Expected `int`, got `str` - at `$.revision`", id="revision"
        ),
        pytest.param(SMALLEST.replace("on_outage", "outage"), "unknown field `outage`", id="no such setting"),
        *(
            pytest.param(SMALLEST.replace("ours", name), "id must be 1 to 64 letters", id=f"id {name[:9]!r}")
            for name in ("", "a b", "ours@5", "-x", "方針", "x" * 65, "a\\n")
        ),
        *(
            pytest.param(
                SMALLEST.replace("= 3", f"= {number}"), "revision must be a whole number", id=f"no. {number}"
            )
            for number in (-1, 1 << 31)
        ),
        pytest.param(
            'id = "x"\nrevision = 1\n[default]\n', "missing required field `on_outage`", id="no posture"
        ),
        pytest.param(SMALLEST.replace("open", "maybe"), "Invalid enum value 'maybe'", id="no such posture"),
        pytest.param(SMALLEST + 'ask = "block"\n', "Invalid enum value 'block'", id="no such action"),
        pytest.param(
            SMALLEST + 'ask = "deny"\n', "default: ask must be puzzle or challenge", id="ask denies"
        ),
        pytest.param(
            SMALLEST + 'ask = "allow"\n', "default: ask must be puzzle or challenge", id="ask allows"
        ),
        *(
            pytest.param(SMALLEST + text + "\n", "default: friction budgets are shares from 0 to 1", id=text)
            for text in (
                "friction_calm = 1.5",
                "friction_calm = -0.1",
                "friction_calm = nan",
                "friction_before_hash = -0.1",
                "friction_campaign = 1.1",
                "friction_before_hash = 0.02\nfriction_campaign = 0.01",
            )
        ),
        pytest.param(SMALLEST + "hold_s = -1\n", "default: hold_s must not be negative", id="hold"),
        pytest.param(SMALLEST + "label_share = 0.0\n", "label_share must be more than 0", id="no labels"),
        pytest.param(
            SMALLEST + "label_share = 1.1\n", "label_share must be more than 0 and at most 1", id="labels"
        ),
        pytest.param(SMALLEST + "deny_from = 0.0\n", "default: deny_from must be more than 0", id="deny all"),
        pytest.param(SMALLEST + "deny_from = nan\n", "default: deny_from must be more than 0", id="deny nan"),
        pytest.param(
            SMALLEST + "[default.rules]\nfoggy = {}\n",
            "default: there is no rule 'foggy'; the rules are",
            id="rule",
        ),
        pytest.param(
            SMALLEST + "[default.rules]\nguesses_on_one_account = { limits = 3 }\n",
            "unknown field `limits`",
            id="no such setting of a rule",
        ),
        pytest.param(
            SMALLEST + '[gates.bank_link]\non_outage = "open"\nask = "deny"\n',
            "bank_link: ask must be puzzle or challenge",
            id="the gate is named",
        ),
        pytest.param(
            SMALLEST + '[gates.bank_lnk]\non_outage = "open"\n',
            "there is no gate 'bank_lnk'; the gates are login, bank_link",
            id="no such gate",
        ),
    ],
)
def test_a_policy_that_can_not_be_used_is_refused_with_the_place_and_the_reason(text, complaint):
    with pytest.raises(BadPolicy) as refused:
        parse_policy(text)
    assert complaint in str(refused.value)


@pytest.mark.parametrize("rule", sorted(RULES))
@pytest.mark.parametrize("limit", ["", ", limit = 0", ", limit = -3", ", limit = nan"])
def test_a_rule_with_a_limit_needs_one(rule, limit):
    """Without it the rule would hold for everybody: a slip of the pen would challenge every member."""
    text = f'{SMALLEST}[default.rules]\n{rule} = {{ action = "challenge"{limit} }}\n'
    if rule in WITHOUT_LIMIT:
        assert parse_policy(text).default.rules[rule].action is Action.CHALLENGE
        return
    with pytest.raises(BadPolicy, match=f"default: {rule} needs a limit of more than 0"):
        parse_policy(text)


def test_a_rule_that_is_switched_off_needs_no_limit():
    assert parse_policy(SMALLEST + "[default.rules]\nguesses_on_one_account = {}\n").default.rules


def test_a_file_is_named_where_it_can_not_be_used(tmp_path):
    path = tmp_path / "ours.toml"
    path.write_text(SMALLEST + "hold_s = -1\n", "utf-8")
    with pytest.raises(BadPolicy, match=r"ours\.toml: line 5: default: hold_s must not be negative"):
        load_policy(path)
    with pytest.raises(BadPolicy, match=r"absent\.toml: .*No such file"):
        load_policy(tmp_path / "absent.toml")
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadPolicy, match=r"ours\.toml: .*decode"):
        load_policy(path)


def test_the_policy_that_comes_along_is_valid_and_knows_every_rule():
    policy = default_policy()
    assert set(policy.default.rules) == set(RULES)
    assert all(policy.gate(gate).on_outage is Posture.CLOSED for gate in Gate)
    assert all(policy.gate(gate).deny_from == NEVER for gate in Gate), (
        "nobody is refused outright as it comes"
    )


def test_every_setting_is_documented_with_what_it_is_if_not_given():
    """Whoever writes a policy has the page, and not the code."""
    page = (ROOT / "docs" / "reference" / "policy.md").read_text("utf-8")
    names = {name for part in (Policy, GatePolicy, RuleSetting) for name in part.__struct_fields__}
    assert [name for name in sorted(names) if f"| `{name}` |" not in page] == []
    gate = parse_policy(SMALLEST).default
    for name in ("friction_calm", "friction_before_hash", "friction_campaign", "label_share"):
        assert f"| `{name}` | {getattr(gate, name):g}" in page.replace("0.0100", "0.01")
    assert f"| `hold_s` | {gate.hold_s:,} |" in page


def test_policies_that_run_together_bear_names_of_their_own():
    """Their verdicts stand side by side in the record; another revision of an id is another policy."""
    one, next_one = parse_policy(SMALLEST), parse_policy(SMALLEST.replace("3", "4"))
    require_told_apart(one, [next_one])
    for in_force, shadows in ((one, [one]), (next_one, [one, one])):
        with pytest.raises(BadPolicy, match="there are two policies ours@3"):
            require_told_apart(in_force, shadows)
    many = [parse_policy(SMALLEST.replace("3", str(number))) for number in range(5, 10)]
    with pytest.raises(BadPolicy, match="there are 5 shadows; at most 4"):
        require_told_apart(one, many)
