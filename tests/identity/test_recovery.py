"""A recovery takes its time, tells everybody, can be cancelled, and keeps money in."""

import asyncio

import msgspec
import pytest
from sqlalchemy import select, update
from tests.identity.code_desk import code_desk

from sekisho.identity import devices, holds, members, passwords, recovery, recovery_rows, sessions
from sekisho.identity.arrivals import Arrival
from sekisho.identity.assurance import InsufficientAuthentication, Level, Standing, Way
from sekisho.identity.device_desk import DeviceDesk
from sekisho.identity.freezes import FreezeDesk
from sekisho.identity.holds import HoldKind, HoldScope
from sekisho.identity.members import MemberState
from sekisho.identity.personal_data import Item, store
from sekisho.identity.recovery import NoRecovery, RecoveryDesk, RecoveryUnderWay
from sekisho.identity.recovery_rows import RecoveryState
from sekisho.identity.session_desk import Present
from sekisho.identity.sessions import Birth
from sekisho.kernel.clock import DAY_US, HOUR_US, MINUTE_US
from sekisho.storage.outbox import read_after
from sekisho.storage.tables.messages import message
from sekisho.storage.tables.personal_data import personal_item

NEW = Arrival(ip="198.51.100.7", user_agent="Mozilla/5.0 (Windows NT 10.0) Chrome/126.0", country="JP")
OLD = Arrival(ip="192.0.2.7", user_agent="Mozilla/5.0 (iPhone) Safari/604.1", country="JP")
SMS, EMAIL = "+819012345678", "hanako@example.jp"


class House:
    """A member with an old, trusted device and a new one on which password and code were entered."""

    def __init__(self, desk):
        self.desk, self.parts, self.member = desk, desk.here.parts, desk.someone
        self.recoveries, self.cookies = RecoveryDesk(self.parts), {}
        now_us = self.now_us
        contacts = {Item.MOBILE_PHONE: SMS, Item.EMAIL: EMAIL}
        self.write(lambda at: store(at, self.parts.keyring, self.member, contacts, now_us))
        self.write(lambda at: passwords.put(at, self.parts, self.member, "hash", "pepper"))
        self.old = self.session(OLD, Standing.TRUSTED)
        self.new = self.session(NEW)

    @property
    def now_us(self):
        return self.desk.here.clock.now_us()

    def write(self, work):
        return self.desk.here.store.write(work).result()

    def read(self, look):
        with self.desk.here.store.read() as connection:
            return look(connection)

    def session(self, arrival, standing=Standing.UNCONFIRMED, level=Level.CODE):
        def work(connection):
            enrolled = devices.enrol(connection, self.parts, self.member, arrival, standing)
            birth = Birth(member_id=self.member, device_id=enrolled.device.id, level=level, arrival=arrival)
            opened = sessions.open_session(connection, self.parts, birth).session
            self.cookies[opened.id] = enrolled.cookie
            return opened

        return self.write(work)

    def ask(self, session=None):
        return asyncio.run(self.recoveries.ask(session or self.new, NEW))

    def cancel(self, session, arrival=OLD):
        browser = msgspec.structs.replace(arrival, device_token=self.cookies[session.id])
        asyncio.run(self.recoveries.cancel(session, browser))

    def present(self, session):
        return Present(session, self.read(lambda at: devices.find(at, session.device_id)))

    def lose_contacts(self):
        """Let the member's contacts be what no key here opens."""
        self.write(lambda at: at.execute(update(personal_item).values(sealed=b"of another key")))

    def let_pass(self, hours):
        """Let time pass as a worker sees it, hour by hour, and return how many recoveries were completed."""
        completed = 0
        for _ in range(hours):
            self.desk.here.clock.advance(HOUR_US)
            completed += self.tick()
        return completed

    def tick(self):
        return asyncio.run(self.recoveries.advance())

    def standing(self, session):
        return self.read(lambda at: devices.find(at, session.device_id)).standing

    def on_hold(self):
        now_us = self.now_us
        return [
            (each.kind, each.scope) for each in self.read(lambda at: holds.holds_on(at, self.member, now_us))
        ]

    def notices(self):
        return sum(each.to == SMS for each in self.desk.sent())


MONEY_HELD = [(HoldKind.RECOVERY, HoldScope.MONEY_OUT)]


@pytest.fixture
def house(tmp_path):
    desk = code_desk(tmp_path)
    yield House(desk)
    desk.here.store.close()


