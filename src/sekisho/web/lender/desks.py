"""Whom the lender's own pages ask, and how a handler finds them."""

from typing import Any, NamedTuple, cast

from litestar import Litestar, Request

from sekisho.guard.answers import AsksGuard
from sekisho.identity.hashing import Hasher
from sekisho.identity.institution import Institution, Parts
from sekisho.kernel.posture import Posture
from sekisho.lender.application_desk import ApplicationDesk
from sekisho.lender.atm_machines import MachineDesk
from sekisho.lender.atm_pins import PinDesk
from sekisho.lender.contact_gate import ContactGate
from sekisho.lender.contract_ends import ContractEndDesk
from sekisho.lender.documents.desk import DocumentDesk
from sekisho.lender.documents.sheets import Lender
from sekisho.lender.documents.typesetting import Typesetter
from sekisho.lender.gates import Gatekeeper
from sekisho.lender.house import LenderParts, open_house
from sekisho.lender.identity_checks import IdentityDesk
from sekisho.lender.income_checks import IncomeDesk
from sekisho.lender.income_renewal_desk import IncomeRenewalDesk
from sekisho.lender.line_check_desk import LineCheckDesk
from sekisho.lender.outside import Outside
from sekisho.lender.payout_accounts import PayoutAccountDesk
from sekisho.lender.reviews import ReviewDesk
from sekisho.lender.screening_desk import OnOutage as ScreeningOutage
from sekisho.lender.screening_desk import ScreeningDesk
from sekisho.lender.signing import SigningDesk
from sekisho.lender.smartphone_atm import SmartphoneAtm
from sekisho.lender.switch_book import LenderSwitches
from sekisho.lender.transfer_loans import TransferLoanDesk
from sekisho.lender.web_debits import WebDebitDesk
from sekisho.response.money_gates import OnOutage
from sekisho.web.lender.statement_files import StatementPress

STATE = "lender"


class LenderDesks(NamedTuple):
    """The lender's house, and what its pages are answered by.

    `card_page` is where a card for trying out signs, empty where there is none. Without a credit bureau there
    is no `screening`.
    """

    house: LenderParts
    press: StatementPress
    typesetter: Typesetter
    transfers: TransferLoanDesk
    debits: WebDebitDesk
    payouts: PayoutAccountDesk
    contact_gate: ContactGate
    applications: ApplicationDesk
    documents: DocumentDesk
    signing: SigningDesk
    ends: ContractEndDesk
    identity: IdentityDesk
    incomes: IncomeDesk
    renewals: IncomeRenewalDesk
    screening: ScreeningDesk | None
    line_checks: LineCheckDesk | None
    reviews: ReviewDesk
    pins: PinDesk
    atm: SmartphoneAtm
    machines: MachineDesk
    card_page: str


def open_desks(parts: Parts, guard: AsksGuard, hasher: Hasher, outside: Outside) -> LenderDesks:
    """Put the lender's desks together, with its accounts in the books. Raises OperationalError.

    Where the switches or the guard cannot be asked, no money goes out; a certificate that nobody can look up
    proves nobody. A source of incomes that is down makes an income unproven, and screening goes on; a
    person reads the document of a newer income.
    """
    house, switches = open_house(parts), LenderSwitches(parts)
    lender, typesetter = named(parts.institution), Typesetter()
    pins = PinDesk(house, guard, hasher, on_outage=Posture.CLOSED)
    asking = ScreeningOutage(bureau=Posture.CLOSED, income=Posture.OPEN)
    gatekeeper = Gatekeeper(
        house, guard, switches, on_outage=OnOutage(switches=Posture.CLOSED, guard=Posture.CLOSED)
    )
    line_checks = (
        None if outside.bureau is None else LineCheckDesk(house, outside.bureau, on_outage=Posture.CLOSED)
    )
    return LenderDesks(
        house=house,
        press=StatementPress(),
        typesetter=typesetter,
        transfers=TransferLoanDesk(house, gatekeeper, outside.hours),
        debits=WebDebitDesk(house, switches, on_outage=Posture.CLOSED),
        payouts=PayoutAccountDesk(house, gatekeeper),
        contact_gate=ContactGate(house, guard, switches, on_outage=Posture.CLOSED),
        applications=ApplicationDesk(house),
        documents=DocumentDesk(house, lender, typesetter),
        signing=SigningDesk(house, lender, typesetter),
        ends=ContractEndDesk(house),
        identity=IdentityDesk(house, outside.trust, on_outage=Posture.CLOSED),
        incomes=IncomeDesk(house),
        renewals=IncomeRenewalDesk(house, outside.incomes, line_checks, on_outage=Posture.OPEN),
        screening=None
        if outside.bureau is None
        else ScreeningDesk(house, outside.bureau, outside.incomes, on_outage=asking),
        line_checks=line_checks,
        reviews=ReviewDesk(house),
        pins=pins,
        atm=SmartphoneAtm(house, gatekeeper, switches, on_outage=Posture.CLOSED, settings=outside.atm),
        machines=MachineDesk(house, pins, outside.network, outside.atm),
        card_page=outside.card_page,
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
    return desks_in(request.app)


def desks_in(application: Litestar) -> LenderDesks:
    """Return the desks behind the lender's application."""
    return cast("LenderDesks", application.state[STATE])
