"""What happens at one institution changes what the other does, over real HTTP, one stream each way."""

import asyncio
from typing import Any

import msgspec
import pytest
from sqlalchemy import insert
from tests.sharing.two_houses import two_houses

from sekisho.guard.attempts import Attempt
from sekisho.guard.decisions import Action
from sekisho.guard.guard import Guard
from sekisho.identity import devices, members, passwords, sessions
from sekisho.identity.arrivals import Arrival
from sekisho.identity.freezes import freeze, open_again
from sekisho.identity.holds import HoldKind, HoldScope, lift, place
from sekisho.identity.members import MemberState
from sekisho.identity.sessions import Ended
from sekisho.kernel.clock import DAY_US, SECOND_US
from sekisho.kernel.posture import OperationalError, Posture
from sekisho.sharing.actions import Action as Deeds
from sekisho.sharing.agreed_subjects import MEMBER, About
from sekisho.sharing.announcements import Announcement, announce_within
from sekisho.sharing.caep_events import RiskLevelChange
from sekisho.sharing.evidence import ACTOR
from sekisho.sharing.signalled_guard import SignalledGuard
from sekisho.sharing.subjects import Opaque
from sekisho.storage.tables.members import password
from sekisho.web.guard_api.desk import GuardDesk
from sekisho.web.guard_client.local_guard import LocalGuard, Unrecorded

ARRIVAL = Arrival(ip="192.0.2.7")


def _played(tmp_path, play, **options):
    async def playing():
        async with two_houses(tmp_path, **options) as houses:
            return await play(houses)

    return asyncio.run(playing())


def test_streams_both_ways_are_made_and_verified(tmp_path):
    """Each institution asked the other for a verification, and it came with the state that it asked with."""

    async def play(houses):
        for house in (houses.id, houses.wallet):
            assert house.feed().verified_at_us == houses.clock.now_us()
            assert house.feed().state == ""

    _played(tmp_path, play)


def test_an_account_frozen_here_ends_sessions_and_holds_money_there(tmp_path):
    """The wallet ends the person's sessions, keeps the money, tells its guard, and says nothing back."""

    async def play(houses):
        houses.wallet.log_in(houses.user)
        houses.id.log_in(houses.person)
        assert houses.id.write(lambda at: freeze(at, houses.id.parts, houses.person, ARRIVAL))
        await houses.settle()
        assert houses.wallet.sessions_of(houses.user) == []
        (held,) = houses.wallet.holds_of(houses.user)
        assert held.reason == f"signal:{houses.id.origin}"
        assert held.until_us == houses.clock.now_us() + 3 * DAY_US
        assert houses.wallet.signs_on(MEMBER, houses.user) == ["partner_account_disabled"]
        assert houses.id.queue() == ["delivered", "delivered"]
        assert houses.wallet.queue() == []
        # Somebody else's account is left alone.
        assert houses.wallet.holds_of(houses.wallet.add_member()) == []

    _played(tmp_path, play)


def test_an_account_opened_again_takes_back_what_that_partner_s_word_did_and_no_more(tmp_path):
    async def play(houses):
        own = houses.wallet
        own_hold = (HoldKind.RECOVERY, HoldScope.MONEY_OUT)
        own.write(lambda at: place(at, own.parts, houses.user, *own_hold, reason="own", until_us=None))
        houses.id.write(lambda at: freeze(at, houses.id.parts, houses.person, ARRIVAL))
        await houses.settle()
        assert len(own.holds_of(houses.user)) == 2
        houses.clock.advance(SECOND_US)
        houses.id.write(lambda at: open_again(at, houses.id.parts, houses.person, by="passkey"))
        await houses.settle()
        assert [hold.reason for hold in own.holds_of(houses.user)] == ["own"]
        assert own.signs_on(MEMBER, houses.user) == []

    _played(tmp_path, play)


