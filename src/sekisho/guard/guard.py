"""The guard: `assess` before the password is hashed, `learn` when the outcome is known."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from sekisho.guard.attempts import Attempt, ChallengeResult, Outcome
from sekisho.guard.decisions import STRICTNESS, Action, Decision
from sekisho.guard.devices import TokenClass
from sekisho.guard.evidence import Example
from sekisho.guard.friction import NEVER as NOBODY
from sekisho.guard.lane import Lane
from sekisho.guard.policy import GatePolicy, Policy, RuleSetting, default_policy, require_told_apart
from sekisho.guard.reasons import reasons
from sekisho.guard.recollection import Observation, Recollection
from sekisho.guard.risk import chance
from sekisho.guard.rules import RULES, Rule
from sekisho.guard.snapshot import MemoryCopy, copy_memory, fill, key_check, sizes, unpack

if TYPE_CHECKING:
    from sekisho.guard.address_lists import AddressLists

_PENDING_MAX = 65_536
_LAST_S = 0xFFFF_FFFF  # the tables keep a time in 32 bits: until the year 2106
_CALM_LOG_ODDS = 6.0  # prior log odds of about 1 in 400 while nothing is going on
_VOUCHED = 0.0005
_VOUCHED_SCORE = -99.0
_LIKELY = 0.5
_SURE_TO_LEARN = 0.9  # how sure a challenged success must be to be learnt as the member's own


class _Open(msgspec.Struct, frozen=True, gc=False):
    """A decided attempt whose outcome is not known yet.

    There may be very many: like all that it is made of, it is left out by the garbage collector, which would
    stop the guard for as long as it takes to go through them.
    """

    decision: Decision
    seen: Observation
    score: float


class _Plan(NamedTuple):
    """A policy at one gate, with its rules that are switched on."""

    gate: GatePolicy
    rules: tuple[tuple[str, Rule, RuleSetting], ...]

    @classmethod
    def of(cls, gate: GatePolicy) -> _Plan:
        on = ((name, RULES[name], setting) for name, setting in gate.rules.items())
        return cls(gate, tuple(rule for rule in on if rule[2].action is not Action.ALLOW))


class AsksFrom(NamedTuple):
    """From which probability a policy asks for more now, by the friction that it may spend.

    In calm time, before the hash in a campaign, and in all in a campaign; None where nobody is asked.
    """

    calm: float | None
    before_hash: float | None
    campaign: float | None


class Guard:
    """Judges attempts in the order in which they arrive. Not thread-safe: one guard an event loop."""

    def __init__(
        self, *, key: bytes, policy: Policy | None = None, shadows: Sequence[Policy] = (),
        addresses: int = 1 << 22, devices: int = 1 << 21, lists: AddressLists | None = None,
    ) -> None:  # fmt: skip
        """Take a key of 32 bytes, the policy, policies to run in its shadow, the sizes of the memory, and
        address lists.

        Raises `BadPolicy` where two of the policies bear one name, or the shadows are too many.
        """
        self.policy = policy or default_policy()
        self.shadows = tuple(shadows)
        require_told_apart(self.policy, self.shadows)
        self._shadow_names = tuple(shadow.name for shadow in self.shadows)
        self._policies = (self.policy, *self.shadows)
        self.recollection = Recollection(key=key, addresses=addresses, devices=devices, lists=lists)
        self.lanes: dict[str, Lane] = {}
        self._plans: dict[str, tuple[_Plan, ...]] = {}
        self._open: OrderedDict[int, _Open] = OrderedDict()
        self._now_s = 0
        self._key_check = key_check(key)

    def lane(self, gate: str) -> Lane:
        """Return the gate's model, made at its first attempt."""
        lane = self.lanes.get(gate)
        if lane is None:
            budgets = tuple(share for policy in self._policies for share in policy.gate(gate).budgets)
            hold_s = self.policy.gate(gate).hold_s
            lane = self.lanes[gate] = Lane(budgets, hold_s, self.recollection.look_around)
        return lane

    def _plan(self, gate: str) -> tuple[_Plan, ...]:
        plans = self._plans.get(gate)
        if plans is None:
            plans = self._plans[gate] = tuple(_Plan.of(policy.gate(gate)) for policy in self._policies)
        return plans

    def asks_from(self, gate: str) -> tuple[AsksFrom, ...]:
        """Return from where on each policy asks now, the one in force first; empty before the first attempt.

        It follows from the budgets and from what was seen lately: it moves with every attempt.
        """
        lane = self.lanes.get(gate)
        if lane is None:
            return ()
        lines = lane.friction.thresholds
        return tuple(
            AsksFrom(
                _probability(lines[first] - _CALM_LOG_ODDS),
                _probability(lines[first + 1]),
                _probability(lines[first + 2]),
            )
            for first in range(0, len(lines), 3)
        )

    def assess(self, attempt: Attempt) -> Decision:
        """Decide an attempt from what was known before it; raise `BadAddress` where `ip` is none.

        Nothing in the answer depends on whether the member exists: an id that does not is compared with a
        decoy's past.
        """
        now_s = self._now_s = max(self._now_s, min(attempt.time_us // 1_000_000, _LAST_S))
        lane = self.lane(attempt.gate)
        lane.advance(now_s)
        seen = self.recollection.observe(attempt, lane.tables, now_s)
        if seen.facts is None:
            decision, score = self._vouched(), _VOUCHED_SCORE
        else:
            score = lane.score(
                seen.sighting.kind, seen.facts.address_state, seen.leaked, seen.facts.codes, seen.codes
            )
            decision = self._decide(lane, attempt, seen, score)
        self._keep_open(_Open(decision, seen, score))
        return decision

    def _keep_open(self, opened: _Open) -> None:
        if len(self._open) >= _PENDING_MAX:
            self._open.popitem(last=False)
        self._open[id(opened.decision)] = opened

    def reopen(self, attempt: Attempt, decision: Decision) -> None:
        """Take up an attempt that another guard has decided, so that its outcome can be learnt here.

        It is seen as it would be now. That guard's decision stands: what came of the attempt is its fruit.
        """
        now_s = self._now_s = max(self._now_s, min(attempt.time_us // 1_000_000, _LAST_S))
        lane = self.lane(attempt.gate)
        lane.advance(now_s)
        seen = self.recollection.observe(attempt, lane.tables, now_s)
        score = _VOUCHED_SCORE
        if seen.facts is not None:
            score = lane.score(
                seen.sighting.kind, seen.facts.address_state, seen.leaked, seen.facts.codes, seen.codes
            )
        self._keep_open(_Open(decision, seen, score))

    def copy_memory(self) -> MemoryCopy:
        """Copy all that was learnt, but for the secrets' counts; `MemoryCopy.pack` makes bytes of it.

        An attempt whose outcome is not known yet is not part of it: see `reopen`.
        """
        return copy_memory(self._key_check, self.recollection, self.lanes, self._now_s)

    def snapshot(self) -> bytes:
        """Return all that was learnt as bytes, for `restore`."""
        return self.copy_memory().pack()

    @classmethod
    def restore(
        cls, data: bytes, *, key: bytes, policy: Policy | None = None, shadows: Sequence[Policy] = (),
        lists: AddressLists | None = None,
    ) -> Guard:  # fmt: skip
        """Return a guard that goes on from a snapshot; raise `BadSnapshot` where that cannot be used."""
        parts = unpack(data, key)
        addresses, devices = sizes(parts)
        guard = cls(
            key=key, policy=policy, shadows=shadows, addresses=addresses, devices=devices, lists=lists
        )
        guard._now_s = parts["now_s"]
        fill(guard.recollection, {gate: guard.lane(gate) for gate in parts["lanes"]}, parts)
        return guard

    def _vouched(self) -> Decision:
        return Decision(
            action=Action.ALLOW, probability=_VOUCHED, before_hash=False, reasons=("known_device",),
            policy=self.policy.id, policy_revision=self.policy.revision,
        )  # fmt: skip

    def _decide(self, lane: Lane, attempt: Attempt, seen: Observation, score: float) -> Decision:
        gate = attempt.gate
        log_odds = score if lane.in_campaign else score - _CALM_LOG_ODDS
        probability = chance(log_odds)
        in_campaign = lane.in_campaign and probability > 0.5  # noqa: PLR2004 - likelier hostile than not
        plans = self._plan(gate)
        action, early, rules = _apply(plans[0], lane, 0, seen, score, probability)
        shadow: dict[str, str] = {}
        for number, name in enumerate(self._shadow_names, 1):
            shadow[name] = str(_apply(plans[number], lane, number, seen, score, probability)[0])
        why: tuple[str, ...] = ()
        if action is not Action.ALLOW and seen.facts is not None:
            facts = reasons(seen, campaign=in_campaign)
            why = (*rules, *(fact for fact in facts if fact not in rules))
        elif seen.sighting.kind == TokenClass.PARTNER:
            why = ("authenticated_partner",)
        return Decision(
            action=action,
            probability=probability,
            before_hash=early,
            reasons=why,
            policy=self.policy.id,
            policy_revision=self.policy.revision,
            campaign=lane.campaign_id(gate) if in_campaign else "",
            shadow=shadow,
            label_wanted=early and _draw(seen.member, attempt.time_us) < plans[0].gate.label_share,
        )

    def learn(
        self,
        attempt: Attempt,
        decision: Decision,
        outcome: Outcome | str,
        challenge: ChallengeResult | str = ChallengeResult.NONE,
    ) -> None:
        """Take in what came of an attempt that this guard has decided; one that it no longer remembers
        is passed over.
        """
        opened = self._open.pop(id(decision), None)
        if opened is None:
            return
        lane = self.lane(attempt.gate)
        if outcome == Outcome.SUCCESS:
            self._learn_success(lane, opened, attempt, challenge)
        elif outcome in (Outcome.WRONG_SECRET, Outcome.NO_SUCH_MEMBER):
            self._learn_failure(lane, opened, attempt, outcome)

    def _learn_success(self, lane: Lane, opened: _Open, attempt: Attempt, challenge: str) -> None:
        decision, seen, score = opened.decision, opened.seen, opened.score
        vouched = seen.facts is None
        honest = 1.0 if vouched else _honesty(lane, score, challenge)
        lane.count_success(vouched=vouched, bare=seen.sighting.kind == TokenClass.NONE, honest=honest)
        lane.spend(score, honest)
        sure = honest >= (_LIKELY if decision.action is Action.ALLOW else _SURE_TO_LEARN)
        if sure:
            lane.alarm.success(self._now_s)
        if seen.facts is not None and honest > 0.0:
            other = None if lane.in_campaign else self.recollection.as_somebody_else(seen, self._now_s)
            lane.learn_success(
                seen.sighting.kind, seen.leaked, seen.facts, seen.codes, other, honest,
                proven=honest == 1.0,
            )  # fmt: skip
        if sure:
            self.recollection.remember_success(seen, attempt, self._now_s)
        if seen.facts is not None and honest > 0.0:
            lane.keep_example(
                Example(
                    seen.sighting.kind, seen.leaked, seen.facts, seen.codes, seen.source, seen.around.ever
                ),
                score,
                proven=honest == 1.0,
            )

    def _learn_failure(self, lane: Lane, opened: _Open, attempt: Attempt, outcome: str) -> None:
        decision, seen = opened.decision, opened.seen
        exists = outcome == Outcome.WRONG_SECRET and attempt.known is not False
        if self.recollection.remember_failure(seen, attempt, self._now_s, exists=exists):
            lane.alarm.suspicious(self._now_s)
        if seen.facts is None:
            return
        weight = 1.0
        if decision.before_hash and exists:
            # Stopped before the hash, the outcome is not known in the request path but for a random share.
            weight = 1.0 / self.policy.gate(attempt.gate).label_share if decision.label_wanted else 0.0
        lane.learn_failure(
            seen.sighting.kind, seen.leaked, seen.facts, seen.codes if exists else None, weight
        )


def _apply(
    plan: _Plan, lane: Lane, number: int, seen: Observation, score: float, probability: float
) -> tuple[Action, bool, tuple[str, ...]]:
    """Return what a policy (by its number among those that run) does: action, whether before the hash,
    rules that held.
    """
    calm, before, after = lane.friction.thresholds[3 * number : 3 * number + 3]
    action, early = Action.ALLOW, False
    if score > (after if lane.in_campaign else calm):
        action, early = plan.gate.ask, lane.in_campaign and score > before
        if lane.in_campaign and probability >= plan.gate.deny_from:
            action, early = Action.DENY, True
    held: tuple[str, ...] = ()
    for name, holds, setting in plan.rules:
        if holds(seen, setting.limit):
            held = (*held, name)
            early = True
            if STRICTNESS[setting.action] > STRICTNESS[action]:
                action = setting.action
    return action, early, held


def _honesty(lane: Lane, score: float, challenge: str) -> float:
    """Return the chance that a success that no token vouched for was the member's own."""
    if challenge == ChallengeResult.PASSED:
        return 1.0
    if challenge in (ChallengeResult.FAILED, ChallengeResult.ABANDONED):
        return 0.0
    return lane.honesty(score)


def _probability(threshold: float) -> float | None:
    return None if threshold == NOBODY else chance(threshold)


def _draw(member: int, time_us: int) -> float:
    """Return a number from 0 to 1 that nobody outside can foresee (the member key is keyed), the same on
    every replay, and the same for an attempt however long its outcome takes.
    """
    return ((member ^ time_us // 1_000_000 * 2_654_435_761) % 10_007) / 10_007
