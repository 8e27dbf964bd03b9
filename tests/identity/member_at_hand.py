"""A member with a session on a device: what tests of one part of identity stand on."""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import insert

from sekisho.identity.assurance import Level, Proof, Standing
from sekisho.identity.devices import Device
from sekisho.identity.institution import Institution, Parts
from sekisho.identity.sessions import Session
from sekisho.kernel.chance import SeededChance
from sekisho.kernel.clock import SetClock
from sekisho.kernel.ids import DEVICE, MEMBER, SESSION, MemberId
from sekisho.storage.engine import Store, open_store
from sekisho.storage.keyring import HeldKeyring, new_keys
from sekisho.storage.tables.members import member

NOON_US = 1_790_000_000_000_000

LENDER = Institution(
    key="lender",
    names={"ja": "あさぎりローン", "en": "Asagiri Loan"},
    host="lender.localhost",
    origin="http://lender.localhost:8470",
    telephone="0120-000-000",
    desk_hours={"ja": "平日9:00-18:00", "en": "weekdays 9:00-18:00"},
)


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
