"""Coming back from the bank: who set out comes back, once, and what was not asked for is not taken."""

import asyncio

import pytest
from tests.wallet.links_at_hand import ARRIVAL, BANK, within

from sekisho.identity.holds import HoldKind, HoldScope, OnHold, place
from sekisho.identity.people import Person
from sekisho.kernel.clock import SECOND_US
from sekisho.wallet.link_ends import LinkEnd, end_unmade_of
from sekisho.wallet.link_returns import LinkReturnUnfit
from sekisho.wallet.link_rows import (
    LinkState,
    secrets_of,
)
from sekisho.wallet.links import BankNotReached, LinkNotGranted
from sekisho.wallet.wallets import WalletNotOpen, freeze_wallet

HANAKO = Person(name="山田 花子", kana="ﾔﾏﾀﾞ ﾊﾅｺ", birth_date="1990-02-03", home_address="架空市")


@pytest.mark.parametrize(
    ("change", "spoils"),
    [
        pytest.param({"state": "guessed"}, False, id="a foreign state"),
        pytest.param({"iss": "http://other-bank.localhost"}, True, id="a foreign issuer"),
        pytest.param({"iss": ""}, True, id="no issuer"),
        pytest.param({"state": "x" * 3_000}, False, id="a state without end"),
    ],
)
def test_an_answer_that_fits_nothing_is_one_refusal(tmp_path, change, spoils):
    """Mix-up and guessed states: no code is given back, and only the right state can end the link."""

    async def use(there):
        present, answer = await there.agreed(there.enter(there.wallet.add_verified()))
        with pytest.raises(LinkReturnUnfit):
            await there.returns.come_back(present, ARRIVAL, answer._replace(**change))
        links = await there.desk.links(present.session.member_id)
        return links[0].state, there.bank.calls

    state, calls = within(tmp_path, use)
    assert state is (LinkState.ENDED if spoils else LinkState.AT_BANK)
    assert "POST /token" not in calls


@pytest.mark.parametrize("own", [True, False], ids=["another session of the member", "another member"])
def test_an_answer_in_another_session_is_neither_used_nor_spoilt(tmp_path, own):
    """Who was sent somebody's answer gets nothing, and who set out still comes back."""

    async def use(there):
        member = there.wallet.add_verified()
        present, answer = await there.agreed(there.enter(member))
        stranger = there.enter(member if own else there.wallet.add_verified(HANAKO))
        with pytest.raises(LinkReturnUnfit):
            await there.returns.come_back(stranger, ARRIVAL, answer)
        return await there.returns.come_back(present, ARRIVAL, answer)

    assert within(tmp_path, use).state is LinkState.ACTIVE


def test_the_same_answer_twice_gives_the_code_back_once(tmp_path):
    """Somebody reloads the page: the link is shown as it stands, and the bank sees one exchange."""

    async def use(there):
        present, answer = await there.agreed(there.enter(there.wallet.add_verified()))
        first = await there.returns.come_back(present, ARRIVAL, answer)
        second = await there.returns.come_back(present, ARRIVAL, answer)
        return first, second, there.bank.calls.count("POST /token")

    first, second, exchanges = within(tmp_path, use)
    assert first == second
    assert exchanges == 1


def test_two_answers_at_once_give_the_code_back_once(tmp_path):
    async def use(there):
        present, answer = await there.agreed(there.enter(there.wallet.add_verified()))
        await asyncio.gather(
            *(there.returns.come_back(present, ARRIVAL, answer) for _ in range(5)), return_exceptions=True
        )
        return await there.desk.links(present.session.member_id), there.bank.calls.count("POST /token")

    links, exchanges = within(tmp_path, use)
    assert [link.state for link in links] == [LinkState.ACTIVE]
    assert exchanges == 1


def test_who_comes_back_too_late_begins_anew(tmp_path):
    async def use(there):
        present, answer = await there.agreed(there.enter(there.wallet.add_verified()))
        there.clock.advance(900 * SECOND_US)
        with pytest.raises(LinkReturnUnfit):
            await there.returns.come_back(present, ARRIVAL, answer)
        return (await there.desk.links(present.session.member_id))[0]

    link = within(tmp_path, use)
    assert (link.state, link.ended_for) == (LinkState.ENDED, "not_finished")


def test_who_never_comes_back_is_ended_by_the_round(tmp_path):
    async def use(there):
        member = there.wallet.add_verified()
        await there.agreed(there.enter(member))
        early = await there.rounds.end_unfinished()
        there.clock.advance(900 * SECOND_US)
        ended, link = await there.rounds.end_unfinished(), (await there.desk.links(member))[0]
        secrets = there.wallet.look(lambda at: secrets_of(at, there.parts.keyring, link.id))
        return early, ended, link.ended_for, (secrets.verifier, secrets.flow_state, secrets.dpop_key)

    assert within(tmp_path, use) == (0, 1, "not_finished", ("", "", b""))


