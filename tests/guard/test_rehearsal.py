"""Lessons of a campaign are learnt again, and a success is judged anew each time."""

import pytest

from sekisho.guard.evidence import MEMBER, SOURCE, SourceFacts
from sekisho.guard.lane import Lane
from sekisho.guard.rehearsal import LESSONS, Lesson, Rehearsal


def _lesson(number):
    return Lesson(number, 0, 2, (), (), failed=True, weight=1.0, settled=True)


def test_each_new_lesson_brings_back_three_earlier_ones_and_all_have_their_turn():
    rehearsal, seen = Rehearsal(), []
    for number in range(3 * LESSONS):
        again = [lesson.kind for lesson in rehearsal.take(_lesson(number))]
        assert len(again) == 3
        if number >= 2 * LESSONS:
            seen += again
    assert all(2 * LESSONS - LESSONS <= number < 3 * LESSONS for number in seen)
    assert len(set(seen)) > LESSONS


def test_the_last_lessons_are_kept_and_a_campaign_that_is_over_is_forgotten():
    rehearsal = Rehearsal()
    for number in range(LESSONS + 5):
        list(rehearsal.take(_lesson(number)))
    kept = {lesson.kind for _ in range(LESSONS) for lesson in rehearsal.take(_lesson(9_999))}
    assert min(kept) >= 5
    rehearsal.forget()
    assert [lesson.kind for lesson in rehearsal.take(_lesson(1))] == [1, 1, 1]


class Crowd:
    """One kind of attempt, unknown in peace, at a gate under attack."""

    def __init__(self):
        self.lane = Lane((0.01, 0.01, 0.01), 3_600, lambda *_: None)  # type: ignore[arg-type] # nothing here asks for surroundings
        self.lane.in_campaign = True
        self.facts = SourceFacts(provider=1, region=1, tls=1, exact=1, family=1, country=1, v6=False)
        self.facts.codes = tuple(SOURCE[:-1])
        self.member = tuple(MEMBER[:-1])
        calm = self.lane.odds
        for weights in (calm.calm_source, calm.calm_member):
            weights[:] = [-0.2] * len(weights)

    def succeeds(self, count, *, proven):
        for _ in range(count):
            self.lane.count_success(vouched=False, bare=True, honest=1.0)
            self.lane.learn_success(0, 2, self.facts, self.member, None, 1.0, proven=proven)

    def fails(self, count):
        for _ in range(count):
            self.lane.learn_failure(0, 2, self.facts, self.member, 1.0)

    @property
    def log_odds(self):
        """Return the log odds of failure as learnt from the member's side and the source's."""
        odds = self.lane.odds
        return odds.source.sum(self.facts.codes) + odds.member.sum(self.member)


def _after_hits_and_failures(*, proven):
    crowd = Crowd()
    for _ in range(300):
        crowd.succeeds(1, proven=proven)
        crowd.fails(2)
    return crowd.log_odds


def test_hits_of_the_first_minutes_are_seen_for_what_they_are_later():
    """They were taken for members' own; what is learnt since says otherwise, and they stop to count."""
    assert _after_hits_and_failures(proven=False) > _after_hits_and_failures(proven=True) + 1.0


def test_what_passed_a_challenge_stays_honest():
    """One proven success to two failures: near those odds, whatever the score says of them."""
    assert _after_hits_and_failures(proven=True) == pytest.approx(0.7, abs=0.6)


def test_in_peace_nothing_is_rehearsed():
    """In a campaign few labels go further."""
    in_peace, in_attack = Crowd(), Crowd()
    in_peace.lane.in_campaign = False
    for crowd in (in_peace, in_attack):
        crowd.succeeds(10, proven=True)
    assert in_attack.log_odds < in_peace.log_odds - 0.2
