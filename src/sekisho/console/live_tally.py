"""The last quarter of an hour at the checkpoint, counted as it happens, in bounded memory."""

from collections import deque
from itertools import islice

import msgspec

from sekisho.console.live_campaigns import CampaignView, Entered, LiveCampaigns
from sekisho.console.masks import masked_member
from sekisho.console.window_top import WindowTop
from sekisho.guard.attempts import Attempt, ChallengeResult, Outcome
from sekisho.guard.decisions import Action, Decision
from sekisho.kernel.clock import MINUTE_US, SECOND_US

WINDOW_S = 900
ACTIONS = tuple(Action)
ALLOW = ACTIONS.index(Action.ALLOW)
STOPPED = slice(ALLOW + 1, None)
KEYS_MAX = 400
REST = "…"
LATEST_MAX = 12
RATE_S = 10
BEFORE_S = 60
UNPROVEN_MAX = 5_000
FAILURES = frozenset({Outcome.WRONG_SECRET, Outcome.NO_SUCH_MEMBER})
ENTERED_FROM = 0.5
"""From this probability on, a success in a campaign counts as a member who may have been entered."""


class Latest(msgspec.Struct, frozen=True, kw_only=True):
    """One decision as a row: who (masked), from where, what was answered and why."""

    at_us: int
    member: str
    network: str
    action: Action
    probability: float
    before_hash: bool
    reasons: tuple[str, ...]


