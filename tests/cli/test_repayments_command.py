"""`sekisho repayments`: a transfer that came in repays once, or is kept apart, and is on record."""

import asyncio
from contextlib import contextmanager
from datetime import timedelta

import pytest
from click.testing import CliRunner
from sqlalchemy import select
from tests.cli.test_lender_partners import opened
from tests.lender.lender_at_hand import open_lender

from sekisho.cli.at_institution import Place, told
from sekisho.cli.main import main
from sekisho.kernel.yen import Yen
from sekisho.lender.house import open_house
from sekisho.lender.incoming_payments import Incoming, take_incoming
from sekisho.response import audit
from sekisho.storage.tables.ledger import ledger_checkpoint


@pytest.fixture(name="lender")
def _lender(tmp_path):
    lender = open_lender(tmp_path, opened_days_ago=0)
    yield lender
    lender.audit()
    lender.house.store.close()


@pytest.fixture(name="take")
def _take(monkeypatch, lender):
    """Enter a transfer beside a lender that is at hand, as beside one that is serving."""

    @contextmanager
    def parts(_):
        with told():
            yield lender.house.parts

    monkeypatch.setattr(Place, "parts", parts)

    def take_it(number, *, code=0, **changes):
        said = {"yen": "10000", "on": str(lender.house.today()), "key": "B-1", "by": "aoki"} | changes
        words = [word for name, value in said.items() for word in (f"--{name}", value)]
        done = CliRunner().invoke(main, ["repayments", "take", number, *words])
        assert done.exit_code == code, done.output
        return done.output.strip()

    return take_it


def acts(lender):
    with lender.house.store.read() as connection:
        return [(one.actor, one.act, one.subject) for one in audit.all_acts(connection)]


def test_a_transfer_repays_once_by_the_banks_number_of_it(lender, take):
    lender.register()
    lender.lend(100_000)
    number, before = lender.contract().number, lender.position().principal
    said = take(number)
    assert said == f"{lender.contract().id}\t10000\t{lender.house.today()}"
    assert take(number) == said
    assert lender.position().principal.amount == before.amount - 10_000
    assert "used again" in take(number, yen="9000", code=2)
    assert acts(lender)[0] == ("aoki", "incoming:entered", "incoming:B-1")


def test_what_pays_no_loan_is_kept_apart(lender, take):
    """Under a number that is no contract's, and under one that owes nothing."""
    assert "Kept apart" in take("NOBODY-1", code=3)
    assert "Kept apart" in take(lender.contract().number, key="B-2", code=3)
    assert lender.balance("unclaimed") == lender.balance("overpaid") == 10_000
    assert len(acts(lender)) == 2


def test_one_number_is_booked_once_in_whatever_order_it_is_entered(lender, take):
    """As unclaimed and then for a contract, as overpaid and then when something is owed, and back."""
    number = lender.contract().number
    assert "Kept apart" in take(number, code=3)
    assert "Kept apart" in take(number, code=3)
    take("NOBODY-1", code=2)
    lender.register()
    lender.lend(100_000)
    assert "Kept apart" in take(number, code=3)
    assert lender.position().principal.amount == 100_000
    take(number, key="B-2")
    take("NOBODY-1", key="B-2", code=2)
    take("NOBODY-1", key="B-3", code=3)
    take(number, key="B-3")
    take("NOBODY-1", key="B-3", code=2)
    assert lender.position().principal.amount == 80_000
    assert lender.balance("bank") == 30_000
    assert (lender.balance("unclaimed"), lender.balance("overpaid")) == (0, 10_000)


@pytest.mark.parametrize("other", ["\uff22\uff0d\uff11", "\uff22-1", "B -1", "B\u20111", "B-1\u200b"])
def test_a_number_in_another_writing_books_nothing_a_second_time(lender, take, other):
    """An input method writes the same number in full width: that is no other transfer."""
    take("NOBODY-1", code=3)
    take("NOBODY-1", code=2, key=other)
    assert lender.balance("bank") == 10_000


@pytest.mark.parametrize(
    "wrong", [{"yen": "0"}, {"yen": "10000000000"}, {"key": " "}, {"key": "x" * 61}, {"by": "NOBODY!"}]
)
def test_what_cannot_be_is_refused_and_moves_nothing(lender, take, wrong):
    take("NOBODY-1", code=2, **wrong)
    take("NOBODY-1", code=2, on=str(lender.house.today() + timedelta(days=1)))
    assert lender.balance("unclaimed") == 0
    assert acts(lender) == []


def test_a_serving_institution_seals_its_books(tmp_path):
    """At its start, without anybody asking for it."""

    def paid(lender):
        house = open_house(lender.parts)
        came = Incoming("B-1", "NOBODY-1", Yen(10_000), house.today())
        return house.store.write(lambda at: take_incoming(at, house, came)).result()

    async def serve(lender):
        async with lender.living():
            for _ in range(200):
                with lender.parts.store.read() as connection:
                    if connection.execute(select(ledger_checkpoint.c.position)).all():
                        return True
                await asyncio.sleep(0.05)
        return False

    with opened(tmp_path, None) as lender:
        paid(lender)
        assert asyncio.run(serve(lender))


def test_what_is_kept_is_listed_and_goes_back_once(lender, take):
    number = lender.contract().number
    take(number, code=3)

    def ran(*words):
        done = CliRunner().invoke(main, ["repayments", *words])
        return done.exit_code, done.stdout.strip()

    day = lender.house.today()
    assert ran("kept") == (0, f"incoming:B-1:overpaid\t{number}\t10000\t{day}")
    words = ("give-back", "incoming:B-1:overpaid", "--by", "aoki", "--reason", "transfer 0415")
    assert ran(*words) == (0, "incoming:B-1:overpaid\t10000")
    assert ran("kept") == (0, "")
    assert ran(*words)[0] == 2
    assert lender.balance("overpaid") == 0
