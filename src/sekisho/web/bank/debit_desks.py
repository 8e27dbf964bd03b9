"""Whom the debit interface and depositors' pages ask, and how a handler finds them."""

from typing import Any, NamedTuple, cast

from litestar import Request

from sekisho.bank.authorisation.access import AccessDesk, Prover
from sekisho.bank.credits import CreditDesk
from sekisho.bank.debits import DebitDesk
from sekisho.bank.house import BankParts
from sekisho.bank.mandate_desk import MandateDesk
from sekisho.bank.partner_status import PartnerDesk
from sekisho.bank.switches import Switches

STATE = "bank_debits"


class DebitDesks(NamedTuple):
    """The bank's house, who lets partners in, and who answers them and the depositors."""

    bank: BankParts
    access: AccessDesk
    prover: Prover
    debits: DebitDesk
    credits: CreditDesk
    partners: PartnerDesk
    mandates: MandateDesk


def open_debit_desks(bank: BankParts, access: AccessDesk, prover: Prover, switches: Switches) -> DebitDesks:
    """Put the desks of mandates and debits together."""
    return DebitDesks(
        bank=bank,
        access=access,
        prover=prover,
        debits=DebitDesk(bank, switches),
        credits=CreditDesk(bank, switches),
        partners=PartnerDesk(bank, switches),
        mandates=MandateDesk(bank),
    )


def debit_desks_of(request: Request[Any, Any, Any]) -> DebitDesks:
    """Return the desks of the application that a request came to."""
    return cast("DebitDesks", request.app.state[STATE])
