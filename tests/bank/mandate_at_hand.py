"""A bank with a depositor, an account and a mandate of a partner: what tests of debits stand on."""

import asyncio
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from tests.identity.member_at_hand import NOON_US, AtHand, open_at_hand

from sekisho.bank import deposits, holders, mandates
from sekisho.bank.credits import CreditDesk
from sekisho.bank.debits import DebitDesk
from sekisho.bank.deposits import Deposit, Opening
from sekisho.bank.holders import NewHolder
from sekisho.bank.house import BankParts, open_house
from sekisho.bank.mandate_states import Actor, Deed, Who
from sekisho.bank.mandates import Action, Consented, Doing
from sekisho.bank.orders import Asked
from sekisho.bank.switches import Function, SwitchedOff, Usage
from sekisho.identity.institution import Institution
from sekisho.kernel.yen import Yen
from sekisho.ledger.journal import first_fault

BANK = Institution(
    key="bank",
    names={"ja": "みさき銀行", "en": "Misaki Bank"},
    host="bank.localhost",
    origin="http://bank.localhost:8470",
    telephone="0120-000-444",
    desk_hours={"ja": "平日9:00-18:00", "en": "weekdays 9:00-18:00"},
)
WALLET = "kamome-wallet"
KANA = "ヤマダ ハナコ"
NAME = "ﾔﾏﾀﾞ ﾊﾅｺ"
PHONE = "090-1234-0001"
TEXT = "ｶﾓﾒｳｵﾚﾂﾄ"
START = Yen(1_000_000)


@dataclass
class PlainSwitches:
    """Switches that a test throws, by function."""

    off: dict[Function, SwitchedOff] = field(default_factory=dict)
    asked: list[Usage] = field(default_factory=list)

    def off_within(self, connection, usage):
        del connection
        self.asked.append(usage)
        return self.off.get(usage.function)

    async def off_for(self, usage):
        return self.off.get(usage.function)

    async def off_for_partner(self, partner):
        del partner
        return {function.value: off for function, off in self.off.items()}


OFF = SwitchedOff("fraud", {"ja": "停止しています。", "en": "Stopped."})


class BankAtHand(NamedTuple):
    """A bank, its switches, and one account with a million yen."""

    at_hand: AtHand
    bank: BankParts
    switches: PlainSwitches
    deposit: Deposit

    @property
    def clock(self):
        return self.at_hand.clock

    def do(self, work):
        """Run a unit of work."""
        return self.bank.store.write(work).result()

    def look(self, look):
        """Read something."""
        with self.bank.store.read() as connection:
            return look(connection)

    def mandate(self, **changes):
        """Make a mandate as a depositor's consent does."""
        plain = Consented(
            partner=WALLET,
            deposit_id=self.deposit.id,
            user_ref="user-1",
            actions=(Action.DEBIT, Action.CREDIT),
            ceiling=Yen(100_000),
            month_ceiling=Yen(300_000),
            way="account_pin",
        )
        consented = plain._replace(**changes)
        return self.do(lambda at: mandates.activate_within(at, self.bank, consented))

    def now(self, mandate):
        """Return a mandate as it is now."""
        return self.look(lambda at: mandates.find(at, mandate.id))

    def deed(self, mandate, deed, who=Who.DEPOSITOR, why="test"):
        """Do something to a mandate; None where it changes nothing."""
        doing = Doing(deed, Actor(who), why)
        return self.do(lambda at: mandates.move(at, self.bank, mandate, doing))

    def revoke(self, mandate, who=Who.DEPOSITOR):
        return self.deed(mandate, Deed.REVOKE, who)

    def debits(self, **named):
        return DebitDesk(self.bank, self.switches, **named)

    def credits(self, **named):
        return CreditDesk(self.bank, self.switches, **named)

    def debit(self, mandate, yen, key="k", **changes):
        """Debit as the partner does."""
        return asyncio.run(self.debits().debit(asked(mandate, yen, key, **changes)))

    def credit(self, mandate, yen, key="k", **changes):
        """Pay out as the partner does."""
        return asyncio.run(self.credits().credit(asked(mandate, yen, key, **changes)))

    def balance(self, deposit=None):
        """Return what stands on an account."""
        return self.look(lambda at: deposits.balance(at, deposit or self.deposit)).amount

    def open(self, yen=START.amount, *, kana=KANA, phone="", **opening):
        """Open another holder's account with something in it."""
        return self.do(lambda at: _opened(at, self.bank, yen, kana, phone, opening))

    def audit(self):
        """Hold the books together."""
        assert self.look(first_fault) is None


def asked(mandate, yen, key, **changes):
    """Return what a partner asks for."""
    plain = Asked(mandate.partner, mandate.id, key, Yen(yen), f"ref-{key}", TEXT)
    return plain._replace(**changes)


def _opened(connection, bank, yen, kana, phone, opening):
    depositor_id = holders.take_on(connection, bank, NewHolder(kana, date(1980, 1, 1), phone))
    opening = Opening(depositor_id=depositor_id, branch="001", **opening)
    deposit = deposits.open_deposit(connection, bank, opening)
    if yen:
        deposits.pay_in(connection, bank, deposit, Yen(yen), key=deposit.id)
    return deposit


def open_bank(folder, *, store_at=None):
    """Open a bank with an account; close its store at the end. `store_at` is a store that is open."""
    at_hand = open_at_hand(folder)
    if store_at is not None:
        at_hand.store.close()
        at_hand.parts = at_hand.parts._replace(store=store_at)
    at_hand.parts = at_hand.parts._replace(institution=BANK)
    bank = open_house(at_hand.parts)
    work = bank.store.write(lambda at: _opened(at, bank, START.amount, KANA, PHONE, {}))
    return BankAtHand(at_hand, bank, PlainSwitches(), work.result())


def reopen_bank(folder, deposit, *, at_us=NOON_US):
    """Open a bank's folder again, as another process does: the same keys, a later time."""
    at_hand = open_at_hand(folder)
    at_hand.parts = at_hand.parts._replace(institution=BANK)
    at_hand.clock.set(at_us)
    return BankAtHand(at_hand, open_house(at_hand.parts), PlainSwitches(), deposit)
