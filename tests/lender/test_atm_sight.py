"""What a member's pages show of the smartphone ATM."""

from tests.lender.atm_at_hand import PLACE

from sekisho.kernel.clock import MINUTE_US
from sekisho.lender.atm_sight import PinStanding, atm_sight


def sight(atm, present):
    with atm.house.store.read() as connection:
        return atm_sight(connection, present, atm.house.clock.now_us())


def test_the_pin_is_missing_set_or_locked(atm):
    """Three wrong ones at a machine lock it."""
    member_id = atm.member()
    fresh = atm.at.log_in(member_id)
    assert sight(atm, fresh).pin is PinStanding.MISSING
    present = atm.entered(member_id)
    assert sight(atm, present).pin is PinStanding.SET
    session_id = atm.approved(present, 10_000)
    for pin in ("0001", "0002", "0003"):
        atm.type(session_id, pin=pin)
    assert sight(atm, present).pin is PinStanding.LOCKED


def test_what_goes_on_is_the_session_that_this_browser_claimed(atm):
    """Another browser of the member's does not see it, and after its time nobody does."""
    member_id = atm.member()
    present = atm.entered(member_id)
    in_app = atm.chosen(present, 10_000)
    current = sight(atm, present).current
    assert current is not None
    assert current.id == in_app.session.id
    assert sight(atm, atm.entered_again(present)).current is None
    atm.at.clock.advance(5 * MINUTE_US)
    assert sight(atm, present).current is None


def test_an_order_that_nobody_heard_of_is_named(atm):
    """Until the machine has said what it moved; of others' orders nothing is shown."""
    present, stranger = atm.entered(atm.member()), atm.entered(atm.member())
    session_id = atm.approved(present, 10_000)
    assert not sight(atm, present).unsettled
    atm.line.cut = "answer"
    atm.type(session_id)
    (waiting,) = sight(atm, present).unsettled
    assert (waiting.amount_yen, waiting.place, waiting.state) == (10_000, PLACE, "unknown")
    assert not sight(atm, stranger).unsettled
    atm.line.cut = ""
    atm.at.clock.advance(MINUTE_US)
    atm.ask_again()
    assert not sight(atm, present).unsettled