def test_three_days_later_the_device_is_trusted_and_not_before(house):
    house.ask()
    assert house.let_pass(71) == 0
    assert house.standing(house.new) is Standing.UNCONFIRMED
    assert house.let_pass(1) == 1
    assert house.standing(house.new) is Standing.TRUSTED
    assert house.let_pass(48) == 0


def test_every_channel_is_told_at_the_beginning_each_day_and_at_the_end(house):
    counts = []
    house.ask()
    counts.append(house.notices())
    for _ in range(3):
        house.let_pass(24)
        counts.append(house.notices())
    assert counts == [1, 2, 3, 4]
    assert [each.to for each in house.desk.sent()].count(EMAIL) == 4


def test_money_stays_in_until_a_week_after_it(house):
    assert house.on_hold() == []
    house.ask()
    assert house.on_hold() == MONEY_HELD
    house.let_pass(72)
    assert house.on_hold() == MONEY_HELD
    house.desk.here.clock.advance(7 * DAY_US - 1)
    assert house.on_hold() == MONEY_HELD
    house.desk.here.clock.advance(1)
    assert house.on_hold() == []


@pytest.mark.parametrize("minutes", [5, 60, -60])
def test_the_code_must_be_fresh(house, minutes):
    house.desk.here.clock.advance(minutes * MINUTE_US)
    with pytest.raises(InsufficientAuthentication):
        house.ask()
    assert house.on_hold() == []


def test_a_password_alone_begins_nothing(house):
    with pytest.raises(InsufficientAuthentication):
        house.ask(house.session(OLD, level=Level.PASSWORD))


def test_asking_twice_is_asking_once(house):
    first = house.ask()
    house.desk.here.clock.advance(MINUTE_US)
    assert house.ask() == first
    assert house.notices() == 1


def test_a_second_device_waits_for_the_first(house):
    house.ask()
    other = house.session(msgspec.structs.replace(NEW, ip="203.0.113.7"))
    with pytest.raises(RecoveryUnderWay):
        house.ask(other)


def test_a_trusted_device_cancels_it_and_throws_the_other_out(house):
    house.ask()
    house.let_pass(30)
    house.old = house.session(OLD, Standing.TRUSTED)
    house.cancel(house.old)
    assert house.standing(house.new) is Standing.REVOKED
    assert house.read(lambda at: sessions.find(at, house.new.id)).ended_for
    assert house.on_hold() == []
    assert house.let_pass(72) == 0
    assert house.standing(house.new) is Standing.REVOKED
    with pytest.raises(NoRecovery):
        house.cancel(house.session(OLD, Standing.TRUSTED))


def test_the_cookie_of_a_session_alone_cancels_nothing(house):
    """Whoever took it does not have that of the device, which is what speaks against a recovery."""
    house.ask()
    house.cookies[house.old.id] = ""
    with pytest.raises(InsufficientAuthentication):
        house.cancel(house.old)
    assert house.on_hold() == [(HoldKind.RECOVERY, HoldScope.MONEY_OUT)]


def test_a_device_that_was_doubted_can_still_cancel(house):
    """Or whoever stole a session would first doubt the member's device, and then recover."""
    house.ask()
    house.write(lambda at: devices.doubt(at, house.parts, house.old.device_id))
    house.cancel(house.old)
    assert house.standing(house.new) is Standing.REVOKED


def test_only_who_may_cancel_throws_out_the_device_that_waits(house):
    """Else any session that a code opened could end the member's recovery by throwing the device out."""
    house.ask()
    desk = DeviceDesk(house.parts)
    with pytest.raises(InsufficientAuthentication):
        asyncio.run(desk.revoke(house.present(house.session(NEW)), house.new.device_id))
    assert house.standing(house.new) is Standing.UNCONFIRMED
    assert asyncio.run(desk.revoke(house.present(house.old), house.new.device_id))
    assert house.standing(house.new) is Standing.REVOKED
    assert house.read(lambda at: recovery_rows.waiting_of(at, house.member)) is None
    assert house.on_hold() == []


def test_a_recovery_of_which_nobody_can_be_told_stands_still(house):
    """And the recoveries of others go on."""
    house.ask()
    kept = house.read(lambda at: at.execute(select(personal_item.c.item, personal_item.c.sealed)).all())
    house.lose_contacts()
    assert house.let_pass(100) == 0
    assert house.standing(house.new) is Standing.UNCONFIRMED
    for item, sealed in kept:
        back = update(personal_item).where(personal_item.c.item == item).values(sealed=sealed)
        house.write(lambda at, back=back: at.execute(back))
    assert house.let_pass(73) == 1


