"""The counter for trying out: an account with cash in it, a PIN that is not guessed first, and a paper."""

import asyncio
import re

import httpx
import pytest
from tests.bank.mandate_at_hand import BANK
from tests.identity.member_at_hand import open_at_hand

from sekisho.bank import deposits, file_partners, mandates
from sekisho.bank.house import open_house
from sekisho.identity.hashing import Hasher
from sekisho.range.counter.opening import CASH, Counter
from sekisho.range.counter.window import WindowSite
from sekisho.response import audit

COLLECTOR = "0000008470"
TYPED = {"name_kana": "やまだ はなこ", "born_on": "1990-04-01", "phone": "09012340001", "pin": "5938"}


@pytest.fixture
def bank(tmp_path):
    at_hand = open_at_hand(tmp_path)
    opened = open_house(at_hand.parts._replace(institution=BANK))
    yield opened
    at_hand.store.close()


def typed_at(bank, typed, **headers):
    """Fill in the page and send it."""
    hasher = Hasher(bank.chance, threads=1, memory_kib=64, passes=1)

    async def send():
        window = WindowSite(Counter(bank, hasher, "001"), bank_code="9901", collector=COLLECTOR)
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(window), base_url="http://counter.localhost", headers=headers
        )
        async with client:
            return await client.post("/", data=typed)

    try:
        return asyncio.run(send())
    finally:
        hasher.close()


def accounts(bank, page):
    """Return the account that a page shows, and the collector's mandates for it."""
    number = re.search(r"data-number>(\d{7})<", page.text)
    assert number, page.text
    with bank.store.read() as connection:
        one = deposits.find_by_number(connection, "001", number[1])
        assert one is not None
        of_collector = mandates.living(connection, file_partners.partner_of(COLLECTOR), one.id)
        return one, deposits.balance(connection, one), of_collector


def test_an_account_is_opened_with_cash_and_with_the_paper_that_was_signed(bank):
    """The number on the page is the account's; without the paper nobody may debit it."""
    one, cash, papers = accounts(bank, typed_at(bank, TYPED | {"paper": "yes"}))
    assert cash == CASH
    assert [paper.way for paper in papers] == ["paper"]
    with bank.store.read() as connection:
        opened, lodged = audit.all_acts(connection)
    assert (opened.actor, opened.act, opened.subject) == ("window", "bank:account_opened", one.id)
    assert (lodged.act, lodged.subject) == ("bank:mandate_lodged", papers[0].id)
    other, _, none = accounts(bank, typed_at(bank, TYPED))
    assert other.number != one.number
    assert none == []


@pytest.mark.parametrize(
    "wrong", [{"pin": "1234"}, {"pin": "59"}, {"born_on": "x"}, {"name_kana": "〒"}, {"phone": "110"}]
)
def test_what_cannot_be_is_asked_again_and_no_pin_is_shown(bank, wrong):
    """Nothing is opened."""
    page = typed_at(bank, TYPED | wrong)
    assert page.status_code == 422
    assert "data-number" not in page.text
    assert 'name="pin" type="password" inputmode="numeric" maxlength="4" required' in page.text


def test_another_sites_form_opens_nothing(bank):
    """The page that is open beside it in the browser."""
    assert typed_at(bank, TYPED, origin="http://evil.localhost").status_code == 404
