"""Campaigns as they look while they run: how wide, how stopped, and whom they reached."""

from collections import OrderedDict, deque

import msgspec

from sekisho.guard.attempts import Attempt
from sekisho.guard.decisions import Action, Decision
from sekisho.kernel.clock import SECOND_US

CAMPAIGNS_MAX = 20
DISTINCT_MAX = 20_000
ENTERED_SHOWN_MAX = 6
LIVE_FOR_S = 30
ONE_TRY_AN_ACCOUNT = 1.6
"""Below so many attempts a member a campaign works through a list; above, it guesses at the same accounts."""


class Entered(msgspec.Struct, frozen=True, kw_only=True):
    """A member who was let through on an attempt that belongs to a campaign."""

    member: str
    network: str
    at_us: int


class CampaignView(msgspec.Struct, frozen=True, kw_only=True):
    """One campaign at one moment. `distinct_full` says that members and addresses are at least so many.

    `unproven` are logins without a known device that succeeded while it ran or in the minute before.
    """

    campaign: str
    noticed_us: int
    last_us: int
    live: bool
    list_type: bool
    attempts: int
    stopped: int
    before_hash: int
    members: int
    addresses: int
    networks: int
    distinct_full: bool
    entered: int
    entered_lately: tuple[Entered, ...]
    unproven: int


class _Campaign:
    def __init__(self, at_us: int, unproven: int) -> None:
        self.noticed_us = at_us
        self.last_us = at_us
        self.unproven = unproven
        self.attempts = 0
        self.stopped = 0
        self.before_hash = 0
        self.told_apart = 0
        self.members: set[int] = set()
        self.addresses: set[int] = set()
        self.networks: set[str] = set()
        self.entered: set[int] = set()
        self.entered_lately: deque[Entered] = deque(maxlen=ENTERED_SHOWN_MAX)

    def is_live(self, now_us: int) -> bool:
        return now_us - self.last_us <= LIVE_FOR_S * SECOND_US


class LiveCampaigns:
    """The campaigns that the guard has named, the latest twenty of them."""

    def __init__(self) -> None:
        self._campaigns: OrderedDict[str, _Campaign] = OrderedDict()

    def __contains__(self, campaign: str) -> bool:
        return campaign in self._campaigns

    def raised(self, campaign: str, at_us: int, *, unproven_before: int) -> None:
        """Open a campaign. `unproven_before`: logins without a known device that succeeded just before it."""
        self._campaigns[campaign] = _Campaign(at_us, unproven_before)
        while len(self._campaigns) > CAMPAIGNS_MAX:
            self._campaigns.popitem(last=False)

    def decided(self, attempt: Attempt, decision: Decision, network: str, at_us: int) -> None:
        """Count an attempt that the guard gave to a campaign."""
        campaign = self._campaigns[decision.campaign]
        campaign.last_us = max(campaign.last_us, at_us)
        campaign.attempts += 1
        campaign.stopped += decision.action is not Action.ALLOW
        campaign.before_hash += decision.before_hash
        if len(campaign.members) < DISTINCT_MAX:
            campaign.told_apart += 1
            campaign.members.add(hash(attempt.member))
            campaign.addresses.add(hash(attempt.ip))
            campaign.networks.add(network)

    def entered(self, campaign: str, member: str, entered: Entered) -> bool:
        """Note that a member was let in on a campaign's attempt; False if that is known already."""
        tally = self._campaigns.get(campaign)
        if tally is None or hash(member) in tally.entered:
            return False
        tally.entered.add(hash(member))
        tally.entered_lately.append(entered)
        return True

    def unproven(self, at_us: int) -> None:
        """Note a login without a known device that succeeded: it may be part of whatever runs now."""
        for campaign in self._campaigns.values():
            if campaign.is_live(at_us):
                campaign.unproven += 1

    def views(self, now_us: int) -> tuple[CampaignView, ...]:
        """Return every campaign kept, the one seen last first."""
        views = (_view(name, campaign, now_us) for name, campaign in self._campaigns.items())
        return tuple(sorted(views, key=lambda view: -view.last_us))


def _view(name: str, campaign: _Campaign, now_us: int) -> CampaignView:
    return CampaignView(
        campaign=name,
        noticed_us=campaign.noticed_us,
        last_us=campaign.last_us,
        live=campaign.is_live(now_us),
        list_type=campaign.told_apart < ONE_TRY_AN_ACCOUNT * len(campaign.members),
        attempts=campaign.attempts,
        stopped=campaign.stopped,
        before_hash=campaign.before_hash,
        members=len(campaign.members),
        addresses=len(campaign.addresses),
        networks=len(campaign.networks),
        distinct_full=campaign.told_apart < campaign.attempts,
        entered=len(campaign.entered),
        entered_lately=tuple(reversed(campaign.entered_lately)),
        unproven=campaign.unproven,
    )
