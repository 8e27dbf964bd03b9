"""An institution with members who have a password, a session and contacts: what containments work on."""

import asyncio
from typing import NamedTuple

from sqlalchemy import Connection, insert, select
from tests.identity.member_at_hand import AtHand, open_at_hand

from sekisho.identity import members, passwords, sessions
from sekisho.identity.holds import holds_on
from sekisho.identity.personal_data import Item, store
from sekisho.kernel.clock import HOUR_US
from sekisho.kernel.ids import MemberId
from sekisho.response import cases, containment_rows
from sekisho.response.cohorts import Suspect
from sekisho.response.containment import ContainmentDesk
from sekisho.response.containment_rows import Policy
from sekisho.storage.tables.messages import message
from sekisho.storage.tables.passkeys import passkey

CAMPAIGN = "cmp_0600000000000000000000000000000000"
POLICY = Policy(revision=1, automatic_from=0.9, proposed_from=0.5, automatic_members_max=50)


class MemberState(NamedTuple):
    """What is left of an account."""

    state: str
    password_works: bool
    sessions: int
    holds: int
    notices: tuple[str, ...]
    cases: tuple[str, ...]


class CohortAtHand:
    """One institution, and the members of a cohort."""

    def __init__(self, folder, count=3, *, of: AtHand | None = None):
        self.at_hand = of or open_at_hand(folder)
        self.members = [self.add() for _ in range(count)]
        self.at_hand.clock.advance(HOUR_US)
        self.entered_at_us = self.at_hand.clock.now_us()

    @property
    def parts(self):
        return self.at_hand.parts

    def desk(self, policy=POLICY, **more):
        return ContainmentDesk(self.parts, policy, **more)

    def add(self) -> MemberId:
        member_id = self.at_hand.add_reachable_member()
        items = {Item.HOME_ADDRESS: "宮城県仙台市青葉区1-1", Item.NAME: "山田 花子"}

        def work(connection: Connection) -> None:
            passwords.put(connection, self.parts, member_id, "hash", "pepper")
            store(connection, self.parts.keyring, member_id, items, self.at_hand.clock.now_us())

        self.at_hand.store.write(work).result()
        return member_id

    def add_passkey(self, member_id, credential_id):
        now_us = self.at_hand.clock.now_us()
        values = {
            "credential_id": credential_id,
            "member_id": member_id,
            "public_key": b"key",
            "sign_count": 0,
            "name": "",
            "aaguid": "",
            "transports": "",
            "backup_eligible": False,
            "backed_up": False,
            "created_at_us": now_us,
            "last_used_at_us": None,
            "suspected_at_us": None,
            "revoked_at_us": None,
        }
        self.at_hand.store.write(lambda at: at.execute(insert(passkey).values(values))).result()

    def cohort(self, *probabilities):
        given = probabilities or (0.99,) * len(self.members)
        return [Suspect(each, self.entered_at_us, p) for each, p in zip(self.members, given, strict=True)]

    def contain(self, *probabilities, campaign=CAMPAIGN, policy=POLICY):
        desk = self.desk(policy)
        begun = asyncio.run(desk.begin(campaign, self.cohort(*probabilities), by="sato"))
        asyncio.run(desk.run(begun.id))
        return begun

    def state_of(self, member_id) -> MemberState:
        now_us = self.at_hand.clock.now_us()
        with self.at_hand.store.read() as connection:
            found = members.find(connection, member_id)
            kept = passwords.find(connection, member_id)
            told = connection.execute(select(message.c.channel).where(message.c.member_id == member_id))
            return MemberState(
                "none" if found is None else found.state.value,
                kept is not None and kept.is_valid,
                len(sessions.of_member(connection, member_id, now_us)),
                len(holds_on(connection, member_id, now_us)),
                tuple(sorted(told.scalars())),
                tuple(case.stage.value for case in cases.of_member(connection, member_id)),
            )

    def standings(self, begun):
        with self.at_hand.store.read() as connection:
            rows = containment_rows.members_of(connection, begun.id)
        return {row.named: row.standing.value for row in rows}
