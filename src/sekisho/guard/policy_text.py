"""A policy written out, every setting of it: what `parse_policy` reads back as the same policy."""

from collections.abc import Iterator

from sekisho.guard.policy import NEVER, GatePolicy, Policy


def policy_text(policy: Policy) -> str:
    """Return a policy as TOML."""
    lines = [f'id = "{policy.id}"', f"revision = {policy.revision}", *_gate_lines("default", policy.default)]
    for name, gate in policy.gates.items():
        lines += _gate_lines(f"gates.{name}", gate)
    return "\n".join(lines) + "\n"


def _gate_lines(table: str, gate: GatePolicy) -> Iterator[str]:
    yield from ("", f"[{table}]", f'on_outage = "{gate.on_outage}"', f'ask = "{gate.ask}"')
    for name in ("friction_calm", "friction_before_hash", "friction_campaign", "label_share"):
        yield f"{name} = {float(getattr(gate, name))!r}"
    yield f"hold_s = {gate.hold_s}"
    if gate.deny_from != NEVER:
        yield f"deny_from = {float(gate.deny_from)!r}"
    if gate.rules:
        yield from ("", f"[{table}.rules]")
    for rule, setting in gate.rules.items():
        yield f'{rule} = {{ action = "{setting.action}", limit = {float(setting.limit)!r} }}'
