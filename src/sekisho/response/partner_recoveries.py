"""Recovery from a partner: what was made good is asked for, a share of each claim, or is given up.

The member was paid first, at our own loss. What a partner bears of it changes nothing for the member; it
lowers the loss, and only once its money has come (`partner_receipts`).
"""

from typing import NamedTuple

import msgspec
from sqlalchemy import Connection

from sekisho.identity.institution import Parts
from sekisho.kernel.refusals import Refusal
from sekisho.response import audit, recovery_rows
from sekisho.response.audit import Act
from sekisho.response.partner_books import PartnerBooks
from sekisho.response.recovery_rows import Receipt, Recovery, Summed
from sekisho.response.staff import require_second, require_staff
from sekisho.storage import outbox

PERCENT = 100
TEXT_MAX = 400


class NothingToRecover(Refusal):
    """Nothing of this partner and campaign can be asked for, or is open."""

    code = "nothing_to_recover"
    status = 404
    told = "There is nothing of this kind to be recovered from this partner."


class RecoveryChanged(Refusal):
    """What was approved is not what stands there any more."""

    code = "recovery_changed"
    status = 409
    told = "Something has changed since this was shown. Look at it again."


class RecoveryUnusable(Refusal):
    """A share, a number, a day or a reason that can't be."""

    code = "recovery_unusable"
    status = 422
    told = "Give a share from 1 to 100, the number of the payment, a day that has come, and a reason."


class ReceiptWaits(Refusal):
    """Nothing is given up while money of the partner waits to be booked."""

    code = "receipt_waits"
    status = 409
    told = "Money of this partner waits to be booked. Decide that first."


class Wanted(NamedTuple):
    """What is to be asked of a partner for the claims of a campaign: a share of each in per cent, and why."""

    partner: str
    campaign: str
    share: int
    ground: str


class Sum(NamedTuple):
    """What a deed comes to: how many claims, and how much."""

    claims: int
    yen: int


class AtPartner(NamedTuple):
    """Everything about one partner: its name, what it may bear, what came, and the sums as of now."""

    partner: str
    name: str
    recoveries: list[Recovery]
    receipts: list[Receipt]
    summed: Summed


class RecoveryDesk:
    """Asks partners to bear what was made good, at one institution. `by` is a staff id."""

    def __init__(self, parts: Parts, books: PartnerBooks) -> None:
        self._parts = parts
        self._books = books

    async def summed(self, *, as_of_us: int, campaign: str = "", partner: str = "") -> Summed:
        """Sum up as of a time, by campaign and partner."""
        return await self._parts.read(
            lambda at: recovery_rows.summed(at, as_of_us=as_of_us, campaign=campaign, partner=partner)
        )

    async def names(self, partners: set[str], language: str) -> dict[str, str]:
        """Return what partners are called."""
        return await self._parts.read(
            lambda at: {partner: self._books.name_of(at, partner, language) for partner in partners}
        )

    async def of_claim(self, claim_id: str) -> Recovery | None:
        """Return what a partner may bear of a claim."""
        return await self._parts.read(lambda at: recovery_rows.of_claim(at, claim_id))

    async def at(self, partner: str, language: str) -> AtPartner:
        """Return everything about one partner. Raises NothingToRecover where there is nothing."""

        def look(connection: Connection) -> AtPartner:
            recoveries = recovery_rows.of_partner(connection, partner)
            if not recoveries:
                raise NothingToRecover(known=partner[:60])
            now_us = self._parts.clock.now_us()
            return AtPartner(
                partner,
                self._books.name_of(connection, partner, language),
                recoveries,
                recovery_rows.receipts(connection, partner=partner),
                recovery_rows.summed(connection, as_of_us=now_us, partner=partner),
            )

        return await self._parts.read(look)

    async def asking(self, wanted: Wanted) -> Sum:
        """Return what asking would come to. Raises RecoveryUnusable and NothingToRecover."""
        return await self._parts.read(
            lambda at: _sum_of(_to_ask(recovery_rows.of_partner(at, wanted.partner), wanted))
        )

    async def ask(self, wanted: Wanted, expected: Sum, *, by: str) -> None:
        """Keep that a partner was asked for claims that it was not asked for before: exactly as expected.

        Raises RecoveryUnusable, NothingToRecover, RecoveryChanged and StaffIdUnusable.
        """

        def work(connection: Connection) -> None:
            found = recovery_rows.of_partner(connection, wanted.partner, to_change=True)
            asked, now_us = _to_ask(found, wanted), self._parts.clock.now_us()
            _require_expected(asked, expected)
            values = {"asked_by": require_staff(by), "asked_at_us": now_us, "ground": wanted.ground.strip()}
            for recovery_id, yen in asked.items():
                recovery_rows.change(connection, recovery_id, asked_yen=yen, **values)
            details = {"campaign": wanted.campaign, "share": wanted.share, **expected._asdict()}
            put_on_record(
                connection,
                self._parts,
                Act(
                    actor=by,
                    act="recovery:asked",
                    subject=wanted.partner,
                    reason=wanted.ground.strip(),
                    details=details,
                ),
            )

        await self._parts.written(work)

    async def giving_up(self, partner: str, campaign: str) -> Sum:
        """Return what is open of a partner for a campaign. Raises NothingToRecover and ReceiptWaits."""
        return await self._parts.read(
            lambda at: _sum_of(_to_give_up(recovery_rows.of_partner(at, partner), campaign))
        )

    async def give_up(self, partner: str, campaign: str, expected: Sum, *, by: str, why: str) -> None:
        """Ask no more for what is open, exactly as expected, as somebody else than who asked.

        Raises RecoveryUnusable, NothingToRecover, ReceiptWaits, RecoveryChanged, SecondPersonNeeded and
        StaffIdUnusable.
        """
        reason = require_reason(why)

        def work(connection: Connection) -> None:
            found = recovery_rows.of_partner(connection, partner, to_change=True)
            ending, now_us = _to_give_up(found, campaign), self._parts.clock.now_us()
            _require_expected(ending, expected)
            for one in found:
                if one.id in ending:
                    require_second(by, one.asked_by)
            values = {"given_up_by": by, "given_up_at_us": now_us, "given_up_why": reason}
            for recovery_id, yen in ending.items():
                recovery_rows.change(connection, recovery_id, given_up_yen=yen, **values)
            details = {"campaign": campaign, **expected._asdict()}
            act = Act(actor=by, act="recovery:given_up", subject=partner, reason=reason, details=details)
            put_on_record(connection, self._parts, act)

        await self._parts.written(work)


