"""Links that a person has to look at: name or phone differ, the rest agrees. One member of staff decides."""

from typing import NamedTuple

from sqlalchemy import Connection

from sekisho.kernel.refusals import Refusal
from sekisho.response import audit
from sekisho.response.audit import Act
from sekisho.response.staff import require_staff
from sekisho.storage import outbox
from sekisho.wallet import link_rows
from sekisho.wallet.house import WalletParts
from sekisho.wallet.link_ends import LinkEnd, end_within
from sekisho.wallet.link_limits import LinkSettings
from sekisho.wallet.link_returns import activate_within
from sekisho.wallet.link_rows import BankLink, LinkState, Review
from sekisho.wallet.links import link_event, require_verified

SHOWN_MAX = 200


class ReviewOver(Refusal):
    """The link waits for nobody: it was decided, or has ended."""

    code = "link_review_over"
    status = 409
    told = "This link is not waiting for a review."


class Decision(NamedTuple):
    """What a member of staff decided of a link, who it was, and why."""

    link_id: str
    approved: bool
    by: str
    reason: str


class LinkReviewDesk:
    """Shows links that wait for a person, and takes decisions, for one wallet."""

    def __init__(self, house: WalletParts, settings: LinkSettings | None = None) -> None:
        self._house = house
        self._settings = settings or LinkSettings()

    async def waiting(self) -> list[BankLink]:
        """Return the links that wait, the oldest first. Raises OperationalError."""
        return await self._house.read(lambda at: link_rows.waiting_for_review(at, SHOWN_MAX))

    async def decide(self, decision: Decision) -> BankLink:
        """Make a link active, or end it; it cools off from now on.

        Raises ReviewOver, StaffIdUnusable, LevelTooLow where the member is not verified any more, and
        OperationalError.
        """
        return await self._house.written(lambda at: self._decide(at, decision))

    def _decide(self, connection: Connection, decision: Decision) -> BankLink:
        house, now_us = self._house, self._house.clock.now_us()
        link = link_rows.find(connection, decision.link_id, for_update=True)
        if link is None or (link.state, link.review) != (LinkState.CONFIRMED, Review.WAITING):
            raise ReviewOver(known=decision.link_id[:40])
        review = Review.APPROVED if decision.approved else Review.TURNED_DOWN
        link_rows.change(connection, link.id, review=review.value, reviewed_by=decision.by)
        # The two names were there to be compared, and are nobody's business any more.
        link_rows.keep_holder(connection, house.keyring, link.id, "")
        event = link_event("wallet:link:reviewed", link, now_us, decision=review.value, by=decision.by)
        outbox.append(connection, [event])
        act = Act(
            actor=require_staff(decision.by),
            act=f"link:{review.value}",
            subject=link.id,
            reason=decision.reason,
        )
        audit.record(connection, act, at_us=now_us)
        if decision.approved:
            require_verified(connection, house, link.member_id)
            activate_within(connection, house, link, self._settings)
        else:
            end_within(connection, house.parts, link, LinkEnd.REVIEW)
        after = link_rows.find(connection, link.id)
        assert after is not None  # noqa: S101 - it was read a moment ago
        return after
