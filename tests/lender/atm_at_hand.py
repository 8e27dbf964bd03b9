"""A lender with a member and a machine: what the tests of the smartphone ATM stand on."""

import asyncio
from dataclasses import dataclass
from datetime import date
from functools import partial
from itertools import count
from pathlib import Path

from sqlalchemy import func, select
from tests.identity.login_house import SaidGuard
from tests.identity.member_at_hand import AtHand, Entered, open_at_hand
from tests.ledger.books import balance_of
from tests.lender.lines import agreement

from sekisho.identity.arrivals import Arrival
from sekisho.identity.assurance import Standing, Way
from sekisho.identity.hashing import Hasher
from sekisho.identity.session_desk import Present
from sekisho.kernel.posture import OperationalError, Posture
from sekisho.kernel.yen import Yen
from sekisho.ledger.accounts import find_account
from sekisho.lender import atm_sessions
from sekisho.lender.atm_machines import MachineDesk, Typed
from sekisho.lender.atm_network import PART
from sekisho.lender.atm_pins import SETTING, Pin, PinDesk, find_pin
from sekisho.lender.atm_sessions import Direction
from sekisho.lender.contracts import contract_of, sign
from sekisho.lender.gates import Gatekeeper
from sekisho.lender.house import LenderParts, open_house
from sekisho.lender.smartphone_atm import SmartphoneAtm
from sekisho.lender.switches import NothingSwitchedOff, SwitchedOff
from sekisho.range.atm.here import MachinesHere
from sekisho.range.atm.machine import Machine
from sekisho.range.atm.vault import Vault
from sekisho.response.money_gates import OnOutage
from sekisho.storage.tables.atm import atm_discrepancy, atm_order

NETWORK = "hoshizora"
MACHINE, PLACE = "0042", "北町一丁目 1号機"
OTHER, OTHER_PLACE = "0666", "南港埠頭 2号機"
NUMBER = "8470"
PIN = "5938"
HERE = Arrival(ip="192.0.2.7", country="JP")
KEYS = count(1)


class Line(MachinesHere):
    """The line to the machines: cut before a request arrives or before its answer does, or slow."""

    def __init__(self, machines):
        super().__init__(machines)
        self.cut = ""
        self.late = []

    async def pay_out(self, order):
        if self.cut == "late":
            self.late.append(order)
            raise OperationalError(PART, "on its way")
        return await super().pay_out(order)

    def _machine(self, machine_id):
        if self.cut in {"request", "late"}:
            raise OperationalError(PART, "cut")
        found = super()._machine(machine_id)
        return Deaf(found) if self.cut == "answer" else found


class Deaf:
    """A machine that does what it hears, and whose answers nobody hears."""

    def __init__(self, machine):
        self._machine = machine

    def __getattr__(self, name):
        def done(*given):
            getattr(self._machine, name)(*given)
            raise OperationalError(PART, "cut")

        return done


class OneSwitch(NothingSwitchedOff):
    """Switches of which one may be off."""

    off = None

    async def off_for(self, usage):
        if usage.function is self.off:
            return SwitchedOff("incident", {"en": "Off for now.", "ja": "停止しています。"})
        return None


def pin_of(connection, member_id) -> Pin:
    """Return the PIN of a member who has one."""
    pin = find_pin(connection, member_id)
    assert pin is not None
    return pin