def require_reason(text: str) -> str:
    """Return a reason without the spaces around it. Raises RecoveryUnusable."""
    reason = text.strip()
    if not 0 < len(reason) <= TEXT_MAX:
        raise RecoveryUnusable(known="no reason, or too long")
    return reason


def put_on_record(connection: Connection, parts: Parts, act: Act) -> None:
    """Write a deed of recovery down as an act, and pass it on as an event."""
    now_us = parts.clock.now_us()
    position = audit.record(connection, act, at_us=now_us)
    body = msgspec.json.encode({"by": act.actor, "subject": act.subject, **act.details})
    event = outbox.Entry(f"response:{act.act}", f"staff_act:{position}", now_us, body)
    outbox.append(connection, [event])


def _to_ask(found: list[Recovery], wanted: Wanted) -> dict[str, int]:
    """Return how much is to be asked for what. Raises RecoveryUnusable and NothingToRecover."""
    if not 1 <= wanted.share <= PERCENT:
        raise RecoveryUnusable(known=f"{wanted.share} %")
    require_reason(wanted.ground)
    shares = {
        one.id: one.paid_yen * wanted.share // PERCENT
        for one in found
        if one.asked_at_us is None and one.campaign == wanted.campaign
    }
    asked: dict[str, int] = {recovery_id: yen for recovery_id, yen in shares.items() if yen}
    if not asked:
        raise NothingToRecover(known=f"{wanted.partner[:60]} {wanted.campaign[:60]}")
    return asked


def _to_give_up(found: list[Recovery], campaign: str) -> dict[str, int]:
    """Return how much is open of what. Raises NothingToRecover and ReceiptWaits."""
    its = [one for one in found if one.campaign == campaign and one.open_yen]
    if not its:
        raise NothingToRecover(known=campaign[:60])
    if any(one.waiting_yen for one in its):
        raise ReceiptWaits(known=campaign[:60])
    return {one.id: one.open_yen for one in its}


def _sum_of(yen: dict[str, int]) -> Sum:
    return Sum(len(yen), sum(yen.values()))


def _require_expected(yen: dict[str, int], expected: Sum) -> None:
    if _sum_of(yen) != expected:
        raise RecoveryChanged(known=f"{_sum_of(yen)}, not {expected}")
