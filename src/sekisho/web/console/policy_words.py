"""What a policy says, in words and beside others; and shares without more digits than they bear."""

from collections.abc import Sequence
from typing import NamedTuple

from sekisho.guard.policy import NEVER, GatePolicy, Policy, RuleSetting
from sekisho.guard.policy_changes import RULES, Change, changes, parts_of, rule_of
from sekisho.kernel.clock import HOUR_US, MINUTE_US, SECOND_US
from sekisho.web.words import Words

HOUR_S, MINUTE_S = HOUR_US // SECOND_US, MINUTE_US // SECOND_US
ENOUGH_FOR_A_SHARE = 100
"""Of fewer than these a share is not written: a single one would move it by more than a per cent."""

SHARES = frozenset({"friction_calm", "friction_before_hash", "friction_campaign", "label_share"})
_SMALLEST_SHOWN, _WHOLE_FROM = 0.001, 0.1


class Cell(NamedTuple):
    """What one policy says of a setting; `changed` where the policy in force says something else."""

    words: str
    changed: bool


class Line(NamedTuple):
    """One setting, and what each policy says of it, the one in force first."""

    words: str
    cells: tuple[Cell, ...]

    @property
    def changed(self) -> bool:
        """Whether one of them says something else than the one in force."""
        return any(cell.changed for cell in self.cells)


class Part(NamedTuple):
    """How the policies treat one gate, or every gate that has no part of its own."""

    gate: str
    lines: tuple[Line, ...]

    @property
    def changed(self) -> int:
        """In how many settings they differ."""
        return sum(line.changed for line in self.lines)


def parts_in_words(policies: Sequence[Policy], words: Words) -> list[Part]:
    """Return what the policies say, gate by gate, the one in force first; without rules that none uses."""
    others = [changes(policies[0], policy) for policy in policies]
    return [
        Part(gate, tuple(_lines(gate, treatments, others, words)))
        for gate, treatments in parts_of(*policies).items()
    ]


def setting_in_words(setting: str, value: object, words: Words) -> str:
    """Return the value of a gate's setting, or of a rule, as people say it."""
    if isinstance(value, RuleSetting):
        if value == RuleSetting():
            return str(words("policy_rule_off"))
        answer = words(f"policy_answer_{value.action}")
        return str(
            words("policy_rule_from", answer=answer, limit=f"{value.limit:g}") if value.limit else answer
        )
    if setting == "deny_from" and value == NEVER:
        return str(words("policy_never"))
    if setting == "deny_from" or setting in SHARES:
        return percent(float(str(value)))
    if setting == "hold_s":
        return _seconds(int(str(value)), words)
    return str(words(f"policy_{setting}_{value}"))


def percent(share: float) -> str:
    """Write a share or a probability in per cent, with two digits that count: `0.22%`, `38%`."""
    return f"{float(f'{100 * share:.2g}'):g}%"


def share(part: int, whole: int) -> str:
    """Write which part of a whole it is, in per cent; empty where the whole is too small to say."""
    if whole < ENOUGH_FOR_A_SHARE:
        return ""
    found = part / whole
    if 0 < found < _SMALLEST_SHOWN:
        return f"<{_SMALLEST_SHOWN:.1%}"
    return f"{found:.0%}" if found >= _WHOLE_FROM or not part else f"{found:.1%}"


def _lines(
    gate: str, treatments: Sequence[GatePolicy], others: Sequence[frozenset[Change]], words: Words
) -> list[Line]:
    settings = [name for name in GatePolicy.__struct_fields__ if name != RULES]
    lines = [
        Line(
            str(words(f"policy_{setting}")),
            _cells(gate, setting, [getattr(one, setting) for one in treatments], others, words),
        )
        for setting in settings
    ]
    for rule in sorted({rule for one in treatments for rule in one.rules}):
        values = [rule_of(one, rule) for one in treatments]
        if any(value != RuleSetting() for value in values):
            lines.append(Line(str(words(f"policy_rule_{rule}")), _cells(gate, rule, values, others, words)))
    return lines


def _cells(
    gate: str, setting: str, values: Sequence[object], others: Sequence[frozenset[Change]], words: Words
) -> tuple[Cell, ...]:
    return tuple(
        Cell(setting_in_words(setting, value, words), Change(gate, setting) in changed)
        for value, changed in zip(values, others, strict=True)
    )


def _seconds(seconds: int, words: Words) -> str:
    if seconds % HOUR_S == 0:
        return str(words("policy_hours", count=f"{seconds // HOUR_S:,}"))
    if seconds % MINUTE_S == 0:
        return str(words("policy_minutes", count=f"{seconds // MINUTE_S:,}"))
    return str(words("policy_seconds", count=f"{seconds:,}"))
