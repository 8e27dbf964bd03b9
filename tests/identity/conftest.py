"""What the tests of identity ask for by name."""

import pytest
from tests.identity.member_at_hand import open_at_hand

from sekisho.identity.assurance import Way
from sekisho.identity.passkey_desk import SIGNING_UP, PasskeyDesk
from sekisho.identity.passkey_proofs import PasskeyProofs


@pytest.fixture
def at_hand(tmp_path):
    """Give one institution with its store, clock and chance."""
    opened = open_at_hand(tmp_path)
    yield opened
    opened.store.close()


@pytest.fixture
def desk(at_hand):
    """Give the desk where passkeys are made and removed."""
    return PasskeyDesk(at_hand.parts)


@pytest.fixture
def proofs(at_hand):
    """Give the desk where passkeys are used."""
    return PasskeyProofs(at_hand.parts)


@pytest.fixture
def member(at_hand):
    """Give a member who has just signed up on the device at hand."""
    entered = at_hand.log_in(at_hand.add_reachable_member())
    return at_hand.prove(entered, Way.CODE, SIGNING_UP.key)
