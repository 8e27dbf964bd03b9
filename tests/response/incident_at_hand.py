"""An institution after an attack: who was entered is shut, money was lost, and the record says it all."""

import json

from tests.identity.member_at_hand import CHROME
from tests.response.cohort_at_hand import CAMPAIGN, CohortAtHand

from sekisho.identity import devices, sessions
from sekisho.identity.arrivals import Arrival
from sekisho.identity.assurance import Level, Standing
from sekisho.identity.personal_data import Item
from sekisho.identity.reveals import told
from sekisho.identity.sessions import Birth
from sekisho.kernel.clock import HOUR_US
from sekisho.response import cases
from sekisho.response.case_stages import Stage
from sekisho.response.cases import CaseKind, Opening, Reporter, Step

HUNT = {
    "hostile_attempts": {"value": 2_400_000, "query": "SELECT 1"},
    "members_tried": {"value": 2_300_000, "query": "SELECT 2"},
    "addresses": {"value": 180_000, "query": "SELECT 3"},
    "limits": ["some"],
}


def open_incident(folder):
    """Return a cohort of three, each entered and shut; one of them was seen, and lost 100,000 yen."""
    hand = CohortAtHand(folder, 3)
    thief = Arrival(ip="198.51.100.9", user_agent=CHROME)

    def enter(connection, member_id):
        device = devices.enrol(connection, hand.parts, member_id, thief, Standing.UNCONFIRMED).device
        birth = Birth(member_id=member_id, device_id=device.id, level=Level.CODE, arrival=thief)
        return sessions.open_session(connection, hand.parts, birth).session

    def attack(connection):
        opened = [enter(connection, member_id) for member_id in hand.members]
        items = [Item.HOME_ADDRESS, Item.NAME]
        told(connection, hand.parts, hand.members[0], opened[0].id, items, actor="member")

    hand.at_hand.store.write(attack).result()
    hand.at_hand.clock.advance(HOUR_US)
    begun = hand.contain()
    lost(hand, hand.members[0], "9901")
    (folder / "hunt").mkdir(exist_ok=True)
    (folder / "hunt" / "report.json").write_text(json.dumps(HUNT), encoding="utf-8")
    return hand, begun


def lost(hand, member_id, partner):
    """Open a case of 100,000 yen that is confirmed."""
    opening = Opening(
        kind=CaseKind.MONEY_TAKEN,
        reporter=Reporter.MEMBER,
        occasion=f"lost:{member_id}",
        member_id=member_id,
        campaign=CAMPAIGN,
        partner=partner,
        loss_yen=100_000,
    )

    def work(connection):
        case = cases.open_case(connection, hand.parts, opening, by="sato")
        step = Step(Stage.CONFIRMED, 100_000, "bank", hand.at_hand.clock.now_us())
        return cases.take_step(connection, hand.parts, case.id, step, by="sato")

    return hand.at_hand.store.write(work).result()
