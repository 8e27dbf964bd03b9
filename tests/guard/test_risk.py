import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.guard.small_world import DAY_S, START_S, honest_traffic, new_guard, play, visit

from sekisho.guard.risk import FailureOdds, Prior, Weights
from sekisho.kernel.chance import SeededChance

# A separable toy: the first fact decides (0 honest, 1 hostile), the other two are noise.
HONEST, HOSTILE, NOISE = 0, 1, (2, 3, 4)


def _toy(chance, rounds):
    for _ in range(rounds):
        hostile = chance.below(2)
        yield (HOSTILE if hostile else HONEST, chance.choose(NOISE)), float(hostile)


def test_weights_learn_what_separates():
    weights = Weights(5)
    for codes, label in _toy(SeededChance(1), 2_000):
        weights.learn(codes, 0.0, label, 1.0)
    sums = {fact: [weights.sum((fact, noise)) for noise in NOISE] for fact in (HONEST, HOSTILE)}
    assert max(sums[HONEST]) < -2.0
    assert min(sums[HOSTILE]) > 2.0
    assert max(abs(weights.values[noise]) for noise in NOISE) < 1.0


def test_an_offset_takes_the_work_from_the_weights():
    """The source side speaks first: what it explains, the member side need not learn."""
    alone, second = Weights(5), Weights(5)
    for codes, label in _toy(SeededChance(1), 500):
        alone.learn(codes, 0.0, label, 1.0)
        second.learn(codes, 6.0 if label else -6.0, label, 1.0)
    assert abs(second.values[HOSTILE]) < 0.05 * abs(alone.values[HOSTILE])


def test_a_weight_of_nothing_teaches_nothing():
    weights = Weights(5)
    weights.learn((0, 2), 0.0, 1.0, 0.0)
    assert weights.values == [0.0] * 5


@given(
    st.lists(st.tuples(st.integers(0, 4), st.booleans(), st.floats(0.0, 1e6)), max_size=50),
    st.floats(-1e6, 1e6),
)
def test_nothing_drives_the_weights_out_of_the_finite(examples, offset):
    weights = Weights(5)
    for code, failed, weight in examples:
        weights.learn((code,), offset, float(failed), weight)
    assert all(map(math.isfinite, weights.values))


def _odds_after(*, calm, attack):
    """Learn a calm time and an attack; each a list of (code, failures, successes) a round."""
    odds = FailureOdds(4, 4)
    for is_calm, part, rounds in ((True, calm, 3_000), (False, attack, 3_000)):
        chance = SeededChance(3)
        for _ in range(rounds):
            for code, failing in part:
                failed = chance.fraction() < failing
                odds.learn((code,), (code,), failed=failed, weight=1.0, member_weight=1.0, calm=is_calm)
    return odds


def _total(odds, code):
    return sum(odds.excess((code,), (code,), 0.0))


def test_what_fails_more_than_in_peace_stands_out():
    """Code 1 fails 9 of 10 times in the attack, code 0 as ever; both failed alike in peace."""
    odds = _odds_after(calm=((0, 0.1), (1, 0.1)), attack=((0, 0.1), (1, 0.9)))
    assert _total(odds, 1) > _total(odds, 0) + 3.0


def test_what_fails_much_at_any_time_is_no_sign():
    """People who always mistype are not an attack: their usual odds are taken off."""
    odds = _odds_after(calm=((0, 0.05), (1, 0.5)), attack=((0, 0.6), (1, 0.5)))
    assert _total(odds, 0) > _total(odds, 1)


def test_after_a_campaign_the_attack_is_forgotten():
    odds = _odds_after(calm=((0, 0.1), (1, 0.1)), attack=((0, 0.1), (1, 0.9)))
    peace = list(odds.calm_source)
    assert odds.source.values != peace
    odds.forget_attack()
    assert odds.source.values == peace == odds.calm_source
    assert odds.member.values == odds.calm_member
    odds.learn((1,), (1,), failed=True, weight=1.0, member_weight=1.0, calm=False)
    assert odds.calm_source == peace, "attack-free weights are frozen while a campaign is on"


def test_an_id_that_does_not_exist_teaches_the_source_alone():
    odds = FailureOdds(4, 4)
    odds.learn((1,), None, failed=True, weight=1.0, member_weight=1.0, calm=False)
    assert odds.source.values[1] > 0.0
    assert odds.member.values == [0.0] * 4


@pytest.fixture(scope="module")
def lived():
    """Return a guard after three honest weeks."""
    guard = new_guard()
    play(guard, honest_traffic(days=21))
    return guard


def _by_member(guard, attempt):
    lane = guard.lane("login")
    seen = guard.recollection.observe(attempt, lane.tables, START_S + 21 * DAY_S)
    return lane.prior.contrast.sum(seen.codes)


def test_the_prior_prefers_the_member_s_own_place_and_phone(lived):
    """Learnt in peace, by contrast with other members, without a single attack."""
    now_s = START_S + 21 * DAY_S
    better = 0
    known = [member for member in range(300) if _logins(lived, member) > 3]
    for member in known:
        own = visit(member, now_s, token=False)
        other = visit(member + 1, now_s, token=False)
        stranger = visit(
            member, now_s, token=False, ip=other.ip, asn=other.asn, user_agent=other.user_agent, tls=other.tls
        )
        better += _by_member(lived, own) < _by_member(lived, stranger)
    assert len(known) > 200
    assert better / len(known) > 0.95


def _logins(guard, member):
    seen = guard.recollection.observe(
        visit(member, START_S, token=False), guard.lane("login").tables, START_S
    )
    return seen.known.logins


def test_the_contrast_is_with_somebody_else(lived):
    """Half of those drawn have no past, like members who never came."""
    lane = lived.lane("login")
    memory = lived.recollection
    seen = memory.observe(visit(3, START_S + 21 * DAY_S, token=False), lane.tables, START_S + 21 * DAY_S)
    other = memory.as_somebody_else(seen, START_S + 21 * DAY_S)
    assert list(other) != list(seen.codes)
    assert len(other) == len(seen.codes)
    assert 0.4 < sum(decoy is None for decoy in memory.decoys) / len(memory.decoys) < 0.9


def test_a_token_and_a_known_address_speak_for_a_member():
    prior = Prior(4)
    for _ in range(200):
        prior.learn(1, 20, 2, (0,), (1,))  # an honest crowd with a token, from addresses with successes
    with_token, without = prior.source(1, 20, 2), prior.source(0, 0, 2)
    assert without > with_token + 2.0


def test_a_leaked_pair_speaks_against_and_a_missing_list_says_nothing():
    prior = Prior(4)
    for _ in range(500):
        prior.learn(0, 0, 0, (0,), (1,))
    assert prior.source(0, 0, 1) > prior.source(0, 0, 0) + 2.0
    unknown = prior.source(0, 0, 2)
    prior.learn(0, 0, 1, (0,), (1,))
    assert prior.source(0, 0, 2) == pytest.approx(unknown, abs=0.01)
