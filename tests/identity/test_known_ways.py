"""What the relay test is told of a member's own devices."""

import pytest
from tests.identity.code_desk import code_desk

from sekisho.guard.networks import read_source
from sekisho.identity import devices, sessions, sign_ins
from sekisho.identity.arrivals import Arrival
from sekisho.identity.assurance import Level, Standing
from sekisho.identity.known_ways import known_ways
from sekisho.identity.relay import KnownWays
from sekisho.identity.sessions import Birth
from sekisho.identity.sign_ins import Came, LoginResult, LoginWay

HOME, TRAIN, CAFE = "192.0.2.7", "198.51.100.9", "203.0.113.5"


@pytest.fixture
def desk(tmp_path):
    opened = code_desk(tmp_path)
    yield opened
    opened.here.store.close()


def come(desk, standing, *places, member=None, country="JP", result=LoginResult.OPENED):
    """Let somebody come to the member's account on one browser from these places; return its device's id."""
    parts, member = desk.here.parts, member or desk.someone

    def work(connection):
        first = Arrival(ip=places[0], user_agent="Safari", country=country)
        device_id = devices.enrol(connection, parts, member, first, standing).device.id
        for ip in places:
            arrival = Arrival(ip=ip, user_agent="Safari", country=country)
            birth = Birth(member_id=member, device_id=device_id, level=Level.CODE, arrival=arrival)
            opened = sessions.open_session(connection, parts, birth).session
            came = Came(
                way=LoginWay.CODE,
                result=result,
                device_id=device_id,
                session_id=opened.id,
                attempt_id="",
            )
            sign_ins.record(connection, parts, member, arrival, came)
        return device_id

    return desk.here.store.write(work).result()


def known(desk, member=None):
    with desk.here.store.read() as connection:
        return known_ways(connection, member or desk.someone)


def regions(*ips):
    return frozenset(read_source(ip, 0).region for ip in ips)


def test_where_trusted_devices_were_is_known(desk):
    phone = come(desk, Standing.TRUSTED, HOME, TRAIN)
    assert known(desk) == KnownWays(frozenset({phone}), regions(HOME, TRAIN), frozenset({"JP"}))


def test_what_somebody_else_did_with_a_code_makes_nothing_known(desk):
    """Or the first relayed login would vouch for the second."""
    phone = come(desk, Standing.TRUSTED, HOME)
    come(desk, Standing.UNCONFIRMED, CAFE, country="RO")
    revoked = come(desk, Standing.TRUSTED, TRAIN, country="FR")
    desk.here.store.write(lambda at: devices.revoke(at, desk.here.parts, revoked)).result()
    assert known(desk) == KnownWays(frozenset({phone}), regions(HOME), frozenset({"JP"}))


def test_a_login_that_failed_makes_no_country_known(desk):
    come(desk, Standing.TRUSTED, HOME, country="KE", result=LoginResult.CODE_WRONG)
    assert known(desk).countries == frozenset()


def test_one_member_s_devices_say_nothing_of_another(desk):
    come(desk, Standing.TRUSTED, HOME)
    assert known(desk, desk.here.add_member()) == KnownWays()
    assert known(desk, "nobody:00ff") == KnownWays()
