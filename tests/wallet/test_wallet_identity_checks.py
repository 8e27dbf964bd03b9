"""Establishing who a wallet's member is: once, by a lawful way of the day, with every try on record."""

import asyncio
import datetime as dt
from datetime import UTC, date

import pytest
from tests.identity.authority import Authority, person
from tests.wallet.wallet_at_hand import TARO, open_wallet_at_hand

from sekisho.identity.assurance import InsufficientAuthentication, Level, Standing
from sekisho.identity.identity_methods import Method, MethodNotAllowed
from sekisho.identity.people import Person
from sekisho.identity.person_checks import (
    TRIES_MAX,
    ChallengeOver,
    IdentityCheckAway,
    ManualCheck,
    TooManyTries,
)
from sekisho.identity.session_desk import Present
from sekisho.identity.sessions import Ended, end_all
from sekisho.kernel.clock import DAY_US, MINUTE_US, SECOND_US
from sekisho.kernel.posture import OperationalError, Posture
from sekisho.wallet.identity_checks import IdentityDesk, NothingToCheck
from sekisho.wallet.identity_levels import IdentityLevel
from sekisho.wallet.persons import PersonDiffers, PersonHasWallet, verified_person
from sekisho.wallet.wallets import WalletNotOpen, freeze_wallet

ON_CARD = person(TARO.name, "319800101", TARO.home_address)


class PlayedTrust:
    """One authority with its list, which can be away."""

    def __init__(self, now):
        self.authority = Authority(now)
        self.down = False

    async def authorities(self):
        return [self.authority.certificate]

    async def revocation_lists(self):
        if self.down:
            raise OperationalError("revocation lists", "HTTP 503")
        return [self.authority.revocation_list()]


@pytest.fixture(name="kamome")
def _kamome(tmp_path):
    at_hand = open_wallet_at_hand(tmp_path)
    yield at_hand
    at_hand.house.store.close()


