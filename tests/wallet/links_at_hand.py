"""A wallet that links accounts of a bank outside: what tests of links and of the money over them stand on."""

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import msgspec
from tests.identity.member_at_hand import open_at_hand
from tests.lender.lender_at_hand import PlainGuard
from tests.linking.bank_double import BankDouble, serving
from tests.wallet.wallet_at_hand import KAMOME, TARO, WalletAtHand, open_wallet_at_hand

from sekisho.identity import sessions
from sekisho.identity.arrivals import Arrival
from sekisho.identity.assurance import Level, Standing, Way
from sekisho.identity.http_line import HttpLine
from sekisho.identity.session_desk import Present
from sekisho.kernel.chance import SeededChance
from sekisho.kernel.clock import DAY_US
from sekisho.kernel.posture import OperationalError, Posture
from sekisho.kernel.yen import Yen
from sekisho.linking.bank_bookings import Direction
from sekisho.linking.link_partners import LinkPartner, PartnerBook, Strength
from sekisho.response.money_gates import OnOutage
from sekisho.wallet import bank_order_rows, link_rows
from sekisho.wallet.bank_move_desk import BankMoveDesk
from sekisho.wallet.bank_moves import MoveBooks
from sekisho.wallet.bank_order_rows import BankOrder
from sekisho.wallet.bank_orders import BankOrders, Wish, place_within
from sekisho.wallet.gates import Gatekeeper
from sekisho.wallet.house import open_house
from sekisho.wallet.link_banks import LinkBanks, public_key_set
from sekisho.wallet.link_limits import LinkSettings
from sekisho.wallet.link_returns import BankAnswer, LinkReturnDesk
from sekisho.wallet.link_reviews import LinkReviewDesk
from sekisho.wallet.link_rounds import LinkRounds
from sekisho.wallet.link_tokens import LinkTokens
from sekisho.wallet.links import AtBank, LinkDesk
from sekisho.wallet.switches import SwitchedOff, Usage

ARRIVAL = Arrival(ip="192.0.2.7", user_agent="Mozilla/5.0")
BANK = "9901"
PATIENCE_S = 30.0


@dataclass
class PlainSwitches:
    """Switches that a test throws, for all functions or some, and for new links or all."""

    off: dict[str, SwitchedOff] = field(default_factory=dict)
    down: bool = False
    asked: list[Usage] = field(default_factory=list)

    async def off_for(self, usage):
        self.asked.append(usage)
        if self.down:
            raise OperationalError("switches", "down")
        return self.off.get(usage.function)