def _invalidated(houses, why):
    row = {
        "member_id": houses.person,
        "hash": "h",
        "pepper": "p",
        "set_at_us": 0,
        "strange_failures": 0,
        "invalidated_at_us": None,
        "invalidated_for": "",
        "found_leaked_at_us": None,
    }

    def work(at):
        at.execute(insert(password).values(row))
        passwords.invalidate(at, houses.id.parts, houses.person, why)

    houses.id.write(work)


def test_an_invalidated_password_is_a_compromise_and_a_revocation_there(tmp_path):
    async def play(houses):
        _invalidated(houses, "containment")
        await houses.settle()
        signs = houses.wallet.signs_on(MEMBER, houses.user)
        assert signs == ["partner_credential_compromise", "partner_credential_revoked"]
        assert len(houses.wallet.holds_of(houses.user)) == 1

    _played(tmp_path, play)


def test_a_password_that_rests_because_the_member_froze_is_no_compromise(tmp_path):
    async def play(houses):
        _invalidated(houses, "self_freeze")
        await houses.settle()
        assert houses.id.queue() == []

    _played(tmp_path, play)


def _state(state):
    return lambda at, parts, person, _: members.set_state(at, parts, person, state)


def _containment(at, parts, person, _):
    place(at, parts, person, HoldKind.CONTAINMENT, HoldScope.ALL, reason="campaign", until_us=None)


def _recovery(at, parts, person, _):
    place(at, parts, person, HoldKind.RECOVERY, HoldScope.MONEY_OUT, reason="recovery", until_us=None)


def _ended(why):
    return lambda at, parts, _, session: sessions.end(at, parts, session.id, why)


HAPPENINGS = {
    "the account was invalidated": (_state(MemberState.INVALIDATED), ["account-disabled"]),
    "the account was closed": (_state(MemberState.CLOSED), ["account-purged"]),
    "the account was contained": (_containment, ["risk-level-change"]),
    "the account waits for a recovery": (_recovery, []),
    "a session was disowned": (_ended(Ended.DISOWNED), ["session-revoked"]),
    "a session was contained": (_ended(Ended.CONTAINED), ["session-revoked"]),
    "the member left": (_ended(Ended.LOGOUT), []),
    "a device was lost": (
        lambda at, parts, _, session: devices.revoke(at, parts, session.device_id),
        ["risk-level-change"],
    ),
}


@pytest.mark.parametrize("what", sorted(HAPPENINGS))
def test_what_partners_hear_of(tmp_path, what):
    """The table of announcements, line by line; what it does not name is nobody's business."""
    happen, heard = HAPPENINGS[what]

    async def play(houses):
        session = houses.id.log_in(houses.person)
        houses.id.write(lambda at: happen(at, houses.id.parts, houses.person, session))
        await houses.settle()
        assert [kind.rpartition("/")[2] for kind in houses.wallet.kinds()] == heard
        assert houses.wallet.outcomes() == ["acted"] * len(heard)

    _played(tmp_path, play)


def test_a_lifted_containment_is_told_as_well(tmp_path):
    async def play(houses):
        own = houses.id
        kind, scope = HoldKind.CONTAINMENT, HoldScope.ALL
        held = own.write(
            lambda at: place(at, own.parts, houses.person, kind, scope, reason="x", until_us=None)
        )
        await houses.settle()
        assert len(houses.wallet.holds_of(houses.user)) == 1
        houses.clock.advance(SECOND_US)
        own.write(lambda at: lift(at, own.parts, held, by="staff"))
        await houses.settle()
        assert houses.wallet.holds_of(houses.user) == []

    _played(tmp_path, play)


def test_what_a_partner_s_word_made_us_do_is_not_announced_and_what_else_we_do_is(tmp_path):
    """Two institutions that act on each other's words would never stop; an own deed a second later counts."""

    async def play(houses):
        own = houses.wallet
        houses.id.write(lambda at: freeze(at, houses.id.parts, houses.person, ARRIVAL))
        await houses.settle()
        assert own.queue() == []
        houses.clock.advance(SECOND_US)
        kind, scope = HoldKind.CONTAINMENT, HoldScope.ALL
        own.write(lambda at: place(at, own.parts, houses.user, kind, scope, reason="own", until_us=None))
        await houses.settle()
        assert own.queue() == ["delivered"]

    _played(tmp_path, play)