@pytest.fixture(name="trust")
def _trust(kamome):
    return PlayedTrust(dt.datetime.fromtimestamp(kamome.clock.now_us() // SECOND_US, UTC))


@pytest.fixture(name="desk")
def _desk(kamome, trust):
    return IdentityDesk(kamome.house, trust, on_outage=Posture.CLOSED)


@pytest.fixture(name="member_id")
def _member_id(kamome):
    return kamome.add_with_phone()


HANAKO = Person(name="八十八 花子", kana="ﾔｿﾊﾁ ﾊﾅｺ", birth_date="1990-02-03", home_address="宮城県架空市1-1")


def do(work):
    return asyncio.run(work)


def claim(kamome, desk, member_id, who=TARO):
    entered = kamome.at_hand.log_in(member_id, Level.CODE, Standing.TRUSTED)
    do(desk.claim(Present(entered.session, entered.device), who))


def manual(day, **values):
    plain = {
        "method": Method.IC_SELFIE,
        "staff_id": "aoki",
        "checked_on": day,
        "passed": True,
        "evidence": ("file 1",),
    }
    return ManualCheck(**(plain | values))


def by_card(desk, member_id, card):
    challenge = do(desk.challenge(member_id))
    return do(desk.by_certificate(member_id, challenge.octets, card.sign(challenge.octets)))


def test_a_card_establishes_who_claims_to_be_on_it(kamome, desk, trust, member_id):
    claim(kamome, desk, member_id)
    check = by_card(desk, member_id, trust.authority.give(ON_CARD))
    assert (check.passed, check.method, check.faults) == (True, Method.JPKI, ())
    found = kamome.look(lambda at: verified_person(at, kamome.parts.keyring, member_id))
    assert (found.name, found.check_id) == (TARO.name, check.id)
    assert do(desk.standing_claim(member_id)) is None
    assert kamome.at_hand.notices() == ["identity_confirmed"]


def test_the_same_answer_again_is_told_again_and_counts_once(kamome, desk, trust, member_id):
    claim(kamome, desk, member_id)
    card = trust.authority.give(ON_CARD)
    challenge = do(desk.challenge(member_id))
    presented = card.sign(challenge.octets)
    first = do(desk.by_certificate(member_id, challenge.octets, presented))
    assert do(desk.by_certificate(member_id, challenge.octets, presented)) == first
    assert len(do(desk.checks_of(member_id))) == 1


def test_a_challenge_is_good_for_ten_minutes_and_for_one_member(kamome, desk, trust, member_id):
    other = kamome.add_with_phone()
    for each in (member_id, other):
        claim(kamome, desk, each)
    card = trust.authority.give(ON_CARD)
    challenge = do(desk.challenge(member_id))
    presented = card.sign(challenge.octets)
    with pytest.raises(ChallengeOver):
        do(desk.by_certificate(other, challenge.octets, presented))
    kamome.clock.advance(10 * MINUTE_US)
    with pytest.raises(ChallengeOver):
        do(desk.by_certificate(member_id, challenge.octets, presented))
    assert kamome.wallet(member_id).level is IdentityLevel.PHONE


def test_who_claims_something_else_meanwhile_begins_again(kamome, desk, trust, member_id):
    claim(kamome, desk, member_id)
    challenge = do(desk.challenge(member_id))
    other = Person(name=TARO.name, kana="ｱ", birth_date=TARO.birth_date, home_address=TARO.home_address)
    claim(kamome, desk, member_id, other)
    presented = trust.authority.give(ON_CARD).sign(challenge.octets)
    with pytest.raises(ChallengeOver):
        do(desk.by_certificate(member_id, challenge.octets, presented))


def test_after_so_many_failures_a_person_has_to_look(kamome, desk, trust, member_id):
    claim(kamome, desk, member_id)
    strange = trust.authority.give(person("別 人", "319800101", TARO.home_address))
    for _ in range(TRIES_MAX):
        assert by_card(desk, member_id, strange).faults == ("name_differs",)
    with pytest.raises(TooManyTries):
        do(desk.challenge(member_id))
    passed = do(desk.record(member_id, "k", manual(kamome.house.today())))
    assert passed.passed
    assert kamome.wallet(member_id).level is IdentityLevel.VERIFIED


def test_a_revoked_card_establishes_nobody(kamome, desk, trust, member_id):
    claim(kamome, desk, member_id)
    card = trust.authority.give(ON_CARD)
    trust.authority.revoked.append(card.certificate.serial_number)
    assert by_card(desk, member_id, card).faults == ("revoked",)


def test_where_nobody_can_tell_whether_it_was_revoked_the_check_waits(kamome, desk, trust, member_id):
    claim(kamome, desk, member_id)
    trust.down = True
    with pytest.raises(IdentityCheckAway):
        by_card(desk, member_id, trust.authority.give(ON_CARD))
    assert do(desk.checks_of(member_id)) == []


def test_or_it_counts_as_failed_where_that_was_chosen(kamome, trust, member_id):
    desk = IdentityDesk(kamome.house, trust, on_outage=Posture.OPEN)
    claim(kamome, desk, member_id)
    trust.down = True
    assert by_card(desk, member_id, trust.authority.give(ON_CARD)).faults == ("revocation_unknown",)
    assert kamome.wallet(member_id).level is IdentityLevel.PHONE


def test_what_staff_checked_is_recorded_once_with_its_letter(kamome, desk, member_id):
    claim(kamome, desk, member_id)
    day = kamome.house.today()
    check = do(desk.record(member_id, "k", manual(day)))
    assert (check.letter, check.staff_id, check.checked_on) == ("ヘ", "aoki", day.isoformat())
    assert do(desk.record(member_id, "k", manual(day, passed=False))) == check


def test_a_photo_and_a_face_are_no_way_any_more_from_april_2027(kamome, desk, member_id):
    """Also where an old day is written down: a check is made now."""
    claim(kamome, desk, member_id)
    days = (date(2027, 4, 1) - kamome.house.today()).days
    kamome.clock.advance(days * DAY_US)
    for day in (date(2027, 4, 1), date(2027, 3, 31)):
        with pytest.raises(MethodNotAllowed):
            do(desk.record(member_id, f"k{day}", manual(day, method=Method.PHOTO_ID_SELFIE)))


@pytest.mark.parametrize(
    "values", [{"evidence": ()}, {"evidence": (" ",)}, {"staff_id": "NOBODY!"}, {"evidence": ("x" * 201,)}]
)
def test_a_record_that_can_not_be_is_none(kamome, desk, member_id, values):
    claim(kamome, desk, member_id)
    with pytest.raises(ValueError, match=r"\w"):
        do(desk.record(member_id, "k", manual(kamome.house.today(), **values)))


def test_what_failed_by_staff_changes_nothing(kamome, desk, member_id):
    claim(kamome, desk, member_id)
    check = do(desk.record(member_id, "k", manual(kamome.house.today(), passed=False)))
    assert check.faults == ("not_established",)
    assert kamome.wallet(member_id).level is IdentityLevel.PHONE
    assert do(desk.standing_claim(member_id)) is not None


def test_nothing_is_checked_of_somebody_who_claims_nothing(kamome, desk, member_id):
    with pytest.raises(NothingToCheck):
        do(desk.challenge(member_id))
    with pytest.raises(NothingToCheck):
        do(desk.record(member_id, "k", manual(kamome.house.today())))


def test_without_a_phone_nobody_claims_anything(kamome, desk):
    with pytest.raises(NothingToCheck):
        claim(kamome, desk, kamome.add())


def test_who_was_proven_is_proven_afresh_as_the_same_person_alone(kamome, desk, member_id):
    """A bank below the floor asks for a fresh check; whoever took a wallet over does not become its owner."""
    claim(kamome, desk, member_id)
    do(desk.record(member_id, "k1", manual(kamome.house.today())))
    first = kamome.look(lambda at: verified_person(at, kamome.parts.keyring, member_id))
    kamome.clock.advance(DAY_US)
    claim(kamome, desk, member_id)
    do(desk.record(member_id, "k2", manual(kamome.house.today())))
    again = kamome.look(lambda at: verified_person(at, kamome.parts.keyring, member_id))
    assert again.checked_at_us == first.checked_at_us + DAY_US
    claim(kamome, desk, member_id, HANAKO)
    with pytest.raises(PersonDiffers):
        do(desk.record(member_id, "k3", manual(kamome.house.today())))
    assert kamome.look(lambda at: verified_person(at, kamome.parts.keyring, member_id)) == again


def test_a_stopped_wallet_is_not_raised(kamome, desk, member_id):
    wallet_id = kamome.wallet(member_id).id
    kamome.write(lambda at: freeze_wallet(at, kamome.parts, wallet_id, reason="signal", by="aoki"))
    with pytest.raises(WalletNotOpen):
        claim(kamome, desk, member_id)


def test_a_session_that_ended_meanwhile_claims_nothing(kamome, desk, member_id):
    entered = kamome.at_hand.log_in(member_id, Level.CODE, Standing.TRUSTED)
    kamome.write(lambda at: end_all(at, kamome.parts, member_id, Ended.FROZEN))
    with pytest.raises(InsufficientAuthentication):
        do(desk.claim(Present(entered.session, entered.device), TARO))


def test_one_person_is_proven_for_one_wallet(kamome, desk, trust, member_id):
    """And the second try leaves nothing behind that would count later."""
    kamome.add_verified()
    claim(kamome, desk, member_id)
    with pytest.raises(PersonHasWallet):
        by_card(desk, member_id, trust.authority.give(ON_CARD))
    assert do(desk.checks_of(member_id)) == []
    assert kamome.wallet(member_id).level is IdentityLevel.PHONE


def test_what_was_claimed_stands_in_no_file_in_the_clear(kamome, desk, trust, member_id):
    claim(kamome, desk, member_id)
    by_card(desk, member_id, trust.authority.give(ON_CARD))
    octets = kamome.at_hand.file.read_bytes() + kamome.at_hand.file.with_suffix(".db-wal").read_bytes()
    for secret in (TARO.name, TARO.home_address, TARO.kana):
        assert secret.encode() not in octets
