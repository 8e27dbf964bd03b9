"""Linking an account: who sets out comes back, the holder is the member, one account and phone one wallet."""

import asyncio
from datetime import date

import pytest
from tests.wallet.links_at_hand import ARRIVAL, BANK, TARO, within

from sekisho.identity.assurance import NotFromHere, StepUp, Way
from sekisho.identity.holds import HoldKind, HoldScope, place
from sekisho.identity.people import Person
from sekisho.kernel.clock import DAY_US, HOUR_US
from sekisho.kernel.posture import Posture
from sekisho.linking.link_partners import BankNotLinkable, Strength
from sekisho.response.money_gates import Held, HeldFor, Stopped
from sekisho.wallet.identity_levels import LevelTooLow
from sekisho.wallet.link_limits import LinkSettings
from sekisho.wallet.link_returns import HolderDiffers
from sekisho.wallet.link_reviews import Decision, ReviewOver
from sekisho.wallet.link_rows import (
    AccountTaken,
    LinkState,
    PhoneTaken,
    Review,
    claim_phone,
    secrets_of,
)
from sekisho.wallet.links import AtBank, LinkNeedsRecheck, LinkUnknown
from sekisho.wallet.switches import Function, SwitchedOff

HANAKO = Person(name="山田 花子", kana="ﾔﾏﾀﾞ ﾊﾅｺ", birth_date="1990-02-03", home_address="架空市")
NAMESAKE = Person(name="七十七 太朗", kana=TARO.kana, birth_date=TARO.birth_date, home_address="別の町")
"""Reads the same and was born on the same day: only the account tells the two apart."""


def test_a_link_all_the_way(tmp_path):
    """Begun, at the bank, active; its tokens under seal, its member told, the account shown."""

    async def use(there):
        member = there.wallet.add_verified()
        link = await there.link(member)
        secrets = there.wallet.look(lambda at: secrets_of(at, there.parts.keyring, link.id))
        return there, link, secrets, there.wallet.at_hand.notices(), there.events("wallet:link:active")

    there, link, secrets, notices, events = within(tmp_path, use)
    assert (link.state, link.holder_match) == (LinkState.ACTIVE, "exact/birth/phone")
    assert (link.once_yen, link.month_yen, link.first_yen) == (100_000, 300_000, 30_000)
    assert link.usable_from_us == link.active_at_us + HOUR_US
    assert (secrets.branch, secrets.last4, secrets.verifier, secrets.flow_state) == ("001", "4567", "", "")
    assert secrets.refresh_token
    assert "bank_linked" in notices
    assert [event["strength"] for event in events] == [2]
    file = there.wallet.at_hand.file.read_bytes()
    hidden = (secrets.refresh_token.encode(), secrets.access_token.encode(), secrets.dpop_key)
    assert not any(secret in file for secret in hidden)


def test_what_the_bank_is_told_of_the_member_is_what_was_verified(tmp_path):
    async def use(there):
        member = there.wallet.add_verified(mobile="+818012345678")
        await there.set_out(there.enter(member))
        return next(iter(there.bank.pushed.values()))["authorization_details"], member

    details, member = within(tmp_path, use)
    for told in ("ｼﾁｼﾞﾕｳｼﾁ ﾀﾛｳ", "1980-01-01", "+818012345678"):
        assert told in details
    assert member not in details


def test_a_key_begins_one_link_and_a_link_sets_out_once(tmp_path):
    async def use(there):
        present = there.enter(there.wallet.add_verified())
        first = await there.desk.begin(present, BANK, "same")
        second = await there.desk.begin(present, BANK, "same")
        proven = there.prove(present, first.purpose)
        out = await there.desk.set_out(proven, ARRIVAL, first.link.id)
        with pytest.raises(LinkUnknown):
            await there.desk.set_out(proven, ARRIVAL, first.link.id)
        return first, second, out

    first, second, out = within(tmp_path, use)
    assert first == second
    assert isinstance(out, AtBank)


@pytest.mark.parametrize("level", ["none", "phone"])
def test_without_a_verified_identity_nothing_is_begun(tmp_path, level):
    """A wallet in the victim's name, opened with a phone, links nothing."""

    async def use(there):
        member = there.wallet.add() if level == "none" else there.wallet.add_with_phone()
        with pytest.raises(LevelTooLow):
            await there.desk.begin(there.enter(member), BANK, "k")
        return there.bank.calls

    assert within(tmp_path, use) == []


