"""Our side of linking with a bank: what is sent is bound and signed, and silences are told apart."""

import asyncio
import contextlib

import pytest
from tests.linking.bank_double import BROKEN, DEAF, FAILING, LATE, MUTE, SILENT, BankDouble, serving

from sekisho.identity.http_line import HttpLine
from sekisho.kernel.chance import SeededChance
from sekisho.kernel.clock import SetClock
from sekisho.kernel.yen import Yen
from sekisho.linking.bank_bookings import Access, BankBookings, Direction, Movement
from sekisho.linking.bank_client import METADATA_US, BankClient, Flow
from sekisho.linking.bank_http import BankAway, BankLine
from sekisho.linking.client_statements import new_client_key
from sekisho.linking.dpop import ProofKey, new_key
from sekisho.linking.link_answers import Booking, BookingState, Declined, Pushed, Tokens
from sekisho.linking.link_details import Action, HolderClaim, LinkDetailsUnreadable, LinkRequest
from sekisho.linking.link_partners import LinkPartner, Strength

NOON_US = 1_790_000_000_000_000
FLOW = Flow("http://wallet.localhost:8470/links/return", "state-of-the-flow", "v" * 43)
WISH = LinkRequest(
    type="account_link",
    actions=(Action.DEBIT, Action.CREDIT),
    ceiling_yen=100_000,
    month_ceiling_yen=300_000,
    holder=HolderClaim(name_kana="ｼﾁｼﾞﾕｳｼﾁ ﾀﾛｳ", birth_date="1980-01-01", phone="+818012340001"),
    user_ref="ref-of-the-member",
)
DEBITS = "/v1/debits"


class AtBank:
    """A bank that answers, a client that asks, and a key of a link."""

    def __init__(self, bank, clock, http, key_pair):
        self.bank = bank
        self.clock = clock
        self.key = ProofKey(new_key())
        partner = LinkPartner(
            bank="9901", issuer=bank.issuer, client_id=bank.client_id, strength=Strength.POSSESSION
        )
        line = BankLine("9901", http)
        self.client = BankClient(line, partner, key_pair.private, clock=clock, chance=SeededChance(1))
        self.bookings = BankBookings(self.client)

    async def linked(self):
        """Go the whole way, and return the tokens."""
        pushed = await self.client.push(WISH, FLOW, self.key)
        assert isinstance(pushed, Pushed)
        answer = self.bank.agree(await self.client.address_for(pushed))
        tokens = await self.client.exchange(answer["code"], FLOW, self.key)
        assert isinstance(tokens, Tokens)
        return tokens

    async def stop(self):
        """Let nobody listen where the bank was."""
        self.bank.server.close()
        await self.bank.server.wait_closed()

    async def access(self):
        return Access((await self.linked()).access_token, self.key)

    def movement(self, key="key-1", yen=10_000):
        until_us = self.clock.now_us() + 120_000_000
        return Movement(key, Direction.DEBIT, "mdt_ref-of-the-member", Yen(yen), key, "ｶﾓﾒ", until_us)


@contextlib.asynccontextmanager
async def at_bank(*, patience_s=30.0, **changes):
    clock, key_pair = SetClock(NOON_US), new_client_key()
    bank = BankDouble(clock=clock, key_set=f'{{"keys":[{key_pair.public.decode()}]}}', **changes)
    http = HttpLine(answer_s_max=patience_s)
    try:
        async with serving(bank):
            yield AtBank(bank, clock, http, key_pair)
    finally:
        await http.close()


def run(use, **changes):
    """Run a use of a bank in a loop of its own, and return what it returned."""

    async def within():
        async with at_bank(**changes) as there:
            return await use(there)

    return asyncio.run(within())


def away(use, **changes):
    """Run a use that must end with no answer, and return what it raised."""
    with pytest.raises(BankAway) as raised:
        run(use, **changes)
    return raised.value


@pytest.mark.parametrize("wants_nonce", [False, True])
def test_the_whole_way_to_a_link_and_a_debit(wants_nonce):
    """Pushed, agreed to, exchanged, refreshed and used, with and without a nonce of the bank's."""

    async def use(there):
        tokens = await there.linked()
        refreshed = await there.client.refresh(tokens.refresh_token, there.key)
        access = Access(refreshed.access_token, there.key)
        booking = await there.bookings.move(access, there.movement())
        await there.client.revoke(tokens.refresh_token)
        return tokens, booking, there.bank.revoked

    tokens, booking, revoked = run(use, wants_nonce=wants_nonce)
    assert tokens.granted.account.ref == "ref-of-taro"
    assert tokens.granted.user_ref == WISH.user_ref
    assert (booking.state, booking.result) == (BookingState.DONE, "0")
    assert revoked == [tokens.refresh_token]


