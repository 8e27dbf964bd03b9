"""Links that stop on a partner's word, by staff and in a containment, and who may let them go on."""

import pytest
from tests.wallet.links_at_hand import within

from sekisho.identity.people import Person
from sekisho.kernel.clock import DAY_US
from sekisho.kernel.ids import CaseId, ContainmentId, HoldId
from sekisho.kernel.yen import Yen
from sekisho.response.containment_rows import Contained, Outcome, Standing
from sekisho.sharing.actions import Action, Deed
from sekisho.sharing.agreed_subjects import MEMBER, About, named_by
from sekisho.sharing.evidence import lift_within, raise_within
from sekisho.sharing.subjects import Opaque
from sekisho.wallet import link_rows
from sekisho.wallet.link_charges import ChargeAsked, weigh_charge
from sekisho.wallet.link_ends import LinkEnd, end_within
from sekisho.wallet.link_rows import LinkState
from sekisho.wallet.link_signals import BANK_LINK, LINK_HANDLERS, LINK_LEADS_TO
from sekisho.wallet.link_stops import LinksContained, LinkStopDesk, StaffStop
from sekisho.wallet.links import LinkUnknown

HANAKO = Person(name="八十八 花子", kana="ﾔｿﾊﾁ ﾊﾅｺ", birth_date="1990-02-03", home_address="宮城県架空市1-1")


def contained(there, member_id):
    """Make what a containment says of one member."""
    return Contained(
        containment_id=ContainmentId("ctm_1"),
        named=member_id,
        member_id=member_id,
        probability=0.9,
        entered_at_us=0,
        standing=Standing.DONE,
        at_us=there.clock.now_us(),
        by="staff-1",
        hold_id=HoldId(""),
        case_id=CaseId(""),
        outcome=Outcome(),
    )


def deed(there, action, about):
    """Make a deed on the bank's word."""
    return Deed(
        action=action,
        about=about,
        issuer=there.bank.issuer,
        jti="set_1",
        txn="t",
        event="risk-level-change",
        sign="partner_risk_high",
        until_us=there.clock.now_us() + DAY_US,
    )


def do(there, action, about):
    there.wallet.write(
        lambda at: LINK_HANDLERS[action, about.kind](at, there.parts, deed(there, action, about))
    )


def test_both_sides_mean_the_same_link_by_its_mandate(tmp_path):
    async def use(there):
        link = await there.link(there.wallet.add_verified())
        named = there.wallet.look(lambda at: named_by(at, there.bank.issuer, Opaque(link.mandate_id)))
        foreign = there.wallet.look(lambda at: named_by(at, "http://evil.localhost", Opaque(link.mandate_id)))
        return link, named, foreign, there.wallet.look(lambda at: LINK_LEADS_TO[BANK_LINK](at, link.id))

    link, named, foreign, owner = within(tmp_path, use)
    assert named == About(BANK_LINK, link.id)
    assert foreign is None
    assert owner == About(MEMBER, link.member_id)


def test_a_bank_s_word_stops_a_link_and_its_all_clear_lets_it_go_on(tmp_path):
    async def use(there):
        link = await there.old_link(there.wallet.add_verified())
        about = About(BANK_LINK, link.id)
        do(there, Action.SUSPEND_LINK, about)
        do(there, Action.SUSPEND_LINK, about)
        stopped = there.find(link.id)
        do(there, Action.LIFT, about)
        return stopped, there.find(link.id), there.wallet.at_hand.notices()

    stopped, lifted, notices = within(tmp_path, use)
    assert (stopped.state, stopped.suspended_for) == (LinkState.SUSPENDED, "bank_signal")
    assert (lifted.state, lifted.suspended_for) == (LinkState.ACTIVE, "")
    assert notices.count("bank_link_stopped") == 1


def test_an_all_clear_of_a_bank_lifts_nobody_else_s_stop(tmp_path):
    async def use(there):
        link = await there.old_link(there.wallet.add_verified())
        await LinkStopDesk(there.wallet.house).stop(StaffStop(link.id, "staff-1", "looks odd"))
        do(there, Action.SUSPEND_LINK, About(BANK_LINK, link.id))
        do(there, Action.LIFT, About(BANK_LINK, link.id))
        return there.find(link.id)

    link = within(tmp_path, use)
    assert (link.state, link.suspended_for) == (LinkState.SUSPENDED, "staff")


def test_the_id_s_word_about_a_member_stops_all_links_of_the_member(tmp_path):
    async def use(there):
        link = await there.old_link(there.wallet.add_verified())
        do(there, Action.SUSPEND_LINK, About(MEMBER, link.member_id))
        return there.find(link.id).state

    assert within(tmp_path, use) is LinkState.SUSPENDED


def test_an_all_clear_about_a_link_takes_nothing_back_that_was_said_of_its_owner(tmp_path):
    """A depositor who stops and allows the mandate at the bank does not undo the ID's alarm."""

    async def use(there):
        link = await there.old_link(there.wallet.add_verified())
        do(there, Action.SUSPEND_LINK, About(MEMBER, link.member_id))
        do(there, Action.SUSPEND_LINK, About(BANK_LINK, link.id))
        do(there, Action.LIFT, About(BANK_LINK, link.id))
        return there.find(link.id)

    link = within(tmp_path, use)
    assert (link.state, link.suspended_for) == (LinkState.SUSPENDED, "member_signal")


