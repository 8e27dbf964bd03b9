"""Hostile sources are told by digests that only the two who agreed can read, for a day, in bounded number."""

import asyncio
import json

from tests.sharing.by_hand import b64
from tests.sharing.foreign_transmitter import meeting
from tests.sharing.two_houses import QUICK, two_houses

from sekisho.guard.attempts import Attempt
from sekisho.guard.decisions import Action as GuardAction
from sekisho.guard.decisions import Decision
from sekisho.kernel.clock import DAY_US, HOUR_US, SECOND_US
from sekisho.kernel.ids import ATTEMPT
from sekisho.sharing import partners, source_exchange
from sekisho.sharing.settings import SignalSettings
from sekisho.sharing.source_exchange import Source, SourceBook, digest_under, sources_of
from sekisho.storage.attempts import AttemptStore
from sekisho.storage.tables.signals import signal_outgoing, source_digest

ROBOT = "198.51.100.7"
KEY = bytes(range(32))


def _attempt(ip=ROBOT, **more):
    return Attempt(time_us=0, member="m", ip=ip, **more)


def _tell(house, *sources):
    exchange = house.exchange
    return house.write(lambda at: source_exchange.tell_within(at, exchange.parts, exchange.settings, sources))


def _played(tmp_path, play, **options):
    async def playing():
        async with two_houses(tmp_path, **options) as houses:
            return await play(houses)

    return asyncio.run(playing())


def test_a_source_told_here_is_recognised_there_and_its_address_never_travels(tmp_path):
    async def play(houses):
        book = SourceBook(houses.wallet.parts)
        assert await book.signs_of(_attempt()) == frozenset()
        device = {"tls": "t13d1516h2", "user_agent": "Bot/1.0"}
        assert _tell(houses.id, *sources_of(_attempt(**device))) == 2
        assert _tell(houses.id, *sources_of(_attempt(**device))) == 0
        await houses.settle()
        sent = b"".join(row.claims for row in houses.id.rows(signal_outgoing))
        assert ROBOT.encode() not in sent
        assert b"t13d1516h2" not in sent
        assert await book.signs_of(_attempt()) == {"partner_hostile_source"}
        found = await book.signs_of(_attempt(**device))
        assert found == {"partner_hostile_source", "partner_hostile_device"}
        assert await book.signs_of(_attempt("198.51.100.8", tls="other")) == frozenset()
        # What we told ourselves is nothing that a partner told us.
        assert await SourceBook(houses.id.parts).signs_of(_attempt()) == frozenset()

    _played(tmp_path, play)


def _decided(house, ip, probability, campaign="cmp_login_1"):
    """Record a decision as the guard's desk does."""
    decision = Decision(
        action=GuardAction.CHALLENGE,
        probability=probability,
        before_hash=True,
        reasons=(),
        policy="p",
        policy_revision=1,
        campaign=campaign,
    )
    attempts = AttemptStore(house.parts.store, clock=house.clock)
    attempt_id = ATTEMPT.new(house.clock, house.parts.chance)
    return attempts.record(attempt_id, _attempt(ip), decision)


def test_what_the_guard_is_sure_of_in_a_campaign_is_told_by_itself(tmp_path):
    async def play(houses):
        watch = houses.id.exchange.watch
        await _decided(houses.id, ROBOT, 0.95)
        await _decided(houses.id, ROBOT, 0.99)
        await _decided(houses.id, "198.51.100.8", 0.95, campaign="")
        await _decided(houses.id, "198.51.100.9", 0.89)
        assert await watch.look() == 1
        assert await watch.look() == 0
        await houses.settle()
        book = SourceBook(houses.wallet.parts)
        assert await book.signs_of(_attempt()) == {"partner_hostile_source"}
        for other in ("198.51.100.8", "198.51.100.9"):
            assert await book.signs_of(_attempt(other)) == frozenset()
        watch.begin()
        assert await watch.look() == 0

    _played(tmp_path, play)


