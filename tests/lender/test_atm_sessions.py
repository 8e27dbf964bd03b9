"""The code that a machine shows: one app claims it, once, in time."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.lender.atm_at_hand import MACHINE, NETWORK, OTHER

from sekisho.kernel.clock import MINUTE_US
from sekisho.kernel.yen import Yen
from sekisho.lender.atm_sessions import AtmMachineUnknown, AtmSessionOver, Direction, SessionState


def claim(atm, present, qr):
    return asyncio.run(atm.app.claim(present, qr))


def test_a_code_names_the_machine_and_is_no_link(atm):
    shown = atm.show()
    assert shown.qr.startswith(f"SEKISHO-ATM/1/{MACHINE}/{shown.session_id}/")
    assert "http" not in shown.qr.lower()


def test_the_place_that_is_shown_is_the_registered_one(atm):
    claimed = claim(atm, atm.entered(atm.member()), atm.show().qr)
    assert claimed.machine.place == "北町一丁目 1号機"
    assert claimed.session.state is SessionState.CLAIMED
    assert not claimed.company_number


def test_a_second_member_does_not_get_what_was_claimed(atm):
    first, second, shown = atm.entered(atm.member()), atm.entered(atm.member()), atm.show()
    claim(atm, first, shown.qr)
    with pytest.raises(AtmSessionOver):
        claim(atm, second, shown.qr)
    assert atm.session(shown.session_id).member_id == first.session.member_id


def test_the_members_own_other_browser_does_not_get_it_either(atm):
    member_id = atm.member()
    first, other, shown = atm.entered(member_id), atm.entered(member_id), atm.show()
    claim(atm, first, shown.qr)
    with pytest.raises(AtmSessionOver):
        claim(atm, other, shown.qr)
    claim(atm, first, shown.qr)


def test_of_many_who_claim_at_the_same_moment_one_gets_it(atm):
    shown = atm.show()
    crowd = [atm.entered(atm.member()) for _ in range(6)]

    def attempt(present):
        try:
            return claim(atm, present, shown.qr).session.member_id
        except AtmSessionOver:
            return None

    with ThreadPoolExecutor(6) as threads:
        got = [member_id for member_id in threads.map(attempt, crowd) if member_id]
    assert got == [atm.session(shown.session_id).member_id]


def test_a_code_that_is_too_old_is_worth_nothing(atm):
    present, shown = atm.entered(atm.member()), atm.show()
    atm.at.clock.advance(2 * MINUTE_US)
    with pytest.raises(AtmSessionOver):
        claim(atm, present, shown.qr)


def test_a_code_is_worth_nothing_again_once_the_session_is_over(atm):
    present, shown = atm.entered(atm.member()), atm.show()
    claim(atm, present, shown.qr)
    asyncio.run(atm.app.cancel(present, shown.session_id))
    with pytest.raises(AtmSessionOver):
        claim(atm, present, shown.qr)


def forgeries(qr, other):
    """Return codes that are almost one that is shown."""
    nonce, other_nonce = qr.rpartition("/")[2], other.rpartition("/")[2]
    return {
        "another machine": qr.replace(f"/{MACHINE}/", f"/{OTHER}/"),
        "a nonce that is none": qr.replace(nonce, "0" * 32),
        "the nonce of another session": qr.replace(nonce, other_nonce),
        "cut": qr[:-1],
        "longer": qr + "/",
        "thrice": qr * 3,
        "nothing": "",
        "a link": "https://lender.example/atm",
        "another version": qr.replace("SEKISHO-ATM/1", "SEKISHO-ATM/2"),
    }


@pytest.mark.parametrize("forgery", forgeries("a/b", "c/d"))
def test_a_code_that_was_changed_claims_nothing(atm, forgery):
    present, shown, other = atm.entered(atm.member()), atm.show(), atm.show(OTHER)
    with pytest.raises(AtmSessionOver):
        claim(atm, present, forgeries(shown.qr, other.qr)[forgery])
    claim(atm, present, f" {shown.qr}\n")


def test_the_same_request_of_a_machine_shows_the_same_code(atm):
    first, again = (asyncio.run(atm.desk.show(NETWORK, MACHINE, "one")) for _ in range(2))
    other = asyncio.run(atm.desk.show(NETWORK, OTHER, "one"))
    assert first == again
    assert other.qr != first.qr


def test_a_machine_speaks_for_its_own_network_alone(atm):
    with pytest.raises(AtmMachineUnknown):
        asyncio.run(atm.desk.show("somebody-else", MACHINE, "k"))
    shown = atm.show()
    with pytest.raises(AtmSessionOver):
        asyncio.run(atm.desk.at_machine("somebody-else", shown.session_id))


def test_a_machine_hears_nothing_of_the_member(atm):
    present, shown = atm.entered(atm.member()), atm.show()
    claim(atm, present, shown.qr)
    told = asyncio.run(atm.desk.at_machine(NETWORK, shown.session_id))
    assert told.state is SessionState.CLAIMED
    assert set(told.__struct_fields__) == {"state", "direction", "amount_yen", "fee_yen", "expires_at_us"}


def test_an_expired_session_frees_what_it_reserved(atm):
    member_id = atm.member()
    present = atm.entered(member_id)
    session_id = atm.approved(present, 30_000)
    assert atm.principal(member_id) == (0, 30_220)

    atm.at.clock.advance(3 * MINUTE_US)
    assert asyncio.run(atm.desk.settlement.end_what_expired()) == 1

    assert atm.principal(member_id) == (0, 0)
    assert atm.order(session_id)["state"] == "failed"
    assert atm.session(session_id).state is SessionState.ENDED
    with pytest.raises(AtmSessionOver):
        atm.type(session_id)
    assert asyncio.run(atm.desk.settlement.end_what_expired()) == 0


def test_nobody_else_chooses_or_cancels(atm):
    owner, thief = atm.entered(atm.member()), atm.entered(atm.member())
    in_app = atm.chosen(owner, 10_000)
    for deed in (
        atm.app.choose(thief, in_app.session.id, Direction.WITHDRAWAL, Yen(20_000)),
        atm.app.cancel(thief, in_app.session.id),
        atm.app.standing(thief, in_app.session.id),
    ):
        with pytest.raises(AtmSessionOver):
            asyncio.run(deed)
    assert atm.session(in_app.session.id).amount_yen == 10_000
