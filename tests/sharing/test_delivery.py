"""A token is sent until its receiver has it, with growing pauses, and given up neither early nor late."""

import asyncio
import json

import pytest
from tests.sharing.by_hand import read_by_hand
from tests.sharing.foreign_transmitter import meeting

from sekisho.kernel.clock import DAY_US, HOUR_US, SECOND_US
from sekisho.sharing import streams
from sekisho.sharing.agreed_subjects import MEMBER, About
from sekisho.sharing.announcements import Announcement, announce_within
from sekisho.sharing.caep_events import CredentialChange, RiskLevelChange
from sekisho.sharing.events import type_of
from sekisho.sharing.risc_events import CredentialCompromise
from sekisho.sharing.settings import SignalSettings
from sekisho.sharing.streams import PUSH, Delivery, Wanted
from sekisho.sharing.subjects import IssSub
from sekisho.storage.tables.signals import signal_outgoing

Said = tuple[int, bytes, dict[str, str]]
RISK = RiskLevelChange(principal="USER", current_level="HIGH", reason_admin={"en": "Link fraud."})
HEADER = "Bearer what-they-want-to-see"
BUSY: Said = (503, b"", {})
TAKEN: Said = (202, b"", {})


def _refusing(err):
    return (400, json.dumps({"err": err, "description": "no"}).encode(), {"content-type": "application/json"})


def _played(tmp_path, play, **options):
    async def playing():
        async with meeting(tmp_path, **options) as met:
            met.foreign.heard.clear()
            delivery = Delivery(
                method=PUSH, endpoint_url=f"{met.foreign.origin}/ear", authorization_header=HEADER
            )
            wanted = Wanted(delivery=delivery)
            met.house.write(lambda at: streams.create(at, met.house.parts, met.foreign.origin, wanted))
            return await play(met)

    return asyncio.run(playing())


def _announce(met, event=RISK, **more):
    said = Announcement(event=event, about=About(MEMBER, met.user), **more)
    return met.house.write(lambda at: announce_within(at, met.house.parts, said))


def _rows(met):
    return [(row.state, row.tries, row.failure) for row in met.house.rows(signal_outgoing)]


@pytest.mark.parametrize("kind", ["RS256", "ES256"])
def test_what_goes_out_is_read_by_hand(tmp_path, kind):
    """Type, claims and signature are those of SSF 1.0, and nothing else about the member is in it."""

    async def play(met):
        assert _announce(met, txn="t-1") == 1
        await met.house.go_on()
        (token,), (headers,) = met.foreign.heard, met.foreign.headers
        header, claims = read_by_hand(token, met.house.exchange.keys.shown())
        assert header["typ"] == "secevent+jwt"
        assert header["alg"] == kind
        jti = claims.pop("jti")
        assert claims == {
            "iss": met.house.origin,
            "aud": met.foreign.origin,
            "iat": met.clock.now_us() // SECOND_US,
            "txn": "t-1",
            "sub_id": met.person,
            "events": {
                "https://schemas.openid.net/secevent/caep/event-type/risk-level-change": {
                    "principal": "USER",
                    "current_level": "HIGH",
                    "reason_admin": {"en": "Link fraud."},
                }
            },
        }
        assert met.user not in token
        assert headers["content-type"] == "application/secevent+jwt"
        assert headers["authorization"] == HEADER
        assert [row.jti for row in met.house.rows(signal_outgoing)] == [jti]
        assert _rows(met) == [("delivered", 1, "")]

    _played(tmp_path, play, settings=SignalSettings(signed_with=kind))


def test_an_unagreed_member_is_announced_to_nobody(tmp_path):
    async def play(met):
        stranger = met.house.add_member()
        said = Announcement(event=RISK, about=About(MEMBER, stranger))
        assert met.house.write(lambda at: announce_within(at, met.house.parts, said)) == 0
        # Who told us of it is not told it again.
        assert _announce(met, but=met.foreign.origin) == 0

    _played(tmp_path, play)


def test_an_announcement_stands_and_falls_with_its_unit_of_work(tmp_path):
    async def play(met):
        said = Announcement(event=RISK, about=About(MEMBER, met.user))

        def fails(at):
            announce_within(at, met.house.parts, said)
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            met.house.write(fails)
        await met.house.go_on()
        assert met.foreign.heard == []

    _played(tmp_path, play)


