"""What a member approves at a smartphone ATM: this machine and place, this amount, this session, once.

The purpose covers all of it. A passkey signs a challenge over it, and a text message says amount and place in
words; an approval for another machine, amount or session is an approval of something else, and opens nothing.
"""

import msgspec

from sekisho.guard.attempts import Gate
from sekisho.identity.arrivals import Arrival
from sekisho.identity.purposes import Purpose
from sekisho.identity.session_desk import Present
from sekisho.kernel.refusals import Refusal
from sekisho.kernel.yen import Yen
from sekisho.lender.atm_sessions import AtmSession, Direction, Machine
from sekisho.lender.switches import Function
from sekisho.lender.terms import TermsBook
from sekisho.response.money_gates import Asked

STEP_YEN = 1_000

FUNCTIONS = {
    Direction.WITHDRAWAL: Function.ATM_WITHDRAWAL,
    Direction.REPAYMENT: Function.ATM_REPAYMENT,
}


class AtmAmountNotAllowed(Refusal):
    """The amount is not a whole number of thousands, or more than a machine pays out or takes at once."""

    code = "atm_amount_not_allowed"
    status = 422
    told = "Choose an amount in steps of 1,000 yen, up to what the machine handles at once."


def require_amount(amount: Yen, most: Yen) -> Yen:
    """Return an amount that notes of 1,000 yen can make. Raises AtmAmountNotAllowed."""
    if not Yen(STEP_YEN) <= amount <= most or amount.amount % STEP_YEN:
        raise AtmAmountNotAllowed(known=str(amount))
    return amount


def purpose_of(
    session: AtmSession, machine: Machine, direction: Direction, amount: Yen, book: TermsBook
) -> Purpose:
    """Return what is approved. Its key differs wherever one of these does, and so does the challenge."""
    return Purpose(
        action=FUNCTIONS[direction].value,
        amount_yen=amount.amount,
        place=machine.place,
        details={
            "atm": machine.id,
            "atm_session": session.id,
            "claimed_by": session.session_id,
            "fee_yen": str(book.atm_fee(amount).amount),
        },
    )


def chosen(
    session: AtmSession, machine: Machine, direction: Direction, amount: Yen, book: TermsBook
) -> AtmSession:
    """Return a claimed session with what its member wants now; what was approved before is not this."""
    return msgspec.structs.replace(
        session,
        direction=direction.value,
        amount_yen=amount.amount,
        fee_yen=book.atm_fee(amount).amount,
        purpose_key=purpose_of(session, machine, direction, amount, book).key,
    )


def asked_of(
    present: Present, arrival: Arrival, session: AtmSession, machine: Machine, book: TermsBook
) -> Asked:
    """Return what the gate is asked about a withdrawal that was chosen."""
    return Asked(
        present=present,
        arrival=arrival,
        gate=Gate.ATM_WITHDRAWAL,
        function=Function.ATM_WITHDRAWAL,
        purpose=purpose_of(session, machine, Direction.WITHDRAWAL, session.amount, book),
        amount=session.amount,
        target=machine.id,
        partner=machine.network,
    )
