"""What depositors do with their mandates: see them, stop one at once, allow it again, report it as not them.

Stopping asks for nothing but a session, or for the code of a notice: whoever stops a link by mistake loses
minutes, whoever cannot stop one loses money. Allowing asks for a fresh proof of exactly this link.
"""

from typing import NamedTuple

from sqlalchemy import Connection

from sekisho.bank import deposits, holders, mandates, orders, reports
from sekisho.bank.depositor_notices import tell_allowed, tell_stopped
from sekisho.bank.deposits import Deposit
from sekisho.bank.house import BankParts
from sekisho.bank.mandate_states import Actor, Deed, MandateState, Who
from sekisho.bank.mandates import Doing, Mandate, MandateUnknown
from sekisho.bank.orders import Order
from sekisho.bank.partner_names import name_of
from sekisho.bank.reports import Report
from sekisho.identity import sessions
from sekisho.identity.assurance import Granted, Need, NotFromHere, StepUp, Way, bound_to, demand
from sekisho.identity.masks import masked_account
from sekisho.identity.purposes import Purpose
from sekisho.identity.session_desk import Present
from sekisho.kernel.ids import MemberId
from sekisho.kernel.refusals import Refusal
from sekisho.ledger.journal import take_turn

LATEST = 5
STOPPED, ALLOWED, ENDED = "stopped_by_depositor", "allowed_by_depositor", "ended_by_depositor"
CONFIRMED = "confirmed_by_depositor"


class MandateNotStopped(Refusal):
    """The mandate cannot be allowed by its depositor: it goes on, has ended, or the bank has stopped it."""

    code = "mandate_not_stopped"
    status = 409
    told = "This link can't be allowed here. If the bank has stopped it, call us."


class Sight(NamedTuple):
    """A mandate as its depositor sees it: the account, the partner's name, the latest orders, the reports."""

    mandate: Mandate
    deposit: Deposit
    partner: str
    latest: tuple[Order, ...]
    reports: tuple[Report, ...]

    @property
    def can_allow(self) -> bool:
        """Whether the depositor may allow it again: what was stopped by the depositor, or by the watch."""
        stops = self.mandate.standing.stops
        return self.mandate.state is MandateState.SUSPENDED and stops <= {Who.DEPOSITOR, Who.WATCH}

    @property
    def purpose(self) -> Purpose:
        """What is approved to allow it again: this mandate, its partner and its account."""
        details = {
            "payee": self.partner,
            "account": masked_account(self.deposit.number),
            "mandate": self.mandate.id,
        }
        return Purpose(action="bank_link", details=details)


