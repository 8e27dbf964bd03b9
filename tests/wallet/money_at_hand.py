"""Members who pay and send at a wallet, a shop, and approvals as the pages give them."""

from dataclasses import dataclass

from tests.lender.lender_at_hand import PlainGuard
from tests.wallet.wallet_at_hand import WalletAtHand, open_wallet_at_hand

from sekisho.identity import sessions
from sekisho.identity.arrivals import Arrival
from sekisho.identity.assurance import Level, Standing, Way
from sekisho.identity.session_desk import Present
from sekisho.kernel.posture import Posture
from sekisho.ledger.accounts import find_account
from sekisho.linking.zengin import BankAccount
from sekisho.response.money_gates import OnOutage
from sekisho.wallet.gates import Gatekeeper
from sekisho.wallet.merchants import Merchant, NewMerchant, register_merchant
from sekisho.wallet.payment_codes import PaymentCodes
from sekisho.wallet.payments import PaymentDesk
from sekisho.wallet.sends import SendDesk
from sekisho.wallet.switches import NothingSwitchedOff

ARRIVAL = Arrival(ip="192.0.2.7", user_agent="Chrome")
SHOP = NewMerchant(
    name_ja="喫茶 灯台",
    name_en="Cafe Todai",
    holder_kana="キッサトウダイ",
    city="Minatomachi",
    account=BankAccount("9901", "001", "1", "7654321"),
    category="5814",
)


@dataclass
class Money:
    """A wallet house with a shop and the desks that move money inside it."""

    wallet: WalletAtHand
    shop: Merchant
    guard: PlainGuard

    def __post_init__(self):
        house, gatekeeper = self.wallet.house, self.gatekeeper(NothingSwitchedOff())
        self.payments = PaymentDesk(house, gatekeeper)
        self.codes = PaymentCodes(house, gatekeeper)
        self.sends = SendDesk(house, gatekeeper)

    def gatekeeper(self, switches):
        """Return the wallet's gate with other switches; it shuts where a part of it is down."""
        closed = OnOutage(Posture.CLOSED, Posture.CLOSED)
        return Gatekeeper(self.wallet.house, self.guard, switches, on_outage=closed)

    def rich(self, yen=50_000, **named):
        """Add a verified member with so much in the wallet."""
        member_id = self.wallet.add_verified(**named)
        self.wallet.give(member_id, yen, key=f"gift:{member_id}")
        return member_id

    def enter(self, member_id):
        """Open a session on the member's own device."""
        entered = self.wallet.at_hand.log_in(member_id, Level.CODE, Standing.TRUSTED)
        return Present(entered.session, entered.device)

    def prove(self, present, purpose, way=Way.PASSKEY):
        """Approve a purpose in a session, as of now."""
        work = self.wallet.parts.store.write(
            lambda at: sessions.prove(at, self.wallet.parts, present.session, way, purpose=purpose.key)
        )
        return Present(work.result().session, present.device)

    def owed(self):
        """Return what the shop is owed."""
        account = self.wallet.look(lambda at: find_account(at, self.shop.account))
        return account.balance.amount


def open_money(folder) -> Money:
    """Open a wallet house with a shop; close its store at the end."""
    wallet = open_wallet_at_hand(folder)
    shop = wallet.write(lambda at: register_merchant(at, wallet.house, "shop", SHOP))
    return Money(wallet, shop, PlainGuard())
