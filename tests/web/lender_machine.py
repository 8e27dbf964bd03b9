"""A machine for cash beside the lender's pages, and a member who stands before it with a browser."""

from dataclasses import dataclass
from functools import partial

from tests.lender.atm_at_hand import MACHINE, NETWORK, NUMBER, PLACE, Line
from tests.web.lender_site import house_of, play
from tests.web.member_site import MemberSite

from sekisho.kernel.chance import SeededChance
from sekisho.lender import atm_sessions
from sekisho.lender.outside import Outside
from sekisho.range.atm.lender_line import DeskLine
from sekisho.range.atm.machine import Machine
from sekisho.range.atm.teller import Teller, View
from sekisho.range.atm.vault import Vault
from sekisho.web.lender.desks import STATE

PIN = "5938"


@dataclass
class Booth:
    """The lender's pages, one machine with its keys, and the line between the two."""

    site: MemberSite
    teller: Teller
    line: Line

    def given(self):
        """Return the cash that left the machine, in yen, net of what it took."""
        return self.teller.machine.vault.given_yen

    async def code(self):
        """Begin at the machine, and return what it shows to be typed."""
        screen = await self.teller.begin()
        assert screen.view is View.CODE
        return screen.typed

    async def type(self, pin=PIN, number=NUMBER):
        """Type at the machine, once it asks for it."""
        await self.teller.look()
        return await self.teller.enter(number, pin)

    async def insert(self, yen, number=NUMBER):
        """Put cash in, once the machine asks for it."""
        await self.teller.look()
        return await self.teller.insert(number, yen)


def play_at_machine(folder, scene, **vault):
    """Play a scene with a machine; `vault` may say what happens before a note moves."""
    machines: dict[str, Machine] = {}
    line = Line(machines)

    async def opened(site):
        house = house_of(site)
        house.store.write(
            partial(
                atm_sessions.register_machine,
                house=house,
                machine_id=MACHINE,
                network=NETWORK,
                place=PLACE,
            )
        ).result()
        filled = Vault(folder / "machine" / "vault.ndjson", **vault)
        filled.fill(1_000_000)
        machine = Machine(MACHINE, folder / "machine", filled, site.clock)
        machines[MACHINE] = machine
        desk = site.app.state[STATE].machines
        teller = Teller(machine, DeskLine(desk, NETWORK), SeededChance(3))
        try:
            await scene(Booth(site, teller, line))
        finally:
            machine.close()

    play(folder, opened, Outside(network=line))