class MandateDesk:
    """Shows depositors their mandates and takes what they do with them."""

    def __init__(self, bank: BankParts) -> None:
        self._bank = bank

    async def of_member(self, member_id: MemberId, language: str) -> list[Sight]:
        """Return what a customer of the online bank allowed on all accounts, the newest first."""
        return await self._bank.read(lambda at: self._all(at, member_id, language))

    async def sight(self, member_id: MemberId, mandate_id: str, language: str) -> Sight:
        """Return one of them. Raises MandateUnknown and OperationalError."""
        return await self._bank.read(lambda at: self._one(at, member_id, mandate_id, language))

    async def stop(self, member_id: MemberId, mandate_id: str) -> None:
        """Stop a mandate at once. Raises MandateUnknown and OperationalError."""
        await self._bank.written(lambda at: self._do(at, member_id, mandate_id, Deed.STOP, STOPPED))

    async def end(self, member_id: MemberId, mandate_id: str) -> None:
        """End a mandate for good. Raises MandateUnknown and OperationalError."""
        await self._bank.written(lambda at: self._do(at, member_id, mandate_id, Deed.REVOKE, ENDED))

    async def stop_by_code(self, typed: str) -> bool:
        """Stop the mandate that a code of a notice is for, at once; tell whether there is one.

        Nothing of the mandate is told to whoever types a code. Raises OperationalError.
        """
        # Whoever guesses costs a look, and keeps nobody's booking waiting.
        if not await self._bank.read(lambda at: self._by_code(at, typed) is not None):
            return False
        return await self._bank.written(lambda at: self._stop_by_code(at, typed))

    async def allow(self, present: Present, mandate_id: str, language: str) -> Mandate | StepUp | NotFromHere:
        """Allow a stopped mandate again, for whom this was approved; the proof is used up.

        Raises MandateUnknown, MandateNotStopped and OperationalError.
        """
        return await self._bank.written(lambda at: self._allow(at, present, mandate_id, language))

    async def report(self, member_id: MemberId, mandate_id: str, order_ids: tuple[str, ...] = ()) -> Report:
        """Take "that was not me". Raises MandateUnknown and OperationalError."""
        return await self._bank.written(lambda at: self._report(at, member_id, mandate_id, order_ids))

    def _all(self, connection: Connection, member_id: MemberId, language: str) -> list[Sight]:
        accounts = self._accounts(connection, member_id)
        found = mandates.of_deposits(connection, accounts)
        shown = [one for one in found if one.active_from_us is not None]
        return [_sight(connection, one, accounts[one.deposit_id], language) for one in shown]

    def _one(self, connection: Connection, member_id: MemberId, mandate_id: str, language: str) -> Sight:
        one = self._own(connection, member_id, mandate_id)
        account = deposits.find(connection, one.deposit_id)
        assert account is not None  # noqa: S101 - it is among the member's accounts
        return _sight(connection, one, account, language)

    def _own(self, connection: Connection, member_id: MemberId, mandate_id: str) -> Mandate:
        one = mandates.find(connection, mandate_id)
        if one is None or one.deposit_id not in self._accounts(connection, member_id):
            raise MandateUnknown(known=mandate_id[:40])
        return one

    def _accounts(self, connection: Connection, member_id: MemberId) -> dict[str, Deposit]:
        holder = holders.find_by_member(connection, self._bank, member_id)
        its = [] if holder is None else deposits.of_depositor(connection, holder.id)
        return {one.id: one for one in its}

    def _do(self, connection: Connection, member_id: MemberId, mandate_id: str, deed: Deed, why: str) -> None:
        one = self._own(connection, member_id, mandate_id)
        doing = Doing(deed, Actor(Who.DEPOSITOR, member_id), why)
        changed = mandates.move(connection, self._bank, one, doing)
        if changed is not None:
            tell_stopped(connection, self._bank, changed)

    def _by_code(self, connection: Connection, typed: str) -> Mandate | None:
        one = mandates.by_stop_code(connection, self._bank.keyring, typed)
        return None if one is None or one.active_from_us is None else one

    def _stop_by_code(self, connection: Connection, typed: str) -> bool:
        one = self._by_code(connection, typed)
        if one is None:
            return False
        doing = Doing(Deed.STOP, Actor(Who.DEPOSITOR, "stop_code"), STOPPED)
        changed = mandates.move(connection, self._bank, one, doing)
        if changed is not None:
            tell_stopped(connection, self._bank, changed)
        return True

    def _allow(
        self, connection: Connection, present: Present, mandate_id: str, language: str
    ) -> Mandate | StepUp | NotFromHere:
        # Who else allows the same at this moment has to be seen before the proof is used up.
        take_turn(connection)
        member_id = present.session.member_id
        seen = self._one(connection, member_id, mandate_id, language)
        if not seen.can_allow:
            raise MandateNotStopped(known=f"{mandate_id} is {seen.mandate.state} by {seen.mandate.stops}")
        missing = _spend(connection, present, seen.purpose, self._bank.clock.now_us())
        if missing is not None:
            return missing
        changed = seen.mandate
        for who, why in ((Who.DEPOSITOR, ALLOWED), (Who.WATCH, CONFIRMED)):
            doing = Doing(Deed.ALLOW, Actor(who, member_id), why)
            changed = mandates.move(connection, self._bank, changed, doing) or changed
        tell_allowed(connection, self._bank, changed)
        return changed

    def _report(
        self, connection: Connection, member_id: MemberId, mandate_id: str, order_ids: tuple[str, ...]
    ) -> Report:
        one = self._own(connection, member_id, mandate_id)
        by = Actor(Who.DEPOSITOR, member_id)
        return reports.report_within(connection, self._bank, one, by, order_ids)


def _sight(connection: Connection, one: Mandate, account: Deposit, language: str) -> Sight:
    return Sight(
        one,
        account,
        name_of(connection, one.partner, language),
        tuple(orders.latest_of(connection, one.id, LATEST)),
        tuple(reports.of_mandate(connection, one.id)),
    )


def _spend(
    connection: Connection, present: Present, purpose: Purpose, now_us: int
) -> StepUp | NotFromHere | None:
    """Use up the proof of a purpose; where there is none, return how to get one."""
    session = present.session
    bound = bound_to(session, purpose.key)
    answer = demand(bound, present.device, Need.CHANGE, now_us, purpose=purpose.key)
    if not isinstance(answer, Granted):
        return answer
    ways = (Way.PASSKEY, Way.CODE)
    spent = any(sessions.spend_proof(connection, session, way, purpose.key, now_us) for way in ways)
    return None if spent else StepUp(ways)
