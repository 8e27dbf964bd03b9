"""Raising the identity level: the phone, the person, the card; and a wallet in somebody else's name."""

import pytest
from tests.web.wallet_site import CLAIMED, PlayedTrust, play

from sekisho.identity.assurance import Level
from sekisho.kernel.yen import Yen
from sekisho.ledger.transfers import Refused, Transfer, Why, post
from sekisho.linking.link_partners import LinkPartner, PartnerBook, Strength
from sekisho.wallet.identity_levels import IdentityLevel
from sekisho.wallet.persons import verified_person

MOBILE = "080-1234-5678"
MISAKI = LinkPartner(
    bank="9901", issuer="http://bank.localhost:1", client_id="kamome", strength=Strength.POSSESSION
)


def book(site, wallet, yen, key="k"):
    """Try to put money into a wallet as whoever has got at the ledger would."""
    house = site.desks.house
    move = Transfer(
        key=key,
        kind="wallet:charge",
        debit=house.accounts.bank_receivable,
        credit=wallet.account,
        amount=Yen(yen),
        effective_on=house.today(),
    )
    return house.store.write(lambda at: post(at, move, clock=house.clock, chance=house.chance)).result()


def test_a_phone_and_a_card_open_everything_step_by_step(tmp_path):
    trust = PlayedTrust()

    async def scene(site):
        person = site.person()
        await person.open_wallet()
        await person.prove_phone(site, MOBILE)
        (wallet,) = site.wallets()
        assert wallet.level is IdentityLevel.PHONE
        await person.at_wallet.get("/banks")
        assert "confirm your identity first" in person.at_wallet.page.text
        await person.prove_identity(trust.card())
        assert person.at_wallet.path == "/identity?done"
        (wallet,) = site.wallets()
        assert wallet.level is IdentityLevel.VERIFIED
        with site.site.parts.store.read() as connection:
            found = verified_person(connection, site.site.parts.keyring, wallet.member_id)
        assert found is not None
        assert (found.name, found.name_kana) == (CLAIMED["name"], "ｼﾁｼﾞﾕｳｼﾁ ﾀﾛｳ")
        assert found.phone_e164 == "+818012345678"
        assert [sent.text for sent in site.messages.sent("notice:identity_confirmed")]

    play(tmp_path, scene, trust=trust)


def test_a_wallet_in_the_victims_name_can_do_nothing_with_money(tmp_path):
    """Opened by a stranger with an ID of their own and a phone of their own, and everything known of Taro."""
    trust = PlayedTrust()

    async def scene(site):
        thief = site.person(Level.CODE, ip="203.0.113.9")
        await thief.open_wallet()
        (wallet,) = site.wallets()
        assert book(site, wallet, 1) == Refused(Why.ABOVE_CREDIT_LIMIT)
        site.provider.log_in(thief.at_id, thief.id_member, Level.PASSKEY)
        await thief.prove_phone(site, "080-6666-6666")
        own = trust.card("盗人 一郎", "319900101", "東京都架空区一丁目1番1号")
        answer = await thief.prove_identity(own)
        assert answer.status_code == 422
        assert "name on the card is another one" in answer.text
        await thief.at_wallet.get("/banks/new")
        await thief.at_wallet.submit("/banks/new", bank="9901")
        assert thief.at_wallet.path == "/identity?for=link_register"
        (wallet,) = site.wallets()
        assert wallet.level is IdentityLevel.PHONE
        assert book(site, wallet, 100_001, key="l") == Refused(Why.ABOVE_CREDIT_LIMIT)

    play(tmp_path, scene, trust=trust, partners=PartnerBook((MISAKI,)))


def test_one_phone_belongs_to_one_wallet_and_nobody_learns_whose(tmp_path):
    """The second one sees the same page, and no code comes that opens anything."""

    async def scene(site):
        first, second = site.person(), site.person()
        await first.open_wallet()
        await first.prove_phone(site, MOBILE)
        await second.open_wallet()
        sent = len(site.messages.sent("code"))
        await second.at_wallet.get("/profile/mobile_phone/change")
        await second.confirm()
        await second.at_wallet.submit("/profile/change", value=MOBILE)
        assert second.at_wallet.path == "/profile/mobile_phone/confirm"
        assert len(site.messages.sent("code")) == sent
        await second.at_wallet.submit("/profile/confirm", code="123456")
        levels = sorted(wallet.level for wallet in site.wallets())
        assert levels == [IdentityLevel.NONE, IdentityLevel.PHONE]

    play(tmp_path, scene)


