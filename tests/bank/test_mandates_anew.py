"""A link that is ended and made anew: what the bank or its watch had stopped is stopped still."""

import pytest
from tests.bank.mandate_at_hand import open_bank

from sekisho.bank.mandate_states import Deed, MandateState, Who
from sekisho.bank.orders import Why


@pytest.fixture
def bank(tmp_path):
    opened = open_bank(tmp_path)
    yield opened
    opened.bank.store.close()


@pytest.mark.parametrize("who", [Who.BANK, Who.WATCH])
@pytest.mark.parametrize(
    ("ended_by", "user_ref"),
    [
        pytest.param(None, "user-1", id="replaced"),
        pytest.param(Who.PARTNER, "user-1", id="ended by the partner"),
        pytest.param(Who.PARTNER, "user-2", id="ended by the partner, for another user"),
        pytest.param(Who.DEPOSITOR, "user-1", id="ended by the depositor"),
    ],
)
def test_who_links_anew_finds_the_bank_s_stop(bank, who, ended_by, user_ref):
    """Somebody with the PIN and a wallet would be rid of every stop with one more link."""
    before = bank.mandate()
    bank.deed(before, Deed.STOP, who)
    if ended_by is not None:
        bank.revoke(before, ended_by)
    made = bank.mandate(user_ref=user_ref)
    assert (made.state, made.standing.stops) == (MandateState.SUSPENDED, {who})
    assert bank.now(before).state is MandateState.REVOKED
    assert bank.debit(made, 1_000).why in {Why.BANK_STOPPED, Why.HELD_FOR_REVIEW}
    assert bank.deed(made, Deed.ALLOW, who).state is MandateState.ACTIVE
    assert bank.debit(made, 1_000, key="k2").why is Why.DONE


@pytest.mark.parametrize("who", [Who.DEPOSITOR, Who.PARTNER])
def test_a_depositor_s_or_partner_s_stop_ends_with_the_mandate(bank, who):
    """Both have just agreed anew."""
    bank.deed(bank.mandate(), Deed.STOP, who)
    assert bank.mandate().state is MandateState.ACTIVE


def test_what_the_bank_has_ended_itself_is_decided(bank):
    """After a report was decided the depositor may link their own wallet."""
    before = bank.mandate()
    bank.deed(before, Deed.STOP, Who.BANK)
    bank.revoke(before, Who.BANK)
    assert bank.mandate().state is MandateState.ACTIVE