def test_a_receiver_that_is_away_is_tried_with_growing_pauses_for_days(tmp_path):
    """The same token each time, signed anew; no pause is longer than five minutes."""

    async def play(met):
        met.foreign.answers[:] = [BUSY]
        _announce(met)
        waits, since_us = [], met.clock.now_us()
        while len(met.foreign.heard) < 9:
            heard = len(met.foreign.heard)
            await met.house.go_on()
            if len(met.foreign.heard) > heard:
                waits.append((met.clock.now_us() - since_us) // SECOND_US)
                since_us = met.clock.now_us()
            met.clock.advance(SECOND_US)
        assert waits[0] == 0
        assert 1 <= waits[1] <= 4
        assert waits[1] < waits[2] < waits[3] < waits[4] < waits[5]
        assert max(waits) <= 376
        met.foreign.answers[:] = [TAKEN]
        met.clock.advance(HOUR_US)
        await met.house.go_on()
        assert _rows(met)[0][0] == "delivered"
        claims = [read_by_hand(token, met.house.exchange.keys.shown())[1] for token in met.foreign.heard]
        assert all(each == claims[0] for each in claims)

    _played(tmp_path, play)


def test_nobody_is_tried_for_ever(tmp_path):
    async def play(met):
        met.foreign.answers[:] = [BUSY]
        _announce(met)
        await met.house.go_on()
        met.clock.advance(3 * DAY_US)
        await met.house.go_on()
        assert [state for state, _, _ in _rows(met)] == ["expired"]
        met.clock.advance(31 * DAY_US)
        await met.house.exchange.tidy()
        assert _rows(met) == []

    _played(tmp_path, play)


def test_a_receiver_says_itself_how_long_to_wait(tmp_path):
    async def play(met):
        met.foreign.answers[:] = [(429, b"", {"retry-after": "100"}), TAKEN]
        _announce(met)
        await met.house.go_on()
        met.clock.advance(99 * SECOND_US)
        await met.house.go_on()
        assert len(met.foreign.heard) == 1
        met.clock.advance(SECOND_US)
        await met.house.go_on()
        assert _rows(met) == [("delivered", 2, "")]

    _played(tmp_path, play)


@pytest.mark.parametrize("err", ["invalid_request", "invalid_issuer", "invalid_audience", "invalid_state"])
def test_what_no_second_try_changes_is_not_tried_again(tmp_path, err):
    async def play(met):
        met.foreign.answers[:] = [_refusing(err), TAKEN]
        _announce(met)
        await met.house.go_on()
        met.clock.advance(DAY_US)
        await met.house.go_on()
        assert _rows(met) == [("refused", 1, err)]
        assert len(met.foreign.heard) == 1

    _played(tmp_path, play)


@pytest.mark.parametrize("err", ["invalid_key", "authentication_failed", "access_denied", "made_up"])
def test_what_may_be_mended_there_is_tried_again_and_holds_up_nothing_else(tmp_path, err):
    async def play(met):
        met.foreign.answers[:] = [_refusing(err), TAKEN]
        _announce(met)
        _announce(met, CredentialCompromise(credential_type="password"))
        await met.house.go_on()
        assert sorted(state for state, _, _ in _rows(met)) == ["delivered", "waiting"]
        met.clock.advance(HOUR_US)
        await met.house.go_on()
        assert {state for state, _, _ in _rows(met)} == {"delivered"}

    _played(tmp_path, play)


def test_of_many_that_wait_only_the_oldest_is_tried_while_the_receiver_is_away(tmp_path):
    """A partner that comes back is not met by everybody's first try at once, and gets all in their order."""

    async def play(met):
        met.foreign.answers[:] = [BUSY]
        for _ in range(30):
            _announce(met)
        await met.house.go_on()
        met.clock.advance(5 * SECOND_US)
        await met.house.go_on()
        assert len(met.foreign.heard) == 2
        met.foreign.answers[:] = [TAKEN]
        met.clock.advance(HOUR_US)
        await met.house.go_on()
        ids = [read_by_hand(token, met.house.exchange.keys.shown())[1]["jti"] for token in met.foreign.heard]
        assert ids[2:] == sorted(set(ids))

    _played(tmp_path, play)


def test_two_deliverers_do_not_send_the_same_token(tmp_path):
    async def play(met):
        for _ in range(12):
            _announce(met)
        await asyncio.gather(*(met.house.exchange.deliverer.deliver_due() for _ in range(3)))
        assert len(met.foreign.heard) == len(set(met.foreign.heard)) == 12

    _played(tmp_path, play)


def test_the_receiver_hears_of_what_it_asked_for_and_of_nobody_whom_it_left_out(tmp_path):
    async def play(met):
        change = CredentialChange(credential_type="password", change_type="revoke")
        with met.house.parts.store.read() as at:
            stream = streams.of_partner(at, met.foreign.origin)
        assert stream is not None
        wanted = Wanted(events_requested=[type_of(change), "urn:never:heard"])
        parts, settings = met.house.parts, met.house.exchange.settings
        met.house.write(lambda at: streams.replace(at, parts, settings, stream, wanted, whole=False))
        assert _announce(met) == 0
        assert _announce(met, change) == 1
        person, now_us = IssSub(met.foreign.origin, "p-1"), met.clock.now_us()
        met.house.write(lambda at: streams.want_subject(at, stream, person, wanted=False, now_us=now_us))
        assert _announce(met, change) == 0
        met.house.write(lambda at: streams.want_subject(at, stream, person, wanted=True, now_us=now_us))
        assert _announce(met, change) == 1

    _played(tmp_path, play)
