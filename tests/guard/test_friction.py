"""The friction budget on simulated scores: how many honest members are asked, and who can move that."""

import pytest

from sekisho.guard.evidence import Example, SourceFacts
from sekisho.guard.friction import NEVER, RING, Friction
from sekisho.guard.networks import read_source
from sekisho.kernel.chance import SeededChance

FACTS = SourceFacts(provider=0, region=0, tls=0, exact=0, family=0, country=0, v6=False)
EXAMPLE = Example(0, 2, FACTS, (), read_source("10.0.0.1", 0), 0)
DOUBTED = 0.1  # one honest success in ten carries no token


def _example(score):
    """Return an example that keeps its score: it stands where the member's codes do."""
    return EXAMPLE._replace(member=(score,))


class Scores:
    """A friction budget over scores that do not change, and the stream that feeds it."""

    def __init__(self, *budgets, seed=1):
        self.friction = Friction(budgets, lambda example: example.member[0])
        self.chance = SeededChance(seed)

    def draw(self):
        return sum(self.chance.fraction() for _ in range(6)) - 3.0

    def honest(self, count, *, number=0, shift=0.0, proven=True, many_hits=False):
        """Let honest successes without a token pass by; return the share asked, of all honest successes."""
        asked = 0
        for _ in range(count):
            score = self.draw() + shift
            asked += score > self.friction.thresholds[number]
            self.add(score, proven=proven, many_hits=many_hits)
        return DOUBTED * asked / count

    def add(self, score, *, proven=True, many_hits=False):
        self.friction.add(_example(score), score, DOUBTED, proven=proven, many_hits=many_hits, refresh=1)


def test_nobody_is_asked_before_enough_is_known():
    scores = Scores(0.01)
    assert scores.honest(49) == 0.0
    assert scores.friction.thresholds == [NEVER]
    for _ in range(640):
        scores.add(5.0, proven=False, many_hits=True)
    assert scores.friction.thresholds == [NEVER], "what may be hits does not count towards it"


@pytest.mark.parametrize("budget", [0.002, 0.005, 0.01, 0.05])
def test_the_budget_is_kept(budget):
    """Over 20,000 successes, within a fifth and the noise of chance."""
    scores = Scores(budget)
    scores.honest(2_000)
    assert scores.honest(20_000) == pytest.approx(budget, rel=0.2, abs=0.0003)


def test_the_budgets_of_several_policies_are_kept_side_by_side():
    scores = Scores(0.002, 0.01, 0.03)
    scores.honest(4_000)
    thresholds = scores.friction.thresholds
    assert thresholds[0] > thresholds[1] > thresholds[2]


def test_a_budget_of_everything_asks_everybody_whom_no_token_vouches_for():
    scores = Scores(0.2)
    scores.honest(200)
    assert scores.friction.thresholds == [-NEVER]


def test_the_threshold_follows_when_all_scores_move():
    """A new model gives new scores; the ring is scored again a few at a time and forgets the old crowd."""
    scores = Scores(0.01)
    scores.honest(RING)
    before = scores.friction.thresholds[0]
    scores.honest(2 * RING, shift=2.0)
    assert scores.friction.thresholds[0] == pytest.approx(before + 2.0, abs=0.2)


def test_examples_are_scored_again_under_the_model_of_the_moment():
    shift = [0.0]
    friction = Friction((0.01,), lambda example: example.member[0] + shift[0])
    chance = SeededChance(2)
    for _ in range(600):
        score = 6.0 * chance.fraction()
        friction.add(_example(score), score, DOUBTED, proven=True, many_hits=False, refresh=3)
    before = friction.thresholds[0]
    shift[0] = 5.0
    for _ in range(640):
        score = 6.0 * chance.fraction()
        friction.add(_example(score), score + 5.0, DOUBTED, proven=True, many_hits=False, refresh=3)
    assert friction.thresholds[0] == pytest.approx(before + 5.0, abs=0.5)


def _with_hits(*, many_hits):
    scores = Scores(0.01)
    scores.honest(RING)
    before = scores.friction.thresholds[0]
    for _ in range(RING):
        scores.add(5.0, proven=False, many_hits=many_hits)
    return before, scores.friction.thresholds[0]


def test_hits_do_not_push_the_threshold_out_of_their_way():
    """An attacker with many right passwords uses up no budget: only proven successes count then."""
    before, after = _with_hits(many_hits=True)
    assert after == pytest.approx(before, abs=1e-9)


def test_hits_that_came_in_before_they_were_noticed_count_no_longer():
    scores = Scores(0.01)
    scores.honest(RING // 2)
    before = scores.friction.thresholds[0]
    for _ in range(RING // 4):
        scores.add(5.0, proven=False)
    assert scores.friction.thresholds[0] > before + 1.0
    for _ in range(64):
        scores.add(5.0, proven=False, many_hits=True)
    assert scores.friction.thresholds[0] == pytest.approx(before, abs=0.1)


def test_without_that_the_hits_would_have_moved_it():
    """The trap that the test before is about: this is what a plain quantile does."""
    before, after = _with_hits(many_hits=False)
    assert after > before + 1.0


def test_passed_challenges_do_not_fill_the_ring():
    """Who passes a challenge was asked because of the score: they replace each other and nobody else."""
    scores = Scores(0.01)
    scores.honest(RING)
    before = scores.friction.thresholds[0]
    for _ in range(RING):
        scores.add(before + 1.0, proven=True, many_hits=True)
    assert scores.friction.thresholds[0] == pytest.approx(before, abs=0.3)


def test_nothing_that_was_spent_is_forgotten():
    """The ring's honest members look more hostile than those who come: the budget is still
    spent, for what is not spent adds up.
    """
    scores = Scores(0.01)
    scores.honest(RING)
    friction, asked, count = scores.friction, 0, 40_000
    for _ in range(count):
        score = scores.draw() - 0.4
        vouched = scores.chance.fraction() >= DOUBTED
        asked += not vouched and score > friction.thresholds[0]
        friction.spend(0, 0.0 if vouched or score <= friction.thresholds[0] else 1.0)
        friction.refresh(DOUBTED, 1)
    assert asked / count == pytest.approx(0.01, rel=0.1)


def test_what_was_really_spent_steers():
    """Where more are asked than the ring foresees, the next are asked less, and the other way round."""
    scores = Scores(0.01)
    scores.honest(RING)
    before = scores.friction.thresholds[0]
    for _ in range(20):
        scores.friction.spend(0, 1.0)
    scores.honest(64)
    asked_less = scores.friction.thresholds[0]
    for _ in range(10_000):
        scores.friction.spend(0, 0.0)
    scores.honest(64)
    asked_more = scores.friction.thresholds[0]
    assert asked_more + 0.05 < before < asked_less - 0.1
    scores.friction.trust_the_ring()
    scores.honest(64)
    assert scores.friction.thresholds[0] == pytest.approx(before, abs=0.2)