def test_a_bank_without_an_agreement_can_not_be_linked(tmp_path):
    async def use(there):
        present = there.enter(there.wallet.add_verified())
        with pytest.raises(BankNotLinkable):
            await there.desk.begin(present, "0125", "k")

    within(tmp_path, use)


def test_an_agreement_ends_on_its_day(tmp_path):
    async def use(there):
        present = there.enter(there.wallet.add_verified())
        with pytest.raises(BankNotLinkable):
            await there.desk.begin(present, BANK, "k")

    within(tmp_path, use, partner={"until": date(2026, 9, 20)})


@pytest.mark.parametrize("way", [None, Way.CODE, Way.PASSKEY])
def test_it_is_approved_first_for_exactly_this_link(tmp_path, way):
    """Nothing proven asks for a proof; a proof for another link counts for nothing."""

    async def use(there):
        present = there.enter(there.wallet.add_verified())
        one = await there.desk.begin(present, BANK, "one")
        other = await there.desk.begin(present, BANK, "other")
        proven = there.prove(present, other.purpose, way) if way else present
        out = await there.desk.set_out(proven, ARRIVAL, one.link.id)
        return out, there.find(one.link.id).state, there.guard.told

    out, state, told = within(tmp_path, use)
    assert isinstance(out, StepUp | NotFromHere)
    assert state is LinkState.BEGUN
    assert [outcome for _, outcome, _ in told] == ["challenged"]


def test_switches_are_asked_for_this_bank_and_say_whether_it_is_new(tmp_path):
    """Registration is off and change goes on, or the other way round; existing links keep their state."""
    off = SwitchedOff("incident", {"ja": "止めています", "en": "stopped"})

    async def use(there):
        member = there.wallet.add_verified()
        link = await there.link(member)
        there.switches.off = {Function.LINK_REGISTER: off}
        _, change = await there.set_out(there.enter(member))
        there.switches.off = {Function.LINK_CHANGE: off}
        _, stopped = await there.set_out(there.enter(member))
        usages = [(usage.function, usage.partner, usage.is_new) for usage in there.switches.asked]
        return there.find(link.id), change, stopped, usages

    link, change, stopped, usages = within(tmp_path, use)
    assert link.state is LinkState.ACTIVE
    assert isinstance(change, AtBank)
    assert isinstance(stopped, Held)
    assert (stopped.why, stopped.told["en"]) == (HeldFor.SWITCHED_OFF, "stopped")
    assert usages == [
        (Function.LINK_REGISTER, BANK, True),
        (Function.LINK_CHANGE, BANK, False),
        (Function.LINK_CHANGE, BANK, False),
    ]


def test_a_bank_that_has_switched_linking_off_is_not_gone_to(tmp_path):
    """The bank says so itself: its text is shown, nobody is sent there, and links that stand go on."""

    async def use(there):
        member = there.wallet.add_verified()
        link = await there.link(member)
        there.bank.off = {"change": "incident"}
        _, change = await there.set_out(there.enter(member))
        _, register = await there.set_out(there.enter(there.wallet.add_verified(NAMESAKE)))
        return change, register, there.find(link.id).state

    change, register, state = within(tmp_path, use)
    assert change == Held(HeldFor.SWITCHED_OFF, "bank: incident", {"ja": "停止中です"})
    assert isinstance(register, AtBank)
    assert state is LinkState.ACTIVE


@pytest.mark.parametrize("mood", ["mute", "broken", "failing"])
def test_a_bank_that_does_not_say_what_is_off_keeps_its_own_gate(tmp_path, mood):
    async def use(there):
        there.bank.moods["/v1/service-status"] = [mood]
        _, out = await there.set_out(there.enter(there.wallet.add_verified()))
        known = await there.banks.off_at_bank(BANK, "register", on_outage=Posture.CLOSED)
        there.bank.moods["/v1/service-status"] = [mood]
        away = await there.banks.off_at_bank(BANK, "register", on_outage=Posture.CLOSED)
        return out, known, away

    out, known, away = within(tmp_path, use)
    assert isinstance(out, AtBank)
    assert known is None
    assert away is not None
    assert away.reason == "away"


def test_a_member_on_hold_links_nothing(tmp_path):
    async def use(there):
        member = there.wallet.add_verified()
        there.wallet.write(
            lambda at: place(
                at,
                there.parts,
                member,
                HoldKind.SELF_FREEZE,
                HoldScope.MONEY_OUT,
                reason="test",
                until_us=None,
            )
        )
        _, out = await there.set_out(there.enter(member))
        return out, there.guard.asked

    out, asked = within(tmp_path, use)
    assert isinstance(out, Held)
    assert out.why is HeldFor.ON_HOLD
    assert asked == []


