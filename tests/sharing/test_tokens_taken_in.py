"""Tokens of another make are taken or refused with exactly the code that RFC 8935 has for it."""

import asyncio
from typing import Any

import pytest
from tests.sharing.by_hand import HIGH, RISK, HandKey
from tests.sharing.foreign_transmitter import meeting

from sekisho.kernel.clock import DAY_US, MINUTE_US, SECOND_US
from sekisho.sharing.agreed_subjects import MEMBER, About
from sekisho.sharing.settings import SignalSettings
from sekisho.sharing.subjects import Opaque

NOW_S = 1_790_000_000
LINK = "link"
VERIFICATION = "https://schemas.openid.net/secevent/ssf/event-type/verification"


def _played(tmp_path, play, **options):
    async def playing():
        async with meeting(tmp_path, **options) as met:
            return await play(met)

    return asyncio.run(playing())


@pytest.mark.parametrize("kind", ["RS256", "ES256"])
def test_a_token_of_another_make_is_taken_and_acted_on(tmp_path, kind):
    """The guard hears of it, money is held, and staff are told: what the table says of a high risk."""

    async def play(met):
        answer = await met.push(met.token())
        assert (answer.status_code, answer.content) == (202, b"")
        assert met.house.signs_on(MEMBER, met.user) == ["partner_risk_high"]
        assert [hold.scope for hold in met.house.holds_of(met.user)] == ["money_out"]
        done = ("hold_money_out", "raise_evidence", "tell_staff")
        assert met.house.deeds() == [(action, MEMBER, "done") for action in done]

    _played(tmp_path, play, keys=[HandKey(kind=kind)])


def test_the_same_token_again_is_answered_as_taken_and_does_nothing(tmp_path):
    """A replay, however late within the time that a token counts, is known by its id."""

    async def play(met):
        token = met.token()
        for wait_us in (0, 0, 6 * DAY_US):
            met.clock.advance(wait_us)
            assert (await met.push(token)).status_code == 202
            await met.house.exchange.tidy()
        assert met.house.outcomes() == ["acted"]
        assert len(met.house.rows_of_holds()) == 1

    _played(tmp_path, play)


@pytest.mark.parametrize(("late_s", "is_held"), [(-10, True), (10, False)])
def test_an_all_clear_that_was_overtaken_takes_nothing_back(tmp_path, late_s, is_held):
    """Tokens that were not taken come again later: what was said before the alarm does not end it."""

    async def play(met):
        now_s = met.clock.now_us() // SECOND_US
        assert (await met.push(met.token(iat=now_s))).status_code == 202
        all_clear = {RISK: HIGH | {"current_level": "LOW"}}
        assert (await met.push(met.token(iat=now_s + late_s, events=all_clear))).status_code == 202
        assert met.house.outcomes() == ["acted", "acted"]
        assert bool(met.house.holds_of(met.user)) is is_held
        assert bool(met.house.signs_on(MEMBER, met.user)) is is_held

    _played(tmp_path, play)


def test_an_all_clear_about_one_link_leaves_what_was_said_of_another(tmp_path):
    """Who can calm a bank about one account frees no money that the alarm about another one holds."""
    owners = {}

    async def play(met):
        met.clock.advance(SECOND_US)
        for mandate, link_id in (("m-1", "lnk_1"), ("m-2", "lnk_2")):
            met.house.agree(met.foreign.origin, Opaque(mandate), About(LINK, link_id))
            owners[link_id] = About(MEMBER, met.user)

        async def say(mandate, level):
            met.clock.advance(SECOND_US)
            subject, events = {"format": "opaque", "id": mandate}, {RISK: HIGH | {"current_level": level}}
            token = met.token(sub_id=subject, events=events, jti=f"{mandate}-{level}")
            assert (await met.push(token)).status_code == 202
            return met.house.signs_on(MEMBER, met.user), len(met.house.holds_of(met.user))

        high = await say("m-1", "HIGH")
        assert high == (["partner_risk_high"], 1)
        assert await say("m-2", "MEDIUM") == (["partner_risk_high", "partner_risk_medium"], 1)
        assert await say("m-2", "LOW") == high
        assert await say("m-1", "LOW") == ([], 0)
        assert met.house.signs_on(LINK, "lnk_1") == met.house.signs_on(LINK, "lnk_2") == []

    _played(tmp_path, play, leads_to={LINK: lambda _, link_id: owners.get(link_id)})


