"""Debits a second under mandates, beside the bare ledger. Run as a module; prints JSON.

A debit books what a transfer does, and asks for its key, what is switched off, its mandate, both ceilings and
holds before it, in the same unit of work; it is kept with its answer, and told as an event. Both get the same
clients and the same engine, in turns. The mandates are old ones: each has been debited before.
"""

import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import Future
from datetime import date
from pathlib import Path
from statistics import median

import msgspec

from sekisho.bank import deposits, holders, mandates
from sekisho.bank.debit_signs import DebitWatchSettings
from sekisho.bank.debits import DebitDesk
from sekisho.bank.deposits import Opening
from sekisho.bank.holders import NewHolder
from sekisho.bank.house import BankParts, open_house
from sekisho.bank.mandates import Action, Consented
from sekisho.bank.orders import Asked, Why
from sekisho.bank.switch_book import BankSwitches
from sekisho.cli.bench_parts.bookings import AMOUNT, CLIENTS, ROUNDS, Pair, Submit, ledger_way, rate
from sekisho.cli.bench_parts.figures import Debits
from sekisho.identity.institution import Institution, Parts
from sekisho.kernel.chance import SeededChance, SystemChance
from sekisho.kernel.clock import SystemClock
from sekisho.kernel.yen import Yen
from sekisho.storage.engine import Store, open_store
from sekisho.storage.keyring import HeldKeyring, new_keys
from sekisho.storage.unit_of_work import Connection

DEPOSITS = 200
PARTNER = "bench-wallet"
PLENTY = Yen(10**10)
_BANK = Institution(
    key="bank",
    names={"ja": "みさき銀行", "en": "Misaki Bank"},
    host="bank.localhost",
    origin="http://bank.localhost",
    telephone="",
    desk_hours={"ja": "", "en": ""},
)


def measure(debits: int, folder: Path) -> Debits:
    """Make so many debits in each round, and as many transfers, in turns; return the median rates."""
    chance = SeededChance(1)
    stores = [open_store(f"sqlite:///{folder / name}.db") for name in ("bank", "ledger")]
    ways = (_debit_way(stores[0]), ledger_way(stores[1]))
    rates: list[list[float]] = [[], []]
    for round_ in range(ROUNDS):
        for found, (accounts, submit) in zip(rates, ways, strict=True):
            found.append(rate(debits, accounts, submit, f"{round_}", chance))
    for store in stores:
        store.close()
    return Debits(debits_per_second=median(rates[0]), ledger_per_second=median(rates[1]), clients=CLIENTS)


def _debit_way(store: Store) -> tuple[Sequence[str], Submit]:
    clock, chance = SystemClock(), SystemChance()
    parts = Parts(_BANK, store, HeldKeyring.of(new_keys(clock, chance), chance), clock, chance)
    bank = open_house(parts)
    desk = DebitDesk(bank, BankSwitches(parts), watch=DebitWatchSettings(new_for_us=0))
    made = store.write(lambda connection: [_mandate(connection, bank) for _ in range(DEPOSITS)]).result()

    def debit(connection: Connection, key: str, mandate_id: str) -> None:
        order = desk.debit_within(connection, Asked(PARTNER, mandate_id, key, Yen(AMOUNT), key, "-"))
        if order.why is not Why.DONE:
            raise RuntimeError(f"a debit was refused: {order.why}")

    def submit(key: str, pair: Pair) -> "Future[object]":
        return store.write(lambda connection: debit(connection, key, pair[0]))

    for number, mandate_id in enumerate(made):
        submit(f"first-{number}", (mandate_id, "")).result()
    return made, submit


def _mandate(connection: Connection, bank: BankParts) -> str:
    depositor_id = holders.take_on(connection, bank, NewHolder("ベンチ タロウ", date(1980, 1, 1), ""))
    deposit = deposits.open_deposit(connection, bank, Opening(depositor_id, "001"))
    deposits.pay_in(connection, bank, deposit, PLENTY, key=deposit.id)
    consented = Consented(
        partner=PARTNER,
        deposit_id=deposit.id,
        user_ref=deposit.id,
        actions=(Action.DEBIT,),
        ceiling=PLENTY,
        month_ceiling=PLENTY,
        way="bench",
    )
    return mandates.activate_within(connection, bank, consented).id


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(dir=sys.argv[2]) as place:
        sys.stdout.write(msgspec.json.encode(measure(int(sys.argv[1]), Path(place))).decode())
