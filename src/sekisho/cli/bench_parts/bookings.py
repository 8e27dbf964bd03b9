"""Transfers a second in the ledger, beside the smallest SQL that moves money. Run as a module; prints JSON.

The smallest SQL makes a transfer once by its key, changes two balances and writes two postings, in a
savepoint of its own within a group commit, as the ledger does; it knows no pending amounts, limits or chain.
Both get the same clients, the same accounts and the same engine, in turns.
"""

import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from datetime import date
from pathlib import Path
from statistics import median
from time import perf_counter

import msgspec

from sekisho.cli.bench_parts.figures import Bookings
from sekisho.kernel.chance import Chance, SeededChance, SystemChance
from sekisho.kernel.clock import SystemClock
from sekisho.kernel.yen import Yen
from sekisho.ledger.accounts import Side, open_account
from sekisho.ledger.transfers import Transfer, post
from sekisho.storage.engine import Store, open_store
from sekisho.storage.handwritten import change
from sekisho.storage.unit_of_work import Connection

ACCOUNTS = 1_000
CLIENTS = 8
ROUNDS = 5
AMOUNT = 5

Pair = tuple[str, str]
Submit = Callable[[str, Pair], "Future[object]"]


def measure(transfers: int, folder: Path) -> Bookings:
    """Book so many transfers in each round, by both ways in turns, and return the median rates."""
    chance = SeededChance(1)
    stores = [open_store(f"sqlite:///{folder / name}.db") for name in ("ledger", "by_hand")]
    ways = (ledger_way(stores[0]), _by_hand(stores[1]))
    rates: list[list[float]] = [[], []]
    for round_ in range(ROUNDS):
        for found, (accounts, submit) in zip(rates, ways, strict=True):
            found.append(rate(transfers, accounts, submit, f"{round_}", chance))
    for store in stores:
        store.close()
    return Bookings(ledger_per_second=median(rates[0]), by_hand_per_second=median(rates[1]), clients=CLIENTS)


def rate(transfers: int, accounts: Sequence[str], submit: Submit, mark: str, chance: Chance) -> float:
    """Let all clients submit their share at once, and return how many were done a second."""
    share = transfers // CLIENTS
    pairs = [[_pair(accounts, chance) for _ in range(share)] for _ in range(CLIENTS)]

    def client(number: int) -> None:
        for count, pair in enumerate(pairs[number]):
            submit(f"{mark}-{number}-{count}", pair).result()

    threads = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
    began = perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return share * CLIENTS / (perf_counter() - began)


def _pair(accounts: Sequence[str], chance: Chance) -> Pair:
    debit = chance.below(len(accounts))
    return accounts[debit], accounts[(debit + 1 + chance.below(len(accounts) - 1)) % len(accounts)]


def ledger_way(store: Store) -> tuple[Sequence[str], Submit]:
    """Return accounts in the ledger of a store, and what moves an amount between two of them."""
    clock, chance, today = SystemClock(), SystemChance(), date(2026, 1, 1)

    def opened(connection: Connection) -> list[str]:
        return [
            open_account(
                connection,
                kind="bench",
                owner="bench",
                normal=Side.DEBIT,
                net_debit_max=Yen(10**12),
                clock=clock,
                chance=chance,
            )
            for _ in range(ACCOUNTS)
        ]

    def submit(key: str, pair: Pair) -> "Future[object]":
        debit, credit = pair
        transfer = Transfer(
            key=key, kind="bench", debit=debit, credit=credit, amount=Yen(AMOUNT), effective_on=today
        )
        return store.write(lambda connection: post(connection, transfer, clock=clock, chance=chance))

    return store.write(opened).result(), submit


def _by_hand(store: Store) -> tuple[Sequence[str], Submit]:
    accounts = [f"acc_{number:032x}" for number in range(ACCOUNTS)]

    def made(connection: Connection) -> None:
        for table in (
            "bench_account (id TEXT PRIMARY KEY, balance INTEGER NOT NULL)",
            "bench_transfer (key TEXT PRIMARY KEY)",
            "bench_posting (id INTEGER PRIMARY KEY, key TEXT, account TEXT, amount INTEGER)",
        ):
            change(connection, f"CREATE TABLE {table}", ())
        for account in accounts:
            change(connection, "INSERT INTO bench_account VALUES (?, 0)", (account,))

    def moved(connection: Connection, key: str, pair: Pair) -> None:
        change(connection, "INSERT INTO bench_transfer VALUES (?)", (key,))
        for account, amount in zip(pair, (AMOUNT, -AMOUNT), strict=True):
            change(
                connection, "UPDATE bench_account SET balance = balance + ? WHERE id = ?", (amount, account)
            )
            change(
                connection,
                "INSERT INTO bench_posting (key, account, amount) VALUES (?, ?, ?)",
                (key, account, amount),
            )

    def submit(key: str, pair: Pair) -> "Future[object]":
        return store.write(lambda connection: moved(connection, key, pair))

    store.write(made).result()
    return accounts, submit


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(dir=sys.argv[2]) as place:
        sys.stdout.write(msgspec.json.encode(measure(int(sys.argv[1]), Path(place))).decode())
