import pytest
from tests.guard.small_world import DAY_S, KEY, START_S, new_guard

from sekisho.guard.attempts import Attempt, Outcome
from sekisho.guard.spray import SecretUse

PIN = "pin-0000-as-a-token"
BEGIN_S = START_S // (7 * DAY_S) * 7 * DAY_S  # of a period


@pytest.fixture
def uses():
    return SecretUse(slots=1 << 10, key=KEY)


def _count(uses, members, *, now_s=BEGIN_S, secret=PIN):
    key = uses.key_of("bank_link", secret, now_s)
    for member in members:
        uses.count(key, member, now_s)
    return key


def test_accounts_are_counted(uses):
    key = _count(uses, range(1, 13))
    assert uses.failures(key, 99, BEGIN_S) == 12.0
    assert uses.failures(key, 12, BEGIN_S) == 11.0, "the account itself is none of the others"


def test_one_account_that_fails_again_and_again_counts_once(uses):
    key = _count(uses, [5] * 40)
    assert uses.failures(key, 5, BEGIN_S) == 0.0
    assert uses.failures(key, 6, BEGIN_S) == 1.0


def test_half_of_it_is_left_after_a_day(uses):
    key = _count(uses, range(1, 13))
    assert uses.failures(key, 99, BEGIN_S + DAY_S) == 6.0


def test_one_secret_at_two_gates_is_two(uses):
    assert uses.key_of("login", PIN, BEGIN_S) != uses.key_of("bank_link", PIN, BEGIN_S)


def test_no_secret_is_not_a_secret(uses):
    assert uses.key_of("login", "", BEGIN_S) == 0
    uses.count(0, 5, BEGIN_S)
    assert uses.failures(0, 6, BEGIN_S) == 0.0


def test_the_key_changes_with_the_period_and_takes_the_counts_along(uses):
    key = _count(uses, range(1, 13))
    last = uses.key_of("bank_link", PIN, BEGIN_S + 7 * DAY_S - 1)
    assert last == key
    after = uses.key_of("bank_link", PIN, BEGIN_S + 7 * DAY_S)
    assert after != key
    assert uses.failures(after, 99, BEGIN_S + 7 * DAY_S) == 0.0
    assert uses.failures(key, 99, BEGIN_S + 7 * DAY_S) == 0.0


def test_a_clock_that_steps_back_does_not_bring_back_the_old_key(uses):
    uses.key_of("bank_link", PIN, BEGIN_S + 7 * DAY_S)
    key = _count(uses, [1, 2, 3], now_s=BEGIN_S + 7 * DAY_S)
    assert uses.key_of("bank_link", PIN, BEGIN_S + 7 * DAY_S - 1) == key


def test_another_guard_has_other_keys(uses):
    assert SecretUse(slots=16, key=bytes(32)).key_of("login", PIN, BEGIN_S) != uses.key_of(
        "login", PIN, BEGIN_S
    )


def test_neither_text_nor_state_holds_the_secret():
    """Whoever reads a log or a dump of the counters finds no PIN and nothing that is equal for equal PINs."""
    guard = new_guard()
    attempt = Attempt(
        time_us=START_S * 1_000_000, member="m1", ip="10.0.0.1", gate="bank_link", secret=PIN, known=True
    )
    decision = guard.assess(attempt)
    guard.learn(attempt, decision, Outcome.WRONG_SECRET)
    uses = guard.recollection.secrets
    told = [repr(decision), repr(uses), repr(vars(uses)), repr(vars(guard.recollection)), repr(vars(guard))]
    assert not any(PIN in text for text in told)
    table = uses._table  # noqa: SLF001 - the state is what may not tell
    kept = b"".join(values.tobytes() for values in table.arrays.values())
    assert any(table.failures)
    assert PIN.encode() not in kept
