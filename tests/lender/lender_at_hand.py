"""A lender with a member who has a line, a session and an account: what tests of money out stand on."""

import asyncio
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec
from sqlalchemy import update
from tests.identity.member_at_hand import NOON_US, AtHand, Entered, open_at_hand
from tests.ledger.books import balance_of

from sekisho.guard.answers import UNAVAILABLE, GuardAnswer, Told
from sekisho.guard.attempts import Attempt
from sekisho.guard.decisions import Action, Decision
from sekisho.identity import sessions
from sekisho.identity.arrivals import Arrival
from sekisho.identity.assurance import Level, Standing, Way
from sekisho.identity.personal_data import Item, store
from sekisho.identity.session_desk import Present
from sekisho.kernel.clock import DAY_US
from sekisho.kernel.ids import MemberId
from sekisho.kernel.posture import OperationalError, Posture
from sekisho.kernel.yen import Yen
from sekisho.ledger.journal import first_fault
from sekisho.lender.contracts import Agreement, contract_of, sign
from sekisho.lender.due_days import DueDay
from sekisho.lender.gates import Gatekeeper
from sekisho.lender.house import LenderParts, open_house
from sekisho.lender.payout_accounts import PayoutAccountDesk, Typed, change_of, read_payee
from sekisho.lender.rates import Rate
from sekisho.lender.switches import SwitchedOff, Usage
from sekisho.lender.transfer_loans import TransferLoanDesk
from sekisho.linking.zengin import BankAccount, Party
from sekisho.response.money_gates import OnOutage
from sekisho.storage.tables.sessions import session as session_table

ARRIVAL = Arrival(ip="192.0.2.7", user_agent="Mozilla/5.0")
OURS = Party("1234567890", "ｱｻｷﾞﾘﾛ-ﾝ", BankAccount("0001", "100", "1", "7654321"))
KANA = "ヤマダ ハナコ"
ACCOUNT = Typed("0125", "100", "1", "12345", "やまだ はなこ")
OTHER_ACCOUNT = Typed("0001", "001", "1", "7654321", KANA)


@dataclass
class PlainGuard:
    """A guard that says what a test wants, and keeps what it was asked."""

    action: Action = Action.ALLOW
    away: Posture | None = None
    asked: list[Attempt] = field(default_factory=list)
    told: list[tuple[str, str, str]] = field(default_factory=list)

    async def assess(self, attempt):
        self.asked.append(attempt)
        if self.away is not None:
            return self._answer(Action.DENY if self.away is Posture.CLOSED else Action.ALLOW, UNAVAILABLE)
        return self._answer(self.action)

    async def settle(self, attempt_id, outcome, challenge="", *, issue_device=False):
        del issue_device
        self.told.append((attempt_id, str(outcome), str(challenge)))
        return Told(heard=True)

    def _answer(self, action, *reasons):
        decision = Decision(
            action=action,
            probability=0.1,
            before_hash=False,
            reasons=reasons,
            policy="test",
            policy_revision=1,
        )
        return GuardAnswer(attempt_id=f"att_{len(self.asked)}", decision=decision)


@dataclass
class PlainSwitches:
    """Switches that a test throws."""

    off: SwitchedOff | None = None
    down: bool = False
    asked: list[Usage] = field(default_factory=list)

    async def off_for(self, usage):
        self.asked.append(usage)
        if self.down:
            raise OperationalError("switches", "down")
        return self.off