def test_a_freeze_works_though_no_contact_opens(house):
    """A notice that cannot go out must not keep the account open; that it could not is written down."""
    house.lose_contacts()
    assert asyncio.run(FreezeDesk(house.parts).freeze(house.member, OLD))
    assert house.read(lambda at: members.find(at, house.member)).state is MemberState.FROZEN
    assert house.read(lambda at: sessions.find(at, house.old.id)).ended_for
    told = house.read(lambda at: [entry.kind for entry in read_after(at, 0, limit=100)])
    assert told.count("member:notice:undeliverable") == 2


def test_a_freeze_tells_by_the_contact_that_opens(house):
    broken = personal_item.c.item == Item.EMAIL.value
    house.write(lambda at: at.execute(update(personal_item).where(broken).values(sealed=b"broken")))
    asyncio.run(FreezeDesk(house.parts).freeze(house.member, OLD))
    kinds = house.read(lambda at: list(at.execute(select(message.c.channel, message.c.kind)).all()))
    assert [channel for channel, kind in kinds if "account_frozen" in kind] == ["sms"]


def test_the_device_that_asks_cannot_cancel_what_it_did_not_prove(house):
    """And no other unknown device can; but a passkey can, wherever it is used."""
    house.ask()
    for session in (house.new, house.session(NEW)):
        with pytest.raises(InsufficientAuthentication):
            house.cancel(session)
    unknown = house.session(NEW)
    with_passkey = house.write(lambda at: sessions.prove(at, house.parts, unknown, Way.PASSKEY))
    house.cancel(with_passkey.session)
    assert house.read(lambda at: recovery_rows.waiting_of(at, house.member)) is None


def test_an_ended_session_cancels_nothing(house):
    house.ask()
    house.desk.here.clock.advance(HOUR_US)
    with pytest.raises(InsufficientAuthentication):
        house.cancel(house.old)


@pytest.mark.parametrize("jump_us", [30 * DAY_US, 400 * DAY_US])
def test_a_clock_that_jumps_ahead_skips_a_day_at_most(house, jump_us):
    house.ask()
    house.desk.here.clock.advance(jump_us)
    assert house.tick() == 0
    assert house.let_pass(47) == 0
    assert house.let_pass(1) == 1


def test_a_clock_that_jumps_back_and_forth_brings_nothing(house):
    house.ask()
    for _ in range(100):
        house.desk.here.clock.advance(-5 * HOUR_US)
        assert house.tick() == 0
    house.desk.here.clock.advance(500 * HOUR_US)
    assert house.tick() == 0


def test_a_contained_account_is_not_recovered(house):
    """And the wait stands still meanwhile."""
    house.ask()
    hold_id = house.write(
        lambda at: holds.place(
            at, house.parts, house.member, HoldKind.CONTAINMENT, HoldScope.ALL, reason="", until_us=None
        )
    )
    assert house.let_pass(100) == 0
    house.write(lambda at: holds.lift(at, house.parts, hold_id, by="stf_1"))
    assert house.let_pass(71) == 0
    assert house.let_pass(1) == 1


@pytest.mark.parametrize("state", [MemberState.INVALIDATED, MemberState.CLOSED])
def test_an_account_that_we_closed_is_not_recovered(house, state):
    house.ask()
    house.write(lambda at: members.set_state(at, house.parts, house.member, state))
    assert house.let_pass(100) == 0


def test_a_freeze_cancels_what_waits(house):
    house.ask()
    asyncio.run(FreezeDesk(house.parts).freeze(house.member, OLD))
    assert house.let_pass(80) == 0
    assert house.standing(house.new) is Standing.REVOKED


def test_a_recovery_opens_a_frozen_account_again(house):
    asyncio.run(FreezeDesk(house.parts).freeze(house.member, OLD))
    house.write(lambda at: recovery.begin(at, house.parts, house.member, house.new.device_id, NEW))
    assert house.let_pass(72) == 1
    assert house.read(lambda at: members.find(at, house.member)).state is MemberState.OPEN
    assert house.read(lambda at: passwords.find(at, house.member)).is_valid
    assert house.on_hold() == MONEY_HELD


def test_what_waits_can_be_shown(house):
    waiting = house.ask()
    assert asyncio.run(house.recoveries.waiting(house.member)) == waiting
    assert waiting.due_at_us == house.now_us + 3 * DAY_US
    assert waiting.state is RecoveryState.WAITING
    assert asyncio.run(house.recoveries.waiting(house.desk.here.add_member())) is None
