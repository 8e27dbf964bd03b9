"""Whom the lender's own pages ask, and how a handler finds them."""

from typing import Any, NamedTuple, cast

from litestar import Request

from sekisho.guard.answers import AsksGuard
from sekisho.identity.institution import Institution, Parts
from sekisho.kernel.posture import Posture
from sekisho.lender.application_desk import ApplicationDesk
from sekisho.lender.contact_gate import ContactGate
from sekisho.lender.documents.desk import DocumentDesk
from sekisho.lender.documents.sheets import Lender
from sekisho.lender.documents.typesetting import Typesetter
from sekisho.lender.gates import Gatekeeper, OnOutage
from sekisho.lender.house import LenderParts, open_house
from sekisho.lender.payout_accounts import PayoutAccountDesk
from sekisho.lender.signing import SigningDesk
from sekisho.lender.switches import NothingSwitchedOff
from sekisho.lender.transfer_loans import TransferLoanDesk
from sekisho.lender.web_debits import WebDebitDesk
from sekisho.web.lender.statement_files import StatementPress

STATE = "lender"


class LenderDesks(NamedTuple):
    """The lender's house, and what its pages are answered by."""

    house: LenderParts
    press: StatementPress
    transfers: TransferLoanDesk
    debits: WebDebitDesk
    payouts: PayoutAccountDesk
    contact_gate: ContactGate
    applications: ApplicationDesk
    documents: DocumentDesk
    signing: SigningDesk


def open_desks(parts: Parts, guard: AsksGuard) -> LenderDesks:
    """Put the lender's desks together, with its accounts in the books. Raises OperationalError.

    Where the switches or the guard cannot be asked, no money goes out.
    """
    house, switches = open_house(parts), NothingSwitchedOff()
    lender, typesetter = named(parts.institution), Typesetter()
    gatekeeper = Gatekeeper(
        house, guard, switches, on_outage=OnOutage(switches=Posture.CLOSED, guard=Posture.CLOSED)
    )
    return LenderDesks(
        house=house,
        press=StatementPress(),
        transfers=TransferLoanDesk(house, gatekeeper),
        debits=WebDebitDesk(house, switches, on_outage=Posture.CLOSED),
        payouts=PayoutAccountDesk(house, gatekeeper),
        contact_gate=ContactGate(house, guard, switches, on_outage=Posture.CLOSED),
        applications=ApplicationDesk(house),
        documents=DocumentDesk(house, lender, typesetter),
        signing=SigningDesk(house, lender, typesetter),
    )


def named(institution: Institution) -> Lender:
    """Return the lender as its documents name it; address, registration and body are as invented as it is."""
    return Lender(
        name=f"{institution.name('ja')}株式会社",
        address="東京都架空区朝霧一丁目1番1号",
        registration="関東財務局長(1)第00000号",
        telephone=institution.telephone,
        disputes="架空貸金業相談・紛争解決センター 0120-000-001",
    )


def desks_of(request: Request[Any, Any, Any]) -> LenderDesks:
    """Return the desks of the application that a request came to."""
    return cast("LenderDesks", request.app.state[STATE])
