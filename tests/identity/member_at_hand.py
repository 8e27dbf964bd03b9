"""A member with a session on a device: what tests of one part of identity stand on."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection, insert, select

from sekisho.identity import devices, sessions
from sekisho.identity.arrivals import Arrival
from sekisho.identity.assurance import Level, Proof, Standing, Way
from sekisho.identity.devices import Device
from sekisho.identity.institution import Institution, Parts
from sekisho.identity.personal_data import Item, store
from sekisho.identity.sessions import Birth, Session
from sekisho.kernel.chance import SeededChance
from sekisho.kernel.clock import SetClock
from sekisho.kernel.ids import DEVICE, MEMBER, SESSION, MemberId
from sekisho.storage.engine import Store, open_store
from sekisho.storage.keyring import HeldKeyring, new_keys
from sekisho.storage.outbox import StoredEntry, read_after
from sekisho.storage.tables.members import member
from sekisho.storage.tables.messages import message

NOON_US = 1_790_000_000_000_000

LENDER = Institution(
    key="lender",
    names={"ja": "あさぎりローン", "en": "Asagiri Loan"},
    host="lender.localhost",
    origin="http://lender.localhost:8470",
    telephone="0120-000-000",
    desk_hours={"ja": "平日9:00-18:00", "en": "weekdays 9:00-18:00"},
)


CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36"


class Entered(NamedTuple):
    """A session and the device that it runs on."""

    session: Session
    device: Device


@dataclass
class AtHand:
    """One institution, its clock, and the file that its data are in."""

    parts: Parts
    clock: SetClock
    chance: SeededChance
    file: Path
    members: int = 0

    @property
    def store(self) -> Store:
        return self.parts.store

    def add_member(self) -> MemberId:
        """Open an account without anything in it."""
        member_id = MEMBER.new(self.clock, self.chance)
        self.members += 1
        row = {
            "id": member_id,
            "number": f"12345678{self.members:04d}",
            "state": "open",
            "language": "ja",
            "opened_at_us": self.clock.now_us(),
        }
        self.store.write(lambda connection: connection.execute(insert(member).values(row))).result()
        return member_id

    def add_reachable_member(self) -> MemberId:
        """Open an account with a mobile number and an e-mail address."""
        member_id = self.add_member()
        contacts = {
            Item.MOBILE_PHONE: f"+8190123400{self.members:02d}",
            Item.EMAIL: f"m{self.members}@example.jp",
        }
        self.store.write(
            lambda connection: store(connection, self.parts.keyring, member_id, contacts, self.clock.now_us())
        ).result()
        return member_id

    def log_in(
        self, member_id: MemberId, level: Level = Level.CODE, standing: Standing = Standing.TRUSTED
    ) -> Entered:
        """Open a session on a device, both in their tables."""
        arrival = Arrival(ip="192.0.2.7", user_agent=CHROME)

        def work(connection: Connection) -> Entered:
            device = devices.enrol(connection, self.parts, member_id, arrival, standing).device
            birth = Birth(member_id=member_id, device_id=device.id, level=level, arrival=arrival)
            return Entered(sessions.open_session(connection, self.parts, birth).session, device)

        return self.store.write(work).result()

    def now(self, entered: Entered) -> Entered:
        """Read a session and its device as they are now."""
        with self.store.read() as connection:
            session = sessions.find(connection, entered.session.id)
            device = devices.find(connection, entered.device.id)
        assert session is not None
        assert device is not None
        return Entered(session, device)

    def prove(self, entered: Entered, way: Way, purpose: str = "") -> Entered:
        """Give a proof within a session, as of now."""
        work = self.store.write(
            lambda connection: sessions.prove(connection, self.parts, entered.session, way, purpose=purpose)
        )
        return Entered(work.result().session, entered.device)

    def events(self) -> list[StoredEntry]:
        """Return all that happened."""
        with self.store.read() as connection:
            return read_after(connection, 0, limit=10_000)

    def notices(self) -> list[str]:
        """Return the kinds of the notices that were queued, sorted, each once for every channel."""
        with self.store.read() as connection:
            kinds = connection.execute(select(message.c.kind)).scalars().all()
        return sorted(kind.split(":")[1] for kind in kinds)

    def device_of(self, member_id: MemberId, standing: Standing = Standing.TRUSTED) -> Device:
        """Make a device that is in no table."""
        now_us = self.clock.now_us()
        return Device(
            id=DEVICE.new(self.clock, self.chance),
            member_id=member_id,
            standing=standing,
            user_agent="",
            first_ip="",
            first_seen_us=now_us,
            last_seen_us=now_us,
            trusted_at_us=now_us if standing is Standing.TRUSTED else None,
            revoked_at_us=None,
            wrong_passwords=0,
        )

    def session_on(self, device: Device, *proofs: Proof, level: Level = Level.PASSWORD) -> Session:
        """Make a session that is in no table."""
        now_us = self.clock.now_us()
        return Session(
            id=SESSION.new(self.clock, self.chance),
            member_id=device.member_id,
            device_id=device.id,
            level=level,
            proven_at_us=now_us,
            opened_at_us=now_us,
            last_seen_us=now_us,
            ended_at_us=None,
            ended_for="",
            ip="192.0.2.7",
            user_agent="",
            attempt_id="",
            risk=0.0,
            campaign="",
            password_leaked=False,
            form_key=b"",
            bound_key="",
            bound_challenge="",
            bound_until_us=0,
            proofs=proofs,
        )


def open_at_hand(folder: Path) -> AtHand:
    """Open an institution with a store in a folder; close its store at the end."""
    clock, chance = SetClock(NOON_US), SeededChance(3)
    file = folder / "lender.db"
    keyring = HeldKeyring.of(new_keys(clock, chance), chance)
    parts = Parts(LENDER, open_store(f"sqlite:///{file}"), keyring, clock, chance)
    return AtHand(parts=parts, clock=clock, chance=chance, file=file)