def test_who_declines_at_the_bank_has_no_link(tmp_path):
    async def use(there):
        present, answer = await there.agreed(there.enter(there.wallet.add_verified()))
        with pytest.raises(LinkNotGranted):
            await there.returns.come_back(present, ARRIVAL, answer._replace(code="", error="access_denied"))
        return (await there.desk.links(present.session.member_id))[0].ended_for

    assert within(tmp_path, use) == "declined"


@pytest.mark.parametrize(("path", "mood"), [("/par", "mute"), ("/par", "broken"), ("/token", "mute")])
def test_a_bank_that_falls_silent_on_the_way_ends_the_link(tmp_path, path, mood):
    """A code that may be used up is not used again; the member begins anew."""

    async def use(there):
        member = there.wallet.add_verified()
        there.bank.moods[path] = [mood]
        with pytest.raises(BankNotReached):
            await there.link(member)
        failed = (await there.desk.links(member))[0]
        return failed, await there.link(member)

    failed, again = within(tmp_path, use)
    assert (failed.state, failed.ended_for) == (LinkState.ENDED, "bank_away")
    assert again.state is LinkState.ACTIVE


@pytest.mark.parametrize(
    "granted",
    [
        pytest.param({"user_ref": "somebody-else"}, id="for somebody else"),
        pytest.param({"actions": ["credit"]}, id="no debits"),
        pytest.param({"mandate_id": ""}, id="no mandate"),
        pytest.param({"ceiling_yen": 0}, id="no ceiling"),
        pytest.param(
            {"account": {"bank": "0125", "branch": "1", "kind": "1", "last4": "1", "ref": "r"}}, id="a bank"
        ),
        pytest.param({"account": {}}, id="no account"),
        pytest.param({"holder": None}, id="no holder"),
    ],
)
def test_what_was_not_asked_for_is_not_taken(tmp_path, granted):
    async def use(there):
        member = there.wallet.add_verified()
        there.bank.granted = granted
        with pytest.raises(LinkNotGranted):
            await there.link(member)
        link = (await there.desk.links(member))[0]
        return link, await there.rounds.tell_banks(), there.bank.revoked

    link, told, revoked = within(tmp_path, use)
    assert (link.state, link.ended_for) == (LinkState.ENDED, "foreign_answer")
    assert told == len(revoked) == 1


def test_ceilings_are_the_lower_of_what_was_asked_for_and_granted(tmp_path):
    async def use(there):
        there.bank.granted = {"ceiling_yen": 50_000, "month_ceiling_yen": 9_999_999}
        return await there.link(there.wallet.add_verified())

    link = within(tmp_path, use)
    assert (link.once_yen, link.month_yen) == (50_000, 300_000)


def self_freeze(connection, parts, member_id):
    """Stop an account as its member does."""
    kind, scope = HoldKind.SELF_FREEZE, HoldScope.ALL
    place(connection, parts, member_id, kind, scope, reason="test", until_us=None)


@pytest.mark.parametrize("what", ["hold", "frozen", "contained"])
def test_who_was_stopped_while_at_the_bank_comes_back_without_a_link(tmp_path, what):
    """A hold, a frozen wallet and a containment in between: the bank takes back what it gave."""

    async def use(there):
        member = there.wallet.add_verified()
        present, answer = await there.agreed(there.enter(member))
        if what == "hold":
            there.wallet.write(lambda at: self_freeze(at, there.parts, member))
        elif what == "frozen":
            wallet_id = there.wallet.wallet(member).id
            there.wallet.write(
                lambda at: freeze_wallet(at, there.parts, wallet_id, reason="test", by="staff-1")
            )
        else:
            there.wallet.write(lambda at: end_unmade_of(at, there.parts, member, LinkEnd.CONTAINED))
        with pytest.raises((OnHold, WalletNotOpen, LinkReturnUnfit)):
            await there.returns.come_back(present, ARRIVAL, answer)
        link = (await there.desk.links(member))[0]
        return link, await there.rounds.tell_banks(), there.bank.calls.count("POST /token")

    link, told, exchanges = within(tmp_path, use)
    assert link.state is LinkState.ENDED
    assert told == exchanges == (0 if what == "contained" else 1)


def test_a_frozen_wallet_begins_no_link(tmp_path):
    async def use(there):
        member = there.wallet.add_verified()
        wallet_id = there.wallet.wallet(member).id
        there.wallet.write(lambda at: freeze_wallet(at, there.parts, wallet_id, reason="test", by="staff-1"))
        with pytest.raises(WalletNotOpen):
            await there.desk.begin(there.enter(member), BANK, "k")

    within(tmp_path, use)