FAULTS: dict[str, tuple[str, dict[str, Any]]] = {
    "another type": ("invalid_request", {"header": {"typ": "JWT"}}),
    "no type": ("invalid_request", {"header": {"typ": None}}),
    "an ID token's subject": ("invalid_request", {"sub": "p-1"}),
    "an end": ("invalid_request", {"exp": NOW_S + 60}),
    "no id": ("invalid_request", {"jti": None}),
    "an id with a space": ("invalid_request", {"jti": "a b"}),
    "an id that is too long": ("invalid_request", {"jti": "a" * 129}),
    "no time": ("invalid_request", {"iat": None}),
    "a time in words": ("invalid_request", {"iat": "noon"}),
    "too old": ("invalid_request", {"iat": NOW_S - 7 * 86_400 - 1}),
    "from the future": ("invalid_request", {"iat": NOW_S + 61}),
    "no subject": ("invalid_request", {"sub_id": None}),
    "a subject without a format": ("invalid_request", {"sub_id": {"sub": "p-1"}}),
    "a subject of an invented format": ("invalid_request", {"sub_id": {"format": "shoe_size", "id": "1"}}),
    "no event": ("invalid_request", {"events": {}}),
    "two events": ("invalid_request", {"events": {RISK: HIGH, VERIFICATION: {}}}),
    "an event that is not as defined": ("invalid_request", {"events": {RISK: {"current_level": "VERY"}}}),
    "an event that is no object": ("invalid_request", {"events": {"urn:new": 1}}),
    "an unknown algorithm": ("invalid_key", {"header": {"alg": "HS256"}}),
    "no signature at all": ("invalid_key", {"header": {"alg": "none"}}),
    "an unknown key": ("invalid_key", {"header": {"kid": "other"}}),
    "no key named": ("invalid_key", {"header": {"kid": None}}),
    "another issuer": ("invalid_issuer", {"iss": "https://other.example"}),
    "no issuer": ("invalid_issuer", {"iss": None}),
    "another audience": ("invalid_audience", {"aud": "them"}),
    "nobody among the audience": ("invalid_audience", {"aud": ["them", "others"]}),
}


def test_each_fault_has_its_code_and_leaves_no_trace(tmp_path):
    """Whatever is refused is not kept, so that the same id can still come in a token that is right."""

    async def play(met):
        for name, (code, said) in FAULTS.items():
            answer = await met.push(met.token(**said))
            assert (answer.status_code, answer.json()["err"]) == (400, code), name
            assert answer.headers["content-language"] == "en"
            assert answer.headers["content-type"] == "application/json"
        assert met.house.outcomes() == []
        assert met.house.deeds() == []
        # The same way in, and nothing wrong with the token: so it was the fault each time.
        assert (await met.push(met.token(aud=["them", "us"]))).status_code == 202

    _played(tmp_path, play)


def test_what_is_no_token_is_refused(tmp_path):
    async def play(met):
        token = met.token()
        head, body, signature = token.split(".")
        for text in (
            "",
            "a.b.c",
            "{}",
            head,
            f"{head}.{body}",
            f"{body}.{head}.{signature}",
            "x" * 9_000,
            "é",
        ):
            answer = await met.push(text)
            assert (answer.status_code, answer.json()["err"]) == (400, "invalid_request"), text[:20]
        other = HandKey().sign({}).split(".")[2]
        answer = await met.push(f"{head}.{body}.{other}")
        assert answer.json()["err"] == "invalid_key"
        answer = await met.push(token, **{"content-type": "application/jwt"})
        assert answer.json()["err"] == "invalid_request"
        assert met.house.outcomes() == []

    _played(tmp_path, play)


@pytest.mark.parametrize("header", ["", "Bearer wrong", "Basic eA=="])
def test_who_pushes_must_bring_what_was_agreed(tmp_path, header):
    async def play(met):
        answer = await met.push(met.token(), authorization=header)
        assert (answer.status_code, answer.json()["err"]) == (400, "authentication_failed")
        assert met.house.outcomes() == []

    _played(tmp_path, play)


