"""Device-bound sessions: a copied session cookie opens nothing without the machine's key."""

import asyncio
import base64
import re

import msgspec
import pytest
from joserfc import jws
from joserfc.jwk import ECKey, RSAKey
from tests.identity.member_at_hand import LENDER

from sekisho.identity import sessions
from sekisho.identity.assurance import Way
from sekisho.identity.bound_sessions import (
    BOUND_US,
    OFFER_US_MAX,
    BoundSessions,
    BoundState,
    Challenged,
    Renewed,
    Unbound,
    bound_state,
)
from sekisho.identity.sessions import Ended

HOST = LENDER.origin


class Browser:
    """A browser with a key that it cannot give away."""

    def __init__(self, kind="EC"):
        self.key = ECKey.generate_key("P-256") if kind == "EC" else RSAKey.generate_key(2048)
        self.algorithm = "ES256" if kind == "EC" else "RS256"

    def answer(self, challenge, *, key_in="", header=None, **claims):
        """Sign a challenge; the key goes into the header, beside the claims, or nowhere."""
        protected: dict[str, object] = {"alg": self.algorithm, "typ": "dbsc+jwt"}
        public = self.key.as_dict(private=False)
        if key_in == "header":
            protected["jwk"] = public
        if key_in == "claims":
            claims["key"] = public
        registry = jws.JWSRegistry(algorithms=["ES256", "RS256"], strict_check_header=False)
        payload = msgspec.json.encode({"jti": challenge} | claims)
        return f'"{jws.serialize_compact(protected | (header or {}), payload, self.key, registry=registry)}"'


@pytest.fixture
def bound(at_hand):
    return BoundSessions(at_hand.parts)


@pytest.fixture
def session(at_hand):
    return at_hand.log_in(at_hand.add_member()).session


@pytest.fixture
def now(at_hand):
    def now(session):
        with at_hand.store.read() as connection:
            return sessions.find(connection, session.id)

    return now


def challenge_in(header):
    return header.rpartition("challenge=")[2].split('"')[1]


def offer(bound, session):
    return challenge_in(asyncio.run(bound.offer(session)))


def register(bound, session, browser, **changed):
    challenge = offer(bound, session)
    return asyncio.run(bound.register(session, browser.answer(challenge, key_in="header", **changed)))


def refresh(bound, session, browser=None, **changed):
    """Ask for a challenge and answer it."""
    asked = asyncio.run(bound.refresh(session, f'"{session.id}"', ""))
    if browser is None or not isinstance(asked, Challenged):
        return asked
    answer = browser.answer(challenge_in(asked.challenge_header), **changed)
    return asyncio.run(bound.refresh(session, f'"{session.id}"', answer))


def state(at_hand, session, cookie):
    return bound_state(session, cookie, at_hand.clock.now_us())


def test_a_session_of_a_browser_that_cannot_goes_on_as_before(at_hand, bound, session, now):
    assert state(at_hand, session, "") is BoundState.NOT_BOUND
    offer(bound, session)
    assert state(at_hand, now(session), "") is BoundState.NOT_BOUND
    assert isinstance(refresh(bound, now(session)), Unbound)


def test_the_offer_is_a_structured_header_that_browsers_read(bound, session):
    header = asyncio.run(bound.offer(session))
    assert re.fullmatch(r'\(ES256 RS256\);path="/session/bind";challenge="[A-Za-z0-9_-]{43}"', header)


@pytest.mark.parametrize("kind", ["EC", "RSA"])
@pytest.mark.parametrize("key_in", ["header", "claims"])
def test_a_browser_binds_its_session_and_renews_its_cookie(at_hand, bound, session, now, kind, key_in):
    browser = Browser(kind)
    challenge = offer(bound, session)
    first = asyncio.run(bound.register(session, browser.answer(challenge, key_in=key_in)))
    assert isinstance(first, Renewed)
    assert first.max_age_s == 600
    assert first.instructions["session_identifier"] == session.id
    assert first.instructions["refresh_url"] == "/session/refresh"
    assert first.instructions["continue"] is True
    assert first.instructions["scope"]["origin"] == HOST
    assert first.instructions["credentials"] == [
        {
            "type": "cookie",
            "name": "__Host-bound",
            "attributes": "Path=/; Secure; HttpOnly; SameSite=Lax",
        }
    ]
    assert state(at_hand, now(session), first.cookie) is BoundState.PROVEN
    at_hand.clock.advance(BOUND_US - 1)
    at_hand.store.write(
        lambda connection: sessions.seen(connection, session.id, at_hand.clock.now_us())
    ).result()
    second = refresh(bound, now(session), browser)
    assert isinstance(second, Renewed)
    at_hand.clock.advance(1)
    assert state(at_hand, now(session), first.cookie) is BoundState.UNPROVEN
    assert state(at_hand, now(session), second.cookie) is BoundState.PROVEN


