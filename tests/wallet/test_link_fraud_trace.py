"""The incident's trace: 100,000, 90,000, 90,000 and 20,000 yen within a minute, from a stolen account.

The thief knows name, birth date, account number and PIN of somebody who never used the wallet, and opens one
in that name. Each defence is shown alone, with all the others out of the way; without any, the money goes.
"""

import pytest
from sqlalchemy import update
from tests.wallet.links_at_hand import ARRIVAL, BANK, TARO, within

from sekisho.guard.attempts import Gate
from sekisho.identity.people import Person
from sekisho.identity.purposes import Purpose
from sekisho.kernel.clock import DAY_US, SECOND_US
from sekisho.kernel.refusals import Refusal
from sekisho.kernel.yen import Yen
from sekisho.linking.link_partners import Strength
from sekisho.response.money_gates import Asked, GateSettings, Passed
from sekisho.storage.tables.bank_links import bank_link
from sekisho.wallet.gates import SETTINGS
from sekisho.wallet.link_charges import ChargeAsked, weigh_charge
from sekisho.wallet.link_limits import LinkSettings
from sekisho.wallet.link_rows import LinkState
from sekisho.wallet.switches import Function, SwitchedOff

TRACE = (100_000, 90_000, 90_000, 20_000)
BETWEEN_US = 15 * SECOND_US
THIEF = Person(name="盗田 次郎", kana="ﾇｽﾀﾞ ｼﾞﾛｳ", birth_date="1995-05-05", home_address="架空市")
NAMESAKE = Person(name="七十七 太朗", kana=TARO.kana, birth_date=TARO.birth_date, home_address="別の町")
BLIND = GateSettings(risk_max=1.0, passkey_from=999, stopped_from=999)
"""A gate that counts no signs."""

PIN_ALONE = {
    "authentication": "account_pin",
    "strength": 1,
    "settings": LinkSettings(floor=Strength.KNOWLEDGE),
}


def forget_limits(there, link):
    """Take the limits of a young link away, as if there were none."""
    values = {"usable_from_us": 0, "first_until_us": 0, "month_yen": 10_000_000, "once_yen": 10_000_000}
    one = update(bank_link).where(bank_link.c.id == link.id).values(values)
    there.wallet.write(lambda at: at.execute(one))
    return there.find(link.id)


async def charge(there, present, link, yen, gate):
    """Charge as the wallet does: weigh, ask the gate, order, carry out; say in a word what came of it."""
    keeper = there.gatekeeper()
    keeper.settings = gate
    purpose = Purpose(
        action="charge", amount_yen=yen, details={"link": link.id, "at": str(there.clock.now_us())}
    )
    proven = there.prove(present, purpose)
    charge_asked = ChargeAsked(proven, link, Yen(yen))
    weighed = there.wallet.look(
        lambda at: weigh_charge(at, charge_asked, now_us=there.clock.now_us(), risk_max=gate.risk_max)
    )
    asked = Asked(
        present=proven,
        arrival=ARRIVAL,
        gate=Gate.TRANSFER,
        function=Function.CHARGE,
        purpose=purpose,
        amount=Yen(yen),
        partner=link.bank,
        weighed=weighed,
    )
    answer = await keeper.ask(asked)
    if not isinstance(answer, Passed):
        return type(answer).__name__
    try:
        return (await there.charge(link, yen)).state.value
    except Refusal as refusal:
        return refusal.code


async def trace(there, member, link, gate=BLIND):
    """Play the four debits; return what came of each, and how much the victim lost."""
    present, outcomes = there.enter(member), []
    for yen in TRACE:
        outcomes.append(await charge(there, present, link, yen, gate))
        there.clock.advance(BETWEEN_US)
    return outcomes, there.bank.booked_yen()


async def linked_in_the_victim_s_name(there):
    """Link with a forged proof of identity, and with everything that the bank asks for."""
    member = there.wallet.add_verified()
    return member, await there.link(member)


def test_without_any_defence_the_money_goes(tmp_path):
    """The measure of all that follows: this is what 2020 was."""

    async def use(there):
        member, link = await linked_in_the_victim_s_name(there)
        return await trace(there, member, forget_limits(there, link))

    assert within(tmp_path, use, **PIN_ALONE) == (["done"] * 4, 300_000)


@pytest.mark.parametrize("proof", ["none", "phone"])
def test_a_wallet_without_a_proof_of_identity_links_nothing(tmp_path, proof):
    async def use(there):
        member = there.wallet.add() if proof == "none" else there.wallet.add_with_phone()
        with pytest.raises(Refusal) as refused:
            await there.link(member)
        return refused.value.code, there.bank.calls

    assert within(tmp_path, use, **PIN_ALONE) == ("identity_level_too_low", [])


def test_the_thief_s_own_identity_is_not_the_holder_s(tmp_path):
    async def use(there):
        with pytest.raises(Refusal) as refused:
            await there.link(there.wallet.add_verified(THIEF))
        return refused.value.code

    assert within(tmp_path, use, **PIN_ALONE) == "holder_differs"