class LenderAtHand(NamedTuple):
    """A lender, its guard and switches, and one member with a line of 500,000 yen."""

    at_hand: AtHand
    house: LenderParts
    guard: PlainGuard
    switches: PlainSwitches
    member_id: MemberId

    @property
    def clock(self):
        return self.at_hand.clock

    def gatekeeper(self, *, switches=Posture.CLOSED, guard=Posture.CLOSED):
        return Gatekeeper(self.house, self.guard, self.switches, on_outage=OnOutage(switches, guard))

    def transfers(self):
        return TransferLoanDesk(self.house, self.gatekeeper())

    def payouts(self):
        return PayoutAccountDesk(self.house, self.gatekeeper())

    def enter(self, level=Level.CODE, standing=Standing.TRUSTED, *, young=False, **born):
        """Open a session, born as it is said, on a device that is as old as the account, or young."""
        entered = self.at_hand.log_in(self.member_id, level, standing)
        if born:
            row = update(session_table).where(session_table.c.id == entered.session.id).values(**born)
            self.house.store.write(lambda at: at.execute(row)).result()
            entered = Entered(msgspec.structs.replace(entered.session, **born), entered.device)
        since_us = self.clock.now_us() if young else NOON_US
        device = msgspec.structs.replace(entered.device, first_seen_us=since_us, trusted_at_us=since_us)
        return Present(entered.session, device)

    def prove(self, present, purpose, way=Way.PASSKEY):
        """Approve a purpose in a session, as of now, and return the session as it is read anew."""
        work = self.house.store.write(
            lambda at: sessions.prove(at, self.house.parts, present.session, way, purpose=purpose.key)
        )
        return Present(work.result().session, present.device)

    def register(self, typed=ACCOUNT, key="k"):
        """Register an account for payouts, approved by passkey."""
        present = self.prove(self.enter(), change_of(read_payee(typed)))
        return asyncio.run(self.payouts().register(present, ARRIVAL, typed, key))

    def lend(self, yen, key="order"):
        """Borrow by transfer, approved by passkey."""
        present = self.enter()
        desk = self.transfers()
        order, purpose = asyncio.run(desk.request(present, Yen(yen), key))
        return asyncio.run(desk.approve(self.prove(present, purpose), ARRIVAL, order.id))

    def contract(self):
        with self.house.store.read() as connection:
            return contract_of(connection, self.member_id)

    def position(self, day=None):
        with self.house.store.read() as connection:
            return self.house.loans.position(connection, self.contract(), day or self.house.today())

    def balance(self, name):
        """Return the balance of one of the house's accounts."""
        with self.house.store.read() as connection:
            return balance_of(connection, getattr(self.house.accounts, name)).amount

    def audit(self):
        """Hold the books together."""
        with self.house.store.read() as connection:
            assert first_fault(connection) is None


def open_lender(folder, *, opened_days_ago=30, store_at=None):
    """Open a lender with a member who has been one for so many days; close its store at the end.

    With `store_at` it stands on that open store instead of one in the folder.
    """
    at_hand = open_at_hand(folder)
    if store_at is not None:
        at_hand.store.close()
        at_hand.parts = at_hand.parts._replace(store=store_at)
    member_id = at_hand.add_reachable_member()
    house = open_house(at_hand.parts)
    items = {Item.NAME_KANA: KANA}

    def signed(connection):
        store(connection, at_hand.parts.keyring, member_id, items, at_hand.clock.now_us())
        agreement = Agreement(
            member_id=member_id,
            terms=house.book.on(house.today()),
            limit=Yen(500_000),
            rate=Rate.parse("17.8"),
            due_day=DueDay.FIFTH,
            interest_free=False,
        )
        sign(
            connection,
            agreement,
            house.book,
            today=house.today(),
            clock=at_hand.clock,
            chance=at_hand.chance,
        )

    house.store.write(signed).result()
    lender = LenderAtHand(at_hand, house, PlainGuard(), PlainSwitches(), member_id)
    if opened_days_ago:
        lender.enter()
        at_hand.clock.advance(opened_days_ago * DAY_US)
    return lender


def reopen_lender(folder, member_id, *, at_us):
    """Open a lender's folder again, as another process does: the same keys, a later time."""
    at_hand = open_at_hand(folder)
    at_hand.clock.set(at_us)
    return LenderAtHand(at_hand, open_house(at_hand.parts), PlainGuard(), PlainSwitches(), member_id)