def test_a_copied_session_cookie_opens_nothing(at_hand, bound, session, now):
    renewed = register(bound, session, Browser())
    mine = now(session)
    until, mark = renewed.cookie.split(".")
    for cookie in (
        "",
        ".",
        "x.y",
        f"{until}.",
        f"{until}.{'0' * 64}",
        f"{int(until) + 1}.{mark}",
        f"{'9' * 5000}.{mark}",
        f"{until}.\ud800",
        f"\u0661.{mark}",
    ):
        assert state(at_hand, mine, cookie) is BoundState.UNPROVEN
    assert state(at_hand, mine, renewed.cookie) is BoundState.PROVEN


def test_the_cookie_of_another_session_does_not_fit(at_hand, bound, session, now):
    other = at_hand.log_in(session.member_id).session
    mine, theirs = register(bound, session, Browser()), register(bound, other, Browser())
    assert state(at_hand, now(session), theirs.cookie) is BoundState.UNPROVEN
    assert state(at_hand, now(other), mine.cookie) is BoundState.UNPROVEN


def test_after_the_clock_was_set_back_no_cookie_lives_longer_than_ten_minutes(at_hand, bound, session, now):
    renewed = register(bound, session, Browser())
    at_hand.clock.advance(-1)
    assert state(at_hand, now(session), renewed.cookie) is BoundState.UNPROVEN


@pytest.mark.parametrize(
    "changed",
    [
        {"header": {"typ": "JWT"}},
        {"header": {"alg": "HS256"}},
        {"header": {"alg": "RS256"}},
        {"header": {"jwk": {}}},
        {"header": {"jwk": "x"}},
        {"header": {"jwk": {"kty": "oct", "k": "AAAA"}}},
        {"header": {"jwk": {"kty": "EC", "crv": "P-256", "x": "AA"}}},
        {"header": {"jwk": {"kty": "EC", "crv": "P-256", "x": "AA", "y": 1}}},
        {"header": {"jwk": {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}}},
        {"header": {"jwk": ECKey.generate_key("P-384").as_dict(private=False)}},
        {"header": {"jwk": ECKey.generate_key("P-256").as_dict(private=False)}},
        {"header": {"jwk": ECKey.generate_key("P-256").as_dict(private=True)}},
        {"jti": "another"},
        {"jti": ""},
        {"aud": "https://evil.example/session/bind"},
        {"sub": "ses_another"},
    ],
)
def test_an_answer_that_does_not_hold_up_binds_nothing(at_hand, bound, session, now, changed):
    browser = Browser()
    challenge = offer(bound, session)
    try:
        answer = browser.answer(changed.pop("jti", challenge), key_in="header", **changed)
    except Exception:  # noqa: BLE001 - what the library does not even sign is put together by hand
        answer = forged(browser, challenge, changed["header"])
    assert isinstance(asyncio.run(bound.register(session, answer)), Unbound)
    assert now(session).bound_key == ""
    assert "member:session:binding_refused" in {event.kind for event in at_hand.events()}
    right = browser.answer(challenge, key_in="header", aud=f"{HOST}/session/bind")
    assert isinstance(asyncio.run(bound.register(session, right)), Renewed)


@pytest.mark.parametrize("kind", ["EC", "RSA"])
def test_a_key_that_was_given_away_binds_nothing(bound, session, kind):
    """Whoever sends the private key along has not kept it in the machine."""
    browser = Browser(kind)
    answer = browser.answer(offer(bound, session), header={"jwk": browser.key.as_dict(private=True)})
    assert isinstance(asyncio.run(bound.register(session, answer)), Unbound)


def forged(browser, challenge, header):
    """Put a token together whose header says what no library would sign."""
    _, payload, signature = browser.answer(challenge, key_in="header")[1:-1].split(".")
    said = msgspec.json.encode({"alg": "ES256", "typ": "dbsc+jwt"} | header)
    protected = base64.urlsafe_b64encode(said).decode().rstrip("=")
    return f'"{protected}.{payload}.{signature}"'


