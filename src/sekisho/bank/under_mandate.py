"""What an order of a partner stands on: the mandate, the account, and whatever in them stands in the way."""

from typing import NamedTuple

import msgspec
from sqlalchemy import Connection

from sekisho.bank import debit_statements, mandates
from sekisho.bank.deposits import Deposit, DepositState
from sekisho.bank.mandate_states import MandateState, Who
from sekisho.bank.mandates import Action, Mandate, MandateUnknown
from sekisho.bank.orders import Asked, Why
from sekisho.identity.holds import holds_on
from sekisho.kernel.ids import MemberId


class Under(NamedTuple):
    """A mandate, its account, and which customer of the online bank the depositor is, if any."""

    mandate: Mandate
    deposit: Deposit
    member_id: MemberId | None

    @property
    def named(self) -> str:
        """Return by which name a switch for some members alone can mean the depositor.

        Nobody who has no online bank is among them; who is not named at all would be.
        """
        return self.member_id or self.deposit.depositor_id


def under_mandate(connection: Connection, asked: Asked) -> Under:
    """Return what an order stands on. Raises MandateUnknown where the mandate is not the partner's."""
    found = debit_statements.under(connection, asked.mandate_id)
    if found is None or found[0]["partner"] != asked.partner:
        raise MandateUnknown(known=asked.mandate_id[:40])
    its, account, member_id = found
    return Under(
        msgspec.convert(its, Mandate),
        msgspec.convert(account, Deposit),
        None if member_id is None else MemberId(member_id),
    )


def why_not(connection: Connection, under: Under, action: Action, now_us: int) -> Why | None:
    """Return what in a mandate or its account stands in the way of an action; None where nothing does."""
    one, account = under.mandate, under.deposit
    if not one.allows(action) or one.active_from_us is None:
        return Why.NO_MANDATE
    if one.state is not MandateState.ACTIVE:
        return _stopped_by(connection, one)
    if account.state is DepositState.CLOSED:
        return Why.NO_ACCOUNT
    if action is Action.CREDIT:
        return None
    if account.state is not DepositState.OPEN:
        return Why.BANK_STOPPED
    # Who has frozen the online bank, or whose account may have been entered, wants no money to leave.
    frozen = under.member_id is not None and holds_on(connection, under.member_id, now_us)
    return Why.DEPOSITOR_STOPPED if frozen else None


_STOPPED = (
    (Who.DEPOSITOR, Why.DEPOSITOR_STOPPED),
    (Who.BANK, Why.BANK_STOPPED),
    (Who.WATCH, Why.HELD_FOR_REVIEW),
    (Who.PARTNER, Why.PARTNER_STOPPED),
)


def _stopped_by(connection: Connection, one: Mandate) -> Why:
    if one.state is MandateState.DISPUTED:
        return Why.DEPOSITOR_STOPPED
    stops = one.standing.stops
    if one.state is MandateState.REVOKED:
        ended_by = mandates.moves_of(connection, one.id)[-1].by.partition(":")[0]
        stops = frozenset({Who(ended_by)})
    return next(why for who, why in _STOPPED if who in stops)
