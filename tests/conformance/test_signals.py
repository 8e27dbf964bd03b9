"""What sharing signals keeps, on every store: queue, leases, ids that were taken, the mark in the outbox."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import cast

import pytest
from tests.identity.member_at_hand import LENDER, NOON_US
from tests.sharing.by_hand import HandKey, claims

from sekisho.identity.institution import Parts
from sekisho.identity.members import MemberState, open_account, set_state
from sekisho.kernel.chance import SeededChance
from sekisho.kernel.clock import DAY_US, MINUTE_US, SetClock
from sekisho.sharing import actions, announcing, evidence, feeds, outgoing, partners, streams
from sekisho.sharing.agreed_subjects import MEMBER, About, agree_within, named_by, names_of
from sekisho.sharing.announcements import Announcement, announce_within
from sekisho.sharing.announcing import Announcer
from sekisho.sharing.caep_events import RiskLevelChange
from sekisho.sharing.feeds import Subscription, Transmitter
from sekisho.sharing.intake import Intake, Outcome, Policy, forget_received
from sekisho.sharing.member_actions import MEMBER_HANDLERS
from sekisho.sharing.outgoing import End
from sekisho.sharing.outgoing import Outcome as Try
from sekisho.sharing.partner_keys import PartnerKeys, usable_keys
from sekisho.sharing.settings import SignalSettings
from sekisho.sharing.streams import PUSH, Delivery, Status, Wanted
from sekisho.sharing.subjects import IssSub
from sekisho.storage.keyring import HeldKeyring, new_keys

PARTNER = "https://partner.example"
KEY = HandKey(kind="ES256")
SETTINGS = SignalSettings()
RISK = RiskLevelChange(principal="USER", current_level="HIGH")
TOKEN = "t"  # noqa: S105 - made up
PERSON = IssSub(PARTNER, "p")


class _Keys:
    """The partner's keys, at hand."""

    async def find(self, feed, key_id):
        del feed, key_id
        return usable_keys({"keys": [KEY.public()]})["hand"]


@pytest.fixture(name="parts")
def _parts(store):
    """Give an institution with a partner, a stream each way, and a member known to both."""
    clock, chance = SetClock(NOON_US), SeededChance(5)
    return Parts(LENDER, store, HeldKeyring.of(new_keys(clock, chance), chance), clock, chance)


@pytest.fixture(name="member")
def _member(parts):
    ear = Delivery(method=PUSH, endpoint_url=f"{PARTNER}/ear", authorization_header="Bearer x")
    transmitter = Transmitter(
        issuer=PARTNER,
        jwks_uri=f"{PARTNER}/keys",
        configuration_endpoint=f"{PARTNER}/s",
        verification_endpoint=f"{PARTNER}/v",
    )
    begun = Subscription(
        stream_id="s1", audience="us", method=PUSH, transmitter=transmitter, header="Bearer y", token=TOKEN
    )

    def work(at):
        partners.admit(at, parts, PARTNER)
        streams.create(at, parts, PARTNER, Wanted(delivery=ear))
        feeds.subscribe(at, parts, PARTNER, begun)
        member = open_account(at, parts, language="ja")
        agree_within(at, parts, PARTNER, PERSON, About(MEMBER, member.id))
        return member.id

    return parts.store.write(work).result()


def _read(parts, look):
    with parts.store.read() as at:
        return look(at)


def _stream(parts):
    return _read(parts, lambda at: streams.of_partner(at, PARTNER))


def _announce(parts, member):
    said = Announcement(event=RISK, about=About(MEMBER, member))
    return parts.store.write(lambda at: announce_within(at, parts, said)).result()


def test_an_agreement_is_kept_and_ends_with_all_that_it_made(parts, member):
    about = About(MEMBER, member)
    assert _read(parts, lambda at: named_by(at, PARTNER, PERSON)) == about
    assert [name.subject for name in _read(parts, lambda at: names_of(at, about))] == [PERSON]
    stream = _stream(parts)
    assert streams.header_of(parts, stream) == "Bearer x"
    assert _read(parts, lambda at: feeds.token_of(at, parts, PARTNER)) == TOKEN
    assert _read(parts, lambda at: feeds.by_header(at, "Bearer y")).stream_id == "s1"
    assert _announce(parts, member) == 1
    assert parts.store.write(lambda at: partners.part_with(at, PARTNER)).result()
    assert _stream(parts) is None
    assert _read(parts, outgoing.counts) == {}
    assert _read(parts, lambda at: names_of(at, about)) == []


