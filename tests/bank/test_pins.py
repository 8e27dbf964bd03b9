"""PINs of cash cards, and how often one may fail before it stands out."""

import asyncio

import pytest
from tests.bank.mandate_at_hand import open_bank

from sekisho.bank import pins
from sekisho.bank.pin_popularity import PinPopularity
from sekisho.bank.pins import WEB_LOCKED_US, WEB_TRIES, CardPinTooSimple, Personal
from sekisho.identity.hashing import Hasher
from sekisho.kernel.chance import SeededChance
from sekisho.kernel.clock import DAY_US, HOUR_US, SetClock
from sekisho.storage.tables.deposits import deposit_pin

PERSON = Personal("1990-04-01", ("+819012345678",))


@pytest.fixture
def bank(tmp_path):
    opened = open_bank(tmp_path)
    yield opened
    opened.bank.store.close()


@pytest.fixture
def hasher():
    made = Hasher(SeededChance(1), threads=1)
    yield made
    made.close()


def kept(bank):
    return bank.look(lambda at: pins.find(at, bank.deposit.id))


def is_right(bank, hasher, typed, deposit_id=""):
    own = deposit_id or bank.deposit.id
    return asyncio.run(pins.is_right(bank.bank, hasher, own, kept(bank), typed))


def test_a_pin_is_right_for_its_account_and_no_other(bank, hasher):
    asyncio.run(pins.set_pin(bank.bank, hasher, bank.deposit.id, "3817", PERSON))
    assert is_right(bank, hasher, "3817")
    assert is_right(bank, hasher, "".join(chr(ord(digit) + 0xFEE0) for digit in "3817"))
    assert not is_right(bank, hasher, "3818")
    assert not is_right(bank, hasher, "")
    assert not is_right(bank, hasher, "3817", deposit_id="dep_other")


def test_nothing_of_a_pin_stands_in_the_table(bank, hasher):
    other = bank.open(phone="090-1234-0002")
    for deposit_id in (bank.deposit.id, other.id):
        asyncio.run(pins.set_pin(bank.bank, hasher, deposit_id, "3817", PERSON))
    rows = bank.look(lambda at: at.execute(deposit_pin.select()).all())
    assert len({row.hash for row in rows}) == 2
    assert all("3817" not in row.hash for row in rows)
    assert all(row.hash.startswith("$argon2id$") for row in rows)


def test_nobodys_pin_is_never_right(bank, hasher):
    assert kept(bank) is None
    assert not is_right(bank, hasher, "3817")


@pytest.mark.parametrize(
    "pin",
    [
        "1234",
        "4321",
        "0000",
        "1212",
        "1990",
        "2005",
        "0401",
        "0104",
        "9004",
        "2580",
        "5678",
        "12",
        "abcd",
        "",
    ],
)
def test_what_is_guessed_first_is_no_pin(bank, hasher, pin):
    with pytest.raises(CardPinTooSimple):
        asyncio.run(pins.set_pin(bank.bank, hasher, bank.deposit.id, pin, PERSON))
    assert kept(bank) is None


def test_five_wrong_ones_within_a_day_lock_the_web_for_a_day_and_not_for_good(bank, hasher):
    asyncio.run(pins.set_pin(bank.bank, hasher, bank.deposit.id, "3817", PERSON))
    start_us = bank.clock.now_us()

    def wrong(at_us):
        return bank.do(lambda at: pins.count_wrong(at, bank.deposit.id, at_us))

    assert [wrong(start_us + n) for n in range(WEB_TRIES)] == [False] * (WEB_TRIES - 1) + [True]
    assert pins.is_locked(kept(bank), start_us + HOUR_US)
    # What is typed while it is locked does not keep it locked.
    assert not any(wrong(start_us + n * HOUR_US) for n in range(1, 24))
    after_us = start_us + WEB_TRIES + WEB_LOCKED_US
    assert not pins.is_locked(kept(bank), after_us)
    assert not wrong(after_us)


def test_wrong_ones_grow_old_and_a_right_one_forgets_them(bank, hasher):
    asyncio.run(pins.set_pin(bank.bank, hasher, bank.deposit.id, "3817", PERSON))
    now_us = bank.clock.now_us()
    for n in range(WEB_TRIES - 1):
        bank.do(lambda at, n=n: pins.count_wrong(at, bank.deposit.id, now_us + n))
    assert not bank.do(lambda at: pins.count_wrong(at, bank.deposit.id, now_us + DAY_US))
    assert kept(bank).web_wrong == 1
    bank.do(lambda at: pins.forget_wrong(at, bank.deposit.id))
    assert kept(bank).web_wrong == 0


def test_the_guard_counts_a_pin_alike_on_every_account_and_by_the_day(bank):
    ring, now_us = bank.bank.keyring, bank.clock.now_us()
    today = pins.secret_token(ring, "3817", now_us)
    assert today == pins.secret_token(ring, "3817", now_us + 1)
    assert today != pins.secret_token(ring, "3817", now_us + DAY_US)
    assert today != pins.secret_token(ring, "3818", now_us)


@pytest.fixture
def clock():
    return SetClock(1_790_000_000_000_000)


@pytest.fixture
def popularity(clock):
    return PinPopularity(clock, SeededChance(3))


def test_one_pin_on_many_accounts_stands_out_and_others_do_not(popularity):
    for number in range(7):
        assert not popularity.excess("1234").stands_out
        popularity.failed("1234", f"001-{number:07d}")
    assert popularity.excess("1234").stands_out
    assert not popularity.excess("3817").stands_out


def test_one_account_that_mistypes_one_pin_again_and_again_is_one(popularity):
    for _ in range(50):
        popularity.failed("1234", "001-0000001")
    assert not popularity.excess("1234").stands_out


def test_what_is_popular_here_may_fail_more_often(popularity):
    """A bank where one in fifty has a PIN sees it mistyped for others more often, too."""
    for number in range(5_000):
        popularity.succeeded("1234" if number % 50 == 0 else f"{number % 9_000 + 1_000}")
    for number in range(600):
        pin = "1234" if number % 75 == 0 else f"{number % 9_000 + 1_000}"
        popularity.failed(pin, f"001-{number:07d}")
    excess = popularity.excess("1234")
    assert excess.failed > 7
    assert excess.expected > 3
    assert not excess.stands_out


def test_failures_are_forgotten_within_days(popularity, clock):
    for number in range(12):
        popularity.failed("1234", f"001-{number:07d}")
    assert popularity.excess("1234").stands_out
    clock.advance(2 * DAY_US)
    assert not popularity.excess("1234").stands_out


def test_a_clock_that_was_set_back_raises_no_count(popularity, clock):
    popularity.failed("1234", "001-0000001")
    clock.advance(-DAY_US)
    assert popularity.excess("1234").failed <= 1.0


def test_no_pin_stands_in_memory(popularity):
    popularity.failed("1234", "001-0000001")
    popularity.succeeded("1234")
    assert b"1234" not in b"".join(popularity._counts)  # noqa: SLF001 - what a dump of memory would show
