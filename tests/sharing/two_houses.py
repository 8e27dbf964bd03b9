"""Two institutions on loopback, each with a store, members and its exchange of signals, served over HTTP."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from socket import socket
from typing import cast

import uvicorn
from sqlalchemy import insert, select

from sekisho.identity import devices, sessions
from sekisho.identity.arrivals import Arrival
from sekisho.identity.assurance import Level, Standing
from sekisho.identity.holds import holds_on
from sekisho.identity.institution import Institution, Parts
from sekisho.identity.sessions import Birth, Session
from sekisho.kernel.chance import SeededChance
from sekisho.kernel.clock import SetClock
from sekisho.kernel.ids import MEMBER as MEMBER_IDS
from sekisho.kernel.ids import MemberId
from sekisho.sharing import feeds, streams
from sekisho.sharing.agreed_subjects import MEMBER, About, agree_within
from sekisho.sharing.exchange import Exchange, open_exchange
from sekisho.sharing.introducing import Introduction, introduce
from sekisho.sharing.settings import SignalSettings
from sekisho.sharing.streams import PUSH
from sekisho.sharing.subjects import IssSub
from sekisho.storage.engine import open_store
from sekisho.storage.keyring import HeldKeyring, new_keys
from sekisho.storage.outbox import read_after
from sekisho.storage.tables.members import member
from sekisho.storage.tables.protections import hold
from sekisho.storage.tables.signals import signal_action, signal_evidence, signal_outgoing, signal_received
from sekisho.web.server import listening_socket
from sekisho.web.signals.app import create_signals_app

NOON_US = 1_790_000_000_000_000
QUICK = SignalSettings(poll_wait_s=0.5)


@dataclass
class House:
    """One institution, served at its origin."""

    exchange: Exchange
    clock: SetClock
    server: uvicorn.Server
    listener: socket
    members: list[MemberId] = field(default_factory=list)

    @property
    def parts(self) -> Parts:
        return self.exchange.parts

    @property
    def origin(self) -> str:
        return self.parts.institution.origin

    def write(self, work):
        """Do a unit of work and return what it returned."""
        return self.parts.store.write(work).result()

    def add_member(self) -> MemberId:
        """Open an account without anything in it."""
        member_id = MEMBER_IDS.new(self.clock, self.parts.chance)
        self.members.append(member_id)
        row = {
            "id": member_id,
            "number": f"12345678{len(self.members):04d}",
            "state": "open",
            "language": "ja",
            "opened_at_us": self.clock.now_us(),
        }
        self.write(lambda at: at.execute(insert(member).values(row)))
        return member_id

    def log_in(self, member_id: MemberId) -> Session:
        """Open a session on a trusted device."""

        def work(at):
            arrival = Arrival(ip="192.0.2.7", user_agent="Test/1.0")
            device = devices.enrol(at, self.parts, member_id, arrival, Standing.TRUSTED).device
            birth = Birth(member_id=member_id, device_id=device.id, level=Level.CODE, arrival=arrival)
            return sessions.open_session(at, self.parts, birth).session

        return cast("Session", self.write(work))

    def agree(self, issuer: str, subject, about: About) -> None:
        """Agree on what a partner calls something of ours."""
        self.write(lambda at: agree_within(at, self.parts, issuer, subject, about))

    def sessions_of(self, member_id):
        with self.parts.store.read() as at:
            return sessions.of_member(at, member_id, self.clock.now_us())

    def holds_of(self, member_id):
        with self.parts.store.read() as at:
            return holds_on(at, member_id, self.clock.now_us())

    def rows(self, table):
        with self.parts.store.read() as at:
            return at.execute(select(table)).all()

    def rows_of_holds(self):
        """Return every hold that was ever placed."""
        return self.rows(hold)

    def signs_on(self, kind, about):
        """Return the signs that stand against somebody."""
        return sorted(
            row.sign
            for row in self.rows(signal_evidence)
            if (row.kind, row.about, row.lifted_at_us) == (kind, about, None)
        )

    def feed(self):
        """Return the one feed of this house."""
        with self.parts.store.read() as at:
            (feed,) = feeds.all_feeds(at)
        return feed

    def stream(self):
        """Return the one stream of this house."""
        with self.parts.store.read() as at:
            (stream,) = streams.all_streams(at)
        return stream

    def kinds(self):
        """Return the types of the tokens that were taken in, verifications left out."""
        rows = self.rows(signal_received)
        return sorted(row.event_type for row in rows if "verification" not in row.event_type)

    def events(self):
        """Return all that happened."""
        with self.parts.store.read() as at:
            return read_after(at, 0, limit=10_000)

    def outcomes(self):
        """Return what came of the tokens that were taken in, verifications left out."""
        return sorted(
            row.outcome for row in self.rows(signal_received) if "verification" not in row.event_type
        )

    def deeds(self):
        """Return what was done on the partner's word."""
        return sorted((row.action, row.kind, row.state) for row in self.rows(signal_action))

    def queue(self):
        """Return the states of tokens on their way out, verifications left out."""
        return sorted(row.state for row in self.rows(signal_outgoing) if "verification" not in row.event_type)

    async def go_on(self) -> None:
        """Announce what happened and deliver all that is due, as the living exchange would."""
        await self.exchange.announcer.catch_up()
        await self.exchange.deliverer.deliver_due()


