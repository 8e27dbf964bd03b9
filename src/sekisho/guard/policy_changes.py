"""Where two policies differ: gate by gate, setting by setting, as they take effect."""

from typing import NamedTuple

import msgspec

from sekisho.guard.policy import GatePolicy, Policy, RuleSetting

DEFAULT = "default"
RULES = "rules"


class Change(NamedTuple):
    """A setting that is another one under the second policy.

    `gate` is `default` for every gate without a part of its own; `setting` is a field of `GatePolicy`, or the
    name of a rule.
    """

    gate: str
    setting: str


def parts_of(*policies: Policy) -> dict[str, tuple[GatePolicy, ...]]:
    """Return how each policy treats each gate that one of them names, `default` first."""
    named = sorted({gate for policy in policies for gate in policy.gates})
    defaults = {DEFAULT: tuple(policy.default for policy in policies)}
    return defaults | {gate: tuple(policy.gate(gate) for policy in policies) for gate in named}


def changes(before: Policy, after: Policy) -> frozenset[Change]:
    """Return where the second policy differs from the first; a rule that is not named is switched off."""
    found = set()
    for gate, (old, new) in parts_of(before, after).items():
        settings = msgspec.structs.asdict(new)
        del settings[RULES]
        found |= {Change(gate, name) for name, value in settings.items() if value != getattr(old, name)}
        rules = {*old.rules, *new.rules}
        found |= {Change(gate, rule) for rule in rules if rule_of(old, rule) != rule_of(new, rule)}
    return frozenset(found)


def rule_of(part: GatePolicy, rule: str) -> RuleSetting:
    """Return how a gate treats a rule; `RuleSetting()` where it is switched off, whatever its limit."""
    setting = part.rules.get(rule, RuleSetting())
    return setting if setting.action is not RuleSetting().action else RuleSetting()