def test_with_a_forged_identity_the_phone_on_file_is_another_and_a_person_looks(tmp_path):
    async def use(there):
        there.bank.holder["phone_matches"] = False
        member, link = await linked_in_the_victim_s_name(there)
        return link.state, await trace(there, member, link)

    state, (outcomes, lost) = within(tmp_path, use, **PIN_ALONE)
    assert state is LinkState.CONFIRMED
    assert lost == 0
    assert set(outcomes) == {"link_not_usable"}


def test_below_the_floor_a_check_of_yesterday_opens_nothing(tmp_path):
    """The wallet demands more than this bank asks: a bought wallet is stale by tomorrow."""

    async def use(there):
        member = there.wallet.add_verified()
        there.clock.advance(DAY_US)
        with pytest.raises(Refusal) as refused:
            await there.link(member)
        return refused.value.code

    assert within(tmp_path, use, authentication="account_pin", strength=1) == "link_needs_recheck"


def test_a_victim_who_has_linked_the_account_is_out_of_reach(tmp_path):
    async def use(there):
        await there.link(there.wallet.add_verified())
        with pytest.raises(Refusal) as refused:
            await there.link(there.wallet.add_verified(NAMESAKE))
        return refused.value.code

    assert within(tmp_path, use, **PIN_ALONE) == "account_taken"


@pytest.mark.parametrize("strength", [1, 2])
def test_a_link_of_this_minute_cools_off(tmp_path, strength):
    """The bank's own notice reaches the depositor before the first yen does the thief."""
    ways = {1: "account_pin", 2: "account_pin_code"}

    async def use(there):
        member, link = await linked_in_the_victim_s_name(there)
        return await trace(there, member, link)

    assert within(tmp_path, use, authentication=ways[strength], strength=strength) == (
        ["link_cooling_off"] * 4,
        0,
    )


@pytest.mark.parametrize(("strength", "way"), [(1, "account_pin"), (2, "account_pin_code"), (3, "passkey")])
def test_after_the_waiting_a_young_link_gives_little(tmp_path, strength, way):
    """The first sum, however it is cut, and by no more than the strength of the bank allows."""

    async def use(there):
        member, link = await linked_in_the_victim_s_name(there)
        there.clock.set(max(link.usable_from_us, there.clock.now_us()))
        outcomes, lost = await trace(there, member, link)
        return outcomes, lost, link.first_yen

    outcomes, lost, first_yen = within(tmp_path, use, authentication=way, strength=strength)
    assert lost <= first_yen <= 50_000
    assert outcomes.count("above_link_ceiling") >= 3


def test_a_bank_s_lower_ceiling_holds(tmp_path):
    async def use(there):
        there.bank.granted = {"ceiling_yen": 30_000, "month_ceiling_yen": 50_000}
        member, link = await linked_in_the_victim_s_name(there)
        there.clock.advance(60 * DAY_US)
        return await trace(there, member, link)

    outcomes, lost = within(tmp_path, use, **PIN_ALONE)
    assert outcomes == ["above_link_ceiling"] * 3 + ["done"]
    assert lost == 20_000


def test_the_signs_alone_stop_the_first_debit(tmp_path):
    """Opened today, linked today, a large first charge: a person looks before a yen moves."""

    async def use(there):
        member, link = await linked_in_the_victim_s_name(there)
        return await trace(there, member, forget_limits(there, link), SETTINGS)

    assert within(tmp_path, use, **PIN_ALONE) == (["Stopped"] * 4, 0)


def test_the_pace_alone_stops_the_debit_that_reaches_for_the_limit_of_an_old_link(tmp_path):
    """Somebody entered a wallet of long standing: a third charge in ten minutes, up to the month's limit."""

    async def use(there):
        member = there.wallet.add_verified()
        link = await there.old_link(member)
        return await trace(there, member, link, SETTINGS)

    outcomes, lost = within(tmp_path, use)
    assert outcomes == ["done", "done", "Stopped", "done"]
    assert lost == sum(TRACE) - TRACE[2]


def test_a_switch_for_one_bank_stops_it_in_the_middle(tmp_path):
    """The operator stops charges from this bank after the first: the next ones are held, the link stays."""

    async def use(there):
        member, link = await linked_in_the_victim_s_name(there)
        link = forget_limits(there, link)
        present = there.enter(member)
        first = await charge(there, present, link, TRACE[0], BLIND)
        there.switches.off = {Function.CHARGE: SwitchedOff("incident", {})}
        rest = [await charge(there, present, link, yen, BLIND) for yen in TRACE[1:]]
        return first, rest, there.find(link.id).state, {usage.partner for usage in there.switches.asked}

    first, rest, state, partners = within(tmp_path, use, **PIN_ALONE)
    assert (first, rest, state) == ("done", ["Held"] * 3, LinkState.ACTIVE)
    assert partners == {BANK}


def test_an_honest_member_charges_on_the_first_day(tmp_path):
    """What the defences cost: with a passkey at the bank and here, 20,000 yen are there at once."""

    async def use(there):
        member = there.wallet.add_verified()
        link = await there.link(member)
        return await charge(there, there.enter(member), link, 20_000, SETTINGS)

    assert within(tmp_path, use, authentication="passkey", strength=3) == "done"
