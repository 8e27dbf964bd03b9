"""Switches of the bank's book at a debit: who is named by one meets it, and nobody else."""

import asyncio

import pytest
from tests.bank.mandate_at_hand import asked, open_bank

from sekisho.bank.credits import CreditDesk
from sekisho.bank.debits import DebitDesk
from sekisho.bank.holders import tie
from sekisho.bank.orders import Why
from sekisho.bank.switch_book import BankSwitches
from sekisho.response.switch_desk import SwitchDesk, Wish
from sekisho.response.switches import Scope


@pytest.fixture
def bank(tmp_path):
    opened = open_bank(tmp_path)
    yield opened
    opened.audit()
    opened.bank.store.close()


def moved(bank, mandate, key):
    """Debit and pay out with the book of switches, and return what came of each."""
    switches = BankSwitches(bank.bank.parts)
    debit = DebitDesk(bank.bank, switches).debit(asked(mandate, 2_000, key))
    credit = CreditDesk(bank.bank, switches).credit(asked(mandate, 1_000, key))
    return [asyncio.run(each).why for each in (debit, credit)]


def test_a_switch_for_one_member_stops_no_depositor_without_the_online_bank(bank):
    """Who has no online bank is nobody whom a switch can name, and was met by every such switch."""
    member_id = bank.at_hand.add_reachable_member()
    mandate = bank.mandate()
    for function in ("debit", "credit"):
        wish = Wish(
            scope=Scope(function=function), reason="entered", open_ways=("telephone",), members=(member_id,)
        )
        asyncio.run(SwitchDesk(bank.bank.parts).set(wish, by="staff-1"))
    assert moved(bank, mandate, "a") == [Why.DONE, Why.DONE]
    bank.do(lambda at: tie(at, bank.bank, bank.deposit.depositor_id, member_id))
    assert moved(bank, mandate, "b") == [Why.SWITCHED_OFF, Why.SWITCHED_OFF]
