"""What stands behind a typed account: looked up in one read, the same reads whoever it is."""

from typing import NamedTuple

import structlog
from sqlalchemy import Connection

from sekisho.bank import deposits, holders, pins
from sekisho.bank.authorisation.pushed_requests import Visit
from sekisho.bank.deposits import Deposit, DepositState
from sekisho.bank.holders import Depositor
from sekisho.bank.house import BankParts
from sekisho.bank.link_gate import LinkForm
from sekisho.bank.pins import Pin
from sekisho.identity.holds import holds_on
from sekisho.kernel.ids import MemberId
from sekisho.storage.keyring import Unsealable

log = structlog.get_logger(__name__)

_NOBODY = MemberId("")


class LinkClaim(NamedTuple):
    """A typed account and what is on file of it; None where there is none.

    `usable` says that the account may be linked by its PIN now: it is open, nothing of it is on hold, and
    strangers have not mistyped its PIN too often.
    """

    deposit: Deposit | None
    depositor: Depositor | None
    pin: Pin | None
    usable: bool


def look_up(connection: Connection, bank: BankParts, form: LinkForm) -> LinkClaim:
    """Look a typed account up. Raises OperationalError where the store is out."""
    now_us = bank.clock.now_us()
    branch, number = deposits.read_branch(form.branch), deposits.read_number(form.number)
    one = deposits.find_by_number(connection, branch, number)
    kept = pins.find(connection, "" if one is None else one.id)
    depositor = _holder(connection, bank, one)
    usable = _is_free(connection, one, depositor, now_us) and not pins.is_locked(kept, now_us)
    return LinkClaim(one, depositor, kept, usable)


def is_usable_still(connection: Connection, bank: BankParts, claim: LinkClaim) -> bool:
    """Say whether an account that was looked up may be linked by its PIN now.

    While its PIN was hashed others may have mistyped it too often, or its holder may have stopped everything.
    """
    one = None if claim.deposit is None else deposits.find(connection, claim.deposit.id)
    kept = None if one is None else pins.find(connection, one.id)
    return is_free(connection, bank, one) and not pins.is_locked(kept, bank.clock.now_us())


def is_free(connection: Connection, bank: BankParts, one: Deposit | None) -> bool:
    """Say whether an account is open, and its holder has put nothing on hold."""
    return _is_free(connection, one, _holder(connection, bank, one), bank.clock.now_us())


def is_holder(claim: LinkClaim, visit: Visit, form: LinkForm) -> bool:
    """Say whether the account's holder is who was typed, and who the partner says its user is."""
    if claim.depositor is None:
        return False
    holder, said = claim.depositor.holder, visit.asked.link.holder
    typed = holders.is_same_person(holder, form.name_kana, form.birth_date)
    named = holders.is_same_person(holder, said.name_kana, said.birth_date)
    return typed & named


def _is_free(connection: Connection, one: Deposit | None, depositor: Depositor | None, now_us: int) -> bool:
    held = holds_on(connection, (depositor and depositor.member_id) or _NOBODY, now_us)
    return one is not None and one.state is DepositState.OPEN and not held


def _holder(connection: Connection, bank: BankParts, one: Deposit | None) -> Depositor | None:
    """Return the holder; nobody where the data do not open: an error would tell which accounts there are."""
    try:
        return holders.find(connection, bank, "" if one is None else one.depositor_id)
    except Unsealable as unsealable:
        log.error("link:holder:unsealable", detail=unsealable.detail)  # noqa: TRY400 - names no datum
        return None
