"""Relays are known by their signs, and what befalls honest members is not taken for one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.identity.code_desk import HOME, LAPTOP, PHONE, at

from sekisho.guard.networks import read_source
from sekisho.guard.rules.relayed_code import POINTS
from sekisho.identity.relay import (
    STRONG_FROM,
    WEAK_FROM,
    Asked,
    Course,
    KnownWays,
    OurHost,
    Strength,
    look_for_relay,
)
from sekisho.kernel.clock import MINUTE_US, SECOND_US

OURS = OurHost("lender.localhost", ("AsagiriLoan",))
NEW = KnownWays()
OWN = at(HOME, device_id="dev_own", session_id="ses_1", referrer="http://lender.localhost:8470/step-up")
MEMBER = KnownWays(
    devices=frozenset({"dev_own"}),
    regions=frozenset({read_source(HOME.ip, 0).region}),
    countries=frozenset({"JP"}),
)
CALM = Course(after_us=25 * SECOND_US)


def look(asked, entered, known=MEMBER, course=CALM):
    return look_for_relay(asked, entered, known, course, OURS)


HONEST = {
    "the same browser": (OWN, OWN),
    "IPv4 and IPv6 of one provider": (OWN, at(OWN, ip="2001:db8:7:1::9")),
    "another address of the same provider": (OWN, at(OWN, ip="203.0.113.200")),
    "a phone that left the Wi-Fi": (OWN, at(OWN, ip="198.51.100.9", asn=64999)),
    "the same, where no provider is known": (at(OWN, asn=0), at(OWN, ip="198.51.100.9", asn=0)),
    "a neighbouring address, no provider known": (at(OWN, asn=0), at(OWN, ip="192.0.2.99", asn=0)),
    "a TLS session taken up again": (OWN, at(OWN, tls="t13d1517h2_8daaf6152771_02713d6af862")),
    "HTTP/3 instead of HTTP/2": (OWN, at(OWN, tls="q13d0312h3_55b375c5d22e_06cda9e17597")),
    "no fingerprint": (OWN, at(OWN, tls="")),
    "no referrer": (at(OWN, referrer=""), at(OWN, referrer="")),
    "an origin that browsers hide": (OWN, at(OWN, referrer="null")),
    "a browser that updated meanwhile": (OWN, at(OWN, user_agent=LAPTOP.replace("126", "127"))),
}


@pytest.mark.parametrize("case", HONEST)
def test_honest_members_leave_at_most_one_light_sign(case):
    evidence = look(*HONEST[case])
    assert evidence.strength is Strength.NONE, evidence
    assert len(evidence.signs) <= 1


def test_leaving_the_wifi_is_one_sign_only():
    assert look(*HONEST["a phone that left the Wi-Fi"]).names == ("other_network",)
    assert look(*HONEST["IPv4 and IPv6 of one provider"]).names == ()


@pytest.mark.parametrize("minutes", [1, 5, 9])
def test_slow_typists_are_no_relay(minutes):
    slow = at(OWN, filled_in_ms=90_000)
    assert look(OWN, slow, course=Course(minutes * MINUTE_US)).signs == ()


def test_a_code_that_a_phone_fills_in_by_itself_is_one_light_sign():
    filled = at(OWN, filled_in_ms=0)
    assert look(OWN, filled, course=Course(SECOND_US)).names == ("machine_speed",)
    assert look(OWN, filled, course=Course(5 * SECOND_US)).names == ()
    assert look(OWN, filled, course=Course(30 * SECOND_US)).names == ("pasted_late",)


def test_a_code_read_off_a_phone_is_typed_where_it_was_asked_for():
    """The phone is on a mobile network, the laptop at home: nobody sees the phone."""
    assert look(OWN, OWN).signs == ()


def test_a_new_member_has_no_past_to_compare_with():
    where = Asked(ip="203.0.113.9", user_agent=PHONE, country="FR", asn=64001)
    assert look(where, where, NEW).signs == ()


def test_a_member_s_own_new_device_may_do_little():
    """It cannot be told from somebody else's who has the password and the code."""
    laptop = at(HOME, ip="203.0.113.9", asn=64001)
    assert look(laptop, laptop).names == ("strange_device", "strange_network")
    assert look(laptop, laptop).strength is Strength.WEAK
    abroad = at(laptop, country="FR")
    assert look(abroad, abroad).strength is Strength.WEAK


def test_a_new_device_at_home_is_not_even_that():
    laptop = at(HOME)
    assert look(laptop, laptop).names == ("strange_device",)
    assert look(laptop, laptop).strength is Strength.NONE