def test_nothing_is_announced_twice_however_often_the_outbox_is_followed(tmp_path):
    async def play(houses):
        session = houses.id.log_in(houses.person)
        houses.id.write(lambda at: sessions.end(at, houses.id.parts, session.id, Ended.DISOWNED))
        announcer = houses.id.exchange.announcer
        assert sum(await asyncio.gather(*(announcer.catch_up() for _ in range(4)))) == 1
        announcer.begin()
        assert await announcer.catch_up() == 0

    _played(tmp_path, play)


SUSPENDED: list[tuple[str, str]] = []
LINK = "bank_link"


def _suspend(connection, parts, deed):
    del connection, parts
    SUSPENDED.append((deed.about.id, deed.event))


def test_link_fraud_told_by_the_bank_suspends_the_link_and_holds_its_owner_s_money(tmp_path):
    """The event names a mandate; here it is a link, and behind the link stands a member."""
    SUSPENDED.clear()

    async def play(houses):
        mandate, about = Opaque("mandate-1"), About("mandate", "m1")
        houses.id.agree(houses.wallet.origin, mandate, about)
        houses.wallet.agree(houses.id.origin, mandate, About(LINK, "lnk-1"))
        owners["lnk-1"] = houses.user
        risk = RiskLevelChange(principal="MANDATE", current_level="HIGH", reason_admin={"en": "Fraud."})
        said = Announcement(event=risk, about=about)
        houses.id.write(lambda at: announce_within(at, houses.id.parts, said))
        await houses.settle()
        assert SUSPENDED == [("lnk-1", "risk-level-change")]
        assert houses.wallet.signs_on(LINK, "lnk-1") == ["partner_risk_high"]
        assert houses.wallet.signs_on(MEMBER, houses.user) == ["partner_risk_high"]
        assert len(houses.wallet.holds_of(houses.user)) == 1

    owners: dict[str, str] = {}
    _played(
        tmp_path,
        play,
        handlers={(Deeds.SUSPEND_LINK, LINK): _suspend},
        leads_to={LINK: lambda _, link_id: About(MEMBER, owners[link_id])},
    )


def test_a_handler_that_fails_takes_nothing_along_and_is_tried_again(tmp_path):
    """The event is kept, the other actions are done, and the failed one is done a minute later."""
    broken = [True]

    def suspend(connection, parts, deed):
        if broken[0]:
            place(connection, parts, owner[0], HoldKind.RECOVERY, HoldScope.ALL, reason="half", until_us=None)
            raise ZeroDivisionError(deed.about)

    owner: list[Any] = []

    async def play(houses):
        owner.append(houses.user)
        risk = RiskLevelChange(principal="USER", current_level="HIGH")
        said = Announcement(event=risk, about=About(MEMBER, houses.person))
        houses.id.write(lambda at: announce_within(at, houses.id.parts, said))
        await houses.settle()
        assert ("suspend_link", MEMBER, "failed") in houses.wallet.deeds()
        assert [hold.reason for hold in houses.wallet.holds_of(houses.user)] == [f"signal:{houses.id.origin}"]
        broken[0] = False
        await houses.wallet.exchange.tidy()
        assert ("suspend_link", MEMBER, "failed") in houses.wallet.deeds()
        houses.clock.advance(61 * SECOND_US)
        await houses.wallet.exchange.tidy()
        assert {state for _, _, state in houses.wallet.deeds()} == {"done"}

    _played(tmp_path, play, handlers={(Deeds.SUSPEND_LINK, MEMBER): suspend})


class _Store:
    """A store that can be out."""

    def __init__(self, store):
        self._store = store
        self.out = False

    def __getattr__(self, name):
        if self.out:
            raise OperationalError("store", "out")
        return getattr(self._store, name)


def _desk(houses):
    recorder, chance = Unrecorded(), houses.wallet.parts.chance
    guard = Guard(key=bytes(32))
    return GuardDesk(guard, recorder=recorder, clock=houses.clock, chance=chance, on_outage=Posture.CLOSED)