class Ranked(msgspec.Struct, frozen=True, kw_only=True):
    """A network or a reason with its attempts by verdict, in the order of `ACTIONS`."""

    key: str
    by_action: tuple[int, ...]

    @property
    def attempts(self) -> int:
        """All attempts with this key in the window."""
        return sum(self.by_action)

    @property
    def stopped(self) -> int:
        """Those that were not simply let through."""
        return sum(self.by_action[STOPPED])


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the live page shows at one moment.

    `rate` and `rate_before` are attempts a second: the mean of the last 10 s and of the minute before them.
    `failed` are attempts that were let through and failed at the password: honest slips, and what came past.
    `seconds` are (epoch second, allow, puzzle, challenge, deny), one for each second that had any.
    """

    now_us: int
    rate: float
    rate_before: float
    attempts: int
    stopped: int
    stopped_last_minute: int
    before_hash: int
    failed: int
    failed_last_minute: int
    entered: int
    entered_last_minute: int
    successes: int
    asked: int
    asked_last_minute: int
    seconds: tuple[tuple[int, ...], ...]
    campaigns: tuple[CampaignView, ...]
    networks: tuple[Ranked, ...]
    reasons: tuple[Ranked, ...]
    latest: tuple[Latest, ...]

    @property
    def live_campaigns(self) -> tuple[CampaignView, ...]:
        """The campaigns that are going on now."""
        return tuple(campaign for campaign in self.campaigns if campaign.live)


class _Second:
    __slots__ = ("asked", "at_s", "before_hash", "by_action", "entered", "failed", "successes")

    def __init__(self, at_s: int) -> None:
        self.at_s = at_s
        self.by_action = [0] * len(ACTIONS)
        self.before_hash = 0
        self.entered = 0
        self.failed = 0
        self.successes = 0
        self.asked = 0


class LiveTally:
    """Counts decisions and outcomes by the second. Memory is bounded whatever arrives."""

    def __init__(self) -> None:
        self._seconds: deque[_Second] = deque(maxlen=WINDOW_S)
        minutes = WINDOW_S * SECOND_US // MINUTE_US
        self._networks = WindowTop(minutes=minutes, keys_max=KEYS_MAX, columns=len(ACTIONS), rest=REST)
        self._reasons = WindowTop(minutes=minutes, keys_max=KEYS_MAX, columns=len(ACTIONS), rest=REST)
        self._latest: deque[Latest] = deque(maxlen=LATEST_MAX)
        self._campaigns = LiveCampaigns()
        self._unproven: deque[int] = deque(maxlen=UNPROVEN_MAX)

    def decided(self, attempt: Attempt, decision: Decision, at_us: int) -> None:
        """Count a decision that was made at a moment."""
        second = self._second(at_us // SECOND_US)
        column = ACTIONS.index(decision.action)
        second.by_action[column] += 1
        second.before_hash += decision.before_hash
        network = network_of(attempt)
        self._networks.add(network, column, second.at_s)
        if decision.action is not Action.ALLOW:
            for reason in decision.reasons:
                self._reasons.add(reason, column, second.at_s)
        if decision.campaign:
            if decision.campaign not in self._campaigns:
                self._campaigns.raised(decision.campaign, at_us, unproven_before=self._unproven_before(at_us))
            self._campaigns.decided(attempt, decision, network, at_us)
        self._latest.appendleft(
            Latest(
                at_us=at_us,
                member=masked_member(attempt.member),
                network=network,
                action=decision.action,
                probability=decision.probability,
                before_hash=decision.before_hash,
                reasons=decision.reasons,
            )
        )

    def settled(
        self, attempt: Attempt, decision: Decision, outcome: Outcome, challenge: ChallengeResult, at_us: int
    ) -> None:
        """Count what came of a decision: successes say whom an attack reached and whom the guard asked."""
        if decision.action is Action.ALLOW and outcome in FAILURES:
            self._second(at_us // SECOND_US).failed += 1
        asked = decision.action in {Action.CHALLENGE, Action.DENY}
        if outcome is not Outcome.SUCCESS or (asked and challenge is not ChallengeResult.PASSED):
            return
        second = self._second(at_us // SECOND_US)
        second.successes += 1
        if asked:
            second.asked += 1
        elif decision.campaign and decision.probability >= ENTERED_FROM:
            masked, network = masked_member(attempt.member), network_of(attempt)
            entered = Entered(member=masked, network=network, at_us=at_us)
            second.entered += self._campaigns.entered(decision.campaign, attempt.member, entered)
        elif attempt.device_valid is not True:
            self._unproven.append(at_us)
            self._campaigns.unproven(at_us)

    def picture(self, now_us: int) -> Picture:
        """Return the window that ends now."""
        now_s = now_us // SECOND_US
        seconds = [second for second in self._seconds if now_s - WINDOW_S < second.at_s <= now_s]
        minute = [second for second in seconds if second.at_s > now_s - BEFORE_S]
        campaigns = self._campaigns.views(now_us)
        return Picture(
            now_us=now_us,
            rate=_rate(seconds, now_s - RATE_S, RATE_S),
            rate_before=_rate(seconds, now_s - RATE_S - BEFORE_S, BEFORE_S),
            attempts=sum(sum(second.by_action) for second in seconds),
            stopped=_stopped(seconds),
            stopped_last_minute=_stopped(minute),
            before_hash=sum(second.before_hash for second in seconds),
            failed=sum(second.failed for second in seconds),
            failed_last_minute=sum(second.failed for second in minute),
            entered=sum(campaign.entered for campaign in campaigns),
            entered_last_minute=sum(second.entered for second in minute),
            successes=sum(second.successes for second in seconds),
            asked=sum(second.asked for second in seconds),
            asked_last_minute=sum(second.asked for second in minute),
            seconds=tuple((second.at_s, *second.by_action) for second in seconds),
            campaigns=campaigns,
            networks=_ranked(self._networks, now_s, 8),
            reasons=_ranked(self._reasons, now_s, 8),
            latest=tuple(self._latest),
        )

    def _second(self, at_s: int) -> _Second:
        """Return the bucket of a second; the newest one where the clock went back past what is kept."""
        if not self._seconds or at_s > self._seconds[-1].at_s:
            self._seconds.append(_Second(at_s))
        for second in islice(reversed(self._seconds), RATE_S):
            if second.at_s == at_s:
                return second
        return self._seconds[-1]

    def _unproven_before(self, at_us: int) -> int:
        return sum(at_us - MINUTE_US <= earlier <= at_us for earlier in self._unproven)


def network_of(attempt: Attempt) -> str:
    """Return an attempt's network as it is shown: country and number, as far as they are known."""
    number = f"AS{attempt.asn}" if attempt.asn else "AS?"
    return f"{attempt.country or '??'} {number}"


def _stopped(seconds: list[_Second]) -> int:
    return sum(sum(second.by_action[STOPPED]) for second in seconds)


def _rate(seconds: list[_Second], after_s: int, length_s: int) -> float:
    """Return the mean attempts a second of the `length_s` whole seconds from `after_s` on."""
    counted = (sum(s.by_action) for s in seconds if after_s <= s.at_s < after_s + length_s)
    return sum(counted) / length_s


def _ranked(top: WindowTop, now_s: int, limit: int) -> tuple[Ranked, ...]:
    rows = top.largest(now_s, limit, by_columns=STOPPED)
    return tuple(Ranked(key=key, by_action=counts) for key, counts in rows)
