"""Policies side by side out of the record: on the same attempts, and by what is known of them afterwards."""

import pytest
from tests.campaigns.recorded import IN_FORCE, NEXT, NOON_US, OURS, Record, write_hunt

from sekisho.campaigns.known_ends import End
from sekisho.campaigns.side_by_side import compare_in_record
from sekisho.guard.attempts import ChallengeResult, Outcome
from sekisho.guard.decisions import Action
from sekisho.kernel.clock import SECOND_US

ALLOW, PUZZLE, CHALLENGE, DENY = Action
RIGHT, WRONG, NOBODY = Outcome.SUCCESS, Outcome.WRONG_SECRET, Outcome.NO_SUCH_MEMBER


@pytest.fixture(name="record")
def _record(tmp_path):
    return Record(tmp_path / "history")


def compared(record, *policies, from_s=0.0, **options):
    record.write()
    hunt = record.folder.parent / "hunt" / "attempts.parquet"
    return compare_in_record(
        record.folder, hunt, policies or (IN_FORCE, OURS), NOON_US + round(from_s * SECOND_US), **options
    )


def shadows(action, other=None):
    return {OURS.name: action} | ({NEXT.name: other} if other else {})


def test_each_policy_s_answers_are_counted_at_each_gate(record):
    for number in range(10):
        record.add(number, f"m{number}", DENY if number < 2 else ALLOW, shadow=shadows(CHALLENGE, PUZZLE))
    for number in range(3):
        record.add(20 + number, "m", ALLOW, gate="bank_link", shadow=shadows(ALLOW, DENY))
    found = compared(record, IN_FORCE, OURS, NEXT)
    assert found.names == ("default@1", "ours@5", "default@2")
    assert found.gates == ["login", "bank_link"]
    login = [[found.count("login", number, action) for action in Action] for number in range(3)]
    assert login == [[8, 0, 0, 2], [0, 0, 10, 0], [0, 10, 0, 0]]
    assert [found.count("bank_link", number, ALLOW) for number in range(3)] == [3, 3, 0]
    assert [found.stopped("login", number) for number in range(3)] == [2, 10, 10]
    assert (found.attempts_at("login"), found.attempts_at("bank_link"), found.compared) == (10, 3, 13)
    moves = [
        (found.moved("login", number, stricter=True), found.moved("login", number, stricter=False))
        for number in (1, 2)
    ]
    assert moves == [(8, 2), (8, 2)]


def test_what_is_known_afterwards_tells_members_from_campaigns(record, tmp_path):
    """In the order in which it counts: the hunt's word, then proof, then a later visit on a known device."""
    record.add(0, "entered", outcome=RIGHT, shadow=shadows(CHALLENGE))
    record.add(1, "tried", outcome=WRONG, shadow=shadows(CHALLENGE))
    record.add(2, "doubted", outcome=RIGHT, shadow=shadows(ALLOW))
    record.add(3, "elsewhere", outcome=RIGHT, shadow=shadows(ALLOW))
    record.add(4, "proved", CHALLENGE, outcome=RIGHT, challenge=ChallengeResult.PASSED, shadow=shadows(ALLOW))
    record.add(
        5, "gave-up", CHALLENGE, outcome=RIGHT, challenge=ChallengeResult.ABANDONED, shadow=shadows(ALLOW)
    )
    record.add(6, "came-back", outcome=RIGHT, shadow=shadows(PUZZLE))
    record.add(7, "not-from-there", outcome=RIGHT, shadow=shadows(PUZZLE), user_agent="curl")
    record.add(8, "slipped", outcome=WRONG, shadow=shadows(ALLOW))
    record.add(9, "nobody", outcome=NOBODY, shadow=shadows(DENY))
    record.add(10, "silent", shadow=shadows(ALLOW))
    record.add(11, "came-back", outcome=RIGHT, vouched=True)
    record.add(12, "not-from-there", outcome=RIGHT, vouched=True)
    record.add(13, "came-back", outcome=RIGHT, shadow=shadows(ALLOW))
    write_hunt(
        tmp_path / "hunt" / "attempts.parquet",
        (0, "entered", 0.9, "cmp_1"),
        (1, "tried", 0.5, "cmp_1"),
        (2, "doubted", 0.49, "cmp_1"),
        (3, "elsewhere", 0.9, None),
        (6.5, "came-back", 0.9, "cmp_1"),
    )
    found = compared(record)
    ends = {end: found.attempts_at("login", end=end) for end in End}
    assert ends == {
        End.ENTERED: 1,
        End.CAMPAIGN: 1,
        End.MEMBER: 4,
        End.UNPROVEN: 5,
        End.FAILED: 2,
        End.OPEN: 1,
    }
    stopped = {end: (found.stopped("login", 0, end=end), found.stopped("login", 1, end=end)) for end in End}
    assert stopped == {
        End.ENTERED: (0, 1),
        End.CAMPAIGN: (0, 1),
        End.MEMBER: (1, 1),
        End.UNPROVEN: (1, 1),
        End.FAILED: (0, 1),
        End.OPEN: (0, 0),
    }
    assert found.moved("login", 1, stricter=True, end=End.MEMBER) == 1
    assert found.moved("login", 1, stricter=False, end=End.MEMBER) == 1


