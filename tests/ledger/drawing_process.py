"""A process that draws and repays until it is killed, and writes down what it was told was booked."""

import os
import sys
import threading

from tests.ledger.books import TODAY, open_books

from sekisho.kernel.yen import Yen
from sekisho.ledger.transfers import Booked, Transfer, post
from sekisho.storage.engine import open_store

CLIENTS = 8
AMOUNT = Yen(1_000)


def draw_for_ever(url: str) -> None:
    """Draw and repay by many clients at once; print the id of each transfer once it is said to be booked."""
    books = open_books(open_store(url))

    def client(number: int) -> None:
        count = 0
        while True:
            drawing = count % 2 == 0
            transfer = Transfer(
                key=f"{number}-{count}",
                kind="test",
                debit=books.loan if drawing else books.cash,
                credit=books.cash if drawing else books.loan,
                amount=AMOUNT,
                effective_on=TODAY,
            )
            booked = books.do(post, transfer)
            assert isinstance(booked, Booked)
            # One small write at once: a pipe takes it whole, and no buffer of ours can lose it.
            os.write(sys.stdout.fileno(), f"{booked.transfer_id}\n".encode())
            count += 1

    threads = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()


if __name__ == "__main__":
    draw_for_ever(sys.argv[1])