def test_switches_that_can_not_be_asked_shut_the_gate(tmp_path):
    async def use(there):
        present = there.enter(there.wallet.add_verified())
        there.switches.down = True
        _, out = await there.set_out(present)
        return out

    out = within(tmp_path, use)
    assert isinstance(out, Held)
    assert out.why is HeldFor.AWAY


def test_the_guard_s_no_is_a_no(tmp_path):
    async def use(there):
        present = there.enter(there.wallet.add_verified())
        there.guard.action = type(there.guard.action).DENY
        _, out = await there.set_out(present)
        return out, there.bank.pushed

    out, pushed = within(tmp_path, use)
    assert isinstance(out, Stopped)
    assert not pushed


def test_below_the_floor_a_fresh_identity_check_stands_in(tmp_path):
    """A bank with a PIN alone: yesterday's identity check will not do, today's does, and little moves."""

    async def use(there):
        member = there.wallet.add_verified()
        there.clock.advance(DAY_US)
        with pytest.raises(LinkNeedsRecheck):
            await there.set_out(there.enter(member))
        fresh = there.wallet.add_verified(HANAKO)
        there.bank.holder |= {"name_kana": HANAKO.kana, "birth_date": HANAKO.birth_date}
        return await there.link(fresh)

    link = within(tmp_path, use, authentication="account_pin", strength=1)
    assert (link.state, link.strength, link.first_yen) == (LinkState.ACTIVE, Strength.KNOWLEDGE, 10_000)
    assert link.usable_from_us - link.active_at_us == 72 * HOUR_US


def test_a_bank_that_has_grown_weaker_than_agreed_is_taken_at_its_word(tmp_path):
    async def use(there):
        member = there.wallet.add_verified()
        there.clock.advance(DAY_US)
        with pytest.raises(LinkNeedsRecheck):
            await there.set_out(there.enter(member))

    within(tmp_path, use, authentication="account_pin", partner={"strength": Strength.PASSKEY})


def test_below_the_floor_a_bank_that_is_silent_about_the_phone_is_looked_at(tmp_path):
    async def use(there):
        there.bank.holder["phone_matches"] = None
        return await there.link(there.wallet.add_verified())

    link = within(tmp_path, use, authentication="account_pin", strength=1)
    assert (link.state, link.review) == (LinkState.CONFIRMED, Review.WAITING)


def test_a_floor_may_be_lower(tmp_path):
    async def use(there):
        member = there.wallet.add_verified()
        there.clock.advance(30 * DAY_US)
        return await there.link(member)

    link = within(
        tmp_path,
        use,
        settings=LinkSettings(floor=Strength.KNOWLEDGE),
        authentication="account_pin",
        strength=1,
    )
    assert (link.state, link.first_yen) == (LinkState.ACTIVE, 20_000)


@pytest.mark.parametrize(
    "holder",
    [{"name_kana": HANAKO.kana, "phone_matches": None}, {"birth_date": HANAKO.birth_date}],
    ids=["another name", "another birth date"],
)
def test_somebody_else_s_account_is_not_linked_and_the_bank_hears_it(tmp_path, holder):
    """The holder is not the member: nothing of the account stays, and the mandate ends at the bank."""

    async def use(there):
        member = there.wallet.add_verified()
        there.bank.holder |= holder
        with pytest.raises(HolderDiffers):
            await there.link(member)
        told = await there.rounds.tell_banks()
        return (await there.desk.links(member))[0], told, there.bank.revoked

    link, told, revoked = within(tmp_path, use)
    assert (link.ended_for, link.bank_to_tell, told) == ("holder_differs", False, 1)
    assert len(revoked) == 1
    assert revoked[0].startswith("refresh-")


