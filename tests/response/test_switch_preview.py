"""What a switch would have done: counted out of the outbox and out of sealed history, each use once."""

from typing import Any

import msgspec
import pytest
from tests.identity.member_at_hand import NOON_US, open_at_hand

from sekisho.guard.attempts import Attempt
from sekisho.guard.decisions import Action, Decision
from sekisho.kernel.clock import DAY_US, HOUR_US
from sekisho.response.past_uses import AttemptHistory, PastUse
from sekisho.response.switch_preview import preview
from sekisho.response.switches import Scope, Usage
from sekisho.storage.attempts import DECIDED
from sekisho.storage.history.parquet import HistoryFolder
from sekisho.storage.history.sealing import Sealing
from sekisho.storage.outbox import Entry, append

DECISION = Decision(
    action=Action.ALLOW, probability=0, before_hash=False, reasons=(), policy="test", policy_revision=1
)
SWITCH = Scope(function="atm_withdrawal")


@pytest.fixture
def hand(tmp_path):
    opened = open_at_hand(tmp_path)
    yield opened
    opened.store.close()


def attempt(hand, number, member_id, **more):
    """Write an attempt down, an hour ago."""
    values: dict[str, Any] = {"gate": "atm_withdrawal", "amount_yen": 10_000, "known": True} | more
    made = Attempt(time_us=hand.clock.now_us() - HOUR_US, member=member_id, ip="192.0.2.1", **values)
    body = msgspec.json.encode({"attempt": made, "decision": DECISION})
    entry = Entry(DECIDED, f"att_{number}", made.time_us, body)
    hand.store.write(lambda at: append(at, [entry])).result()


def seen(hand, folder=None, *, scope=SWITCH, cohort=(), members=(), more=()):
    now_us = hand.clock.now_us()
    with hand.store.read() as connection:
        return preview(
            connection,
            [AttemptHistory(hand.parts, folder), *more],
            scope,
            members=members,
            cohort=cohort,
            from_us=now_us - 7 * DAY_US,
            until_us=now_us,
        )


def test_what_was_moved_to_history_is_counted_once(hand, tmp_path):
    """The same attempts, before they are moved, while they are in both places, and after."""
    folder = tmp_path / "history"
    for number in range(3):
        attempt(hand, number, f"mem_{number}", secret="")
    before = seen(hand, folder)
    Sealing(hand.store, HistoryFolder(folder), clock=hand.clock, keep_us=DAY_US).step()
    in_both = seen(hand, folder)
    Sealing(hand.store, HistoryFolder(folder), clock=hand.clock, keep_us=0).step()
    after = seen(hand, folder)
    assert before == in_both == after
    assert (before.uses_met, before.honest_met, before.yen_met) == (3, 3, 30_000)


def test_logins_and_names_that_nobody_has_are_no_uses(hand):
    """A gate of another function, a member who does not exist, and what was before the days asked for."""
    attempt(hand, 1, "mem_1", gate="login")
    attempt(hand, 2, "mem_2", known=False)
    attempt(hand, 3, "mem_3", gate="transfer")
    hand.store.write(lambda at: append(at, [Entry(DECIDED, "att_4", NOON_US - HOUR_US, b"broken")])).result()
    assert seen(hand).uses == 0
    hand.clock.advance(8 * DAY_US)
    attempt(hand, 5, "mem_1")
    assert seen(hand, scope=Scope(function="*")).uses == 1


def test_honest_members_and_the_cohort_are_counted_apart(hand):
    """Of the cohort, only those who used it could be met."""
    for number, member_id in enumerate(("mem_1", "mem_2", "mem_2")):
        attempt(hand, number, member_id)
    found = seen(hand, cohort=["mem_2", "mem_9"], members=["mem_2"])
    assert (found.honest_users, found.honest_met) == (1, 0)
    assert (found.cohort, found.cohort_users, found.cohort_met, found.uses_met) == (2, 1, 1, 2)
    assert found.in_words() == (
        "In the last 7 days it would have met 0 of 1 honest members who used this, and 1 of 1 of the cohort"
        " (2 members): 2 of 3 uses, 20,000 yen."
    )


def test_a_room_adds_the_uses_that_pass_no_gate(hand):
    """A charge is counted by whoever knows of charges."""

    class Charges:
        def since(self, connection, from_us):
            del connection
            assert from_us < hand.clock.now_us()
            usage = Usage("charge", "mem_1", partner="0125", is_new=True)
            yield PastUse("chg_1", hand.clock.now_us() - 1, usage, ("charge",), 5_000)

    scope = Scope(function="charge", partner="0125")
    assert seen(hand, scope=scope, more=[Charges()]).yen_met == 5_000
    assert seen(hand, scope=Scope(function="charge", partner="0001"), more=[Charges()]).yen_met == 0
