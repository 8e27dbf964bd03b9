"""A certificate establishes who somebody is only where everything holds: each test breaks one thing."""

import datetime as dt
from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.identity.authority import Authority, another_key, person, scoped

from sekisho.identity.certificates import (
    ADDRESS,
    BIRTH_DATE,
    NAME,
    CertificateFault,
    Person,
    Presented,
    Verified,
    verify,
)
from sekisho.kernel.clock import SECOND_US

NOW = dt.datetime(2026, 9, 21, 12, tzinfo=UTC)
NOW_US = int(NOW.timestamp()) * SECOND_US
CHALLENGE = b"sekisho:identity-check:1:" + bytes(32)
WHO = ("山田 花子", "319900402", "東京都架空区見本町1丁目2番3号")
CLAIMED = Person(WHO[0], dt.date(1990, 4, 2), WHO[2])


@pytest.fixture
def authority():
    return Authority(NOW)


def verified(
    authority, presented, *, lists=None, trusted=None, claimed=CLAIMED, challenge=CHALLENGE, at=NOW_US
):
    return verify(
        presented,
        challenge,
        claimed,
        trusted=[authority.certificate] if trusted is None else trusted,
        revocation_lists=[authority.revocation_list()] if lists is None else lists,
        now_us=at,
    )


def test_a_card_that_signed_the_challenge_is_its_holder(authority):
    card = authority.give(person(*WHO))
    found = verified(authority, card.sign(CHALLENGE))
    assert isinstance(found, Verified)
    assert found.serial == f"{card.certificate.serial_number:x}"


def test_an_authority_between_is_followed_and_asked_for_its_list_too(authority):
    below = Authority(NOW, "Below", another_key(), above=authority)
    card = below.give(person(*WHO))
    both = [authority.revocation_list(), below.revocation_list()]
    assert isinstance(verified(authority, card.sign(CHALLENGE), lists=both), Verified)
    for missing in both:
        lists = [each for each in both if each is not missing]
        assert verified(authority, card.sign(CHALLENGE), lists=lists) is CertificateFault.REVOCATION_UNKNOWN
    authority.revoked.append(below.certificate.serial_number)
    lists = [authority.revocation_list(), below.revocation_list()]
    assert verified(authority, card.sign(CHALLENGE), lists=lists) is CertificateFault.REVOKED


def test_another_authority_of_the_same_name_is_not_trusted(authority):
    stranger = Authority(NOW, key=another_key())
    card = stranger.give(person(*WHO))
    assert verified(authority, card.sign(CHALLENGE)) is CertificateFault.NOT_TRUSTED
    assert verified(authority, card.sign(CHALLENGE), trusted=[]) is CertificateFault.NOT_TRUSTED


@pytest.mark.parametrize("valid", [(-100, -1), (1, 100)])
def test_a_card_outside_its_days_is_not_trusted(authority, valid):
    card = authority.give(person(*WHO), valid=valid)
    assert verified(authority, card.sign(CHALLENGE)) is CertificateFault.NOT_TRUSTED


@pytest.mark.parametrize(
    "use", [{"digital_signature": True}, {"content_commitment": True}, {"key_encipherment": True}]
)
def test_a_certificate_for_logging_in_signs_nothing(authority, use):
    """The card's other certificate authenticates, and says nothing of the person."""
    card = authority.give(person(*WHO), use=use)
    assert verified(authority, card.sign(CHALLENGE)) is CertificateFault.WRONG_USE


def test_an_authoritys_certificate_is_no_persons(authority):
    card = authority.give(person(*WHO), ca=True)
    assert not isinstance(verified(authority, card.sign(CHALLENGE)), Verified)


def test_a_card_that_signs_another_card_makes_no_chain(authority):
    """A holder is no authority, whatever the chain says."""
    card = authority.give(person(*WHO))
    forger = Authority(NOW, "20260921120000000000", card.key)
    forged = forger.give(person(*WHO))
    forged.between = (card.certificate,)
    assert verified(authority, forged.sign(CHALLENGE)) is CertificateFault.NOT_TRUSTED


def test_a_revoked_card_is_refused_also_by_a_list_that_ran_out(authority):
    card = authority.give(person(*WHO))
    authority.revoked.append(card.certificate.serial_number)
    assert verified(authority, card.sign(CHALLENGE)) is CertificateFault.REVOKED
    old = authority.revocation_list(age=30)
    assert verified(authority, card.sign(CHALLENGE), lists=[old]) is CertificateFault.REVOKED


