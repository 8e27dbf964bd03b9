"""Codes, recoveries and calls on every store; and where several processes share one, still once each."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.identity.code_desk import HOME, LOGIN, Desk, at
from tests.identity.member_at_hand import LENDER, NOON_US, AtHand

from sekisho.identity import devices, recovery, recovery_rows
from sekisho.identity.arrivals import Arrival
from sekisho.identity.assurance import Standing
from sekisho.identity.calls import CallDesk, Genuine, NotOurs, record
from sekisho.identity.code_rows import End
from sekisho.identity.codes import CodeDesk, Over, Right, Wrong
from sekisho.identity.institution import Parts
from sekisho.identity.recovery import RecoveryUnderWay
from sekisho.kernel.chance import SeededChance
from sekisho.kernel.clock import SetClock
from sekisho.storage.engine import open_store
from sekisho.storage.keyring import HeldKeyring, new_keys


def parts_on(store, seed=3):
    """Return the parts of a process on a store; all processes have the same keys."""
    clock = SetClock(NOON_US)
    keyring = HeldKeyring.of(new_keys(clock, SeededChance(1)), SeededChance(seed))
    return Parts(LENDER, store, keyring, clock, SeededChance(seed))


@pytest.fixture
def desk(store, tmp_path):
    parts = parts_on(store)
    here = AtHand(parts=parts, clock=parts.clock, chance=parts.chance, file=tmp_path / "none")
    return Desk(here, CodeDesk(parts), here.add_member())


@pytest.fixture
def neighbours(server_store_url):
    """Give the parts of two processes that share one store."""
    stores = [open_store(server_store_url) for _ in range(2)]
    yield [parts_on(store, seed) for seed, store in enumerate(stores, 5)]
    for store in stores:
        store.close()


def test_a_code_goes_its_way(desk):
    asked, code = desk.asked()
    assert desk.enter(asked.code_id, f"{(int(code) + 1) % 1_000_000:06d}") == Wrong(4)
    assert isinstance(desk.enter(asked.code_id, code), Right)
    assert desk.enter(asked.code_id, code) == Over(End.USED)
    desk.wait(40)
    device = desk.trust()
    again, code = desk.asked(asked=at(HOME, device_id=device))
    stolen = at(HOME, ip="203.0.113.9", asn=64999, country="RO", device_id="dev_x")
    assert desk.enter(again.code_id, code, entered=stolen) == Wrong(4)
    desk.wait(91 * 86_400)
    assert asyncio.run(desk.codes.sweep()) == 4


def test_a_call_goes_its_way(desk):
    calls, parts, someone = CallDesk(desk.here.parts), desk.here.parts, desk.someone
    call = parts.store.write(lambda at: record(at, parts, "stf_sato", someone, "ご契約の確認")).result()
    assert asyncio.run(calls.confirm(desk.someone, call.code)) == Genuine(call)
    assert asyncio.run(calls.confirm(desk.someone, call.code)) == NotOurs()


def device_of(parts, member_id, ip):
    arrival = Arrival(ip=ip)

    def work(connection):
        return devices.enrol(connection, parts, member_id, arrival, Standing.UNCONFIRMED).device.id

    return parts.store.write(work).result()


def test_a_recovery_goes_its_way(desk):
    parts = desk.here.parts
    device_id = device_of(parts, desk.someone, "192.0.2.7")
    begun = parts.store.write(
        lambda at: recovery.begin(at, parts, desk.someone, device_id, Arrival(ip="192.0.2.7"))
    ).result()
    with parts.store.read() as connection:
        assert recovery_rows.waiting_of(connection, desk.someone) == begun
    for _ in range(3):
        desk.wait(86_400)
        completed = parts.store.write(lambda at: recovery.advance(at, parts)).result()
    assert completed == 1


@pytest.mark.server
def test_a_code_that_two_processes_are_given_at_once_opens_once(neighbours, tmp_path):
    first, second = neighbours
    here = AtHand(parts=first, clock=first.clock, chance=first.chance, file=tmp_path / "none")
    desk = Desk(here, CodeDesk(first), here.add_member())
    for _ in range(10):
        asked, code = desk.asked()
        second.clock.set(first.clock.now_us())
        entering = [CodeDesk(parts) for parts in (first, second) * 4]
        with ThreadPoolExecutor(8) as threads:
            answers = list(
                threads.map(
                    lambda codes, asked=asked, code=code: asyncio.run(
                        codes.enter(asked.code_id, desk.someone, LOGIN, code, HOME)
                    ),
                    entering,
                )
            )
        assert sorted(type(answer).__name__ for answer in answers) == ["Over"] * 7 + ["Right"]
        desk.wait(86_400)


@pytest.mark.server
def test_of_two_recoveries_at_once_one_is_under_way(neighbours, tmp_path):
    first, second = neighbours
    here = AtHand(parts=first, clock=first.clock, chance=first.chance, file=tmp_path / "none")
    for _ in range(5):
        member_id = here.add_member()
        ids = [device_of(parts, member_id, "192.0.2.7") for parts in neighbours]

        def begin(parts, device_id, member_id=member_id):
            arrival = Arrival(ip="192.0.2.7")
            work = parts.store.write(lambda at: recovery.begin(at, parts, member_id, device_id, arrival))
            try:
                return work.result().device_id
            except RecoveryUnderWay:
                return ""

        with ThreadPoolExecutor(2) as threads:
            begun = list(threads.map(begin, (first, second), ids))
        assert sorted(map(bool, begun)) == [False, True]