def test_a_key_counts_until_its_issuer_has_not_shown_it_for_minutes(tmp_path):
    """What the old key signs is refused once the issuer's keys are read again, and the new key's is taken."""

    async def play(met):
        old, new = met.foreign.keys[0], HandKey(kid="new")
        assert (await met.push(met.token(jti="1"))).status_code == 202
        met.foreign.keys[:] = [new]
        met.clock.advance(5 * MINUTE_US)
        answer = await met.push(met.token(key=old, jti="2"))
        assert answer.json()["err"] == "invalid_key"
        assert (await met.push(met.token(key=new, jti="3"))).status_code == 202

    _played(tmp_path, play)


def test_a_new_key_is_asked_for_when_a_token_names_it_and_not_for_each_invented_one(tmp_path):
    async def play(met):
        assert (await met.push(met.token(jti="1"))).status_code == 202
        new = HandKey(kid="new")
        met.foreign.keys.append(new)
        assert (await met.push(met.token(jti="2", header={"kid": "invented"}))).json()["err"] == "invalid_key"
        met.clock.advance(10 * SECOND_US)
        assert (await met.push(met.token(key=new, jti="3"))).status_code == 202

    _played(tmp_path, play)


def test_a_weak_key_is_none(tmp_path):
    """RSA keys have 2,048 bits or more, whatever their owner shows."""

    async def play(met):
        assert (await met.push(met.token())).json()["err"] == "invalid_key"

    _played(tmp_path, play, keys=[HandKey(bits=1_024)])


def test_keys_that_cannot_be_had_are_an_outage_and_no_verdict(tmp_path):
    """The transmitter hears 503 and sends the same token again."""

    async def play(met):
        met.foreign.shows_keys = 500
        token = met.token()
        answer = await met.push(token)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        met.foreign.shows_keys = 200
        met.clock.advance(10 * SECOND_US)
        assert (await met.push(token)).status_code == 202

    _played(tmp_path, play)


def test_an_unknown_event_and_an_unknown_person_are_answered_like_any_other(tmp_path):
    """They are kept and counted, and tell the sender nothing of whom or what we know."""

    async def play(met):
        stranger = met.person | {"sub": "nobody"}
        for said in (
            {"events": {"https://new.example/event": {"a": 1}}},
            {"sub_id": stranger, "jti": "2"},
            {"sub_id": {"format": "email", "email": "a@b.example"}, "jti": "3"},
            {"sub_id": {"user": stranger, "tenant": {"format": "opaque", "id": "t"}}, "jti": "4"},
        ):
            answer = await met.push(met.token(**said))
            assert (answer.status_code, answer.content) == (202, b"")
        assert met.house.outcomes() == ["unknown_event", *["unknown_subject"] * 3]
        assert met.house.deeds() == []

    _played(tmp_path, play)


def test_of_a_complex_subject_the_user_counts(tmp_path):
    async def play(met):
        subject = {"format": "complex", "user": met.person, "device": {"format": "opaque", "id": "d"}}
        await met.push(met.token(sub_id=subject))
        assert met.house.outcomes() == ["acted"]

    _played(tmp_path, play)


def test_a_flood_is_held_off_and_the_rest_comes_later(tmp_path):
    """Beyond what was agreed a transmitter hears 429; a minute later it may go on."""

    async def play(met):
        statuses = [(await met.push(met.token(jti=str(n)))).status_code for n in range(8)]
        assert statuses == [202] * 5 + [429] * 3
        met.clock.advance(MINUTE_US)
        assert (await met.push(met.token(jti="7"))).status_code == 202

    _played(tmp_path, play, settings=SignalSettings(events_per_minute=5))


def test_a_verification_counts_only_in_the_words_that_we_asked_with(tmp_path):
    async def play(met):
        stream = {"format": "opaque", "id": "s1"}
        (asked,) = met.foreign.asked

        async def verify(**payload):
            events = {VERIFICATION: payload}
            token = met.token(sub_id=stream, events=events, jti="v" + "".join(payload.values()))
            return await met.push(token)

        assert (await verify(state="another")).json()["err"] == "invalid_state"
        # The transmitter may begin by itself, and that shows nothing but that it can.
        assert (await verify()).status_code == 202
        assert (await verify(state=asked["state"])).status_code == 202
        token = met.token(sub_id={"format": "opaque", "id": "s2"}, events={VERIFICATION: {}})
        assert (await met.push(token)).json()["err"] == "invalid_request"

    _played(tmp_path, play)
