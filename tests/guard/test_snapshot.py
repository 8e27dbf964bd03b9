"""A guard that was put away and taken up again decides like one that never stopped."""

import math

import msgspec
import pytest
from tests.guard.small_world import (
    DAY_S,
    KEY,
    START_S,
    Event,
    honest_traffic,
    list_attack,
    new_guard,
    play,
    together,
    visit,
)

from sekisho.guard import snapshot
from sekisho.guard.attempts import ChallengeResult, Outcome
from sekisho.guard.decisions import Action
from sekisho.guard.guard import Guard
from sekisho.guard.policy import default_policy
from sekisho.guard.snapshot import BadSnapshot

POLICY = default_policy()
TOKEN = "opaque"  # noqa: S105 - stands for a secret, and is none
ATTACK_S = START_S + 5 * DAY_S


def live(guard, events):
    """Let a guard judge and learn, and return its decisions."""
    return [judged.decision for judged in play(guard, events)]


@pytest.fixture(scope="module")
def week():
    """Return a week of members, with an attack in its sixth day."""
    attack = list_attack(start_s=ATTACK_S, attempts=2_000, lasts_s=DAY_S, hit=0.05)
    return list(together(honest_traffic(days=7), attack))


@pytest.fixture(scope="module", params=[0.4, 0.75], ids=["in peace", "in a campaign"])
def halves(request, week):
    """Give a guard that has lived a part of the week, its snapshot, and the rest of the week."""
    upto = int(len(week) * request.param)
    guard = new_guard()
    live(guard, week[:upto])
    assert guard.lane("login").in_campaign == (request.param > 0.5)
    return guard, guard.snapshot(), week[upto:], guard.lane("login").friction.thresholds[:]


def test_a_restored_guard_decides_the_rest_like_the_one_that_went_on(halves):
    guard, kept, rest, _ = halves
    restored = Guard.restore(kept, key=KEY, policy=POLICY)
    assert len(rest) > 300
    decided = live(restored, rest)
    pairs = zip(decided, live(guard, rest), strict=True)
    assert [place for place, (one, other) in enumerate(pairs) if one != other] == []
    assert any(decision.action is not Action.ALLOW for decision in decided)
    assert (restored.snapshot() == guard.snapshot()) is True


def test_what_the_guard_does_later_does_not_change_the_copy(week):
    guard = new_guard()
    live(guard, week[:2000])
    at_once = guard.snapshot()
    copy = guard.copy_memory()
    live(guard, week[2000:])
    assert copy.pack() == at_once != guard.snapshot()


def test_every_attribute_of_the_memory_is_kept_or_named_as_not_kept(halves):
    guard, *_ = halves
    lane = guard.lane("login")
    for part in (
        guard.recollection, guard.recollection.devices, lane, lane.tables, lane.tables.provider,
        lane.tables.quick, lane.odds, lane.odds.source, lane.prior, lane.alarm, vars(lane.alarm)["_sums"][0],
        lane.friction, vars(lane)["_windows"][0],
    ):  # fmt: skip
        names = vars(part) if hasattr(part, "__dict__") else part.__slots__
        spoken_of = snapshot.KEPT[type(part)] + snapshot.NOT_KEPT.get(type(part), ())
        assert sorted(names) == sorted(spoken_of), type(part)


def test_no_secret_leaves_the_memory():
    guard = new_guard()
    guard.assess(visit(1, START_S))
    spray = [visit(member, START_S + member, token=False, secret=TOKEN) for member in range(40)]
    live(guard, [Event(attempt, Outcome.WRONG_SECRET) for attempt in spray])
    attempt = visit(99, START_S + 60, token=False, secret=TOKEN)
    tables = guard.lane("login").tables
    assert guard.recollection.observe(attempt, tables, START_S + 60).sprayed > 30
    restored = Guard.restore(guard.snapshot(), key=KEY, policy=POLICY)
    assert restored.recollection.observe(attempt, tables, START_S + 60).sprayed == 0
    assert restored.recollection.observe(attempt, tables, START_S + 60).guesses == 0
    assert restored.recollection.observe(spray[3], tables, START_S + 60).guesses > 0.9


def test_an_attempt_that_was_open_is_learnt_after_it_is_reopened(week):
    guard = new_guard()
    live(guard, week[:1000])
    stranger = visit(5000, START_S + 3 * DAY_S, token=False)
    decision = guard.assess(stranger)
    restored = Guard.restore(guard.snapshot(), key=KEY, policy=POLICY)
    before = guard.snapshot()
    restored.learn(stranger, decision, Outcome.SUCCESS)
    assert restored.snapshot() == before
    restored.reopen(stranger, decision)
    for each in (guard, restored):
        each.learn(stranger, decision, Outcome.SUCCESS, ChallengeResult.PASSED)
    assert restored.snapshot() == guard.snapshot() != before


def test_thresholds_survive_a_change_of_budgets_and_follow_it(halves):
    _, kept, rest, before = halves
    policy = msgspec.structs.replace(
        POLICY, revision=2, default=msgspec.structs.replace(POLICY.default, friction_calm=0.2)
    )
    restored = Guard.restore(kept, key=KEY, policy=policy, shadows=[POLICY])
    thresholds = restored.lane("login").friction.thresholds
    assert thresholds[:3] == before
    assert not any(map(math.isinf, before))
    live(restored, rest)
    assert len(thresholds) == 6
    assert thresholds[0] < thresholds[3] < math.inf


@pytest.mark.parametrize(
    ("change", "why"),
    [
        pytest.param(lambda _: b"", "is broken", id="empty"),
        pytest.param(lambda _: b"no snapshot", "is broken", id="something else"),
        pytest.param(lambda kept: kept[: len(kept) // 2], "is broken", id="cut off"),
        pytest.param(lambda kept: kept[:-9] + b"\xff" * 9, "is broken", id="changed"),
        pytest.param(lambda kept: as_version(kept, 0), "another version", id="older"),
        pytest.param(lambda kept: as_version(kept, 2), "another version", id="newer"),
    ],
)
def test_a_snapshot_that_cannot_be_used_is_refused(change, why):
    kept = new_guard().snapshot()
    assert Guard.restore(kept, key=KEY).snapshot() == kept
    with pytest.raises(BadSnapshot, match=why):
        Guard.restore(change(kept), key=KEY)


def as_version(kept, version):
    fields = msgspec.msgpack.decode(kept)
    return msgspec.msgpack.encode([version, *fields[1:]])


def test_a_snapshot_under_another_key_is_refused():
    kept = new_guard().snapshot()
    with pytest.raises(BadSnapshot, match="another key"):
        Guard.restore(kept, key=KEY[::-1])
    assert KEY not in kept
