"""Holds keep money in, and a member can stop everything at any hour."""

import asyncio

import pytest
from sqlalchemy import select
from tests.identity.code_desk import HOME, LOGIN, at, code_desk

from sekisho.identity import devices, holds, members, passwords, sessions
from sekisho.identity.arrivals import Arrival
from sekisho.identity.assurance import Level, Standing
from sekisho.identity.code_rows import End
from sekisho.identity.codes import Over
from sekisho.identity.freezes import FROZEN_FOR, FreezeDesk, NotFrozen
from sekisho.identity.holds import HoldKind, HoldScope, OnHold
from sekisho.identity.members import MemberState
from sekisho.identity.personal_data import Item, store
from sekisho.identity.sessions import Birth
from sekisho.kernel.clock import HOUR_US
from sekisho.storage.tables.outbox import outbox

PHONE = Arrival(ip="192.0.2.7", user_agent="iPhone Safari/604.1", country="JP")


@pytest.fixture
def desk(tmp_path):
    opened = code_desk(tmp_path)
    yield opened
    opened.here.store.close()


def write(desk, work):
    return desk.here.store.write(work).result()


def read(desk, look):
    with desk.here.store.read() as connection:
        return look(connection)


def place(desk, kind, scope, until_us=None):
    return write(
        desk,
        lambda at: holds.place(
            at, desk.here.parts, desk.someone, kind, scope, reason="test", until_us=until_us
        ),
    )


def on_hold(desk, member_id=None):
    now_us = desk.here.clock.now_us()
    return [
        each.kind for each in read(desk, lambda at: holds.holds_on(at, member_id or desk.someone, now_us))
    ]


def require_money_free(desk):
    now_us = desk.here.clock.now_us()
    read(desk, lambda at: holds.require_money_free(at, desk.someone, now_us))


@pytest.mark.parametrize("scope", HoldScope)
@pytest.mark.parametrize("kind", HoldKind)
def test_every_hold_keeps_money_in_until_its_time(desk, kind, scope):
    require_money_free(desk)
    place(desk, kind, scope, desk.here.clock.now_us() + HOUR_US)
    with pytest.raises(OnHold) as refused:
        require_money_free(desk)
    assert refused.value.known == kind
    assert kind not in refused.value.told
    desk.wait(3_600)
    require_money_free(desk)


def test_a_hold_is_one_member_s(desk):
    place(desk, HoldKind.CONTAINMENT, HoldScope.ALL)
    assert on_hold(desk, desk.here.add_member()) == []


def test_a_hold_without_a_time_stays_until_it_is_lifted(desk):
    hold_id = place(desk, HoldKind.CONTAINMENT, HoldScope.ALL)
    desk.wait(10 * 365 * 86_400)
    assert on_hold(desk) == [HoldKind.CONTAINMENT]
    assert write(desk, lambda at: holds.lift(at, desk.here.parts, hold_id, by="stf_1"))
    assert on_hold(desk) == []
    assert not write(desk, lambda at: holds.lift(at, desk.here.parts, hold_id, by="stf_2"))
    assert desk.told("member:hold:lifted") == [{"by": "stf_1"}]


def test_a_clock_that_is_set_back_frees_nothing(desk):
    place(desk, HoldKind.RECOVERY, HoldScope.MONEY_OUT, desk.here.clock.now_us() + HOUR_US)
    desk.wait(-86_400)
    assert on_hold(desk) == [HoldKind.RECOVERY]


def opened_account(desk):
    """Give the member a device, a session, a password and contacts."""
    parts, now_us = desk.here.parts, desk.here.clock.now_us()

    def work(connection):
        enrolled = devices.enrol(connection, parts, desk.someone, PHONE, Standing.TRUSTED)
        birth = Birth(
            member_id=desk.someone, device_id=enrolled.device.id, level=Level.PASSWORD, arrival=PHONE
        )
        opened = sessions.open_session(connection, parts, birth)
        passwords.put(connection, parts, desk.someone, "hash", "pepper")
        contacts = {Item.MOBILE_PHONE: "+819012345678", Item.EMAIL: "hanako@example.jp"}
        store(connection, parts.keyring, desk.someone, contacts, now_us)
        return opened

    return write(desk, work)


def freeze(desk):
    return asyncio.run(FreezeDesk(desk.here.parts).freeze(desk.someone, PHONE))


def state(desk):
    return read(desk, lambda at: members.find(at, desk.someone)).state


def test_a_frozen_account_has_no_session_no_password_and_no_code(desk):
    opened = opened_account(desk)
    asked, code = desk.asked()
    assert freeze(desk)
    now_us = desk.here.clock.now_us()
    assert read(desk, lambda at: sessions.current(at, opened.token, now_us)) is None
    assert not read(desk, lambda at: passwords.find(at, desk.someone)).is_valid
    assert desk.enter(asked.code_id, code) == Over(End.WITHDRAWN)
    assert state(desk) is MemberState.FROZEN
    assert on_hold(desk) == [HoldKind.SELF_FREEZE]


def test_a_freeze_is_told_once_on_every_channel(desk):
    opened_account(desk)
    assert freeze(desk)
    assert not freeze(desk)
    assert sorted(each.to for each in desk.sent()) == ["+819012345678", "hanako@example.jp"]
    assert (
        len(
            read(
                desk, lambda at: at.execute(select(outbox).where(outbox.c.kind == "member:hold:placed")).all()
            )
        )
        == 1
    )


def test_a_passkey_opens_a_frozen_account_again(desk):
    opened_account(desk)
    freeze(desk)
    asyncio.run(FreezeDesk(desk.here.parts).unfreeze(desk.someone, PHONE))
    assert state(desk) is MemberState.OPEN
    assert on_hold(desk) == []
    assert read(desk, lambda at: passwords.find(at, desk.someone)).is_valid
    assert len(desk.sent()) == 4


@pytest.mark.parametrize("other", [MemberState.OPEN, MemberState.INVALIDATED, MemberState.CLOSED])
def test_a_member_cannot_open_what_we_have_closed(desk, other):
    opened_account(desk)
    write(desk, lambda at: members.set_state(at, desk.here.parts, desk.someone, other))
    with pytest.raises(NotFrozen):
        asyncio.run(FreezeDesk(desk.here.parts).unfreeze(desk.someone, PHONE))
    assert state(desk) is other


def test_opening_again_leaves_our_own_containment(desk):
    opened_account(desk)
    place(desk, HoldKind.CONTAINMENT, HoldScope.MONEY_OUT)
    write(desk, lambda at: passwords.invalidate(at, desk.here.parts, desk.someone, "campaign"))
    freeze(desk)
    asyncio.run(FreezeDesk(desk.here.parts).unfreeze(desk.someone, PHONE))
    assert on_hold(desk) == [HoldKind.CONTAINMENT]
    kept = read(desk, lambda at: passwords.find(at, desk.someone))
    assert (kept.is_valid, kept.invalidated_for == FROZEN_FOR) == (False, False)


def test_a_member_may_ask_for_codes_again_after_a_freeze(desk):
    asked, code = desk.asked(LOGIN, at(HOME, session_id="ses_1"))
    freeze(desk)
    asyncio.run(FreezeDesk(desk.here.parts).unfreeze(desk.someone, PHONE))
    desk.wait(60)
    asked, code = desk.asked(LOGIN, at(HOME, session_id="ses_1"))
    assert desk.enter(asked.code_id, code, LOGIN, at(HOME, session_id="ses_1"))
