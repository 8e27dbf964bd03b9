"""An institution that pays claims, with books of its own and partners that bear a part of them."""

import asyncio
from datetime import date

from tests.identity.member_at_hand import open_at_hand
from tests.ledger.books import balance_of
from tests.response.test_cases import opening

from sekisho.kernel.japan import day_in_japan
from sekisho.kernel.yen import Yen
from sekisho.ledger.accounts import Side
from sekisho.ledger.own_accounts import OwnLimits, open_own_accounts
from sekisho.ledger.transfers import Transfer, post_all
from sekisho.response import cases
from sekisho.response.claim_policy import Assessment, Fault
from sekisho.response.claims import ClaimDesk, Loss
from sekisho.response.partner_books import Booking, book_received
from sekisho.response.partner_receipts import Came, ReceiptDesk
from sekisho.response.partner_recoveries import RecoveryDesk, Wanted
from sekisho.response.recovery_rows import Way

FULL = Assessment(Fault.NO_FAULT, 100, "entered in the campaign")
GROUND = "article 12 of the agreement"
_NO_LIMIT = OwnLimits(Side.DEBIT, None)


class PlainBooks:
    """Losses that a test names, and two accounts: `bank` and `fraud_loss`."""

    ways = (Way.TRANSFER, Way.SET_OFF)

    def __init__(self, parts):
        self.parts = parts
        self.losses: dict[str, tuple[str, Loss]] = {}
        kinds = {"bank": _NO_LIMIT, "fraud_loss": _NO_LIMIT}
        self.accounts = parts.store.write(
            lambda at: open_own_accounts(at, "us", kinds, clock=parts.clock, chance=parts.chance)
        ).result()

    def find(self, connection, loss):
        del connection
        return self.losses[loss][1] if loss in self.losses else None

    def of_member(self, connection, member_id):
        del connection
        return {name: loss for name, (_, loss) in self.losses.items() if loss.member_id == member_id}

    def partner_of(self, connection, loss):
        del connection
        return self.losses[loss][0]

    def name_of(self, connection, partner, language):
        del connection
        return f"{partner} ({language})"

    def make_good(self, connection, award):
        paid = Transfer(
            key=award.claim_id,
            kind="test:compensation",
            debit=self.accounts["fraud_loss"],
            credit=self.accounts["bank"],
            amount=Yen(award.yen),
            effective_on=day_in_japan(self.parts.clock.now_us()),
        )
        (booked,) = post_all(connection, (paid,), clock=self.parts.clock, chance=self.parts.chance)
        return booked.transfer_id

    def receive(self, connection, received):
        its = Booking(
            received.receipt_id, "test:recovery", self.accounts["bank"], self.accounts["fraud_loss"]
        )
        return book_received(connection, received, its, clock=self.parts.clock, chance=self.parts.chance)


class RecoveriesAtHand:
    """Claims that were paid, and the desks that recover them."""

    def __init__(self, folder, *, of=None):
        self.hand = of or open_at_hand(folder)
        self.parts, self.clock = self.hand.parts, self.hand.clock
        self.books = PlainBooks(self.parts)
        self.claims = ClaimDesk(self.parts, self.books)
        self.recoveries = RecoveryDesk(self.parts, self.books)
        self.receipts = ReceiptDesk(self.parts, self.books)
        self.member_id = self.hand.add_member()
        self.paid = 0

    def today(self) -> date:
        return day_in_japan(self.clock.now_us())

    def pay(self, yen, partner="9901", campaign="cmp_1", named=""):
        """Pay a claim whose loss was at a partner, in a case that may name one."""
        self.paid += 1
        loss = f"loss_{self.paid}"
        self.books.losses[loss] = (partner, Loss(self.member_id, yen, self.clock.now_us()))
        of = opening(loss, member_id=self.member_id, campaign=campaign, partner=named)
        case = self.parts.store.write(lambda at: cases.open_case(at, self.parts, of, by="sato")).result()
        made = asyncio.run(self.claims.make(case.id, loss, yen, by="sato"))
        asyncio.run(self.claims.assess(made.id, FULL, by="sato"))
        return asyncio.run(self.claims.decide(made.id, pay=True, by="ito"))

    def ask(self, partner="9901", campaign="cmp_1", share=100, by="sato"):
        wanted = Wanted(partner, campaign, share, GROUND)
        expected = asyncio.run(self.recoveries.asking(wanted))
        asyncio.run(self.recoveries.ask(wanted, expected, by=by))
        return expected

    def came(self, yen, number="B-1", partner="9901", campaign=None, way=Way.TRANSFER, day=None):
        return Came(partner, campaign, way, number, yen, day or self.today())

    def enter(self, came, by="sato"):
        parts = asyncio.run(self.receipts.counts_for(came))
        return asyncio.run(self.receipts.enter(came, parts, by=by))

    def book(self, receipt, by="ito"):
        return asyncio.run(self.receipts.book(receipt.id, by=by))

    def turn_down(self, receipt, by="ito", why="typed wrongly"):
        asyncio.run(self.receipts.turn_down(receipt.id, by=by, why=why))

    def give_up(self, partner="9901", campaign="cmp_1", by="ito", why="the partner went under"):
        expected = asyncio.run(self.recoveries.giving_up(partner, campaign))
        asyncio.run(self.recoveries.give_up(partner, campaign, expected, by=by, why=why))

    def summed(self, as_of_us=None, **which):
        at_us = self.clock.now_us() if as_of_us is None else as_of_us
        return asyncio.run(self.recoveries.summed(as_of_us=at_us, **which))

    def sums(self, as_of_us=None, **which):
        """Return paid, asked, come in, given up and open, in yen."""
        return self.summed(as_of_us, **which).total[3:]

    def lost(self):
        """Return what stands on the account of losses, in yen."""
        with self.parts.store.read() as connection:
            return balance_of(connection, self.books.accounts["fraud_loss"]).amount
