"""Two policies over the same past: what each answers, day by day, and whom it would have met."""

import pytest
from tests.campaigns.recorded import NOON_US, Record, write_hunt

from sekisho.campaigns.known_ends import End, hunted
from sekisho.campaigns.logs.faults import Faults
from sekisho.campaigns.logs.formats import ReadingOptions
from sekisho.campaigns.logs.ordered import in_time_order
from sekisho.campaigns.logs.reading import stream_logs
from sekisho.campaigns.what_if import Side, compare
from sekisho.guard.attempts import ChallengeResult, Outcome
from sekisho.guard.decisions import Action, Decision
from sekisho.kernel.clock import DAY_US, SECOND_US
from sekisho.kernel.japan import day_in_japan

RIGHT, WRONG = Outcome.SUCCESS, Outcome.WRONG_SECRET
DAY_S = DAY_US // SECOND_US


class Says:
    """Answers by the attempt's session, allows where it has no answer, and remembers what it was told."""

    def __init__(self, **answers):
        self.answers = answers
        self.learnt = []

    def assess(self, attempt):
        return Decision(
            action=self.answers.get(attempt.session, Action.ALLOW),
            probability=0,
            before_hash=False,
            reasons=(),
            policy="x",
            policy_revision=1,
        )

    def learn(self, attempt, decision, outcome, challenge):
        self.learnt.append((attempt.member, decision.action, outcome, challenge))


@pytest.fixture(name="record")
def _record(tmp_path):
    return Record(tmp_path / "history")


def played(record, now, tried, *, from_s=0.0, hunt=None):
    record.write()
    told: list[int] = []
    reading = ReadingOptions(key=b"k" * 16)
    with in_time_order(stream_logs([record.folder], Faults(), reading)) as attempts:
        return compare(
            attempts,
            (Side("now@1", now), Side("tried@2", tried)),
            from_us=NOON_US + round(from_s * SECOND_US),
            hostile=None if hunt is None else hunted(hunt),
            tell=told.append,
        )


def test_both_decide_every_attempt_and_learn_what_came_of_it(record):
    record.add(0, "m-1", outcome=RIGHT, challenge=ChallengeResult.PASSED, session="a")
    record.add(1, "m-2", outcome=WRONG, session="b")
    now, tried = Says(a=Action.CHALLENGE), Says(a=Action.DENY, b=Action.PUZZLE)
    found = played(record, now, tried)
    assert now.learnt == [("m-1", "challenge", "success", "passed"), ("m-2", "allow", "wrong_secret", "")]
    assert tried.learnt == [("m-1", "deny", "success", "passed"), ("m-2", "puzzle", "wrong_secret", "")]
    assert found.names == ("now@1", "tried@2")
    counts = [[found.count("login", number, action) for action in Action] for number in (0, 1)]
    assert counts == [[1, 0, 1, 0], [0, 1, 0, 1]]
    assert (found.moved("login", 1, stricter=True), found.moved("login", 1, stricter=False)) == (2, 0)


def test_what_came_before_teaches_and_is_not_counted(record):
    """A guard without a past asks nobody: it would make every policy look mild."""
    for second in range(10):
        record.add(second, "m-1", outcome=RIGHT)
    now = Says()
    found = played(record, now, Says(), from_s=7)
    assert (found.compared, found.lived_through, len(now.learnt)) == (3, 7, 10)
    assert (found.from_us, found.until_us) == (NOON_US + 7 * SECOND_US, NOON_US + 9 * SECOND_US)
    none = played(record, Says(), Says(), from_s=99)
    assert (none.compared, none.lived_through, none.gates) == (0, 10, [])


def test_attempts_are_counted_by_gate_and_by_day_in_japan(record):
    midnight_s = DAY_S - (NOON_US // SECOND_US + 9 * 3600) % DAY_S
    record.add(midnight_s - 1, "m", session="a")
    record.add(midnight_s, "m", session="a")
    record.add(midnight_s, "m", gate="transfer")
    found = played(record, Says(), Says(a=Action.DENY))
    assert found.gates == ["login", "transfer"]
    days = [(day, counts.stopped("login", 1)) for day, counts in found.by_day("login")]
    eve, morrow = (str(day_in_japan(NOON_US + (midnight_s + more) * SECOND_US)) for more in (-1, 0))
    assert days == [(eve, 1), (morrow, 1)]
    assert [day for day, _ in found.by_day("transfer")] == [morrow]


def test_members_are_met_where_one_attempt_is_stopped_and_thieves_where_every_one_is(record, tmp_path):
    """One question is friction; one door left open is enough for the thief."""
    for at_s, (name, session) in enumerate((("often", "a"), ("often", "b"), ("seldom", "b"), ("never", "c"))):
        record.add(at_s, name, outcome=RIGHT, vouched=True, session=session)
    entries = [(20, "both", "a"), (21, "both", "b"), (22, "one", "b"), (23, "one", "c"), (24, "none", "c")]
    for at_s, name, session in entries:
        record.add(at_s, name, outcome=RIGHT, session=session)
    hunt = tmp_path / "hunt" / "attempts.parquet"
    write_hunt(hunt, *((at_s, name, 0.9, "cmp_1") for at_s, name, _ in entries))
    found = played(record, Says(a=Action.CHALLENGE), Says(a=Action.DENY, b=Action.PUZZLE), hunt=hunt)
    member, entered = found.members_of("login", End.MEMBER), found.members_of("login", End.ENTERED)
    assert (member.members, member.now, member.tried) == (3, 1, 2)
    assert (entered.members, entered.now, entered.tried) == (3, 0, 1)
    assert found.hunted


def test_without_a_hunt_nothing_is_known_to_be_a_campaign_s(record):
    record.add(0, "m-1", outcome=RIGHT)
    found = played(record, Says(), Says())
    assert not found.hunted
    assert found.attempts_at("login", end=End.UNPROVEN) == 1
    assert found.members_of("login", End.ENTERED).members == 0
