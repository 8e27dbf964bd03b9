"""A key from a letter: it opens an account that was shut, once, for who has it, and nothing says why not."""

import asyncio

import pytest
from sqlalchemy import select, update
from tests.identity.member_at_hand import NOON_US
from tests.response.cohort_at_hand import CohortAtHand

from sekisho.identity.arrivals import Arrival
from sekisho.identity.containment import shut
from sekisho.identity.hashing import Hasher
from sekisho.identity.holds import holds_on
from sekisho.identity.leaked_lists import Leaks
from sekisho.identity.member_numbers import check_digit
from sekisho.identity.password_desk import PasswordDesk
from sekisho.identity.password_rules import PasswordUnfit
from sekisho.identity.personal_data import Item, store
from sekisho.identity.reenrolment import (
    HELD_AFTERWARDS_US,
    KEY_US,
    Enrolled,
    NoSuchKey,
    ReenrolmentDesk,
    grouped,
    key_of,
    needs_key,
    read_key,
    send_key,
)
from sekisho.kernel.clock import HOUR_US
from sekisho.kernel.posture import Posture
from sekisho.messages.queue import unseal
from sekisho.storage.tables.members import member
from sekisho.storage.tables.messages import message

HERE = Arrival(ip="192.0.2.7", user_agent="Mozilla/5.0")
PASSWORD = "correct horse battery staple"  # noqa: S105 - a test's
SHORT = "short"


class Shut:
    """A member without a passkey whose account was shut, and the letter that went home."""

    def __init__(self, folder):
        self.hand = CohortAtHand(folder, 1)
        self.parts, (self.member_id,) = self.hand.parts, self.hand.members
        hasher = Hasher(self.parts.chance)
        rules = PasswordDesk(self.parts, hasher, Leaks(), leaks_down=Posture.OPEN)
        self.desk = ReenrolmentDesk(self.parts, hasher, rules.require_fit)
        self.hold_id = self.shut()
        self.number = f"12345678901{check_digit('12345678901')}"
        own = update(member).where(member.c.id == self.member_id).values(number=self.number)
        self.write(lambda at: at.execute(own))

    def write(self, work):
        return self.parts.store.write(work).result()

    def shut(self):
        taken = self.write(
            lambda at: shut(at, self.parts, self.member_id, entered_at_us=NOON_US + HOUR_US, reason="cmp_1")
        )
        return taken.hold_id

    def send(self):
        return self.write(
            lambda at: send_key(at, self.parts, self.member_id, self.hold_id, since_us=NOON_US + HOUR_US)
        )

    def enrol(self, key, *, number=None, password=PASSWORD):
        return asyncio.run(self.desk.enrol(number or self.number, key, password, HERE))

    def letter(self):
        with self.parts.store.read() as connection:
            row = connection.execute(select(message).where(message.c.channel == "letter")).one()
        return unseal(self.parts.keyring, row.id, row.sealed)


@pytest.fixture
def gone(tmp_path):
    opened = Shut(tmp_path)
    yield opened
    opened.parts.store.close()


def test_the_letter_carries_the_key_that_opens_the_account(gone):
    """As it is printed; money stays in for a week, and the member is told."""
    assert gone.send()
    said = gone.letter()
    key = grouped(key_of(gone.parts.keyring, gone.member_id, gone.hold_id))
    assert key in said.text
    assert said.to.endswith("山田 花子 様")
    enrolled = gone.enrol(key)
    until_us = gone.parts.clock.now_us() + HELD_AFTERWARDS_US
    assert enrolled == Enrolled(gone.member_id, until_us)
    state = gone.hand.state_of(gone.member_id)
    assert (state.state, state.password_works, state.holds) == ("open", True, 1)
    with gone.parts.store.read() as connection:
        assert [each.until_us for each in holds_on(connection, gone.member_id, NOON_US)] == [until_us]
    assert {"sms", "email"} <= set(state.notices)


def test_a_key_works_once(gone):
    """And the one of the containment before opens nothing after the next."""
    key = key_of(gone.parts.keyring, gone.member_id, gone.hold_id)
    assert isinstance(gone.enrol(key), Enrolled)
    assert gone.enrol(key) == NoSuchKey()
    later = gone.shut()
    assert gone.enrol(key) == NoSuchKey()
    assert isinstance(gone.enrol(key_of(gone.parts.keyring, gone.member_id, later)), Enrolled)


def test_a_wrong_key_and_a_wrong_number_are_one_answer(gone):
    """Nothing tells them apart, and nothing is changed."""
    key = key_of(gone.parts.keyring, gone.member_id, gone.hold_id)
    for number, typed in ((None, "1" * 20), ("123456789999", key), ("nobody@example.jp", key), (None, "")):
        assert gone.enrol(typed, number=number) == NoSuchKey()
    assert gone.hand.state_of(gone.member_id).state == "invalidated"


def test_a_key_is_over_after_two_months(gone):
    """Letters lie about."""
    key = key_of(gone.parts.keyring, gone.member_id, gone.hold_id)
    gone.parts.clock.advance(KEY_US)
    assert gone.enrol(key) == NoSuchKey()


def test_a_password_that_may_not_be_is_refused_only_to_who_has_the_key(gone):
    """The rules of passwords are no oracle for keys."""
    key = key_of(gone.parts.keyring, gone.member_id, gone.hold_id)
    assert gone.enrol("1" * 20, password=SHORT) == NoSuchKey()
    with pytest.raises(PasswordUnfit):
        gone.enrol(key, password=SHORT)


def test_no_letter_goes_to_an_address_that_the_thief_changed(gone):
    """Nor to none."""
    changed = {Item.HOME_ADDRESS: "東京都千代田区1"}
    at_us = NOON_US + 2 * HOUR_US
    gone.write(lambda at: store(at, gone.parts.keyring, gone.member_id, changed, at_us))
    assert not gone.send()


def test_who_has_a_passkey_needs_no_key(gone):
    """The passkey is the better way back."""
    with gone.parts.store.read() as connection:
        assert needs_key(connection, gone.member_id)
    gone.hand.add_passkey(gone.member_id, b"own")
    with gone.parts.store.read() as connection:
        assert not needs_key(connection, gone.member_id)


def test_a_key_is_read_as_people_type_it():
    """Full-width, with spaces and hyphens."""
    assert read_key(" １２３４-5678 90") == "1234567890"  # noqa: RUF001 - full-width digits


def test_two_accounts_have_two_keys(gone):
    """A key follows from member and hold."""
    keyring = gone.parts.keyring
    assert key_of(keyring, gone.member_id, "hld_1") != key_of(keyring, gone.member_id, "hld_2")
    assert len(key_of(keyring, gone.member_id, "hld_1")) == 20
