"""What the bank tells a partner of itself: how a mandate stands, and what is switched off for the partner."""

from collections.abc import Mapping

import msgspec

from sekisho.bank import mandates
from sekisho.bank.house import BankParts
from sekisho.bank.mandate_states import Actor, Deed, Who
from sekisho.bank.mandates import Doing, Mandate, MandateUnknown
from sekisho.bank.switches import Function, Switches
from sekisho.kernel.clock import rfc3339
from sekisho.storage.unit_of_work import Connection

_SHORT = {
    Function.LINK_REGISTER: "register",
    Function.LINK_CHANGE: "change",
    Function.DEBIT: "debit",
    Function.CREDIT: "credit",
}


class MandateStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A mandate as its partner sees it. `stopped_by` names who has stopped it: depositor, partner, bank."""

    mandate_id: str
    state: str
    stopped_by: tuple[str, ...]
    actions: tuple[str, ...]
    ceiling_yen: int
    month_ceiling_yen: int


class Off(msgspec.Struct, frozen=True, kw_only=True):
    """A function that is off: a word for why, what people are told by language, and until when."""

    reason: str
    told: Mapping[str, str]
    until: str = ""


class ServiceStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What is off for a partner by function (`register`, `change`, `debit`, `credit`): why, then more."""

    partner: str
    as_of: str
    off: Mapping[str, str]
    details: Mapping[str, Off]


class PartnerDesk:
    """Answers partners about their mandates and about the bank."""

    def __init__(self, bank: BankParts, switches: Switches) -> None:
        self._bank = bank
        self._switches = switches

    async def mandate(self, partner: str, mandate_id: str) -> MandateStatus:
        """Return how a partner's mandate stands. Raises MandateUnknown and OperationalError."""
        return _status(await self._bank.read(lambda at: _own(at, partner, mandate_id)))

    async def revoke(self, partner: str, mandate_id: str) -> MandateStatus:
        """End a partner's mandate for good; ended already, or disputed, it stays as it is.

        Raises MandateUnknown and OperationalError.
        """
        return _status(await self._bank.written(lambda at: self._revoke(at, partner, mandate_id)))

    async def service_status(self, partner: str) -> ServiceStatus:
        """Return what is off for a partner now. Raises OperationalError."""
        off = await self._switches.off_for_partner(partner)
        details = {
            _SHORT[function]: Off(
                reason=one.reason,
                told=one.told,
                until="" if one.until_us is None else rfc3339(one.until_us),
            )
            for function in Function
            if (one := off.get(function.value)) is not None
        }
        return ServiceStatus(
            partner=partner,
            as_of=rfc3339(self._bank.clock.now_us()),
            off={name: each.reason for name, each in details.items()},
            details=details,
        )

    def _revoke(self, connection: Connection, partner: str, mandate_id: str) -> Mandate:
        one = _own(connection, partner, mandate_id)
        doing = Doing(Deed.REVOKE, Actor(Who.PARTNER, partner), "ended_by_partner")
        return mandates.move(connection, self._bank, one, doing) or mandates.found(connection, one.id)


def _own(connection: Connection, partner: str, mandate_id: str) -> Mandate:
    one = mandates.found(connection, mandate_id)
    if one.partner != partner:
        raise MandateUnknown(known=f"{mandate_id[:40]} is not of {partner}")
    return one


def _status(one: Mandate) -> MandateStatus:
    return MandateStatus(
        mandate_id=one.id,
        state=one.state.value,
        stopped_by=tuple(sorted({_told_as(who) for who in one.standing.stops})),
        actions=tuple(one.actions.split(",")),
        ceiling_yen=one.ceiling_yen,
        month_ceiling_yen=one.month_ceiling_yen,
    )


def _told_as(who: Who) -> str:
    # Whether people or a program of the bank stopped it is the bank's own business.
    return Who.BANK.value if who is Who.WATCH else who.value
