"""A bank that debits until it is killed, and tells what it answered: `debiting_process.py URL FOLDER`."""

import os
import sys
import threading
from functools import partial
from pathlib import Path

from tests.bank.mandate_at_hand import asked, open_bank

from sekisho.kernel.yen import Yen
from sekisho.storage.engine import open_store

CLIENTS = 8
YEN = 10


def debit_for_ever(url: str, folder: Path) -> None:
    """Debit one account by many clients at once; print each key once its debit was answered as done."""
    bank = open_bank(folder, store_at=open_store(url))
    # One user and eight partners: the bank's watch over new mandates is not what is tried here.
    ceiling = Yen(10_000_000)
    mandates = [
        bank.mandate(partner=f"partner-{number}", ceiling=ceiling, month_ceiling=ceiling)
        for number in range(CLIENTS)
    ]
    desk = bank.debits()

    def client(number: int) -> None:
        count = 0
        while True:
            wanted = asked(mandates[number], YEN, f"{number}-{count}")
            order = bank.do(partial(desk.debit_within, asked=wanted))
            # One small write at once: a pipe takes it whole, and no buffer of ours can lose it.
            os.write(sys.stdout.fileno(), f"{order.partner} {order.key} {order.id} {order.why}\n".encode())
            count += 1

    threads = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()


if __name__ == "__main__":
    debit_for_ever(sys.argv[1], Path(sys.argv[2]))