def test_a_token_is_leased_once_given_back_and_ended_once(parts, member):
    for _ in range(3):
        _announce(parts, member)
    stream, now_us = _stream(parts), parts.clock.now_us()

    def lease(limit=10):
        return parts.store.write(
            lambda at: outgoing.lease(at, stream.id, limit, parts.clock.now_us(), parts.chance)
        ).result()

    assert _read(parts, lambda at: outgoing.streams_due(at, now_us)) == [stream.id]
    first, second, third = lease()
    assert lease() == []
    assert [first.tries, first.jti < second.jti < third.jti] == [1, True]
    parts.store.write(lambda at: outgoing.give_back(at, third)).result()
    parts.store.write(
        lambda at: outgoing.postpone(at, second, Try(None, "busy"), next_us=now_us + 9, last_us=now_us + 10)
    ).result()
    done = parts.store.write(
        lambda at: [outgoing.has_ended(at, stream.id, first.jti, Try(End.DELIVERED), now_us) for _ in "ab"]
    ).result()
    assert done == [True, False]
    assert [due.jti for due in lease()] == [third.jti]
    parts.clock.advance(MINUTE_US)
    assert [due.jti for due in lease()] == [second.jti, third.jti]
    assert _read(parts, outgoing.counts) == {(stream.id, "delivered"): 1, (stream.id, "waiting"): 2}


def test_two_who_lease_at_once_get_different_tokens(parts, member):
    for _ in range(20):
        _announce(parts, member)
    stream, now_us = _stream(parts), parts.clock.now_us()

    def lease(seed):
        work = parts.store.write(lambda at: outgoing.lease(at, stream.id, 7, now_us, SeededChance(seed)))
        return [due.jti for due in work.result()]

    with ThreadPoolExecutor(4) as pool:
        taken = [jti for some in pool.map(lease, range(4)) for jti in some]
    assert len(taken) == len(set(taken)) == 20


def test_what_waits_on_a_stopped_stream_ends_and_on_a_paused_one_stays(parts, member):
    _announce(parts, member)
    stream, now_us = _stream(parts), parts.clock.now_us()
    parts.store.write(lambda at: streams.set_status(at, stream, Status.PAUSED, "")).result()
    assert _read(parts, lambda at: outgoing.streams_due(at, now_us)) == []
    assert _read(parts, lambda at: outgoing.waiting_for(at, stream.id, 5)) == []
    assert parts.store.write(lambda at: outgoing.drop_waiting(at, stream.id, now_us)).result() == 1
    later_us = now_us + 31 * DAY_US
    parts.store.write(lambda at: outgoing.forget_ended(at, later_us)).result()
    assert _read(parts, outgoing.counts) == {}


def _token(parts, jti="1"):
    subject = {"format": "iss_sub", "iss": PARTNER, "sub": "p"}
    return KEY.sign(claims(PARTNER, "us", parts.clock.now_us(), subject, jti=jti))


def test_the_same_token_at_once_is_taken_once(parts, member):
    """However many copies come together, one is acted on and all are answered as taken."""
    intake = Intake(
        parts, cast("PartnerKeys", _Keys()), Policy(actions.load_table(), MEMBER_HANDLERS, {}), SETTINGS
    )
    feed = _read(parts, lambda at: feeds.find(at, PARTNER))
    token = _token(parts)

    async def take():
        return await asyncio.gather(*(intake.take(feed, token) for _ in range(6)))

    outcomes = asyncio.run(take())
    assert sorted(outcomes) == sorted([Outcome.ACTED, *[Outcome.DUPLICATE] * 5])
    signs = _read(parts, lambda at: evidence.standing(at, parts.clock.now_us()))
    assert signs == {About(MEMBER, member): frozenset({"partner_risk_high"})}
    lifted = parts.store.write(
        lambda at: evidence.lift_within(
            at, About(MEMBER, member), issuer=PARTNER, by="x", now_us=parts.clock.now_us()
        )
    ).result()
    assert lifted == 1
    parts.clock.advance(9 * DAY_US)
    forgotten = parts.store.write(lambda at: forget_received(at, SETTINGS, parts.clock.now_us())).result()
    assert forgotten == 1


def test_the_outbox_is_announced_once_by_however_many_follow_it(parts, member):
    announcers = [Announcer(parts, announcing.load_table()) for _ in range(3)]
    for announcer in announcers:
        announcer.begin()
    parts.store.write(lambda at: set_state(at, parts, member, MemberState.INVALIDATED)).result()

    async def follow():
        return sum(await asyncio.gather(*(announcer.catch_up() for announcer in announcers)))

    assert asyncio.run(follow()) == 1
    assert _read(parts, outgoing.counts) == {(_stream(parts).id, "waiting"): 1}
