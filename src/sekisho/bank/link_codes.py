"""The code of a link: to the phone that the bank has on file, and never to one that somebody typed."""

from sqlalchemy import Connection

from sekisho.bank import deposits, holders
from sekisho.bank.authorisation.partners import Partner
from sekisho.bank.authorisation.pushed_requests import Visit
from sekisho.bank.house import BankParts
from sekisho.identity.arrivals import Arrival
from sekisho.identity.claims import asked_of
from sekisho.identity.codes import CodeAsked, CodeDesk, Contact, Order
from sekisho.identity.purposes import Purpose
from sekisho.messages.message import Channel


class LinkCodes:
    """Sends the codes of links, for one bank."""

    def __init__(self, bank: BankParts, desk: CodeDesk) -> None:
        self._bank = bank
        self.desk = desk

    def send(self, connection: Connection, visit: Visit, partner: Partner, arrival: Arrival) -> str:
        """Send a code, or do what costs the same where the visit has no account; return its id.

        Where none may be asked for now, that is the id of the one before. Raises Unsealable.
        """
        asked, purpose, depositor = asked_of(arrival), purpose_of(visit, partner), None
        if one := deposits.find(connection, visit.deposit_id):
            depositor = holders.find(connection, self._bank, one.depositor_id)
        if depositor is None:
            code = self.desk.decoy_within(connection, subject_of(visit), purpose, asked)
        else:
            to = Contact(Channel.SMS, depositor.holder.phone)
            order = Order(subject_of(visit), to, purpose, asked, depositor.language)
            code = self.desk.ask_within(connection, order)
        return code.code_id if isinstance(code, CodeAsked) else visit.code_id


def purpose_of(visit: Visit, partner: Partner) -> Purpose:
    """Return what a code for a link approves: this request of this partner, up to this ceiling."""
    return Purpose(
        action="bank_link",
        amount_yen=visit.asked.link.ceiling_yen,
        details={"payee": partner.name("ja"), "request": visit.id},
    )


def subject_of(visit: Visit) -> str:
    """Return whose code it is: the account's, or nobody's."""
    return visit.deposit_id or f"nobody:{visit.id}"
