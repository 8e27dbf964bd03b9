"""Links that people stop: by staff, with word to the bank where it may be fraud, and in a containment."""

from typing import NamedTuple

from sqlalchemy import Connection

from sekisho.identity.institution import Parts
from sekisho.response import audit
from sekisho.response.audit import Act
from sekisho.response.containment_rows import Contained
from sekisho.response.staff import require_staff
from sekisho.wallet import link_rows
from sekisho.wallet.house import WalletParts
from sekisho.wallet.link_ends import (
    LinkEnd,
    Suspension,
    end_unmade_of,
    end_within,
    resume_all_of,
    resume_within,
    suspend_all_of,
    suspend_within,
)
from sekisho.wallet.link_rows import BankLink, LinkState
from sekisho.wallet.link_signals import tell_bank
from sekisho.wallet.links import LinkUnknown


class StaffStop(NamedTuple):
    """What a member of staff does to a link, who it is, and why.

    `is_fraud` says that the bank should look as well; `reason` is for its staff too then, in English.
    """

    link_id: str
    by: str
    reason: str
    is_fraud: bool = False


class LinkStopDesk:
    """Stops links, lets them go on and ends them, for one wallet; each deed is on record with it.

    Raises StaffIdUnusable beside what each says.
    """

    def __init__(self, house: WalletParts) -> None:
        self._house = house

    async def stop(self, stop: StaffStop) -> BankLink:
        """Stop a link until somebody resumes it. Raises LinkUnknown where that changes nothing."""
        why = Suspension.DISPUTED if stop.is_fraud else Suspension.STAFF
        return await self._house.written(lambda at: self._stop(at, stop, why))

    async def resume(self, link_id: str, *, by: str, reason: str) -> BankLink:
        """Let a link go on, whoever had stopped it. Raises LinkUnknown where it is not suspended."""
        return await self._house.written(lambda at: self._resume(at, StaffStop(link_id, by, reason)))

    async def end(self, stop: StaffStop) -> BankLink:
        """End a link for good. Raises LinkUnknown where it is not open."""
        return await self._house.written(lambda at: self._end(at, stop))

    def _stop(self, connection: Connection, stop: StaffStop, why: Suspension) -> BankLink:
        link = _found(connection, stop.link_id)
        if not suspend_within(connection, self._house.parts, link, why):
            raise LinkUnknown(known=f"{link.id}: {link.state}")
        return self._told(connection, stop, "link:stopped")

    def _resume(self, connection: Connection, deed: StaffStop) -> BankLink:
        link = _found(connection, deed.link_id)
        if not resume_within(connection, self._house.parts, link, by=deed.by):
            raise LinkUnknown(known=f"{link.id}: {link.state}")
        return self._told(connection, deed, "link:resumed")

    def _end(self, connection: Connection, stop: StaffStop) -> BankLink:
        link = _found(connection, stop.link_id)
        over = link.state is LinkState.ENDED
        if over or not end_within(connection, self._house.parts, link, LinkEnd.CONTAINED):
            raise LinkUnknown(known=f"{link.id}: {link.state}")
        return self._told(connection, stop, "link:ended")

    def _told(self, connection: Connection, stop: StaffStop, act: str) -> BankLink:
        link = _found(connection, stop.link_id)
        done = Act(actor=require_staff(stop.by), act=act, subject=link.id, reason=stop.reason)
        audit.record(connection, done, at_us=self._house.clock.now_us())
        if stop.is_fraud:
            tell_bank(connection, self._house.parts, link, stop.reason)
        return link


class LinksContained:
    """Stops the links of accounts that are contained, and lets them go on when an account is open again."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def contained(self, connection: Connection, of: Contained) -> None:
        """Stop a member's links, and end those on the way, in the unit of work that shuts the account."""
        suspend_all_of(connection, self._parts, of.member_id, Suspension.CONTAINED)
        end_unmade_of(connection, self._parts, of.member_id, LinkEnd.CONTAINED)

    def reopened(self, connection: Connection, of: Contained) -> None:
        """Let those links go on that the containment had stopped, and no others."""
        by = of.containment_id
        resume_all_of(connection, self._parts, of.member_id, Suspension.CONTAINED, by=by)


def _found(connection: Connection, link_id: str) -> BankLink:
    link = link_rows.find(connection, link_id, for_update=True)
    if link is None:
        raise LinkUnknown(known=link_id[:40])
    return link
