"""The ledger when processes are killed and when many want the same account at once."""

import subprocess
import sys
from concurrent.futures import wait
from pathlib import Path

import pytest
from sqlalchemy import select
from tests.ledger.books import LINE, open_books

from sekisho.ledger.journal import first_fault
from sekisho.ledger.transfers import Booked, Refused, Why, post
from sekisho.storage.engine import open_store
from sekisho.storage.tables.ledger import ledger_transfer

ROOT = Path(__file__).resolve().parents[2]


def booked_before_killed(url, enough):
    """Start a process that books, kill it with SIGKILL in the middle, and return what it was told."""
    command = [sys.executable, "-m", "tests.ledger.drawing_process", url]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        told = [process.stdout.readline() for _ in range(enough)]
        process.kill()
        told += process.stdout.readlines()
    return {line.decode().rstrip("\n") for line in told if line.endswith(b"\n")}


@pytest.mark.parametrize("enough", [1, 400])
def test_a_killed_process_loses_nothing_that_was_booked(store_url, enough):
    told = booked_before_killed(store_url, enough)
    assert len(told) >= enough
    store = open_store(store_url)
    with store.read() as connection:
        kept = set(connection.execute(select(ledger_transfer.c.id)).scalars())
        assert first_fault(connection) is None
    store.close()
    assert told <= kept


def drawing(books, key, yen):
    """Return a unit of work that draws on the line."""
    return lambda connection: post(connection, books.draw(key, yen), clock=books.clock, chance=books.chance)


def test_a_line_is_not_overdrawn_by_many_at_once(store):
    """Fifty want a tenth of the line at the same moment: ten get it."""
    books = open_books(store)
    wanted = [store.write(drawing(books, f"d{number}", LINE.amount // 10)) for number in range(50)]
    results = [future.result() for future in wait(wanted).done]
    assert sum(isinstance(result, Booked) for result in results) == 10
    assert {result for result in results if isinstance(result, Refused)} == {Refused(Why.ABOVE_DEBIT_LIMIT)}
    assert books.account(books.loan).balance == LINE


@pytest.mark.server
def test_two_processes_share_one_ledger(server_store_url):
    """Neither overdraws the line, both write one journal without gaps."""
    one, other = open_store(server_store_url), open_store(server_store_url)
    books = open_books(one)
    wanted = [
        store.write(drawing(books, f"{name}-{number}", LINE.amount // 40))
        for number in range(40)
        for name, store in (("one", one), ("other", other))
    ]
    results = [future.result() for future in wait(wanted).done]
    assert sum(isinstance(result, Booked) for result in results) == 40
    with other.read() as connection:
        assert first_fault(connection) is None
    one.close()
    other.close()
