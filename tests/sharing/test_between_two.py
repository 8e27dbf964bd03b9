"""What happens at one institution changes what the other does, over real HTTP, one stream each way."""

import asyncio

from tests.sharing.two_houses import two_houses

from sekisho.identity.arrivals import Arrival
from sekisho.identity.freezes import freeze
from sekisho.sharing import feeds
from sekisho.sharing.agreed_subjects import MEMBER


def test_streams_both_ways_are_made_and_verified(tmp_path):
    """Each institution asked the other for a verification, and it came with the state that it asked with."""

    async def play():
        async with two_houses(tmp_path) as houses:
            for house in (houses.id, houses.wallet):
                with house.parts.store.read() as at:
                    (feed,) = feeds.all_feeds(at)
                assert feed.verified_at_us == houses.clock.now_us()
                assert feed.state == ""

    asyncio.run(play())


def test_an_account_frozen_here_ends_sessions_and_holds_money_there(tmp_path):
    """The wallet ends the person's sessions, keeps the money, tells its guard, and says nothing back."""

    async def play():
        async with two_houses(tmp_path) as houses:
            houses.wallet.log_in(houses.user)
            houses.id.log_in(houses.person)
            arrival = Arrival(ip="192.0.2.7")
            assert houses.id.write(lambda at: freeze(at, houses.id.parts, houses.person, arrival))
            await houses.settle()
            assert houses.wallet.sessions_of(houses.user) == []
            (held,) = houses.wallet.holds_of(houses.user)
            assert held.reason == f"signal:{houses.id.origin}"
            assert houses.wallet.signs_on(MEMBER, houses.user) == ["partner_account_disabled"]
            assert houses.id.queue() == ["delivered", "delivered"]
            assert houses.wallet.queue() == []

    asyncio.run(play())