@dataclass
class AtmAtHand:
    """The lender, its desks, and the machines, all on one clock."""

    at: AtHand
    house: LenderParts
    guard: SaidGuard
    switches: OneSwitch
    hasher: Hasher
    pins: PinDesk
    app: SmartphoneAtm
    desk: MachineDesk
    machines: dict[str, Machine]
    line: Line
    folder: Path

    def member(self, **agreed):
        """Open an account with a signed line, and return its id."""
        member_id = self.at.add_reachable_member()
        named = agreement(member_id=member_id, **agreed)
        self.house.store.write(
            lambda c: sign(
                c,
                named,
                self.house.book,
                today=date(2025, 6, 1),
                clock=self.house.clock,
                chance=self.house.chance,
            )
        ).result()
        return member_id

    def entered(self, member_id, **how):
        """Log in, and set a PIN with a passkey."""
        entered = self.at.log_in(member_id, **how)
        if how.get("standing", Standing.TRUSTED) is Standing.TRUSTED:
            proven = self.at.prove(entered, Way.CODE, SETTING.key)
            asyncio.run(self.pins.set_pin(Present(*proven), PIN))
        return Present(*self.at.now(entered))

    def show(self, machine_id=MACHINE):
        """Show a code at a machine."""
        return asyncio.run(self.desk.show(NETWORK, machine_id, f"k{next(KEYS)}"))

    def chosen(self, present, yen, *, machine_id=MACHINE, direction=Direction.WITHDRAWAL):
        """Claim a new code and choose."""
        shown = self.show(machine_id)
        asyncio.run(self.app.claim(present, shown.qr))
        return asyncio.run(self.app.choose(present, shown.session_id, direction, Yen(yen)))

    def proven(self, present, purpose, way=Way.PASSKEY):
        """Prove a purpose within a session."""
        return Present(*self.at.prove(Entered(*present), way, purpose.key))

    def approved(self, present, yen, way=Way.PASSKEY, **where):
        """Claim, choose and approve; return the session's id."""
        in_app = self.chosen(present, yen, **where)
        proven = self.proven(present, in_app.purpose, way)
        return asyncio.run(self.app.approve(proven, HERE, in_app.session.id)).session.id

    setting = SETTING

    def approved_deposit(self, present):
        """Claim a code to repay; return the session's id."""
        return self.chosen(present, 0, direction=Direction.REPAYMENT).session.id

    def entered_again(self, present):
        """Log the same member in anew, with the PIN as it is."""
        return Present(*self.at.log_in(present.session.member_id))

    def contract(self, member_id):
        """Return a member's contract as it stands."""
        with self.house.store.read() as connection:
            return contract_of(connection, member_id)

    def overpaid(self):
        """Return what members paid too much."""
        with self.house.store.read() as connection:
            return balance_of(connection, self.house.accounts.overpaid).amount

    def type(self, session_id, pin=PIN, number=NUMBER, key=""):
        """Type at the machine."""
        typed = Typed(key or f"t{next(KEYS)}", number, pin)
        return asyncio.run(self.desk.enter(NETWORK, session_id, typed))

    def order(self, session_id):
        """Return a session's order."""
        with self.house.store.read() as connection:
            its = select(atm_order).where(atm_order.c.atm_session_id == session_id)
            return connection.execute(its).mappings().one_or_none()

    def session(self, session_id):
        """Return a session as it stands."""
        with self.house.store.read() as connection:
            return atm_sessions.find(connection, session_id)

    def principal(self, member_id):
        """Return what a member owes, and what is reserved on top."""
        with self.house.store.read() as connection:
            contract = contract_of(connection, member_id)
            assert contract is not None
            account = find_account(connection, contract.principal_account)
        assert account is not None
        return account.balance.amount, account.debits_pending

    def cash_booked(self):
        """Return what the books say that machines gave, net of what they kept, with the fees."""
        with self.house.store.read() as connection:
            return -balance_of(connection, self.house.accounts.atm_cash).amount

    def cash_given(self):
        """Return what really left the vaults, net."""
        return sum(machine.vault.given_yen for machine in self.machines.values())

    def fees(self):
        """Return the fees of all settled orders, on the side on which they are booked."""
        with self.house.store.read() as connection:
            its = select(func.sum(atm_order.c.fee_yen)).where(
                atm_order.c.state.in_(["dispensed", "deposited"])
            )
            return int(connection.execute(its).scalar() or 0)

    def discrepancies(self):
        """Return what does not agree."""
        with self.house.store.read() as connection:
            return sorted(connection.execute(select(atm_discrepancy.c.kind)).scalars())

    def reconcile(self, machine_id=MACHINE, day=None):
        """Compare a machine's day with ours."""
        report = self.machines[machine_id].report(day or self.house.today())
        return asyncio.run(self.desk.settlement.reconcile(machine_id, report))

    def ask_again(self):
        """Ask about what is open and due."""
        return asyncio.run(self.desk.settlement.ask_again())

    def machine(self, machine_id=MACHINE, **hooks):
        """Start a machine, or start it anew after its power was cut."""
        folder = self.folder / machine_id
        vault = Vault(folder / "vault.ndjson", **hooks)
        self.machines[machine_id] = Machine(machine_id, folder, vault, self.house.clock)
        return self.machines[machine_id]

    def close(self):
        for machine in self.machines.values():
            machine.close()
        self.hasher.close()
        self.at.store.close()


def open_atm(folder):
    """Open a lender with two machines that are filled."""
    at = open_at_hand(folder)
    house = open_house(at.parts)
    guard, switches = SaidGuard(), OneSwitch()
    closed = OnOutage(Posture.CLOSED, Posture.CLOSED)
    gate = Gatekeeper(house, guard, switches, on_outage=closed)
    hasher = Hasher(at.chance, threads=1, memory_kib=64, passes=1)
    pins = PinDesk(house, guard, hasher, on_outage=Posture.CLOSED)
    machines: dict[str, Machine] = {}
    line = Line(machines)
    app = SmartphoneAtm(house, gate, switches, on_outage=Posture.CLOSED)
    desk = MachineDesk(house, pins, line)
    opened = AtmAtHand(
        at, house, guard, switches, hasher, pins, app, desk, machines, line, folder / "machines"
    )
    for machine_id, place in ((MACHINE, PLACE), (OTHER, OTHER_PLACE)):
        house.store.write(
            partial(
                atm_sessions.register_machine,
                house=house,
                machine_id=machine_id,
                network=NETWORK,
                place=place,
            )
        ).result()
        opened.machine(machine_id).vault.fill(2_000_000)
    return opened