@dataclass
class Houses:
    """An ID and a wallet that have met, with one person known to both."""

    id: House
    wallet: House
    clock: SetClock
    person: MemberId
    user: MemberId

    async def settle(self) -> None:
        """Let both go on until nothing moves any more."""
        for house in (self.id, self.wallet, self.id, self.wallet):
            await house.go_on()


async def open_house(
    folder: Path, key: str, clock: SetClock, settings=QUICK, *, origin="", **options
) -> House:
    """Open an institution, at an origin of its own or one that it had before."""
    listener = listening_socket("127.0.0.1", 0)
    chance = SeededChance(sum(key.encode()))
    origin = origin or f"http://{key}.localhost:{listener.getsockname()[1]}"
    institution = Institution(
        key=key,
        names={"ja": key, "en": key},
        host=f"{key}.localhost",
        origin=origin,
        telephone="0120-000-000",
        desk_hours={"ja": "平日", "en": "weekdays"},
    )
    keyring = HeldKeyring.of(new_keys(clock, chance), chance)
    parts = Parts(institution, open_store(f"sqlite:///{folder / key}.db"), keyring, clock, chance)
    exchange = open_exchange(parts, settings=settings, **options)
    app = create_signals_app(exchange)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
    return House(exchange, clock, server, listener)


@asynccontextmanager
async def serving(house: House) -> AsyncIterator[House]:
    """Serve a house while the block runs, and close it at the end."""
    running = asyncio.create_task(house.server.serve(sockets=[house.listener]))
    try:
        while not house.server.started:  # noqa: ASYNC110 - the server sets no event
            await asyncio.sleep(0.01)
        yield house
    finally:
        house.server.should_exit = True
        await running
        await house.exchange.close()
        house.parts.store.close()


@asynccontextmanager
async def two_houses(folder: Path, *, method=PUSH, settings=QUICK, **options) -> AsyncIterator[Houses]:
    """Open an ID and a wallet that hear each other, one stream each way."""
    clock = SetClock(NOON_US)
    async with AsyncExitStack() as ending:
        one = await ending.enter_async_context(serving(await open_house(folder, "id", clock, settings)))
        other = await ending.enter_async_context(
            serving(await open_house(folder, "wallet", clock, settings, **options))
        )
        await introduce(Introduction(one.exchange, other.exchange, method=method))
        person, user = one.add_member(), other.add_member()
        name = IssSub(one.origin, "sub-of-the-person")
        one.agree(other.origin, name, About(MEMBER, person))
        other.agree(one.origin, name, About(MEMBER, user))
        houses = Houses(one, other, clock, person, user)
        await houses.settle()
        yield houses