def test_it_counts_for_a_day_and_is_forgotten(tmp_path):
    async def play(houses):
        _tell(houses.id, Source("address", ROBOT))
        await houses.settle()
        book = SourceBook(houses.wallet.parts)
        houses.clock.advance(DAY_US - SECOND_US)
        assert await book.signs_of(_attempt()) == {"partner_hostile_source"}
        houses.clock.advance(SECOND_US)
        assert await book.signs_of(_attempt()) == frozenset()
        await houses.wallet.exchange.tidy()
        assert houses.wallet.rows(source_digest) == []

    _played(tmp_path, play)


def test_many_are_told_in_several_tokens_and_no_more_than_agreed(tmp_path):
    async def play(houses):
        sources = [Source("address", f"203.0.113.{n}") for n in range(256)]
        assert _tell(houses.id, *sources) == 200
        assert _tell(houses.id, Source("address", ROBOT)) == 0
        await houses.settle()
        tokens = [row for row in houses.id.rows(signal_outgoing) if "hostile" in row.event_type]
        assert [row.state for row in tokens] == ["delivered"] * 2
        assert len(houses.wallet.rows(source_digest)) == 200
        houses.clock.advance(DAY_US)
        assert _tell(houses.id, Source("address", ROBOT)) == 1

    _played(tmp_path, play, settings=SignalSettings(sources_kept=200))


def test_without_a_key_nothing_is_told(tmp_path):
    async def play(met):
        assert _tell(met.house, Source("address", ROBOT)) == 0

    async def playing():
        async with meeting(tmp_path) as met:
            await play(met)

    asyncio.run(playing())


def test_digests_of_another_make_are_kept_by_day_and_bounded(tmp_path):
    """The other make computes the digest as it is written down, and one of a strange day is passed over."""

    async def playing():
        async with meeting(tmp_path, settings=SignalSettings(sources_kept=3)) as met:
            house, origin = met.house, met.foreign.origin
            house.write(lambda at: partners.agree_on_key(at, house.parts, origin, KEY))
            today = met.clock.now_us() // DAY_US

            async def push(day, *digests, kind="address"):
                event = {"kind": kind, "day": day, "digests": list(digests)}
                said = {"events": {"urn:sekisho:signal:hostile-sources": event}}
                jti = f"{day}-{len(digests)}-{digests[0]}"
                answer = await met.push(met.token(sub_id={"format": "opaque", "id": "s1"}, jti=jti, **said))
                return answer.status_code

            digest = b64(digest_under(KEY, origin, today, Source("address", ROBOT)))
            assert await push(today - 2, digest) == 202
            assert house.rows(source_digest) == []
            assert await push(today, digest) == 202
            assert await SourceBook(house.parts).signs_of(_attempt()) == {"partner_hostile_source"}
            assert await push(today, *(b64(bytes([n] * 16)) for n in range(9))) == 202
            assert len(house.rows(source_digest)) == 3
            for bad in ("", "short", "!" * 22, digest + "A"):
                assert await push(today, bad) == 400
            assert await push(today, digest, kind="shoe") == 400

    asyncio.run(playing())


def test_an_address_has_one_spelling_and_a_day_one_key():
    spellings = ("2001:db8::1", "2001:DB8:0:0:ffff::2", "2001:0db8::")
    assert {sources_of(_attempt(ip)) for ip in spellings} == {(Source("address", "2001:db8::"),)}
    assert sources_of(_attempt("::ffff:198.51.100.7")) == (Source("address", ROBOT),)
    assert sources_of(_attempt("nowhere")) == ()
    source = Source("address", ROBOT)
    digests = {
        digest_under(key, sender, day, source)
        for key in (KEY, bytes(32))
        for sender in ("https://a.example", "https://b.example")
        for day in (1, 2)
    }
    assert len(digests) == 8
    assert {len(digest) for digest in digests} == {16}


def test_settings_that_contradict_each_other_are_refused():
    for wrong in ({"tried_days": 7}, {"age_days": 0}, {"poll_wait_s": 61.0}, {"signed_with": "HS256"}):
        try:
            SignalSettings(**wrong)
        except ValueError:
            continue
        raise AssertionError(wrong)
    assert QUICK.source_hours * HOUR_US == DAY_US
    assert json.dumps(QUICK.signed_with) == '"RS256"'