def test_metadata_are_believed_for_ten_minutes():
    async def use(there):
        await there.client.metadata()
        there.clock.advance(METADATA_US - 1)
        await there.client.metadata()
        before = len(there.bank.calls)
        there.clock.advance(1)
        await there.client.metadata()
        return before, len(there.bank.calls)

    assert run(use) == (1, 2)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"issuer": "http://evil.localhost:1"}, id="another issuer"),
        pytest.param({"sekisho_bank_code": "0125"}, id="another bank"),
        pytest.param({"token_endpoint": "http://evil.localhost:1/token"}, id="codes go elsewhere"),
        pytest.param({"sekisho_debit_endpoint": "https://evil.example/v1/debits"}, id="tokens go elsewhere"),
        pytest.param({"require_pushed_authorization_requests": False}, id="nothing is pushed"),
        pytest.param({"code_challenge_methods_supported": ["plain"]}, id="plain PKCE"),
        pytest.param({"token_endpoint_auth_methods_supported": ["client_secret_post"]}, id="secrets"),
        pytest.param({"dpop_signing_alg_values_supported": []}, id="no DPoP"),
        pytest.param({"authorization_response_iss_parameter_supported": False}, id="no issuer in answers"),
        pytest.param({"authorization_details_types_supported": []}, id="no links"),
        pytest.param({"sekisho_link_authentication": "a_smile"}, id="an unknown way"),
        pytest.param({"sekisho_link_strength": 9}, id="an unknown strength"),
        pytest.param({"sekisho_link_strength": "strong"}, id="a strength that is no number"),
    ],
)
def test_metadata_that_linking_can_not_stand_on_are_no_metadata(changes):
    """A bank that is not what it must be is away: nobody is sent there."""
    fault = away(lambda there: there.client.metadata(), metadata_changes=changes)
    assert "metadata" in fault.detail
    assert not fault.maybe_heard


@pytest.mark.parametrize(
    ("authentication", "says", "strength"),
    [
        ("account_pin", 1, Strength.KNOWLEDGE),
        ("account_pin", 3, Strength.KNOWLEDGE),
        ("passkey", 2, Strength.POSSESSION),
        ("passkey", 3, Strength.PASSKEY),
    ],
)
def test_a_bank_is_as_sure_as_the_weaker_of_its_words(authentication, says, strength):
    metadata = run(lambda there: there.client.metadata(), authentication=authentication, strength=says)
    assert metadata.strength is strength


def test_a_code_is_worth_nothing_with_another_key_another_verifier_or_a_second_time():
    async def use(there):
        pushed = await there.client.push(WISH, FLOW, there.key)
        code = there.bank.agree(await there.client.address_for(pushed))["code"]
        stolen = await there.client.exchange(code, FLOW, ProofKey(new_key()))
        guessed = await there.client.exchange(code, FLOW._replace(verifier="w" * 43), there.key)
        good = await there.client.exchange(code, FLOW, there.key)
        again = await there.client.exchange(code, FLOW, there.key)
        return stolen, guessed, good, again

    stolen, guessed, good, again = run(use)
    assert isinstance(good, Tokens)
    assert stolen == guessed == again == Declined("invalid_grant", 400)


def test_a_token_is_worth_nothing_with_another_key():
    async def use(there):
        access = await there.access()
        return await there.bookings.move(Access(access.token, ProofKey(new_key())), there.movement())

    assert run(use) == Declined("invalid_token", 401)


def test_a_token_that_is_bound_to_no_key_is_not_taken():
    fault = away(lambda there: there.linked(), answer_changes={"token_type": "Bearer"})
    assert "no key" in fault.detail


def test_a_request_that_the_bank_declines_is_a_value():
    declined = run(lambda there: there.client.push(WISH, FLOW, there.key), answer_changes={"par": "nope"})
    assert declined == Declined("nope", 400)


@pytest.mark.parametrize("details", [[], [{}], [{"type": "payment"}], "text", [1, 2]])
def test_details_that_grant_no_link_are_not_read(details):
    async def use(there):
        tokens = await there.linked()
        with pytest.raises(LinkDetailsUnreadable):
            _ = tokens.granted

    run(use, answer_changes={"authorization_details": details})


@pytest.mark.parametrize("mood", [MUTE, DEAF, BROKEN, FAILING])
def test_a_debit_whose_answer_is_lost_may_have_been_heard(mood):
    """Silence, nonsense and a fault of the bank are not a no: whoever hears them has to ask."""

    async def use(there):
        access = await there.access()
        there.bank.moods[DEBITS] = [mood]
        with pytest.raises(BankAway) as raised:
            await there.bookings.move(access, there.movement())
        found = await there.bookings.find(access, there.movement())
        return raised.value.maybe_heard, found, there.bank.booked_yen()

    maybe_heard, found, booked = run(use)
    assert maybe_heard
    if mood == DEAF:
        assert (found, booked) == (None, 0)
    else:
        assert isinstance(found, Booking)
        assert booked == 10_000


def test_a_bank_that_keeps_silent_is_waited_for_so_long_and_may_have_heard():
    async def use(there):
        await there.client.metadata()
        there.bank.moods["/par"] = [SILENT]
        return await there.client.push(WISH, FLOW, there.key)

    fault = away(use, patience_s=2.0)
    assert "TimeoutError" in fault.detail
    assert fault.maybe_heard


def test_the_same_key_again_is_answered_and_moves_nothing_more():
    async def use(there):
        access = await there.access()
        first = await there.bookings.move(access, there.movement())
        second = await there.bookings.move(access, there.movement())
        return first, second, there.bank.booked_yen()

    first, second, booked = run(use)
    assert first == second
    assert booked == 10_000


@pytest.mark.parametrize("changes", [{"amount_yen": 1}, {"mandate_id": "mdt_other"}, {"debit_id": ""}])
def test_an_answer_about_something_else_is_none(changes):
    async def use(there):
        access = await there.access()
        there.bank.answer_changes = changes
        return await there.bookings.move(access, there.movement())

    assert "something else" in away(use).detail


def test_a_bank_that_does_not_listen_can_not_have_heard():
    """Nothing listens any more: the order may be sent anew."""

    async def use(there):
        access = await there.access()
        async with asyncio.timeout(5):
            await there.stop()
        return await there.bookings.move(access, there.movement())

    assert not away(use).maybe_heard


def test_too_late_is_said_in_one_word():
    async def use(there):
        access = await there.access()
        there.bank.moods["refusing"] = [LATE]
        return await there.bookings.move(access, there.movement())

    assert run(use) == Declined("too_late", 409)
