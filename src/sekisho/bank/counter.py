"""What the counter does for depositors and collectors: each deed an act, in the unit of work that does it."""

from typing import NamedTuple

from sqlalchemy import Connection

from sekisho.bank import deposits, file_partners, holders, mandates
from sekisho.bank.deposits import Deposit, DepositState
from sekisho.bank.file_partners import FilePartner
from sekisho.bank.house import BankParts
from sekisho.bank.mandates import Action, Consented, Mandate, Origin
from sekisho.kernel.ids import MemberId
from sekisho.kernel.yen import Yen
from sekisho.response import audit
from sekisho.response.staff import Deed

ON_PAPER = "paper"
"""How the bank made sure of a depositor who signed a mandate before it."""


class Paper(NamedTuple):
    """A mandate that a depositor signed: for which account, by which collector, and how much it may debit."""

    deposit: Deposit
    collector: str
    ceiling: Yen
    month_ceiling: Yen


def tie_customer(
    connection: Connection, bank: BankParts, one: Deposit, member_id: MemberId, deed: Deed
) -> bool:
    """Make a member the access to the online bank of an account's holder, and tell whether that is new.

    Raises HolderTiedOtherwise and StaffIdUnusable.
    """
    tied = holders.tie(connection, bank, one.depositor_id, member_id)
    if tied:
        _on_record(connection, bank, "bank:customer_tied", one.id, deed, member=member_id)
    return tied


def change_phone(connection: Connection, bank: BankParts, one: Deposit, typed: str, deed: Deed) -> None:
    """Put another number on file for an account's holder. Raises NumberNotServed and StaffIdUnusable."""
    holders.change_phone(connection, bank, one.depositor_id, typed)
    _on_record(connection, bank, "bank:phone_changed", one.id, deed)


def change_state(
    connection: Connection, bank: BankParts, one: Deposit, state: DepositState, deed: Deed
) -> bool:
    """Block, free or close an account, and tell whether that changed anything. Raises StaffIdUnusable."""
    changed = deposits.set_state(connection, bank, one.id, state, deed.reason)
    if changed:
        states = {"before": one.state.value, "after": state.value}
        _on_record(connection, bank, "bank:account_state_changed", one.id, deed, **states)
    return changed


def register_collector(
    connection: Connection, bank: BankParts, code: str, name_kana: str, deed: Deed
) -> FilePartner:
    """Register who sends files of debits or transfers. Raises FilePartnerUnfit and StaffIdUnusable."""
    registered = file_partners.register(connection, bank, code, name_kana)
    _on_record(connection, bank, "bank:collector_registered", code, deed)
    return registered


def lodge(connection: Connection, bank: BankParts, paper: Paper, deed: Deed) -> Mandate:
    """Take a mandate that a depositor signed on paper.

    Raises AccountLinkedAlready, StaffIdUnusable, and ValueError for ceilings that are none.
    """
    consented = Consented(
        partner=file_partners.partner_of(paper.collector),
        deposit_id=paper.deposit.id,
        user_ref="",
        actions=(Action.DEBIT,),
        ceiling=paper.ceiling,
        month_ceiling=paper.month_ceiling,
        way=ON_PAPER,
        by=deed.by,
        origin=Origin.PAPER,
    )
    lodged = mandates.activate_within(connection, bank, consented)
    details = {"account": paper.deposit.id, "collector": paper.collector}
    _on_record(connection, bank, "bank:mandate_lodged", lodged.id, deed, **details)
    return lodged


def _on_record(
    connection: Connection, bank: BankParts, act: str, subject: str, deed: Deed, **details: object
) -> None:
    audit.record_deed(connection, deed, act, subject, at_us=bank.clock.now_us(), **details)
