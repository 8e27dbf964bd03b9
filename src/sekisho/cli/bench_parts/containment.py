"""Members shut in a second by a containment, beside bare units of work. Run as a module; prints JSON.

Each member has a password, a session, an address, a mail address and a telephone: shutting one ends the
session, takes the password, holds the money, writes a letter, a mail and a text message, opens a case and
tells it as events. A bare unit of work writes one event, and shares its commit with as many others.
"""

import asyncio
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import msgspec

from sekisho.cli.bench_parts.figures import Containments
from sekisho.identity import devices, members, passwords, personal_data, sessions
from sekisho.identity.arrivals import Arrival
from sekisho.identity.assurance import Level, Standing
from sekisho.identity.institution import Institution, Parts
from sekisho.identity.personal_data import Item
from sekisho.identity.sessions import Birth
from sekisho.kernel.chance import SystemChance
from sekisho.kernel.clock import SystemClock
from sekisho.kernel.ids import CAMPAIGN
from sekisho.response.cohorts import Suspect
from sekisho.response.containment import AT_ONCE, ContainmentDesk
from sekisho.response.containment_rows import Policy
from sekisho.storage import outbox
from sekisho.storage.engine import open_store
from sekisho.storage.keyring import HeldKeyring, new_keys
from sekisho.storage.unit_of_work import Connection

ADDED_AT_ONCE = 200
_LENDER = Institution(
    key="lender",
    names={"ja": "あさぎりローン", "en": "Asagiri Loan"},
    host="lender.localhost",
    origin="http://lender.localhost",
    telephone="0120-000-111",
    desk_hours={"ja": "平日9:00〜18:00", "en": "weekdays 9:00 to 18:00"},
)
_ARRIVAL = Arrival(ip="192.0.2.1", user_agent="Mozilla/5.0 (Windows NT 10.0) Chrome/140.0")


def measure(count: int, folder: Path) -> Containments:
    """Contain so many members in one containment, and write as many events in bare units of work."""
    store, clock, chance = open_store(f"sqlite:///{folder / 'lender.db'}"), SystemClock(), SystemChance()
    parts = Parts(_LENDER, store, HeldKeyring.of(new_keys(clock, chance), chance), clock, chance)
    entered = _members(parts, count)
    cohort = [Suspect(each, clock.now_us(), 0.99) for each in entered]
    policy = Policy(revision=1, automatic_from=0.9, proposed_from=0.5, automatic_members_max=count)
    desk = ContainmentDesk(parts, policy)
    campaign = CAMPAIGN.new(clock, chance)

    async def contain() -> tuple[float, float]:
        begun = await desk.begin(campaign, cohort, by="bench")
        began, cpu = time.perf_counter(), time.process_time()
        dealt_with = await desk.run(begun.id)
        if dealt_with != count:
            raise RuntimeError(f"{dealt_with} of {count} were dealt with")
        return time.perf_counter() - began, time.process_time() - cpu

    seconds, cpu_seconds = asyncio.run(contain())
    bare = _bare_units_per_second(parts, count)
    store.close()
    return Containments(
        members=count,
        members_per_second=count / seconds,
        cpu_ms_per_member=1_000 * cpu_seconds / count,
        units_per_second=bare,
    )


def _members(parts: Parts, count: int) -> list[str]:
    made: list[str] = []
    while len(made) < count:
        adding = partial(_add, parts=parts, count=min(ADDED_AT_ONCE, count - len(made)))
        made += parts.store.write(adding).result()
    return made


def _add(connection: Connection, *, parts: Parts, count: int) -> list[str]:
    return [_member(connection, parts) for _ in range(count)]


def _member(connection: Connection, parts: Parts) -> str:
    one = members.open_account(connection, parts, language="ja")
    items = {
        Item.NAME: "山田 花子",
        Item.HOME_ADDRESS: "宮城県仙台市青葉区1-1",
        Item.EMAIL: "hanako@example.jp",
        Item.MOBILE_PHONE: f"+8190{parts.chance.below(10**8):08d}",
    }
    personal_data.store(connection, parts.keyring, one.id, items, parts.clock.now_us())
    passwords.put(connection, parts, one.id, "bench", "bench")
    device = devices.enrol(connection, parts, one.id, _ARRIVAL, Standing.TRUSTED).device
    birth = Birth(member_id=one.id, device_id=device.id, level=Level.CODE, arrival=_ARRIVAL, risk=0.9)
    sessions.open_session(connection, parts, birth)
    return one.id


def _bare_units_per_second(parts: Parts, count: int) -> float:
    def written(connection: Connection, number: int) -> None:
        outbox.append(connection, [outbox.Entry("bench:unit", f"{number}", number, b"{}")])

    began = time.perf_counter()
    for start in range(0, count, AT_ONCE):
        together = range(start, min(start + AT_ONCE, count))
        for work in [parts.store.write(partial(written, number=number)) for number in together]:
            work.result()
    return count / (time.perf_counter() - began)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(dir=sys.argv[2]) as place:
        sys.stdout.write(msgspec.json.encode(measure(int(sys.argv[1]), Path(place))).decode())
