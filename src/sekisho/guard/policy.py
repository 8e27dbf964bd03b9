"""The policy: per gate, what follows from which risk, and what an outage means. A file with an id and a
revision.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from sekisho.guard.attempts import Gate
from sekisho.guard.decisions import Action
from sekisho.guard.policy_faults import BadPolicy, Fault, Place, misfits, read_toml, with_lines
from sekisho.guard.rules import RULES, WITHOUT_LIMIT
from sekisho.kernel.posture import Posture

NEVER = 2.0  # a probability that is never reached
SHADOWS_MAX = 4
"""How many policies may run in the shadow: what each would have done stands in every decision on record."""

REVISION_MAX = (1 << 31) - 1
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


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


class _Head(msgspec.Struct, forbid_unknown_fields=True):
    """What stands above a policy's gates."""

    id: str
    revision: int


def parse_policy(text: str) -> Policy:
    """Read a policy from TOML; raise `BadPolicy` where it is not one, or where it is not safe to run."""
    raw = read_toml(text)
    faults = list(_misfits(raw))
    if not faults:
        policy = msgspec.convert(raw, Policy)
        faults = list(_unsafe(policy))
        if not faults:
            return policy
    raise BadPolicy(*with_lines(faults, text))


def _misfits(raw: dict[str, Any]) -> Iterator[Fault]:
    """Yield what is no setting, or holds no value of its kind."""
    head = {name: value for name, value in raw.items() if name not in {"default", "gates"}}
    yield from misfits(head, _Head, (), "")
    if "default" not in raw:
        yield Fault("Object missing required field `default`")
    gates = raw.get("gates", {})
    if not isinstance(gates, dict):
        yield Fault("gates must be a table", ("gates",))
        gates = {}
    parts: dict[Place, Any] = {("gates", name): part for name, part in gates.items()}
    parts |= {("default",): raw["default"]} if "default" in raw else {}
    for place, part in parts.items():
        yield from _misfits_of_gate(place, part)


def _misfits_of_gate(place: Place, part: object) -> Iterator[Fault]:
    named = place[-1]
    if named not in {"default", *Gate}:
        yield Fault(f"there is no gate {named!r}; the gates are {', '.join(Gate)}", place)
        return
    rules = part.get("rules", {}) if isinstance(part, dict) else {}
    if not isinstance(rules, dict):
        yield Fault(f"{named}: rules must be a table", (*place, "rules"))
        return
    plain = (
        {name: value for name, value in part.items() if name != "rules"} if isinstance(part, dict) else part
    )
    yield from misfits(plain, GatePolicy, place, named)
    for rule, setting in rules.items():
        if rule in RULES:
            yield from misfits(setting, RuleSetting, (*place, "rules", rule), f"{named}: {rule}")
        else:
            known = ", ".join(RULES)
            yield Fault(f"{named}: there is no rule {rule!r}; the rules are {known}", (*place, "rules", rule))


def _unsafe(policy: Policy) -> Iterator[Fault]:
    """Yield what no policy may say."""
    if not _ID.fullmatch(policy.id):
        yield Fault("id must be 1 to 64 letters, digits, dots, underscores and hyphens", ("id",))
    if not 0 <= policy.revision <= REVISION_MAX:
        yield Fault(f"revision must be a whole number from 0 to {REVISION_MAX:,}", ("revision",))
    yield from _unsafe_gate(("default",), policy.default)
    for name, gate in policy.gates.items():
        yield from _unsafe_gate(("gates", name), gate)


def _unsafe_gate(place: Place, gate: GatePolicy) -> Iterator[Fault]:
    name = place[-1]
    for rule, setting in gate.rules.items():
        if setting.action is not Action.ALLOW and rule not in WITHOUT_LIMIT and not setting.limit > 0.0:
            yield Fault(
                f"{name}: {rule} needs a limit of more than 0, or it would hold for everybody",
                (*place, "rules", rule),
            )
    calm, before, campaign = gate.budgets
    shares = f"{name}: friction budgets are shares from 0 to 1"
    if not 0.0 <= calm <= 1.0:
        yield Fault(shares, (*place, "friction_calm"))
    if not 0.0 <= before <= campaign <= 1.0:
        at = "friction_before_hash" if 0.0 <= campaign <= 1.0 else "friction_campaign"
        yield Fault(f"{shares}, friction_before_hash part of friction_campaign", (*place, at))
    if gate.ask not in {Action.PUZZLE, Action.CHALLENGE}:
        yield Fault(f"{name}: ask must be puzzle or challenge", (*place, "ask"))
    if not gate.deny_from > 0.0:
        why = f"{name}: deny_from must be more than 0; leave it out to deny nobody"
        yield Fault(why, (*place, "deny_from"))
    if gate.hold_s < 0:
        yield Fault(f"{name}: hold_s must not be negative", (*place, "hold_s"))
    if not 0.0 < gate.label_share <= 1.0:
        yield Fault(f"{name}: label_share must be more than 0 and at most 1", (*place, "label_share"))


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
    """Read a policy file; raise `BadPolicy` with the file's name and the lines where it can't be used."""
    try:
        return parse_policy(path.read_text("utf-8"))
    except BadPolicy as error:
        raise BadPolicy(*error.faults, file=str(path)) from error
    except (OSError, UnicodeDecodeError) as error:
        raise BadPolicy(str(error), file=str(path)) from error


def default_policy() -> Policy:
    """Return the policy that Sekisho comes with."""
    return load_policy(Path(__file__).with_name("default_policy.toml"))