def test_a_later_visit_without_any_sign_of_its_client_proves_nothing(record):
    """Whoever sends neither program nor fingerprint looks like everybody else who does not."""
    record.add(0, "m", outcome=RIGHT, shadow=shadows(ALLOW), user_agent="")
    record.add(1, "m", outcome=RIGHT, vouched=True, user_agent="")
    found = compared(record)
    assert (found.attempts_at("login", end=End.UNPROVEN), found.attempts_at("login", end=End.MEMBER)) == (
        1,
        1,
    )


def test_only_attempts_of_which_every_policy_spoke_are_compared(record):
    """Otherwise a shadow that began at noon would seem to have stopped half as much."""
    record.add(0, "long-ago", vouched=True)
    record.add(1, "before-the-shadow")
    record.add(2, "under-another", policy=NEXT, shadow=shadows(DENY))
    record.add(3, "in-its-time", shadow=shadows(DENY))
    record.add(4, "known", vouched=True)
    found = compared(record)
    assert (found.compared, found.vouched, found.by_others, found.silent) == (2, 1, 1, 2)
    assert [found.count("login", 1, action) for action in Action] == [1, 0, 0, 1]
    assert (found.from_us, found.until_us) == (NOON_US + 3 * SECOND_US, NOON_US + 4 * SECOND_US)
    alone = compared(record, IN_FORCE)
    assert (alone.compared, alone.vouched, alone.by_others, alone.silent) == (4, 2, 1, 0)
    with_both = compared(record, IN_FORCE, OURS, NEXT)
    assert (with_both.compared, with_both.by_others, with_both.silent) == (0, 1, 4)


def test_the_span_begins_where_it_is_said(record):
    for second in range(10):
        record.add(second, f"m{second}", shadow=shadows(ALLOW))
    assert compared(record, from_s=4).compared == 6
    assert compared(record, from_s=99).compared == 0


def test_the_newest_are_looked_at_where_there_are_too_many(record):
    """Across files: the page never takes in more than it can hold, and says so."""
    for batch in range(3):
        for number in range(10):
            record.add(batch * 10 + number, "m", shadow=shadows(DENY if batch == 0 else ALLOW))
        record.write()
    whole = compared(record)
    assert (whole.compared, whole.cut) == (30, False)
    some = compared(record, attempts_max=15)
    assert (some.compared, some.cut, some.count("login", 1, DENY)) == (15, True, 0)
    assert some.from_us == NOON_US + 15 * SECOND_US


def test_a_record_without_anything_compares_nothing(tmp_path):
    found = compare_in_record(tmp_path / "none", tmp_path / "none.parquet", (IN_FORCE, OURS), 0)
    assert (found.compared, found.gates, found.names) == (0, [], ("default@1", "ours@5"))
