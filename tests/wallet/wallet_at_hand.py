"""A wallet house with members at each identity level: what tests of the wallet's rooms stand on."""

from dataclasses import dataclass, field

from sqlalchemy import update
from tests.identity.member_at_hand import AtHand, open_at_hand

from sekisho.identity import contacts, personal_data
from sekisho.identity.contacts import ContactKind
from sekisho.identity.institution import Institution
from sekisho.identity.people import Person
from sekisho.identity.personal_data import Item
from sekisho.kernel.ids import IDENTITY_CHECK, MemberId
from sekisho.kernel.yen import Yen
from sekisho.ledger.journal import first_fault
from sekisho.ledger.transfers import Transfer, post
from sekisho.storage.tables.wallets import wallet
from sekisho.wallet.house import WalletParts, open_house
from sekisho.wallet.persons import keep_person
from sekisho.wallet.wallets import Wallet, account_of, open_wallet, prove_phone, require_open, wallet_of

KAMOME = Institution(
    key="wallet",
    names={"ja": "かもめウォレット", "en": "Kamome Wallet"},
    host="wallet.localhost",
    origin="http://wallet.localhost:8470",
    telephone="0120-000-333",
    desk_hours={"ja": "毎日24時間", "en": "every day, 24 hours"},
)
TARO = Person(
    name="七十七 太郎",
    kana="ｼﾁｼﾞﾕｳｼﾁ ﾀﾛｳ",
    birth_date="1980-01-01",
    home_address="宮城県架空市港町一丁目1番1号",
)


@dataclass
class WalletAtHand:
    """A wallet house; members are added at the level that a test wants."""

    at_hand: AtHand
    house: WalletParts
    phones: int = field(default=0)

    @property
    def clock(self):
        return self.at_hand.clock

    @property
    def parts(self):
        return self.house.parts

    def write(self, work):
        return self.house.store.write(work).result()

    def look(self, look):
        with self.house.store.read() as connection:
            return look(connection)

    def add(self) -> MemberId:
        """Add a member with a wallet of the level `none`."""
        member_id = self.at_hand.add_member()
        self.write(lambda at: open_wallet(at, self.parts, member_id))
        return member_id

    def add_with_phone(self, mobile="") -> MemberId:
        """Add a member of the level `phone`."""
        member_id = self.add()
        self.phones += 1
        number = mobile or f"+8180123400{self.phones:02d}"

        def work(connection):
            assert contacts.put(connection, self.parts, member_id, ContactKind.MOBILE, number)
            items = {Item.MOBILE_PHONE: number}
            personal_data.store(connection, self.parts.keyring, member_id, items, self.clock.now_us())
            prove_phone(connection, self.parts, require_open(connection, member_id))

        self.write(work)
        return member_id

    def add_verified(self, person=TARO, mobile="") -> MemberId:
        """Add a member of the level `verified`."""
        member_id = self.add_with_phone(mobile)
        check_id = IDENTITY_CHECK.new(self.clock, self.at_hand.chance)
        self.write(lambda at: keep_person(at, self.parts, member_id, person, check_id=check_id))
        return member_id

    def wallet(self, member_id) -> Wallet:
        found: Wallet | None = self.look(lambda at: wallet_of(at, member_id))
        assert found is not None
        return found

    def balance(self, member_id):
        of = self.wallet(member_id)
        return self.look(lambda at: account_of(at, of).balance).amount

    def give(self, member_id, yen, key="gift"):
        """Put money into a wallet as a charge would, and return what the ledger said."""
        move = Transfer(
            key=key,
            kind="wallet:charge",
            debit=self.house.accounts.bank_receivable,
            credit=self.wallet(member_id).account,
            amount=Yen(yen),
            effective_on=self.house.today(),
        )
        return self.write(lambda at: post(at, move, clock=self.clock, chance=self.at_hand.chance))

    def set_wallet(self, member_id, **values):
        """Change a wallet's row behind the room's back."""
        self.write(
            lambda at: at.execute(update(wallet).where(wallet.c.member_id == member_id).values(values))
        )

    def audit(self):
        """Hold the books together."""
        assert self.look(first_fault) is None


def open_wallet_at_hand(folder) -> WalletAtHand:
    """Open a wallet house in a folder; close its store at the end."""
    at_hand = open_at_hand(folder)
    at_hand.parts = at_hand.parts._replace(institution=KAMOME)
    return WalletAtHand(at_hand, open_house(at_hand.parts))
