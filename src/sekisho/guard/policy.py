"""The policy: per gate, what follows from which risk, and what an outage means. A file with an id and a
revision.
"""

import re
from collections.abc import Sequence
from pathlib import Path

import msgspec

from sekisho.guard.attempts import Gate
from sekisho.guard.decisions import Action
from sekisho.guard.rules import RULES, WITHOUT_LIMIT
from sekisho.kernel.posture import Posture

NEVER = 2.0  # a probability that is never reached
SHADOWS_MAX = 4
"""How many policies may run in the shadow: what each would have done stands in every decision on record."""

REVISION_MAX = (1 << 31) - 1
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class BadPolicy(ValueError):  # noqa: N818 - named like a refusal, for it is one to the operator
    """The policy file can't be used; the text says where and why."""


class RuleSetting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a rule acts: `action` follows where it holds (`allow` switches it off), `limit` is in the
    rule's own unit.
    """

    action: Action = Action.ALLOW
    limit: float = 0.0


class GatePolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a gate does.

    The three friction budgets are shares of honest successes that may be asked for more: with no campaign
    on, before the hash in a campaign, and in all in a campaign. `ask` is what they are asked (`challenge`,
    or `puzzle` where no stronger proof exists); `deny_from` is the probability from which an attempt in a
    campaign is denied instead. `hold_s` is how long a campaign is taken to go on after the last sign of it,
    in seconds; `label_share` the share of failures stopped before the hash whose secret is checked all the
    same, unseen, so that the model goes on learning. `on_outage` says what a caller does who cannot reach
    the guard.
    """

    on_outage: Posture
    ask: Action = Action.CHALLENGE
    friction_calm: float = 0.0022
    friction_before_hash: float = 0.0049
    friction_campaign: float = 0.0100
    deny_from: float = NEVER
    hold_s: int = 21_600
    label_share: float = 0.05
    rules: dict[str, RuleSetting] = {}

    @property
    def budgets(self) -> tuple[float, float, float]:
        """Return the three friction budgets: calm, before the hash, campaign."""
        return (self.friction_calm, self.friction_before_hash, self.friction_campaign)


class Policy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A policy by gate; a gate that it does not name is treated by `default`."""

    id: str
    revision: int
    default: GatePolicy
    gates: dict[str, GatePolicy] = {}

    @property
    def name(self) -> str:
        """Return id and revision in one, as `ours@5`: no two policies that run together share it."""
        return f"{self.id}@{self.revision}"

    def gate(self, name: str) -> GatePolicy:
        """Return the part of the policy for a gate."""
        return self.gates.get(name, self.default)


def parse_policy(text: str) -> Policy:
    """Read a policy from TOML; raise `BadPolicy` where it is not one, or where it is not safe to run."""
    try:
        policy = msgspec.toml.decode(text, type=Policy)
    except msgspec.DecodeError as error:
        raise BadPolicy(str(error)) from error
    if not _ID.fullmatch(policy.id):
        raise BadPolicy("id must be 1 to 64 letters, digits, dots, underscores and hyphens")
    if not 0 <= policy.revision <= REVISION_MAX:
        raise BadPolicy(f"revision must be a whole number from 0 to {REVISION_MAX:,}")
    unknown = sorted(set(policy.gates) - set(Gate))
    if unknown:
        raise BadPolicy(f"there is no gate {unknown[0]!r}; the gates are {', '.join(Gate)}")
    for name, gate in {"default": policy.default, **policy.gates}.items():
        _check_rules(name, gate)
        _check(name, gate)
    return policy


def _check_rules(name: str, gate: GatePolicy) -> None:
    for rule, setting in gate.rules.items():
        if rule not in RULES:
            raise BadPolicy(f"{name}: there is no rule {rule!r}; the rules are {', '.join(RULES)}")
        if setting.action is not Action.ALLOW and rule not in WITHOUT_LIMIT and not setting.limit > 0.0:
            raise BadPolicy(f"{name}: {rule} needs a limit of more than 0, or it would hold for everybody")


def _check(name: str, gate: GatePolicy) -> None:
    if (
        not 0.0 <= gate.friction_calm <= 1.0
        or not 0.0 <= gate.friction_before_hash <= gate.friction_campaign <= 1.0
    ):
        raise BadPolicy(
            f"{name}: friction budgets are shares from 0 to 1, friction_before_hash part of friction_campaign"
        )
    if gate.ask not in (Action.PUZZLE, Action.CHALLENGE):
        raise BadPolicy(f"{name}: ask must be puzzle or challenge")
    if not gate.deny_from > 0.0:
        raise BadPolicy(f"{name}: deny_from must be more than 0; leave it out to deny nobody")
    if gate.hold_s < 0 or not 0.0 < gate.label_share <= 1.0:
        raise BadPolicy(f"{name}: hold_s must not be negative, label_share must be more than 0 and at most 1")


def require_told_apart(in_force: Policy, shadows: Sequence[Policy]) -> None:
    """See that policies can run together; raise `BadPolicy` where two bear one name, or where they are too
    many.
    """
    if len(shadows) > SHADOWS_MAX:
        raise BadPolicy(f"there are {len(shadows)} shadows; at most {SHADOWS_MAX} run beside a policy")
    names = {in_force.name}
    for shadow in shadows:
        if shadow.name in names:
            raise BadPolicy(
                f"there are two policies {shadow.name}: a shadow needs an id or a revision of its own"
            )
        names.add(shadow.name)


def load_policy(path: Path) -> Policy:
    """Read a policy file; raise `BadPolicy` with the file's name where it can't be used."""
    try:
        return parse_policy(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, BadPolicy) as error:
        raise BadPolicy(f"{path}: {error}") from error


def default_policy() -> Policy:
    """Return the policy that Sekisho comes with."""
    return load_policy(Path(__file__).with_name("default_policy.toml"))
