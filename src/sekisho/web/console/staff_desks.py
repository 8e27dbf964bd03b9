"""Whom the pages of the desks ask: for each institution, those who answer its incidents."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, cast

from litestar import Request

from sekisho.console.campaign_desk import CampaignDesk
from sekisho.console.containment_runs import ContainmentRuns
from sekisho.console.hunts import Hunts
from sekisho.console.live_tally import LiveTally
from sekisho.console.policy_desk import PolicyDesk
from sekisho.console.policy_trials import PolicyTrials
from sekisho.identity.institution import Institution, Parts
from sekisho.kernel.refusals import Refusal
from sekisho.lender.atm_disputes import DisputeDesk
from sekisho.lender.reviews import ReviewDesk
from sekisho.response.claims import ClaimDesk
from sekisho.response.containment import ContainmentDesk
from sekisho.response.partner_receipts import ReceiptDesk
from sekisho.response.partner_recoveries import RecoveryDesk
from sekisho.response.past_uses import PastUses
from sekisho.response.switch_desk import SwitchDesk
from sekisho.wallet.link_reviews import LinkReviewDesk
from sekisho.wallet.link_sights import LinkSightDesk
from sekisho.wallet.link_stops import LinkStopDesk
from sekisho.wallet.lost_moves import LostMoveDesk

STATE = "institutions"
Desk = TypeVar("Desk")


class NoSuchInstitution(Refusal):
    """These desks serve no institution of this name."""

    code = "no_such_institution"
    status = 404
    told = "These desks serve no institution of this name."


class NoSuchDesk(Refusal):
    """The institution has no such desk: it lends nothing, or keeps no money of members."""

    code = "no_such_desk"
    status = 404
    told = "This institution has no such desk."


class LinkDesks(NamedTuple):
    """Who answers for a wallet's links to banks."""

    sights: LinkSightDesk
    reviews: LinkReviewDesk
    stops: LinkStopDesk
    lost: LostMoveDesk


class InstitutionDesks(NamedTuple):
    """What the desks can see and do at one institution.

    `functions` are the names of what it can switch off, `past_uses` where past use of them is read;
    `history` is the folder of the sealed history; `watch` counts what its guard decides now. What an
    institution has no books for it has no desk for either, and its pages are not found.
    """

    parts: Parts
    switches: SwitchDesk
    functions: tuple[str, ...]
    past_uses: tuple[PastUses, ...]
    hunts: Hunts
    campaigns: CampaignDesk
    containments: ContainmentDesk
    runs: ContainmentRuns
    history: Path
    policies: PolicyDesk
    watch: LiveTally
    claims: ClaimDesk | None = None
    recoveries: RecoveryDesk | None = None
    receipts: ReceiptDesk | None = None
    applications: ReviewDesk | None = None
    atm_orders: DisputeDesk | None = None
    links: LinkDesks | None = None
    trials: PolicyTrials | None = None

    @property
    def institution(self) -> Institution:
        """The institution's names."""
        return self.parts.institution


def every_institution(request: Request[Any, Any, Any]) -> list[InstitutionDesks]:
    """Return the desks of every institution that is served."""
    return list(cast("Mapping[str, InstitutionDesks]", request.app.state[STATE]).values())


def desks_at(request: Request[Any, Any, Any]) -> InstitutionDesks:
    """Return the desks of the institution in a request's path. Raises NoSuchInstitution."""
    every = cast("Mapping[str, InstitutionDesks]", request.app.state[STATE])
    found = every.get(request.path_params["institution"])
    if found is None:
        raise NoSuchInstitution
    return found


def require_desk(desk: Desk | None) -> Desk:
    """Return a desk that not every institution has. Raises NoSuchDesk."""
    if desk is None:
        raise NoSuchDesk
    return desk