def test_one_person_has_one_wallet(tmp_path):
    trust = PlayedTrust()

    async def scene(site):
        first, second = site.person(), site.person()
        for person, mobile in ((first, "080-1111-1111"), (second, "080-2222-2222")):
            await person.open_wallet()
            await person.prove_phone(site, mobile)
        await first.prove_identity(trust.card())
        answer = await second.prove_identity(trust.card())
        assert answer.status_code == 409
        assert "A wallet was confirmed for this person before" in answer.text

    play(tmp_path, scene, trust=trust)


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("birth_date", "1980-01-02", "birth date on the card is another one"),
        ("home_address", "宮城県架空市港町一丁目1番2号", "address on the card is another one"),
    ],
)
def test_everything_on_the_card_has_to_agree(tmp_path, field, value, told):
    trust = PlayedTrust()

    async def scene(site):
        person = site.person()
        await person.open_wallet()
        await person.prove_phone(site, MOBILE)
        answer = await person.prove_identity(trust.card(), **{field: value})
        assert told in answer.text
        assert site.wallets()[0].level is IdentityLevel.PHONE

    play(tmp_path, scene, trust=trust)


def test_nobody_is_asked_who_they_are_before_the_phone_is_proven(tmp_path):
    async def scene(site):
        person = site.person()
        await person.open_wallet()
        for path in ("/identity/person", "/identity/card"):
            await person.at_wallet.get(path)
            assert person.at_wallet.path == "/identity"

    play(tmp_path, scene)


def test_what_no_card_reader_gives_is_told_and_can_be_tried_again(tmp_path):
    trust = PlayedTrust()

    async def scene(site):
        person = site.person()
        await person.open_wallet()
        await person.prove_phone(site, MOBILE)
        await person.at_wallet.get("/identity/person")
        await person.at_wallet.submit("/identity/person", **CLAIMED)
        answer = await person.at_wallet.submit("/identity/card", answer="nonsense")
        assert answer.status_code == 422
        assert "not what a card reader gives" in answer.text

    play(tmp_path, scene, trust=trust)


@pytest.mark.parametrize(
    ("field", "value"), [("birth_date", "1980-13-01"), ("name", "T4ro"), ("kana", "漢字")]
)
def test_what_can_not_be_is_told_beside_its_field(tmp_path, field, value):
    async def scene(site):
        person = site.person()
        await person.open_wallet()
        await person.prove_phone(site, MOBILE)
        await person.at_wallet.get("/identity/person")
        answer = await person.at_wallet.submit("/identity/person", **(CLAIMED | {field: value}))
        assert answer.status_code == 422
        assert f'id="{field}-error"' in answer.text

    play(tmp_path, scene)


def test_where_nobody_is_trusted_the_check_waits(tmp_path):
    async def scene(site):
        person = site.person()
        await person.open_wallet()
        await person.prove_phone(site, MOBILE)
        answer = await person.prove_identity(PlayedTrust().card())
        assert answer.status_code == 503
        assert site.wallets()[0].level is IdentityLevel.PHONE

    play(tmp_path, scene)


def test_who_wants_what_the_level_does_not_allow_hears_what_is_missing(tmp_path):
    """And nobody is told that something is missing who only looks, or has it."""

    async def scene(site):
        person = site.person()
        await person.open_wallet()
        for path, told in (
            ("/charge", "Charge: for this, confirm your identity first"),
            ("/payout", "Pay out: for this, confirm your identity first"),
            ("/identity?for=payment", "Pay at shops: for this, confirm your mobile number first"),
            ("/identity?for=link_register", "Link a bank account: for this, confirm your identity first"),
        ):
            assert told in (await person.at_wallet.get(path)).text
        await person.at_wallet.get("/send")
        answer = await person.at_wallet.submit("/send", phone="090-1234-9999", amount="100")
        assert "Send: for this, confirm your identity first" in answer.text
        await person.prove_phone(site, MOBILE)
        for path in ("/identity", "/identity?for=payment", "/identity?for=nonsense"):
            page = await person.at_wallet.get(path)
            assert (page.status_code, "for this, confirm" in page.text) == (200, False)

    play(tmp_path, scene)