@pytest.mark.parametrize("approved", [True, False])
def test_a_name_that_differs_beside_the_same_phone_is_looked_at_by_a_person(tmp_path, approved):
    async def use(there):
        member = there.wallet.add_verified()
        there.bank.holder["name_kana"] = "ﾔﾏﾀﾞ ﾀﾛｳ"
        link = await there.link(member)
        waiting = await there.reviews.waiting()
        there.clock.advance(HOUR_US)
        decided = await there.reviews.decide(Decision(link.id, approved, "staff-1", "told by telephone"))
        with pytest.raises(ReviewOver):
            await there.reviews.decide(Decision(link.id, not approved, "staff-2", "told by telephone"))
        return link, waiting, decided, there.clock.now_us()

    link, waiting, decided, now_us = within(tmp_path, use)
    assert link.state is LinkState.CONFIRMED
    assert [one.id for one in waiting] == [link.id]
    assert decided.reviewed_by == "staff-1"
    if approved:
        assert (decided.state, decided.active_at_us) == (LinkState.ACTIVE, now_us)
    else:
        assert (decided.state, decided.ended_for) == (LinkState.ENDED, "review")


def test_one_account_one_wallet(tmp_path):
    """An account that its owner has linked is out of everybody else's reach until that link ends."""

    async def use(there):
        owner, other = there.wallet.add_verified(), there.wallet.add_verified(NAMESAKE)
        first = await there.link(owner)
        with pytest.raises(AccountTaken):
            await there.link(other)
        taken = (await there.desk.links(other))[0].ended_for
        await there.desk.end(there.enter(owner), first.id)
        return taken, there.find(first.id), await there.link(other)

    taken, first, later = within(tmp_path, use)
    assert taken == "account_taken"
    assert (first.state, first.ended_for) == (LinkState.ENDED, "by_member")
    assert later.state is LinkState.ACTIVE


def test_two_wallets_that_race_for_one_account(tmp_path):
    """Both agreed at the bank, both come back at once: exactly one has the account."""

    async def use(there):
        members = [there.wallet.add_verified(), there.wallet.add_verified(NAMESAKE)]
        ways = [await there.agreed(there.enter(member)) for member in members]
        outcomes = await asyncio.gather(
            *(there.returns.come_back(present, ARRIVAL, answer) for present, answer in ways),
            return_exceptions=True,
        )
        return outcomes, [(await there.desk.links(member))[0].state for member in members]

    outcomes, states = within(tmp_path, use)
    assert sorted(state.value for state in states) == ["active", "ended"]
    assert [type(outcome) for outcome in outcomes].count(AccountTaken) == 1


def test_the_same_account_linked_anew_replaces_the_older_link(tmp_path):
    async def use(there):
        member = there.wallet.add_verified()
        first = await there.link(member)
        second = await there.link(member)
        return there.find(first.id), second

    first, second = within(tmp_path, use)
    assert (first.state, first.ended_for) == (LinkState.ENDED, "replaced")
    assert second.state is LinkState.ACTIVE


def test_others_links_are_not_found(tmp_path):
    async def use(there):
        link = await there.link(there.wallet.add_verified())
        stranger = there.enter(there.wallet.add_verified(HANAKO))
        for link_id in (link.id, "lnk_none", ""):
            with pytest.raises(LinkUnknown):
                await there.desk.end(stranger, link_id)
        return there.find(link.id).state

    assert within(tmp_path, use) is LinkState.ACTIVE


def test_a_bank_that_is_away_hears_of_an_end_later(tmp_path):
    async def use(there):
        member = there.wallet.add_verified()
        link = await there.link(member)
        await there.desk.end(there.enter(member), link.id)
        there.bank.moods["/revoke"] = ["mute"]
        first, at_once = await there.rounds.tell_banks(), await there.rounds.tell_banks()
        there.clock.advance(HOUR_US)
        later = await there.rounds.tell_banks()
        secrets = there.wallet.look(lambda at: secrets_of(at, there.parts.keyring, link.id))
        return first, at_once, later, secrets

    first, at_once, later, secrets = within(tmp_path, use)
    assert (first, at_once, later) == (0, 0, 1)
    assert (secrets.refresh_token, secrets.dpop_key, secrets.last4) == ("", b"", "4567")


def test_one_phone_one_wallet(tmp_path):
    """A number that another wallet has linked with links nothing here, while that wallet has a link."""

    async def use(there):
        owner = there.wallet.add_verified(mobile="+818012345678")
        link = await there.link(owner)
        other = there.wallet.add_verified(HANAKO)
        same = there.parts.keyring.digest("+818012345678", context="linked_phone")
        with pytest.raises(PhoneTaken):
            there.wallet.write(lambda at: claim_phone(at, same, other, there.clock.now_us()))
        await there.desk.end(there.enter(owner), link.id)
        there.wallet.write(lambda at: claim_phone(at, same, other, there.clock.now_us()))

    within(tmp_path, use)