@dataclass
class LinksAtHand:
    """A wallet with its desks of links, and the bank."""

    wallet: WalletAtHand
    bank: BankDouble
    banks: LinkBanks
    settings: LinkSettings
    book: PartnerBook
    http: HttpLine
    guard: PlainGuard = field(default_factory=PlainGuard)
    switches: PlainSwitches = field(default_factory=PlainSwitches)
    settled: list[BankOrder] = field(default_factory=list)
    failing: list[Exception] = field(default_factory=list)
    keys: int = 0

    def __post_init__(self):
        house = self.wallet.house
        self.desk = LinkDesk(house, self.gatekeeper(), self.banks, self.settings)
        self.returns = LinkReturnDesk(house, self.banks, self.settings)
        self.reviews = LinkReviewDesk(house, self.settings)
        self.rounds = LinkRounds(house, self.banks)
        self.tokens = LinkTokens(house, self.banks)
        self.orders = BankOrders(house, self.banks, self.tokens, self.note)
        self.books = MoveBooks(house)
        in_books = BankOrders(house, self.banks, self.tokens, self.books.settled)
        self.moves = BankMoveDesk(house, self.gatekeeper(), in_books)
        self.booked_orders = in_books

    def note(self, connection, order):
        """Hear of an order that is settled, as the wallet's books do; fail where a test says so."""
        del connection
        if self.failing:
            raise self.failing.pop()
        self.settled.append(order)

    @property
    def clock(self):
        return self.wallet.clock

    @property
    def parts(self):
        return self.wallet.parts

    def gatekeeper(self, *, switches=Posture.CLOSED, guard=Posture.CLOSED):
        return Gatekeeper(self.wallet.house, self.guard, self.switches, on_outage=OnOutage(switches, guard))

    def enter(self, member_id, level=Level.CODE, **born):
        """Open a session on the member's own device."""
        entered = self.wallet.at_hand.log_in(member_id, level, Standing.TRUSTED)
        device = msgspec.structs.replace(entered.device, first_seen_us=0, trusted_at_us=0)
        return Present(msgspec.structs.replace(entered.session, **born), device)

    def prove(self, present, purpose, way=Way.PASSKEY):
        """Approve a purpose in a session, as of now."""
        work = self.parts.store.write(
            lambda at: sessions.prove(at, self.parts, present.session, way, purpose=purpose.key)
        )
        return Present(work.result().session, present.device)

    async def set_out(self, present, bank=BANK):
        """Begin, approve and set out; return the session as it is then, and what came of it."""
        self.keys += 1
        begun = await self.desk.begin(present, bank, f"key-{self.keys}")
        proven = self.prove(present, begun.purpose)
        return proven, await self.desk.set_out(proven, ARRIVAL, begun.link.id)

    async def agreed(self, present, bank=BANK):
        """Set out and agree at the bank; return the session and what the browser brings back."""
        proven, out = await self.set_out(present, bank)
        assert isinstance(out, AtBank), out
        return proven, BankAnswer(**self.bank.agree(out.address))

    async def link(self, member_id):
        """Link the bank's account to a member's wallet, all the way."""
        present, answer = await self.agreed(self.enter(member_id))
        return await self.returns.come_back(present, ARRIVAL, answer)

    async def old_link(self, member_id):
        """Link, and let the time of waiting and of small sums pass."""
        link = await self.link(member_id)
        self.clock.advance(60 * DAY_US)
        return self.find(link.id)

    def place(self, link, yen, key="", direction=Direction.DEBIT):
        """Order a movement over a link."""
        self.keys += 1
        wish = Wish(key or f"order-{self.keys}", link.id, direction, Yen(yen), "ｶﾓﾒｳｵﾚﾂﾄ")
        return self.wallet.write(lambda at: place_within(at, self.wallet.house, wish))

    async def charge(self, link, yen, key=""):
        """Order a debit and try it once."""
        return await self.orders.carry_out(self.place(link, yen, key).id)

    def find(self, link_id):
        found = self.wallet.look(lambda at: link_rows.find(at, link_id))
        assert found is not None
        return found

    def order(self, order_id):
        found = self.wallet.look(lambda at: bank_order_rows.find(at, order_id))
        assert found is not None
        return found

    def events(self, kind):
        """Return the bodies of what happened of a kind, oldest first."""
        found = [each for each in self.wallet.at_hand.events() if each.kind == kind]
        return [msgspec.json.decode(each.body) for each in found]


@contextlib.asynccontextmanager
async def links_at_hand(
    folder, settings=None, partner=None, store_at=None, **bank
) -> AsyncIterator[LinksAtHand]:
    """Open a wallet and its bank; with `partner` changes to what was agreed, others are the bank's own.

    With `store_at` the wallet stands on that open store instead of one in the folder.
    """
    wallet, http = _wallet(folder, store_at), HttpLine(answer_s_max=PATIENCE_S)
    key_set = wallet.write(lambda at: public_key_set(at, wallet.parts, BANK))
    double = BankDouble(clock=wallet.clock, key_set=key_set, **bank)
    try:
        async with serving(double):
            agreed = {"strength": Strength(double.strength)} | (partner or {})
            book = PartnerBook(
                [LinkPartner(bank=BANK, issuer=double.issuer, client_id=double.client_id, **agreed)]
            )
            banks = LinkBanks(wallet.parts, book, http)
            yield LinksAtHand(wallet, double, banks, settings or LinkSettings(), book, http)
    finally:
        await http.close()
        if store_at is None:
            wallet.parts.store.close()


def _wallet(folder, store_at):
    if store_at is None:
        return open_wallet_at_hand(folder)
    at_hand = open_at_hand(folder)
    at_hand.store.close()
    at_hand.parts = at_hand.parts._replace(institution=KAMOME, store=store_at)
    return WalletAtHand(at_hand, open_house(at_hand.parts))


def beside(there, store, seed=99):
    """Return the desks of another process of the same wallet: its own store and chance, the same keys."""
    parts = there.parts._replace(store=store, chance=SeededChance(seed))
    at_hand = dataclasses.replace(there.wallet.at_hand, parts=parts)
    banks = LinkBanks(parts, there.book, there.http)
    return dataclasses.replace(
        there, wallet=WalletAtHand(at_hand, open_house(parts)), banks=banks, settled=[], keys=1_000
    )


def within(folder, use, **how):
    """Use a wallet and a bank in a loop of its own, and return what the use returned."""

    async def run():
        async with links_at_hand(folder, **how) as there:
            return await use(there)

    return asyncio.run(run())


__all__ = ["ARRIVAL", "BANK", "TARO", "LinksAtHand", "links_at_hand", "within"]
