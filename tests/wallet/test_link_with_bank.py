"""The wallet's side and the bank's, over HTTP: two programs that share nothing but their protocol."""

import asyncio
import re
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from sqlalchemy import update
from tests.bank.mandate_at_hand import OFF
from tests.identity.member_at_hand import CHROME
from tests.linking.bank_double import BankDouble
from tests.wallet.links_at_hand import ARRIVAL, BANK, LinksAtHand
from tests.wallet.wallet_at_hand import open_wallet_at_hand
from tests.web.bank_site import PIN
from tests.web.member_site import Forms
from tests.web.served_bank import served_bank

from sekisho.bank import deposits
from sekisho.bank.authorisation import partners
from sekisho.bank.authorisation.partners import PartnerSettings
from sekisho.bank.authorisation.settings import LinkPolicy
from sekisho.bank.mandate_states import Actor, MandateState, Who
from sekisho.bank.mandates import revoke_within
from sekisho.bank.switches import Function
from sekisho.identity.http_line import HttpLine
from sekisho.identity.people import Person
from sekisho.kernel.clock import SystemClock
from sekisho.kernel.yen import Yen
from sekisho.linking.bank_client import Flow
from sekisho.linking.bank_http import BankAway
from sekisho.linking.dpop import ProofKey, new_key
from sekisho.linking.link_answers import Declined
from sekisho.linking.link_partners import LinkPartner, PartnerBook, Strength
from sekisho.response.money_gates import Held, HeldFor
from sekisho.storage.tables.bank_links import bank_link
from sekisho.wallet.bank_moves import MoveState
from sekisho.wallet.link_banks import LinkBanks, public_key_set
from sekisho.wallet.link_limits import LinkSettings
from sekisho.wallet.link_returns import BankAnswer
from sekisho.wallet.link_rows import LinkState
from sekisho.wallet.links import RETURN_PATH, AtBank, LinkNotGranted

pytestmark = pytest.mark.server

HANAKO = Person(name="山田 花子", kana="ﾔﾏﾀﾞ ﾊﾅｺ", birth_date="1990-04-01", home_address="宮城県架空市")
PHONE = "+819012340001"
TYPED = {"branch": "001", "number": "1234567", "name_kana": "やまだ はなこ", "birth_date": "1990-04-01"}
PIN_ALONE = LinkSettings(floor=Strength.KNOWLEDGE)


class _Loopback(httpx.HTTPTransport):
    """Lets a client believe in https: Secure cookies go to the loopback as they do in a browser."""

    def handle_request(self, request):
        plain = httpx.Request(
            request.method,
            request.url.copy_with(scheme="http"),
            headers=request.headers,
            stream=request.stream,
            extensions=request.extensions,
        )
        return super().handle_request(plain)