def test_without_a_valid_list_nothing_is_known(authority):
    card = authority.give(person(*WHO))
    for lists in (
        [],
        [authority.revocation_list(age=3)],
        [authority.revocation_list(age=-1)],
        [authority.revocation_list(key=another_key())],
        [authority.revocation_list(scope=scoped("elsewhere"))],
    ):
        assert verified(authority, card.sign(CHALLENGE), lists=lists) is CertificateFault.REVOCATION_UNKNOWN


def test_a_list_of_a_place_covers_the_cards_that_name_it(authority):
    card = authority.give(person(*WHO), point="city 1")
    here, there = (authority.revocation_list(scope=scoped(place)) for place in ("city 1", "city 2"))
    assert isinstance(verified(authority, card.sign(CHALLENGE), lists=[here]), Verified)
    assert verified(authority, card.sign(CHALLENGE), lists=[there]) is CertificateFault.REVOCATION_UNKNOWN


def test_a_signature_over_anything_else_is_refused(authority):
    card = authority.give(person(*WHO))
    assert verified(authority, card.sign(CHALLENGE + b"x")) is CertificateFault.BAD_SIGNATURE
    card.key = another_key()
    assert verified(authority, card.sign(CHALLENGE)) is CertificateFault.BAD_SIGNATURE


@pytest.mark.parametrize(
    ("who", "fault"),
    [
        (person("山田 華子", *WHO[1:]), CertificateFault.NAME_DIFFERS),
        (person(WHO[0], "319900403", WHO[2]), CertificateFault.BIRTH_DATE_DIFFERS),
        (person(*WHO[:2], "東京都架空区見本町1丁目2番4号"), CertificateFault.ADDRESS_DIFFERS),
        (person(*WHO, name_marks="00100"), CertificateFault.SUBSTITUTED),
        (person(*WHO, address_marks="1"), CertificateFault.SUBSTITUTED),
        (person(WHO[0], "31990", WHO[2]), CertificateFault.NO_PERSON),
        (person(WHO[0], "300000000", WHO[2]), CertificateFault.NO_PERSON),
        ({NAME: WHO[0], BIRTH_DATE: WHO[1]}, CertificateFault.NO_PERSON),
        ({NAME: WHO[0], ADDRESS: WHO[2]}, CertificateFault.NO_PERSON),
    ],
)
def test_a_card_of_somebody_else_is_told_by_what_differs(authority, who, fault):
    card = authority.give(who)
    assert verified(authority, card.sign(CHALLENGE)) is fault


def test_a_datum_that_stands_twice_is_no_datum(authority):
    card = authority.give(person(*WHO), twice=NAME)
    assert verified(authority, card.sign(CHALLENGE)) is CertificateFault.NO_PERSON


@pytest.mark.parametrize(
    "written",
    [
        "東京都架空区見本町\uff11丁目\uff12番\uff13号",
        "東京都架空区 見本町1丁目2番3号",
    ],
)
def test_widths_and_spaces_make_no_difference(authority, written):
    card = authority.give(person("山田\u3000花子", WHO[1], written))
    assert isinstance(verified(authority, card.sign(CHALLENGE)), Verified)


def test_a_long_address_is_read_whole(authority):
    address = "東京都架空区見本町1丁目2番3号" + "架空荘" * 60
    card = authority.give(person(*WHO[:2], address))
    claimed = CLAIMED._replace(address=address)
    assert isinstance(verified(authority, card.sign(CHALLENGE), claimed=claimed), Verified)
    shorter = CLAIMED._replace(address=address[:-1])
    assert verified(authority, card.sign(CHALLENGE), claimed=shorter) is CertificateFault.ADDRESS_DIFFERS


@given(st.binary(max_size=300), st.binary(max_size=300), st.integers(0, 2000))
def test_whatever_octets_come_establish_nobody(certificate, signature, cut):
    authority = Authority(NOW)
    card = authority.give(person(*WHO))
    real = card.sign(CHALLENGE)
    for presented in (
        Presented(certificate, (), signature),
        real._replace(certificate=real.certificate[:cut]) if cut < len(real.certificate) else None,
        real._replace(signature=signature),
        Presented(certificate, (signature,), real.signature),
    ):
        if presented is not None:
            assert isinstance(verified(authority, presented), CertificateFault)