def test_word_about_what_is_not_there_does_nothing(tmp_path):
    async def use(there):
        do(there, Action.SUSPEND_LINK, About(BANK_LINK, "lnk_none"))
        do(there, Action.END_LINK, About(BANK_LINK, "lnk_none"))
        do(there, Action.LIFT, About(BANK_LINK, "lnk_none"))
        return there.wallet.look(lambda at: LINK_LEADS_TO[BANK_LINK](at, "lnk_none"))

    assert within(tmp_path, use) is None


def test_a_mandate_that_its_bank_ended_ends_the_link_and_frees_the_account(tmp_path):
    """Whose account it is can link it to a wallet of their own; the tokens are given back and forgotten."""

    async def use(there):
        link = await there.old_link(there.wallet.add_verified())
        about = About(BANK_LINK, link.id)
        do(there, Action.END_LINK, about)
        do(there, Action.END_LINK, about)
        do(there, Action.SUSPEND_LINK, about)
        ended, notices = there.find(link.id), there.wallet.at_hand.notices()
        told = await there.rounds.tell_banks()
        secrets = there.wallet.look(lambda at: link_rows.secrets_of(at, there.parts.keyring, link.id))
        there.bank.holder |= {"name_kana": HANAKO.kana, "birth_date": HANAKO.birth_date}
        other = await there.link(there.wallet.add_verified(HANAKO))
        return ended, notices, told, secrets, other

    ended, notices, told, secrets, other = within(tmp_path, use)
    assert (ended.state, ended.ended_for, told) == (LinkState.ENDED, "bank_revoked", 1)
    assert (secrets.refresh_token, secrets.access_token, secrets.dpop_key) == ("", "", b"")
    assert notices.count("bank_link_stopped") == 1
    assert other.state is LinkState.ACTIVE


def test_a_link_that_ended_here_before_stays_as_it_ended(tmp_path):
    async def use(there):
        link = await there.old_link(there.wallet.add_verified())
        there.wallet.write(lambda at: end_within(at, there.parts, link, LinkEnd.BY_MEMBER))
        do(there, Action.END_LINK, About(BANK_LINK, link.id))
        return there.find(link.id), there.wallet.at_hand.notices()

    link, notices = within(tmp_path, use)
    assert (link.ended_for, notices.count("bank_link_stopped")) == ("by_member", 0)


def test_a_partner_s_evidence_speaks_against_a_charge_while_it_stands(tmp_path):
    async def use(there):
        link = await there.old_link(there.wallet.add_verified())
        asked = ChargeAsked(there.enter(link.member_id), link, Yen(1_000))
        about, now_us = About(BANK_LINK, link.id), there.clock.now_us()

        def signs():
            return there.wallet.look(
                lambda at: weigh_charge(at, asked, now_us=there.clock.now_us(), risk_max=0.05)
            ).names

        there.wallet.write(
            lambda at: raise_within(
                at, there.parts, about, "sign", issuer="bank", jti="1", until_us=now_us + DAY_US
            )
        )
        raised = signs()
        there.wallet.write(lambda at: lift_within(at, about, issuer="bank", by="bank", now_us=now_us))
        return raised, signs()

    raised, lifted = within(tmp_path, use)
    assert raised == ("warned_link",)
    assert lifted == ()


def test_staff_stop_resume_and_end_each_once(tmp_path):
    async def use(there):
        desk = LinkStopDesk(there.wallet.house)
        link = await there.old_link(there.wallet.add_verified())
        stop = StaffStop(link.id, "staff-1", "reported by the depositor", is_fraud=True)
        stopped = await desk.stop(stop)
        with pytest.raises(LinkUnknown):
            await desk.stop(stop)
        resumed = await desk.resume(link.id, by="staff-2", reason="it was the member")
        with pytest.raises(LinkUnknown):
            await desk.resume(link.id, by="staff-2", reason="it was the member")
        ended = await desk.end(stop)
        with pytest.raises(LinkUnknown):
            await desk.end(stop)
        with pytest.raises(LinkUnknown):
            await desk.resume("lnk_none", by="staff-2", reason="it was the member")
        return stopped, resumed, ended, await there.rounds.tell_banks()

    stopped, resumed, ended, told = within(tmp_path, use)
    assert stopped.suspended_for == "disputed"
    assert resumed.state is LinkState.ACTIVE
    assert (ended.ended_for, told) == ("contained", 1)


def test_a_containment_stops_links_and_its_end_lets_those_go_on_that_it_had_stopped(tmp_path):
    async def use(there):
        member = there.wallet.add_verified()
        link = await there.old_link(member)
        containment = LinksContained(there.parts)
        there.wallet.write(lambda at: containment.contained(at, contained(there, member)))
        stopped = there.find(link.id)
        there.wallet.write(lambda at: containment.reopened(at, contained(there, member)))
        open_again = there.find(link.id)
        await LinkStopDesk(there.wallet.house).stop(StaffStop(link.id, "staff-1", "odd"))
        there.wallet.write(lambda at: containment.contained(at, contained(there, member)))
        there.wallet.write(lambda at: containment.reopened(at, contained(there, member)))
        return stopped, open_again, there.find(link.id)

    stopped, open_again, by_staff = within(tmp_path, use)
    assert (stopped.state, stopped.suspended_for) == (LinkState.SUSPENDED, "contained")
    assert open_again.state is LinkState.ACTIVE
    assert (by_staff.state, by_staff.suspended_for) == (LinkState.SUSPENDED, "staff")
