"""What a proof is good for, on which device, and for how long."""

import itertools

import msgspec
import pytest
from tests.identity.member_at_hand import open_at_hand

from sekisho.identity.assurance import (
    FRESH_US,
    Granted,
    InsufficientAuthentication,
    Level,
    Need,
    NotFromHere,
    Proof,
    Standing,
    StepUp,
    Way,
    demand,
)
from sekisho.identity.sessions import IDLE_US_MAX
from sekisho.kernel.clock import MINUTE_US

STRONG = [Need.REVEAL, Need.CHANGE, Need.PAY_OUT]
FOR_THIS = "reveal:this"


@pytest.fixture
def at_hand(tmp_path):
    opened = open_at_hand(tmp_path)
    yield opened
    opened.store.close()


@pytest.fixture
def ask(at_hand):
    member_id = at_hand.add_member()

    def ask(need, *proofs, standing=Standing.TRUSTED, purpose=FOR_THIS, later_us=0, level=Level.CODE):
        device = at_hand.device_of(member_id, standing)
        session = at_hand.session_on(device, *proofs, level=level)
        return demand(session, device, need, at_hand.clock.now_us() + later_us, purpose=purpose)

    return ask


@pytest.fixture
def now_us(at_hand):
    return at_hand.clock.now_us()


@pytest.mark.parametrize(("level", "standing"), list(itertools.product(Level, list(Standing)[:2])))
def test_masked_pages_are_for_every_live_session(ask, level, standing):
    assert isinstance(ask(Need.SEE_MASKED, level=level, standing=standing), Granted)


@pytest.mark.parametrize("need", STRONG)
@pytest.mark.parametrize("level", Level)
def test_a_level_alone_grants_nothing(ask, need, level):
    """How the session was proven an hour ago is no proof of who sits there now."""
    assert ask(need, level=level) == StepUp((Way.PASSKEY, Way.CODE))


@pytest.mark.parametrize("need", STRONG)
@pytest.mark.parametrize("standing", [Standing.UNCONFIRMED, Standing.TRUSTED])
def test_a_passkey_grants_for_five_minutes_anywhere(ask, now_us, need, standing):
    proof = Proof(Way.PASSKEY, now_us)
    assert ask(need, proof, standing=standing) == Granted(now_us + FRESH_US)
    assert ask(need, proof, standing=standing, later_us=FRESH_US - 1) == Granted(now_us + FRESH_US)
    assert not isinstance(ask(need, proof, standing=standing, later_us=FRESH_US), Granted)


@pytest.mark.parametrize("need", STRONG)
def test_a_code_grants_its_purpose_alone_and_on_a_trusted_device_alone(ask, now_us, need):
    proof = Proof(Way.CODE, now_us, FOR_THIS)
    assert isinstance(ask(need, proof), Granted)
    assert ask(need, proof, purpose="reveal:that") == StepUp((Way.PASSKEY, Way.CODE))
    assert ask(need, proof, purpose="") == StepUp((Way.PASSKEY,))
    assert ask(need, Proof(Way.CODE, now_us), purpose="") == StepUp((Way.PASSKEY,))
    elsewhere = ask(need, proof, standing=Standing.UNCONFIRMED)
    assert elsewhere == NotFromHere((Way.PASSKEY, Way.APPROVAL, Way.RECOVERY))
    assert not isinstance(ask(need, proof, later_us=FRESH_US), Granted)


@pytest.mark.parametrize("need", Need)
def test_a_revoked_device_or_an_idle_session_is_granted_nothing(ask, now_us, need):
    proof = Proof(Way.PASSKEY, now_us)
    assert ask(need, proof, standing=Standing.REVOKED) == NotFromHere(())
    assert ask(need, proof, later_us=IDLE_US_MAX) == NotFromHere(())


def test_a_clock_that_was_set_back_makes_no_proof_fresh(ask, now_us):
    assert not isinstance(ask(Need.REVEAL, Proof(Way.PASSKEY, now_us + MINUTE_US)), Granted)


def test_another_device_s_standing_lends_nothing(at_hand, now_us):
    """The device must be the session's own and the same member's."""
    member_id, stranger = at_hand.add_member(), at_hand.add_member()
    own = at_hand.device_of(member_id, Standing.TRUSTED)
    session = at_hand.session_on(own, Proof(Way.CODE, now_us, FOR_THIS))
    others = (
        None,
        at_hand.device_of(member_id, Standing.TRUSTED),
        msgspec.structs.replace(own, member_id=stranger),
    )
    assert isinstance(demand(session, own, Need.REVEAL, now_us, purpose=FOR_THIS), Granted)
    for device in others:
        assert isinstance(demand(session, device, Need.REVEAL, now_us, purpose=FOR_THIS), NotFromHere)


def test_the_refusal_carries_the_words_of_rfc_9470():
    refusal = InsufficientAuthentication(StepUp((Way.PASSKEY, Way.CODE)))
    assert (refusal.code, refusal.status) == ("insufficient_user_authentication", 401)
    assert (refusal.max_age_s, refusal.acr_values) == (300, "passkey code")
