"""Whoever dies between sending and hearing, or taking and telling, loses nothing and doubles nothing."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import uvicorn
from tests.sharing.foreign_transmitter import POLL, meeting
from tests.sharing.two_houses import NOON_US, open_house, serving, two_houses

from sekisho.kernel.clock import MINUTE_US, SECOND_US, SetClock
from sekisho.sharing import outgoing
from sekisho.sharing.agreed_subjects import MEMBER, About
from sekisho.sharing.announcements import Announcement, announce_within
from sekisho.sharing.caep_events import RiskLevelChange
from sekisho.sharing.introducing import Introduction, introduce
from sekisho.sharing.subjects import IssSub
from sekisho.web.signals.app import create_signals_app

RISK = RiskLevelChange(principal="USER", current_level="HIGH")
SENDER = Path(__file__).with_name("dying_transmitter.py")


def test_a_transmitter_killed_before_it_heard_the_answer_sends_the_same_again(tmp_path):
    """The receiver has taken the token in and acted when the sender dies; the next sender sends it anew."""

    async def play():
        clock = SetClock(NOON_US)
        wallet = await open_house(tmp_path, "wallet", clock)
        killing = _KillsItsCaller(create_signals_app(wallet.exchange))
        wallet.server = uvicorn.Server(uvicorn.Config(killing, log_config=None, lifespan="off"))
        async with serving(wallet):
            one = await open_house(tmp_path, "id", clock)
            async with serving(one):
                await introduce(Introduction(one.exchange, wallet.exchange))
                await one.go_on()
                person, user = one.add_member(), wallet.add_member()
                name = IssSub(one.origin, "p")
                one.agree(wallet.origin, name, About(MEMBER, person))
                wallet.agree(one.origin, name, About(MEMBER, user))
                said = Announcement(event=RISK, about=About(MEMBER, person))
                assert one.write(lambda at: announce_within(at, one.parts, said)) == 1
            origin = one.origin
            command = [sys.executable, str(SENDER), str(tmp_path), origin, str(clock.now_us())]
            environment = {**os.environ, "PYTHONPATH": "."}
            sender = await asyncio.create_subprocess_exec(*command, env=environment)
            killing.kill(sender.pid)
            await asyncio.wait_for(sender.wait(), 60)
            assert sender.returncode == -signal.SIGKILL
            assert wallet.outcomes() == ["acted"]
            again = await open_house(tmp_path, "id", clock, origin=origin)
            assert again.queue() == ["waiting"]
            clock.advance(MINUTE_US)
            await again.go_on()
            assert again.queue() == ["delivered"]
            assert wallet.outcomes() == ["acted"]
            assert len(wallet.rows_of_holds()) == 1
            await again.exchange.close()
            again.parts.store.close()
            again.listener.close()

    asyncio.run(play())


def test_a_receiver_that_dies_before_it_acknowledged_is_brought_the_same_again(tmp_path):
    """What was fetched and taken in, but not acknowledged, comes again and changes nothing."""

    async def play():
        async with meeting(tmp_path, method=POLL) as met:
            token = met.token(jti="1")
            met.foreign.waiting["1"] = token
            feed = met.house.feed()
            # Taken in, and then the line is cut: nothing was acknowledged.
            await met.house.exchange.intake.take_polled(feed, token)
            assert met.house.outcomes() == ["acted"]
            assert await met.house.exchange.fetch() == 1
            assert met.foreign.waiting == {}
            assert met.foreign.polls[-1]["ack"] == ["1"]
            assert met.house.outcomes() == ["acted"]
            assert len(met.house.rows_of_holds()) == 1

    asyncio.run(play())


def test_a_lease_that_nobody_returned_runs_out(tmp_path):
    """A deliverer that was cut off leaves its tokens to the next one, after half a minute."""

    async def play():
        async with two_houses(tmp_path) as houses:
            said = Announcement(event=RISK, about=About(MEMBER, houses.person))
            houses.id.write(lambda at: announce_within(at, houses.id.parts, said))
            now_us, chance = houses.clock.now_us(), houses.id.parts.chance
            stream_id = houses.id.stream().id
            taken = houses.id.write(lambda at: outgoing.lease(at, stream_id, 10, now_us, chance))
            assert len(taken) == 1
            houses.clock.advance(29 * SECOND_US)
            await houses.id.go_on()
            assert houses.id.queue() == ["waiting"]
            houses.clock.advance(SECOND_US)
            await houses.id.go_on()
            assert houses.id.queue() == ["delivered"]

    asyncio.run(play())


class _KillsItsCaller:
    """Lets the application do its work, and kills who asked before the answer is on its way."""

    def __init__(self, app):
        self._app = app
        self._pid = None

    def kill(self, pid):
        self._pid = pid

    async def __call__(self, scope, receive, send):
        async def sending(message):
            if self._pid is not None and scope["path"] == "/ssf/events":
                os.kill(self._pid, signal.SIGKILL)
                self._pid = None
            await send(message)

        await self._app(scope, receive, sending)