@pytest.mark.parametrize(
    "header", ["", '""', "x", '"a.b.c"', '"..."', "a" * 10_000, "\u3042", '"e30.e30.e30"', '"W10.W10.AA"']
)
def test_what_is_no_token_is_refused_cleanly(bound, session, now, header):
    offer(bound, session)
    assert isinstance(asyncio.run(bound.register(session, header)), Unbound)
    assert now(session).bound_key == ""


def test_an_offer_is_taken_once_within_five_minutes_by_who_got_it(at_hand, bound, session, now):
    thief, browser = Browser(), Browser()
    assert isinstance(asyncio.run(bound.register(session, thief.answer("", key_in="header"))), Unbound)
    challenge = offer(bound, session)
    at_hand.clock.advance(OFFER_US_MAX)
    late = asyncio.run(bound.register(session, browser.answer(challenge, key_in="header")))
    assert isinstance(late, Unbound)
    challenge = offer(bound, session)
    assert isinstance(
        asyncio.run(bound.register(session, browser.answer(challenge, key_in="header"))), Renewed
    )
    before = now(session).bound_key
    again = asyncio.run(bound.register(session, thief.answer(challenge, key_in="header")))
    assert isinstance(again, Unbound)
    assert now(session).bound_key == before


def test_a_bound_session_is_bound_to_no_other_device(bound, session, now):
    """Also where an older copy of the session is at hand, from before it was bound."""
    browser, thief = Browser(), Browser()
    register(bound, session, browser)
    assert asyncio.run(bound.offer(now(session))) == ""
    assert isinstance(register(bound, session, thief), Unbound)
    assert isinstance(refresh(bound, now(session), browser), Renewed)


def test_only_the_bound_key_renews_and_each_challenge_counts_once(bound, session, now):
    browser, thief = Browser(), Browser()
    register(bound, session, browser)
    mine = now(session)
    assert isinstance(refresh(bound, mine, thief), Challenged)
    assert isinstance(refresh(bound, mine, thief, key_in="header"), Challenged)
    asked = asyncio.run(bound.refresh(mine, f'"{session.id}"', ""))
    assert asked.challenge_header.endswith(f';id="{session.id}"')
    answer = browser.answer(challenge_in(asked.challenge_header), sub=session.id)
    assert isinstance(asyncio.run(bound.refresh(mine, f'"{session.id}"', answer)), Renewed)
    assert isinstance(asyncio.run(bound.refresh(mine, f'"{session.id}"', answer)), Challenged)


def test_where_nothing_was_asked_an_empty_answer_renews_nothing(bound, session, now):
    browser = Browser()
    register(bound, session, browser)
    mine = now(session)
    assert mine.bound_challenge == ""
    assert isinstance(asyncio.run(bound.refresh(mine, f'"{session.id}"', browser.answer(""))), Challenged)


def test_a_refresh_for_another_session_ends_the_binding_there(at_hand, bound, session, now):
    browser = Browser()
    register(bound, session, browser)
    other = at_hand.log_in(session.member_id).session
    answered = asyncio.run(bound.refresh(now(session), f'"{other.id}"', ""))
    assert answered == Unbound({"session_identifier": session.id, "continue": False})


def test_a_session_that_has_ended_is_neither_bound_nor_renewed(at_hand, bound, session, now):
    browser = Browser()
    challenge = offer(bound, session)
    other = at_hand.log_in(session.member_id).session
    register(bound, other, browser)
    alive = now(other)
    for each in (session, other):
        at_hand.store.write(
            lambda connection, each=each: sessions.end(connection, at_hand.parts, each.id, Ended.FROZEN)
        ).result()
    assert isinstance(
        asyncio.run(bound.register(session, browser.answer(challenge, key_in="header"))), Unbound
    )
    assert isinstance(refresh(bound, alive, browser), Challenged)


def test_a_change_of_level_keeps_the_binding(at_hand, bound, session, now):
    renewed = register(bound, session, Browser())
    work = at_hand.store.write(
        lambda connection: sessions.prove(connection, at_hand.parts, now(session), Way.PASSKEY)
    )
    assert state(at_hand, work.result().session, renewed.cookie) is BoundState.PROVEN