class Depositor:
    """Somebody with a browser at the bank; leave it at the end."""

    def __init__(self, site):
        self.site = site
        self.origin = site.bank.institution.origin
        self.client = httpx.Client(
            transport=_Loopback(),
            base_url=self.origin.replace("http:", "https:"),
            headers={"Origin": self.origin, "Sec-Fetch-Site": "same-origin", "User-Agent": CHROME},
            follow_redirects=True,
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.client.close()

    def walk(self, address, **typed):
        """Go through the bank's pages, and return what the browser brings back to the wallet."""
        parts = urlsplit(address)
        page = self.client.get(f"{parts.path}?{parts.query}")
        page = self.submit(page, "/link/account", TYPED | {"pin": PIN} | typed)
        if "/link/code" in page.text:
            page = self.submit(page, "/link/code", {"code": self.site.code()})
        page = self.submit(page, "/link/consent", {})
        return self.answer(page)

    def submit(self, page, action, typed):
        fields = Forms(page.text).fields[action][0] | typed
        return self.client.post(action, data=fields)

    def answer(self, page):
        match = re.search(r'id="onward" href="([^"]+)"', page.text)
        assert match, page.text
        uri = urlsplit(match[1].replace("&amp;", "&"))
        assert uri.path == RETURN_PATH
        said = dict(parse_qsl(uri.query))
        return BankAnswer(**{name: said.get(name, "") for name in BankAnswer._fields})


class Both:
    """A wallet and a bank, each with its own store, keys and clock."""

    def __init__(self, folder, site, settings, strength):
        self.site = site
        self.wallet = open_wallet_at_hand(folder)
        self.wallet.clock.set(SystemClock().now_us())
        self.http = HttpLine()
        origin = self.wallet.parts.institution.origin
        key_set = self.wallet.write(lambda at: public_key_set(at, self.wallet.parts, BANK))
        registered = PartnerSettings(
            names={"ja": "かもめウォレット", "en": "Kamome Wallet"},
            redirect_uris=(origin + RETURN_PATH,),
            key_set=key_set,
        )
        site.do(lambda at: partners.register(at, site.bank, "kamome-wallet", registered))
        partner = LinkPartner(
            bank=BANK, issuer=site.bank.institution.origin, client_id="kamome-wallet", strength=strength
        )
        book = PartnerBook([partner])
        banks = LinkBanks(self.wallet.parts, book, self.http)
        double = BankDouble(self.wallet.clock)
        self.links = LinksAtHand(self.wallet, double, banks, settings, book, self.http)

    async def set_out(self):
        """Send the member to the bank, and return the session and the address."""
        member = self.wallet.add_verified(HANAKO, mobile=PHONE)
        present, out = await self.links.set_out(self.links.enter(member))
        assert isinstance(out, AtBank), out
        return present, out.address

    async def link(self):
        """Link all the way, and make wallet and link a month old: their clocks can't be put forward here."""
        present, address = await self.set_out()
        with Depositor(self.site) as there:
            answer = there.walk(address)
        made = await self.links.returns.come_back(present, ARRIVAL, answer)
        waited = {"active_at_us": 0, "usable_from_us": 0, "first_until_us": 0}
        self.wallet.set_wallet(made.member_id, opened_at_us=0)
        one = update(bank_link).where(bank_link.c.id == made.id).values(waited)
        self.wallet.write(lambda at: at.execute(one))
        return present, made

    async def move(self, present, link, yen, *, out=False):
        """Charge or pay out, approved by passkey."""
        moves = self.links.moves
        take = moves.pay_out if out else moves.charge
        wished = await take(present, link.id, Yen(yen), f"k-{yen}-{out}")
        proven = self.links.prove(present, wished.purpose)
        return await moves.approve(proven, ARRIVAL, wished.move.id)


def at_both(folder, use, *, policy=LinkPolicy.ACCOUNT_PIN, settings=PIN_ALONE, strength=Strength.KNOWLEDGE):
    """Use a wallet and a bank that talk over HTTP."""
    (folder / "bank").mkdir()
    (folder / "wallet").mkdir()
    with served_bank(folder / "bank", policy=policy) as site:
        account = asyncio.run(site.open(number="1234567"))

        async def run():
            both = Both(folder / "wallet", site, settings, strength)
            try:
                return await use(both, account)
            finally:
                await both.http.close()
                both.wallet.parts.store.close()

        return asyncio.run(run())


def deposit_balance(site, account):
    """Return what is in the depositor's account."""
    return site.look(lambda at: deposits.balance(at, account)).amount


def test_a_link_a_charge_and_a_payout_over_both_stores(tmp_path):
    """Pushed, agreed to on the bank's pages, exchanged, debited and credited: both books say the same."""

    async def use(both, account):
        present, link = await both.link()
        charged = await both.move(present, link, 20_000)
        paid = await both.move(present, link, 5_000, out=True)
        both.wallet.audit()
        member = present.session.member_id
        mandate = both.site.mandates(account)[0]
        return link, charged, paid, both.wallet.balance(member), deposit_balance(both.site, account), mandate

    link, charged, paid, in_wallet, at_bank, mandate = at_both(tmp_path, use)
    assert (link.state, link.holder_match) == (LinkState.ACTIVE, "exact/birth/phone")
    assert link.mandate_id == mandate.id
    assert (charged.state, paid.state) == (MoveState.DONE, MoveState.DONE)
    assert in_wallet == 15_000
    assert at_bank == 500_000 - 15_000


def test_a_bank_with_a_code_to_the_phone_on_file(tmp_path):
    async def use(both, account):
        del account
        return (await both.link())[1]

    link = at_both(
        tmp_path,
        use,
        policy=LinkPolicy.ACCOUNT_PIN_CODE,
        settings=LinkSettings(),
        strength=Strength.PASSKEY,
    )
    assert (link.state, link.strength) == (LinkState.ACTIVE, Strength.POSSESSION)


def test_who_declines_at_the_bank_comes_back_without_a_link(tmp_path):
    async def use(both, account):
        del account
        present, address = await both.set_out()
        with Depositor(both.site) as there:
            page = there.client.get(f"{urlsplit(address).path}?{urlsplit(address).query}")
            answer = there.answer(there.submit(page, "/link/decline", {}))
        with pytest.raises(LinkNotGranted):
            await both.links.returns.come_back(present, ARRIVAL, answer)
        return answer

    assert at_both(tmp_path, use).error == "access_denied"


def test_a_code_that_somebody_used_before_gives_nothing_twice(tmp_path):
    """Stolen at the redirect: without the key it buys nothing, and its second use leaves no link behind."""

    async def use(both, account):
        present, address = await both.set_out()
        with Depositor(both.site) as there:
            answer = there.walk(address)
        client = await both.links.banks.client(BANK)
        flow = Flow(both.wallet.parts.institution.origin + RETURN_PATH, answer.state, "v" * 43)
        stolen = await client.exchange(answer.code, flow, ProofKey(new_key()))
        with pytest.raises(LinkNotGranted):
            await both.links.returns.come_back(present, ARRIVAL, answer)
        return stolen, both.site.mandates(account)

    stolen, mandates = at_both(tmp_path, use)
    assert isinstance(stolen, Declined)
    assert all(one.state is not MandateState.ACTIVE for one in mandates)


def test_an_end_here_ends_the_mandate_there(tmp_path):
    async def use(both, account):
        present, link = await both.link()
        await both.links.desk.end(present, link.id)
        told = await both.links.rounds.tell_banks()
        return told, both.site.mandates(account)[0].state

    assert at_both(tmp_path, use) == (1, MandateState.REVOKED)


def test_a_mandate_that_the_depositor_stopped_debits_nothing_here(tmp_path):
    """The bank's word is in the movement, nothing stays pending, and the link stands still."""

    async def use(both, account):
        present, link = await both.link()
        mandate = both.site.mandates(account)[0]
        both.site.do(
            lambda at: revoke_within(at, both.site.bank, mandate.id, Actor(Who.DEPOSITOR), "on_the_phone")
        )
        charged = await both.move(present, link, 20_000)
        both.wallet.audit()
        balances = (both.wallet.balance(link.member_id), deposit_balance(both.site, account))
        return charged, balances, both.links.find(link.id), both.wallet.at_hand.notices()

    charged, balances, link, notices = at_both(tmp_path, use)
    assert (charged.state, charged.result) == (MoveState.FAILED, "3")
    assert balances == (0, 500_000)
    assert (link.state, link.suspended_for) == (LinkState.SUSPENDED, "debit_stopped")
    assert "bank_link_stopped" in notices


def test_the_answer_of_the_bank_is_found_by_key_after_it_was_lost(tmp_path):
    """The program that ordered never read the answer; another asks by the key and books it once."""

    async def use(both, account):
        present, link = await both.link()
        wished = await both.links.moves.charge(present, link.id, Yen(20_000), "k")
        proven = both.links.prove(present, wished.purpose)
        bookings = await both.links.banks.bookings(BANK)
        lost = bookings.move

        async def silent(access, movement):
            await lost(access, movement)
            raise BankAway(BANK, "the line broke", maybe_heard=True)

        bookings.move = silent
        waits = await both.links.moves.approve(proven, ARRIVAL, wished.move.id)
        both.wallet.clock.advance(60_000_000)
        await both.links.booked_orders.carry_out_due()
        move = (await both.links.moves.of_member(present.session.member_id))[0]
        return waits.state, move.state, deposit_balance(both.site, account)

    assert at_both(tmp_path, use) == (MoveState.ORDERED, MoveState.DONE, 480_000)


def test_what_the_bank_has_switched_off_is_told_here_in_its_words(tmp_path):
    """New links are off at the bank; the one that stands goes on charging."""

    async def use(both, account):
        present, link = await both.link()
        both.site.switches.off = {Function.LINK_CHANGE: OFF}
        _, out = await both.links.set_out(both.links.enter(link.member_id))
        charged = await both.move(present, link, 20_000)
        return out, charged.state, deposit_balance(both.site, account)

    out, charged, at_bank = at_both(tmp_path, use)
    assert isinstance(out, Held)
    assert (out.why, out.told["ja"]) == (HeldFor.SWITCHED_OFF, "停止しています。")
    assert (charged, at_bank) == (MoveState.DONE, 480_000)
