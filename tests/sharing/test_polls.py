"""Tokens that a receiver fetches: brought until acknowledged, a bounded number, after a bounded wait."""

import asyncio
import time

import pytest
from tests.sharing.by_hand import read_by_hand
from tests.sharing.foreign_transmitter import meeting
from tests.sharing.partner_client import EAR, PARTNER, played
from tests.sharing.two_houses import two_houses

from sekisho.identity.arrivals import Arrival
from sekisho.identity.freezes import freeze
from sekisho.sharing.agreed_subjects import MEMBER, About
from sekisho.sharing.announcements import Announcement, announce_within
from sekisho.sharing.caep_events import SessionRevoked
from sekisho.sharing.settings import SignalSettings
from sekisho.sharing.streams import POLL
from sekisho.sharing.subjects import IssSub
from sekisho.storage.tables.signals import signal_outgoing

AT_ONCE = {"returnImmediately": True}


async def _begun(ask, count):
    member = ask.house.add_member()
    ask.house.agree(PARTNER, IssSub(ask.house.origin, "m"), About(MEMBER, member))
    made = await ask.stream()
    said = Announcement(event=SessionRevoked(), about=About(MEMBER, member))
    for _ in range(count):
        ask.house.write(lambda at: announce_within(at, ask.house.parts, said))
    return f"/ssf/poll/{made['stream_id']}"


def test_what_is_not_acknowledged_is_brought_again(tmp_path):
    async def play(ask):
        path = await _begun(ask, 2)
        first = (await ask("POST", path, AT_ONCE)).json()
        assert len(first["sets"]) == 2
        assert first["moreAvailable"] is False
        again = (await ask("POST", path, AT_ONCE)).json()
        assert again["sets"].keys() == first["sets"].keys()
        for jti, token in again["sets"].items():
            assert read_by_hand(token, ask.house.exchange.keys.shown())[1]["jti"] == jti
        one, other = first["sets"]
        left = (await ask("POST", path, AT_ONCE | {"ack": [one]})).json()
        assert list(left["sets"]) == [other]
        refused = AT_ONCE | {"setErrs": {other: {"err": "invalid_audience", "description": "no"}}}
        assert (await ask("POST", path, refused)).json() == {"sets": {}, "moreAvailable": False}
        states = {row.jti: (row.state, row.failure) for row in ask.house.rows(signal_outgoing)}
        assert states == {one: ("delivered", ""), other: ("refused", "invalid_audience")}

    played(tmp_path, play)


def test_a_poll_brings_as_much_as_was_asked_for_and_says_that_there_is_more(tmp_path):
    async def play(ask):
        path = await _begun(ask, 5)
        polled = (await ask("POST", path, AT_ONCE | {"maxEvents": 2})).json()
        assert (len(polled["sets"]), polled["moreAvailable"]) == (2, True)
        # Our own bound holds whatever is asked for; none at all is a way to acknowledge only.
        polled = (await ask("POST", path, AT_ONCE | {"maxEvents": 10_000})).json()
        assert (len(polled["sets"]), polled["moreAvailable"]) == (3, True)
        polled = (await ask("POST", path, {"maxEvents": 0, "ack": list(polled["sets"])})).json()
        assert (polled["sets"], polled["moreAvailable"]) == ({}, True)
        polled = (await ask("POST", path, AT_ONCE)).json()
        assert (len(polled["sets"]), polled["moreAvailable"]) == (2, False)

    played(tmp_path, play, settings=SignalSettings(poll_events=3, poll_wait_s=0.2))


def test_a_poll_waits_for_a_while_and_returns_as_soon_as_there_is_something(tmp_path):
    async def play(ask):
        path = await _begun(ask, 0)
        began_s = time.monotonic()
        waiting = asyncio.create_task(ask("POST", path, {}))
        # Of one stream only one poll waits: whoever opens many gets nothing from it.
        await asyncio.sleep(0)
        while not ask.house.exchange.polls.waits(path.rpartition("/")[2]):  # noqa: ASYNC110 - over HTTP
            await asyncio.sleep(0.01)
        assert (await ask("POST", path, {})).json()["sets"] == {}
        assert not waiting.done()
        member = ask.house.members[0]
        said = Announcement(event=SessionRevoked(), about=About(MEMBER, member))
        ask.house.write(lambda at: announce_within(at, ask.house.parts, said))
        assert len((await waiting).json()["sets"]) == 1
        assert time.monotonic() - began_s < 20

    played(tmp_path, play, settings=SignalSettings(poll_wait_s=30))


def test_a_poll_for_nothing_ends(tmp_path):
    async def play(ask):
        path = await _begun(ask, 0)
        assert (await ask("POST", path, {})).json() == {"sets": {}, "moreAvailable": False}

    played(tmp_path, play, settings=SignalSettings(poll_wait_s=0.3))


@pytest.mark.parametrize(
    "body",
    [
        {"maxEvents": -1},
        {"maxEvents": "all"},
        {"ack": "all"},
        {"ack": [""]},
        {"ack": ["x"] * 1_001},
        {"setErrs": {"x": "no"}},
        {"setErrs": {"x": {"err": "e" * 65}}},
    ],
)
def test_a_poll_that_is_none_is_refused(tmp_path, body):
    async def play(ask):
        path = await _begun(ask, 1)
        assert (await ask("POST", path, AT_ONCE | body)).status_code == 400
        unknown = AT_ONCE | {"ack": ["never-sent"], "setErrs": {"neither": {"err": "?"}}}
        assert len((await ask("POST", path, unknown)).json()["sets"]) == 1

    played(tmp_path, play)


def test_a_stream_that_is_pushed_is_not_polled(tmp_path):
    async def play(ask):
        made = await ask.stream(delivery=EAR)
        answer = await ask("POST", f"/ssf/poll/{made['stream_id']}", AT_ONCE)
        assert (answer.status_code, answer.json()["code"]) == (400, "stream_not_polled")

    played(tmp_path, play)


def test_two_houses_share_by_polling_as_they_do_by_pushing(tmp_path):
    async def play():
        async with two_houses(tmp_path, method=POLL) as houses:
            assert await houses.wallet.exchange.fetch() == 1
            assert houses.wallet.feed().verified_at_us == houses.clock.now_us()
            houses.wallet.log_in(houses.user)
            houses.id.write(lambda at: freeze(at, houses.id.parts, houses.person, Arrival(ip="192.0.2.7")))
            await houses.id.go_on()
            assert await houses.wallet.exchange.fetch() == 1
            assert houses.wallet.sessions_of(houses.user) == []
            assert houses.id.queue() == ["delivered"]

    asyncio.run(play())


def test_of_what_is_fetched_the_good_is_acknowledged_and_the_bad_is_told(tmp_path):
    """More than one round's worth, with one token among it that is for somebody else."""

    async def play():
        async with meeting(tmp_path, method=POLL) as met:
            for number in range(5):
                audience = "them" if number == 3 else "us"
                met.foreign.waiting[str(number)] = met.token(jti=str(number), aud=audience)
            assert await met.house.exchange.fetch() == 5
            assert met.foreign.waiting == {}
            assert sorted(jti for poll in met.foreign.polls for jti in poll["ack"]) == ["0", "1", "2", "4"]
            (refused,) = [poll["setErrs"] for poll in met.foreign.polls if poll["setErrs"]]
            assert refused["3"]["err"] == "invalid_audience"

    asyncio.run(play())