ROBOT = Asked(ip="203.0.113.9", user_agent="python-httpx/0.28", country="NL", asn=64999)
RELAYS = {
    "another session": (OWN, at(OWN, session_id="ses_2")),
    "no session any more": (OWN, at(OWN, session_id="")),
    "a cookie that was stolen, in another browser": (OWN, at(ROBOT, session_id="ses_1", device_id="dev_own")),
    "another device in the same household": (OWN, at(OWN, device_id="dev_other", user_agent=PHONE)),
    "a lookalike site in front": (OWN, at(OWN, referrer="https://1ender.localhost.example/code")),
    "our name inside another": (OWN, at(OWN, referrer="https://lender.localhost.evil.example/")),
    "a lookalike where it was asked for": (at(OWN, referrer="https://asagiri-loan.example"), OWN),
    "a kit abroad that pastes": (at(HOME, ip="203.0.113.9", country="NL", asn=64999), ROBOT),
}


@pytest.mark.parametrize("case", RELAYS)
def test_a_relay_is_known(case):
    evidence = look(*RELAYS[case])
    assert evidence.strength is Strength.STRONG, evidence


def test_a_kit_that_asks_and_enters_by_itself_is_known_by_the_rest():
    """Both ends are the attacker's: what remains is that none of it is the member's, and how it goes."""
    abroad = at(HOME, ip="203.0.113.9", country="NL", asn=64999)
    assert look(abroad, abroad).strength is Strength.WEAK
    pasted = look(abroad, at(abroad, filled_in_ms=0), course=Course(40 * SECOND_US, codes_lately=3))
    assert pasted.names == (
        "strange_device",
        "strange_network",
        "strange_country",
        "many_codes",
        "pasted_late",
    )
    assert pasted.strength is Strength.STRONG


@pytest.mark.parametrize(
    ("referrer", "names"),
    [
        ("https://lender.localhost/login?next=/a", ()),
        ("http://lender.localhost:8470", ()),
        ("https://www.search.example/?q=loan", ("foreign_referrer",)),
        ("https://lender.localhost@evil.example/", ("foreign_referrer",)),
        ("https://evil.example/lender.localhost", ("foreign_referrer",)),
        ("https://evil.example\\@lender.localhost/", ("foreign_referrer",)),
        ("https://[::1", ()),
        ("javascript:alert(1)", ()),
        ("android-app://com.example.mail/", ()),
    ],
)
def test_referrers_are_read_by_their_host(referrer, names):
    found = look(OWN, at(OWN, referrer=referrer)).names
    assert found == names or (names and "lookalike_referrer" in found)


def test_coming_from_a_search_engine_to_the_login_is_no_sign():
    assert look(at(OWN, referrer="https://www.search.example/"), OWN).signs == ()


def test_of_a_referrer_only_the_host_is_kept():
    assert at(OWN, referrer="https://user:secret@a.example/p?token=1#f").referrer == "a.example"


def test_every_sign_has_its_points_and_every_points_a_sign():
    """The names are known to the guard, or it would count them as nothing."""
    everything = look(
        OWN, at(ROBOT, referrer="https://lender.localhost.evil.example"), course=Course(0, codes_lately=9)
    )
    assert set(everything.names) <= set(POINTS)
    assert everything.points == sum(POINTS[name] for name in everything.names)


@pytest.mark.parametrize(
    "tls", ["t13d1516h2_aaaaaaaaaaaa_b186095e22b6", "t12d1516h2_8daaf6152771_b186095e22b6", "other"]
)
def test_another_handshake_of_the_same_program_is_a_sign(tls):
    evidence = look(OWN, at(OWN, tls=tls))
    assert evidence.names == ("other_fingerprint",)
    assert evidence.strength is Strength.WEAK


def test_leaving_the_wifi_and_pasting_is_still_honest():
    moved = at(OWN, ip="198.51.100.9", asn=64999, filled_in_ms=0)
    for after_us in (SECOND_US, 30 * SECOND_US):
        assert look(OWN, moved, course=Course(after_us)).strength is Strength.NONE


def test_strength_follows_the_points():
    assert (WEAK_FROM, STRONG_FROM) == (3, 6)
    assert look(OWN, at(OWN, referrer="https://www.search.example/")).points == 3
    assert look(OWN, at(OWN, referrer="https://www.search.example/")).strength is Strength.WEAK
    assert look(OWN, at(OWN, user_agent=PHONE)).strength is Strength.WEAK


texts = st.text(max_size=40)
places = st.builds(
    Asked, ip=texts, user_agent=texts, tls=texts, device_id=texts, session_id=texts, referrer=texts,
    country=texts, asn=st.integers(0, 2**32), filled_in_ms=st.none() | st.integers(-1, 10**9),
)  # fmt: skip


@given(places, places, st.builds(Course, st.integers(-(10**15), 10**15), st.integers(0, 99)))
def test_no_input_breaks_it_and_the_same_place_is_never_strong_for_a_new_member(asked, entered, course):
    look(asked, entered, course=course)
    same = look_for_relay(at(asked, referrer=""), at(asked, referrer=""), NEW, course, OURS)
    assert same.strength is not Strength.STRONG