def _attempt(member, now_us, **more):
    said = {"time_us": now_us, "member": member, "ip": "192.0.2.9", "known": True}
    return Attempt(**(said | more))


def test_what_a_partner_says_changes_the_guard_s_decision_within_a_second(tmp_path):
    """The same attempt that is let through before is asked for more after, until the evidence ends."""

    async def play(houses):
        own = houses.wallet
        desk = _desk(houses)
        store = _Store(own.parts.store)
        parts = own.parts._replace(store=store)
        local = LocalGuard(desk, on_outage=Posture.CLOSED)
        guard = SignalledGuard(local, parts, on_outage=Posture.OPEN)

        async def action(**more):
            member = more.pop("member", houses.user)
            answer = await guard.assess(_attempt(member, houses.clock.now_us(), **more))
            return answer.decision.action

        assert await action() is Action.ALLOW
        _invalidated(houses, "containment")
        await houses.settle()
        houses.clock.advance(SECOND_US)
        answer = await guard.assess(_attempt(houses.user, houses.clock.now_us()))
        assert answer.decision.action is Action.CHALLENGE
        assert answer.decision.before_hash
        assert answer.decision.reasons[0] == "shared_signal"
        assert await action(member="somebody-else") is Action.ALLOW
        # Where a code is typed, that clears the member: the signal counts nothing there.
        assert await action(gate="code_entry") is Action.ALLOW
        # Without the store, what was read last counts for the second that it is for.
        store.out = True
        assert await action() is Action.CHALLENGE
        houses.clock.advance(SECOND_US)
        assert await action() is Action.ALLOW
        closed = SignalledGuard(local, parts, on_outage=Posture.CLOSED)
        answer = await closed.assess(_attempt(houses.user, houses.clock.now_us()))
        assert answer.decision.action is Action.DENY
        store.out = False
        houses.clock.advance(4 * DAY_US)
        assert await action() is Action.ALLOW

    _played(tmp_path, play)


def test_what_is_said_of_an_actor_counts_where_that_actor_acts(tmp_path):
    """The bank knows the wallet's user as an actor at its gate for links."""

    async def play(houses):
        own = houses.wallet
        own.agree(houses.id.origin, Opaque("user-ref"), About(ACTOR, "user-ref"))
        houses.id.agree(own.origin, Opaque("user-ref"), About(MEMBER, houses.person))
        risk = RiskLevelChange(principal="USER", current_level="HIGH")
        said = Announcement(event=risk, about=About(MEMBER, houses.person))
        houses.id.write(lambda at: announce_within(at, houses.id.parts, said))
        await houses.settle()
        desk = _desk(houses)
        guard = SignalledGuard(LocalGuard(desk, on_outage=Posture.CLOSED), own.parts, on_outage=Posture.OPEN)
        gate = {"gate": "bank_link", "client": "wallet"}
        at_us = houses.clock.now_us()
        warned = await guard.assess(_attempt("001-1234567", at_us, actor="user-ref", **gate))
        other = await guard.assess(_attempt("001-1234567", at_us, actor="other-ref", **gate))
        assert (warned.decision.action, other.decision.action) == (Action.CHALLENGE, Action.ALLOW)

    _played(tmp_path, play)


def test_the_record_says_what_was_heard_and_done(tmp_path):
    async def play(houses):
        houses.id.write(lambda at: freeze(at, houses.id.parts, houses.person, ARRIVAL))
        await houses.settle()
        kinds = {entry.kind for entry in houses.wallet.events()}
        assert {"signal:event:received", "signal:action:done"} <= kinds
        (received,) = [
            msgspec.json.decode(entry.body)
            for entry in houses.wallet.events()
            if entry.kind == "signal:event:received" and b"account-disabled" in entry.body
        ]
        assert received["outcome"] == "acted"
        assert "signal:event:queued" in {entry.kind for entry in houses.id.events()}

    _played(tmp_path, play)
